"""What comes back travels through a real Postfix, set up as ``docs/postfix`` says."""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable

from config.settings import Relay
from matcher import app
from messaging.smtp import Pool
from tests.acceptance.house import House
from tests.acceptance.mail_in import Postman
from tests.acceptance.postfix import postfix

#: Seconds for a mail to travel; a loaded machine is slow.
LONG = 60.0


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that other processes do."""
    async with asyncio.timeout(LONG):
        while True:
            if await what():
                return
            await asyncio.sleep(0.1)


async def test_a_bounce_comes_back_through_postfix_and_a_reply_gets_its_confirmation_link(
    small_house: House,
) -> None:
    house = small_house
    next_hop = house.house.settings.relay.port
    async with app.mail_door(house.house) as inbox:
        with postfix(next_hop=next_hop, inbox=inbox) as port:
            pool = Pool(Relay(host="127.0.0.1", port=port, tls="plain"))
            house.dispatcher = app.dispatcher_of(house.house, pool)
            try:
                await _play(house, port)
            finally:
                await pool.close()


async def _play(house: House, port: int) -> None:
    postman = Postman(house, port)
    search = await house.ready()
    known = [d for d in (await house.doctors()).values() if d.get("email")]
    # A third of the addresses have gone: their server says so, and Postfix returns the mail.
    house.catcher.unknown.update(d["email"] for d in known[::3])
    await house.do(search, "launch")
    await house.work()
    asked = await house.mailed(search)
    gone = [d for d in asked if d["email"] in house.catcher.unknown]
    doctor = next(d for d in asked if d not in gone)

    async def all_flagged() -> bool:
        rows = await house.run_sql("SELECT id FROM doctors WHERE mailbox_flagged")
        return {d["id"] for d in gone} <= {row[0] for row in rows}

    async def arrived() -> bool:
        return bool(house.catcher.to(doctor["email"]))

    assert gone
    await until(all_flagged)
    await until(arrived)
    assert "mail_unreached" in await house.tasks(search)

    def submit(recipient: str) -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", port, timeout=LONG) as client:
            client.ehlo_or_helo_if_needed()
            client.mail(doctor["email"])
            code, words = client.rcpt(recipient)
            if code >= 400:
                return code, words
            text = (
                f"From: {doctor['email']}\nTo: {recipient}\nSubject: Re: annonce\n\nOui je peux le prendre\n"
            )
            return client.data(text)

    good = postman.reply_address(postman.last(doctor["email"], "reponse+"))
    forged = good.replace(good[8:12], "zzzz")
    assert (await asyncio.to_thread(submit, forged))[0] == 550
    assert (await asyncio.to_thread(submit, "personne@retour.cpts-venissieux.example"))[0] == 550
    assert (await asyncio.to_thread(submit, good))[0] == 250

    async def proposed() -> bool:
        return any(p["doctor"]["id"] == doctor["id"] for p in (await house.see(search))["proposals"])

    await until(proposed)
    await house.work()

    async def confirmed() -> bool:
        return "à confirmer" in house.subjects(doctor["email"])[-1]

    await until(confirmed)
    assert await house.state(search) == "proposing"
