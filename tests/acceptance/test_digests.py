"""Several announcements to one doctor in one mail: each answered by itself, asked once, ended by a pause."""

import re
from datetime import timedelta
from typing import Any

from matcher import app
from matcher.service import returned_many
from matcher.service.composing import Composer
from matcher.service.telling import Telling
from messaging import claims, outbox
from messaging.bounces import Fate
from messaging.claims import Kind, Outcome
from messaging.letters import Letters, Message
from tests.acceptance.house import HERE, House

LINK = re.compile(r"/r#([A-Za-z0-9_-]+)")


async def asked_of_one(house: House, count: int) -> tuple[dict[str, Any], list[str]]:
    """So many searches that may ask one doctor only, launched within a minute; the doctor, their ids."""
    listed = (await house.doctors()).values()
    doctor = next(
        d
        for d in listed
        if d["member"] and d["zone"] == "territoire" and d.get("email") and not d.get("delegate_email")
    )
    only = {"wishes": [{"kind": "prefer", "value": [doctor["id"]], "hard": True}]}
    searches = []
    for _ in range(count):
        searches.append(await house.ready(**only))
        await house.do(searches[-1], "launch")
        await house.later(seconds=5)
    return doctor, searches


async def stands(house: House, searches: list[str]) -> list[str]:
    """What became of the one mail of each search."""
    found = []
    for search in searches:
        (one,) = (await house.see(search))["solicitations"]
        found.append(one["state"])
    return found


async def test_what_comes_on_top_of_three_waits_and_goes_as_one_mail(house: House) -> None:
    doctor, searches = await asked_of_one(house, 6)
    assert len(house.subjects(doctor["email"])) == 3
    assert await stands(house, searches) == ["asked"] * 3 + ["queued"] * 3
    await house.later(minutes=31)
    *single, digest = house.catcher.to(doctor["email"])
    assert len(single) == 3
    assert " – 3 annonces" in digest.subject
    tokens = list(dict.fromkeys(LINK.findall(digest.text)))
    assert len(tokens) == 3
    assert await stands(house, searches) == ["asked"] * 6
    # Each is answered by itself.
    await house.post(None, "/links/open", {"token": tokens[1]})
    house.clock.at += timedelta(seconds=10)
    assert (await house.answer(tokens[1], "yes"))[0] == 200
    await house.later(seconds=10)
    states = [await house.state(search) for search in searches]
    assert sorted(states) == ["asking"] * 5 + ["proposing"]
    # Asked once, and reminded once, whatever the mail was: the reminders are gathered like the rest.
    before = len(house.catcher.to(doctor["email"]))
    await house.advance(days=2, hours=1)
    reminders = house.catcher.to(doctor["email"])[before:]
    reminded = [LINK.findall(mail.text)[0] for mail in reminders[:-1]]
    reminded += dict.fromkeys(LINK.findall(reminders[-1].text))
    assert len(reminders) == 4
    assert "attendent encore votre réponse" in reminders[-1].subject
    assert len(set(reminded)) == len(reminded) == 5
    assert tokens[1] not in reminded
    await house.advance(days=5)
    assert house.letters(doctor["email"], "une fois, et une seule") == 4


async def test_what_ends_or_is_paused_while_it_waits_is_left_out(house: House) -> None:
    doctor, searches = await asked_of_one(house, 7)
    await house.do(searches[3], "withdraw", reason="left")
    await house.later(minutes=31)
    digest = house.catcher.to(doctor["email"])[-1]
    assert " – 3 annonces" in digest.subject
    assert (await stands(house, searches[4:])) == ["asked"] * 3
    more, before = [], len(house.catcher.to(doctor["email"]))
    only = {"wishes": [{"kind": "prefer", "value": [doctor["id"]], "hard": True}]}
    for _ in range(5):
        more.append(await house.ready(**only))
        await house.do(more[-1], "launch")
    await house.work()
    sent = len(house.catcher.to(doctor["email"])) - before
    paused = {"away_until": "2026-12-31"}
    assert (await house.call("coordinatrice", "PATCH", f"/doctors/{doctor['id']}", paused)).status == 200
    await house.later(minutes=31)
    assert len(house.catcher.to(doctor["email"])) == before + sent
    assert "asked" not in (await stands(house, more))[sent:]


async def test_one_alone_that_waited_is_an_ordinary_mail(small_house: House) -> None:
    house = small_house
    doctor, _ = await asked_of_one(house, 4)
    await house.later(minutes=31)
    last = house.catcher.to(doctor["email"])[-1]
    assert "cherche un médecin traitant" in last.subject
    assert "annonces" not in last.subject


async def test_a_repeat_of_an_ambiguous_digest_is_the_same_with_the_ended_ones_marked(
    small_house: House,
) -> None:
    house = small_house
    doctor, searches = await asked_of_one(house, 6)
    house.clock.at += timedelta(minutes=31)
    composer = Composer(house.house, Letters(app.TEMPLATES / "mail"))
    async with house.house.sessions.begin() as session:
        (row,) = await claims.claim(session, now=house.clock(), lease=timedelta(minutes=1), limit=9)
    (message,) = await composer.compose([row])
    assert isinstance(message, Message)
    assert message.items is not None
    assert {key.split("/")[0] for key in message.items} == set(searches[3:])
    async with house.house.sessions.begin() as session:
        row = await claims.freeze(session, row, message.items)
        outcome = Outcome(kind=Kind.AMBIGUOUS, detail="lost")
        again_at = house.clock() + timedelta(minutes=5)
        await claims.settle(session, [(row, outcome, again_at)], at=house.clock())
        await Telling(house.house).on_settled(session, [(row, outcome)], house.clock())
    assert await stands(house, searches) == ["asked"] * 6
    await house.do(searches[4], "withdraw", reason="left")
    before = len(house.subjects(doctor["email"]))
    await house.later(minutes=6)
    digest = house.catcher.to(doctor["email"])[-1]
    assert len(house.subjects(doctor["email"])) == before + 1
    assert " – 3 annonces" in digest.subject
    assert digest.text.count("Cette recherche est terminée") == 1
    assert row.message_id in {mail["Message-ID"] for mail in house.mails()}


async def test_a_digest_that_comes_back_is_told_to_each_of_its_searches(small_house: House) -> None:
    house = small_house
    doctor, searches = await asked_of_one(house, 5)
    await house.later(minutes=31)
    found = await house.run_sql("SELECT id, items FROM outbox WHERE letter = 'digest'")
    ((mail, _),) = found

    async def returned(fate: Fate, mark: str) -> bool:
        async with house.house.sessions.begin() as session:
            sent = await outbox.sent(session, [HERE], mail)
            assert sent is not None
            assert len(sent.items or ()) == 2
            return await returned_many.take(session, house.house, sent, fate, mark)

    mark = house.house.links.address_mark(doctor["email"])
    assert not await returned(Fate.UNCLEAR, mark)
    assert not await returned(Fate.PERMANENT, house.house.links.address_mark("other@cabinet.example"))
    assert await stands(house, searches) == ["asked"] * 5
    assert await returned(Fate.UNDELIVERED, mark)
    assert await stands(house, searches) == ["asked"] * 3 + ["unreached"] * 2
    assert (await house.doctors())[doctor["id"]]["has_mailbox"]
    assert await returned(Fate.PERMANENT, mark)
    assert not (await house.doctors())[doctor["id"]]["has_mailbox"]


async def test_an_urgent_search_never_waits(small_house: House) -> None:
    house = small_house
    doctor, _ = await asked_of_one(house, 4)
    before = len(house.subjects(doctor["email"]))
    urgent = await house.ready(
        urgent=True, wishes=[{"kind": "prefer", "value": [doctor["id"]], "hard": True}]
    )
    await house.do(urgent, "launch")
    await house.work()
    assert len(house.subjects(doctor["email"])) == before + 1
