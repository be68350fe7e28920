"""What goes when its time is over, and what stays: on SQLite and on PostgreSQL."""

import asyncio
from datetime import timedelta

from matcher.service import retention
from matcher.service.audit import verify_journal
from tests.acceptance.house import HERE, OFFICE, House
from tests.acceptance.remains import rows_of

YEAR = "/report?from=2026-01-01&to=2026-12-31"


async def test_a_year_after_its_end_nothing_of_a_search_is_left_but_counters_and_the_journal(
    house: House,
) -> None:
    search, _ = await house.attached(2)
    living = await house.submitted()
    await house.later(days=91)
    # The record has gone by its own due step; who was asked is kept for a year.
    assert await retention.purge(house.house) == {}
    left = await rows_of(house, search)
    assert {"searches", "solicitations", "positions", "links", "outbox"} <= left.keys()
    before = await house.get("directrice", YEAR)
    house.clock.at += timedelta(days=275)
    done = await retention.purge(house.house)
    assert (done["searches"], done["mails"] > 5) == (1, True)
    assert await rows_of(house, search) == {}
    await house.get(OFFICE, f"/searches/{search}", 404)
    assert (await house.get(OFFICE, f"/searches/{living}"))["id"] == living
    after = await house.get("directrice", YEAR)
    same = ("requests", "attached", "by_requester", "launches")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    told = [entry["action"] for entry in await house.journal(search)]
    assert told[-1] == "forgotten"
    assert await verify_journal(house.house) is None
    assert (await retention.purge(house.house))["searches"] == 0


async def test_a_draft_goes_with_its_record_since_nobody_was_asked(house: House) -> None:
    body = {"record": {"birth_name": "Aubépine"}, "draft": True}
    draft = str((await house.post("requester", "/searches", body, 201))["id"])
    await house.later(days=89)
    await retention.purge(house.house)
    assert (await rows_of(house, draft))["sealed"] == 1
    await house.advance(days=2)
    await retention.purge(house.house)
    assert await rows_of(house, draft) == {}


async def test_an_answer_is_gone_after_twelve_months_though_its_search_ended_later(house: House) -> None:
    search, (first, *_) = await house.released(2)
    await house.do(search, "desist", by="patient", reason="essai")
    house.clock.at += timedelta(days=80)
    await house.do(search, "withdraw", reason="consent")
    house.clock.at += timedelta(days=284)
    await retention.purge(house.house)
    answers = "SELECT count(*) FROM positions WHERE search_id = :id AND doctor_id = :doctor"
    assert await house.run_sql(answers, id=search, doctor=first["id"]) == [(1,)]
    house.clock.at += timedelta(days=2)
    assert (await retention.purge(house.house))["answers"] >= 2
    assert await house.run_sql(answers, id=search, doctor=first["id"]) == [(0,)]
    # Twelve months from the end are not over: that it was, and how it ended, is still known.
    assert (await house.see(search))["state"] == "withdrawn"


async def test_what_a_search_under_way_stands_on_stays_and_its_former_run_goes(small_house: House) -> None:
    house = small_house
    search, _ = await house.attached()
    await house.do(search, "reopen", reason="essai")
    await house.work()
    runs = "SELECT DISTINCT run FROM positions WHERE search_id = :id ORDER BY run"
    assert await house.run_sql(runs, id=search) == [(1,), (2,)]
    house.clock.at += timedelta(days=366)
    await retention.purge(house.house)
    assert await house.run_sql(runs, id=search) == [(2,)]


async def test_the_name_of_a_list_goes_a_year_after_it_was_made_once_no_record_of_it_lives(
    house: House,
) -> None:
    search = await house.submitted(origin="Départ du Dr Épinette")
    house.clock.at += timedelta(days=366)
    await retention.purge(house.house)
    assert await house.run_sql("SELECT name FROM origins") == [("Départ du Dr Épinette",)]
    await house.do(search, "withdraw", reason="consent")
    await retention.purge(house.house)
    assert await house.run_sql("SELECT name FROM origins") == []
    assert await house.run_sql("SELECT origin FROM searches WHERE id = :id", id=search) == [(None,)]


async def test_offers_and_links_that_are_long_over_go(house: House) -> None:
    doctor = next(iter(await house.doctors()))
    for until in ("2026-12-31", "2027-12-31"):
        offer = {"places": 2, "from": "2026-11-23", "until": until}
        await house.post(OFFICE, f"/doctors/{doctor}/offers", offer, 201)
    search = await house.launched()
    house.clock.at += timedelta(days=404)
    await retention.purge(house.house)
    assert await house.run_sql("SELECT count(*) FROM offers") == [(1,)]
    # The links of a mail of thirteen months ago; the search itself was never ended.
    assert "links" not in await rows_of(house, search)
    assert await house.run_sql("SELECT count(*) FROM links") == [(0,)]


async def test_four_replicas_that_forget_at_once_forget_once(house: House) -> None:
    many = [await house.submitted() for _ in range(3)]
    for search in many:
        await house.do(search, "withdraw", reason="consent")
    house.clock.at += timedelta(days=366)
    done = await asyncio.gather(*(retention.purge(house.house) for _ in range(4)))
    assert sum(one["searches"] for one in done) == 3
    forgotten = "SELECT count(*) FROM journal WHERE action = 'forgotten' AND territory_id = :here"
    assert await house.run_sql(forgotten, here=HERE) == [(3,)]
    assert await verify_journal(house.house) is None
