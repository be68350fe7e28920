"""A copy taken while people work, and what follows when somebody has to begin again from it."""

import asyncio
import os
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from matcher import app
from matcher.service import restoring, vaulted
from matcher.service.actors import Role
from matcher.service.audit import verify_journal
from matcher.storage import backups, copies
from matcher.storage.copies import BadCopy, NotEmpty
from tests.acceptance.house import OFFICE, House
from tests.acceptance.mail_in import Postman
from tests.acceptance.remains import begun_again, restored


def message_ids(house: House, after: int) -> dict[str, str]:
    """By recipient."""
    return {str(mail["To"]): str(mail["Message-ID"]) for mail in house.mails()[after:]}


async def test_a_copy_taken_under_load_brings_everything_back_stopped_and_revives_no_consent(
    house: House, empty_url: str, tmp_path: Path
) -> None:
    asked = await house.launched()
    doctor = (await house.mailed(asked))[0]
    # What was mailed before the copy; what is mailed after it has links that the copy does not know.
    token = house.token(doctor["email"])
    postman = Postman(house, 0)
    address = postman.reply_address(postman.last(doctor["email"], "reponse+"))
    regretted, ready = await house.launched(), await house.ready()
    copy = tmp_path / "copie"

    async def keep_busy() -> None:
        for _ in range(4):
            await house.submitted()

    await asyncio.gather(copies.save(house.house.engine, copy), keep_busy(), keep_busy())
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    # The drill of the keys reads it as it is.
    assert {one.section for one in backups.sections(copy)} >= {"record", "contact"}
    # Since the copy: a consent taken back, and mails.
    await house.do(regretted, "withdraw", reason="consent")
    before = len(house.mails())
    await house.do(ready, "launch")
    await house.work()
    first = message_ids(house, before)
    assert len(first) > 5

    await restored(empty_url, copy, house)
    async with begun_again(house, empty_url) as again:
        done = await restoring.after(again.house)
        assert (done.territories, done.withdrawn, done.keys_missing) == (("ailleurs", "venissieux"), 1, ())
        assert await verify_journal(again.house) is None
        await _is_whole(again)
        assert await again.state(regretted) == "withdrawn"
        await again.get(OFFICE, f"/searches/{regretted}/record?purpose=essai", 404)
        await _stands_still(again, asked, ready, token, address, doctor["email"])

        await again.post("secretaire", "/resume", {}, 403)
        assert await again.post(OFFICE, "/resume") == {"withdrawn": 0}
        assert (await again.post(OFFICE, "/resume", {}, 409))["code"] == "not_stopped"
        await again.post(None, "/links/open", {"token": token})
        again.clock.at += timedelta(seconds=10)
        assert (await again.answer(token, "yes"))[0] == 200
        await again.later(seconds=10)
        assert await again.state(asked) == "proposing"
        before = len(again.mails())
        await again.do(ready, "launch")
        await again.work()
        # A mail that goes again is the same one: whoever got it already throws the second away.
        repeated = {to: id for to, id in message_ids(again, before).items() if to in first}
        assert len(repeated) > 5
        assert repeated == {to: first[to] for to in repeated}


async def _is_whole(house: House) -> None:
    """As many requests as their journal says, each with its record."""
    counted = await house.run_sql(
        "SELECT (SELECT count(*) FROM searches),"
        " (SELECT count(*) FROM journal WHERE action = 'submit'),"
        " (SELECT count(*) FROM sealed WHERE section = 'record')"
    )
    assert counted[0][0] == counted[0][1] == counted[0][2] >= 3


async def _stands_still(house: House, asked: str, ready: str, token: str, address: str, doctor: str) -> None:
    """No step, mail, answer or release until the office resumes."""
    mails = len(house.mails())
    await house.later(days=20)
    assert len(house.mails()) == mails
    assert await house.state(asked) == "asking"
    refused = await house.do(ready, "launch", 409)
    assert refused["code"] == "stopped"
    status, problem = await house.answer(token, "yes")
    assert (status, problem["code"]) == (409, "stopped")
    async with app.mail_door(house.house) as port:
        sender = f"From: {doctor}\n\noui".encode()
        assert (await Postman(house, port).bring(sender, address, doctor))[0] == 451
    assert await house.state(asked) == "asking"
    # A new request is taken in, and the office may still end what it knows to be over.
    await house.submitted()


async def test_a_consent_taken_back_takes_the_parts_of_a_split_household_along(
    small_house: House, tmp_path: Path
) -> None:
    house = small_house
    search = await house.launched()
    copy, url = tmp_path / "copie", f"sqlite:///{tmp_path}/again.sqlite3"
    await copies.save(house.house.engine, copy)
    register = house.house.keyring.folder / vaulted.REGISTER
    register.write_text(f'{{"territory": "venissieux", "search": "{search}", "at": "x"}}\n{{"terr', "utf-8")
    await restored(url, copy, house)
    async with begun_again(house, url) as again:
        # Withdrawn for another reason before the register was put back: the keys go all the same.
        await again.do(search, "withdraw", reason="found_one")
        assert (await restoring.after(again.house)).withdrawn == 1
        await again.get(OFFICE, f"/searches/{search}/record?purpose=essai", 404)
        rows = await again.run_sql("SELECT DISTINCT destroyed FROM sealed WHERE search_id = :id", id=search)
        assert [bool(row[0]) for row in rows] == [True]
        register.write_text("nothing that can be read\n", "utf-8")
        with pytest.raises(vaulted.BadRegister):
            await restoring.after(again.house)


async def test_the_office_reads_that_all_is_stopped_and_goes_on_by_a_button(
    small_house: House, tmp_path: Path
) -> None:
    house = small_house
    copy, url = tmp_path / "copie", f"sqlite:///{tmp_path}/again.sqlite3"
    await copies.save(house.house.engine, copy)
    await restored(url, copy, house)
    async with begun_again(house, url) as again:
        await again.login(Role.COORDINATRICE)
        page = await (await again.client.get("/bureau")).text()
        assert "Tout est arrêté" in page
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        reply = await again.client.post("/bureau/reprendre", data={"csrf": csrf})
        assert "Le service a repris" in await reply.text()
        assert "Tout est arrêté" not in await (await again.client.get("/bureau")).text()


async def test_nothing_is_overwritten_and_no_half_or_strange_copy_is_taken(
    house: House, empty_url: str, tmp_path: Path
) -> None:
    copy, engine = tmp_path / "copie", house.house.engine
    await copies.save(engine, copy)
    with pytest.raises(FileExistsError):
        await copies.save(engine, copy)
    with pytest.raises(NotEmpty):
        await copies.load(engine, copy, house.clock.at)
    whole = copy.read_bytes()
    for name, content in (("half", whole[: len(whole) // 2]), ("strange", b"x" * 5000)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadCopy):
            await restored(empty_url, tmp_path / name, house)
    await restored(empty_url, copy, house)
    assert not any(name.endswith("part") for name in os.listdir(tmp_path))  # noqa: PTH208


async def test_a_copy_of_a_newer_program_is_refused(small_house: House, tmp_path: Path) -> None:
    copy = tmp_path / "copie"
    await copies.save(small_house.house.engine, copy)
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(BadCopy, match="9999"):
        await restored(f"sqlite:///{tmp_path}/again.sqlite3", copy, small_house)
    assert not (tmp_path / "again.sqlite3").exists()
