"""Two people, two processes, two answers at once: one outcome, nothing lost, nobody locked out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from matcher import app, clock
from matcher.service.audit import verify_journal
from matcher.service.house import House as Installation
from tests.acceptance.house import OFFICE, House, request
from tests.acceptance.test_scenarios_choosing import first_match

MISTAKEN = ("withdraw", {"reason": "consent"})


@pytest.fixture
async def second(house: House) -> AsyncIterator[Installation]:
    """Another process's view of the same database, where there may be one: PostgreSQL."""
    if house.house.settings.embedded:
        # One process, one connection: the same house again.
        yield replace(house.house)
        return
    async with app.open_house(house.house.settings, now=house.clock) as other:
        yield other


async def test_fifty_choices_at_once_by_two_processes_make_one_release(
    house: House, second: Installation
) -> None:
    search, doctors = await house.proposing(3)
    choices = [(OFFICE, f"/searches/{search}/choose", {"doctor_id": d["id"]}) for d in doctors] * 9
    async with TestClient(TestServer(app.make_web_app(second))) as there:
        other = replace(house, house=second, client=there)
        told = await asyncio.gather(house.together(choices[:25]), other.together(choices[:25]))
    assert sorted(Counter(told[0] + told[1]).items()) == [(200, 1), (409, 49)]
    assert await house.run_sql("SELECT count(*) FROM releases") == [(1,)]
    assert len((await house.see(search))["reserve"]) == 2


async def test_a_choice_and_a_withdrawal_of_consent_at_once_leave_no_record_to_open(house: House) -> None:
    for _ in range(3):
        search, (doctor,) = await house.proposing(record=request()["record"])
        act, body = MISTAKEN
        statuses = await house.together(
            [
                (OFFICE, f"/searches/{search}/choose", {"doctor_id": doctor["id"]}),
                ("requester", f"/searches/{search}/{act}", body),
            ]
        )
        assert statuses[1] == 200
        await house.work()
        assert await house.state(search) == "withdrawn"
        assert await house.run_sql("SELECT count(*) FROM releases WHERE ended_at IS NULL") == [(0,)]
        where = f"WHERE search_id = '{search}' AND ciphertext IS NOT NULL"
        assert await house.run_sql(f"SELECT count(*) FROM sealed {where}") == [(0,)]


async def test_the_opening_and_the_withdrawal_of_consent_at_once_never_open_after_the_end(
    house: House,
) -> None:
    search, (doctor,) = await house.released()
    code = (await house.see(search))["release"]["code"]
    sent = {"token": house.token(doctor["email"], "dossier"), "code": code}
    opened, withdrawn = await asyncio.gather(
        house.call(None, "POST", "/links/record", sent),
        house.call("requester", "POST", f"/searches/{search}/consent", {"given": "no"}),
    )
    assert withdrawn.status == 200
    assert opened.status in (200, 404, 410)
    actions = [entry["action"] for entry in await house.journal(search)]
    if opened.status == 200:
        assert actions.index("open_record") < actions.index("consent")


async def test_an_answer_and_the_offices_settling_at_once_leave_one_stand(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"])
    await house.post(None, "/links/open", {"token": token})
    assert (await house.answer(token, "yes"))[0] == 202
    held = (await house.see(search))["held"][0]["id"]
    house.clock.at += timedelta(seconds=10)
    settle = (OFFICE, f"/searches/{search}/answers/{held}/settle", {"keep": True})
    statuses = await house.together([settle, (None, "/links/answer", {"token": token, "answer": "no"})])
    assert statuses[0] in (200, 409)
    assert statuses[1] in (200, 202)
    await house.advance(hours=1)
    stands = await house.run_sql("SELECT stand FROM positions WHERE settling IS NULL")
    assert len(stands) == 1


async def test_two_processes_that_tick_at_once_do_each_step_once(house: House, second: Installation) -> None:
    search = await house.launched(**first_match())
    doctors = await house.mailed(search)
    for doctor in doctors:
        await house.post(None, "/links/open", {"token": house.token(doctor["email"])})
    house.clock.at += timedelta(seconds=10)
    for doctor in doctors:
        assert (await house.answer(house.token(doctor["email"]), "yes"))[0] == 200
    house.clock.at += timedelta(seconds=10)
    if house.house.settings.embedded:
        done = [await clock.tick(house.house)]
    else:
        done = await asyncio.gather(*(clock.tick(one) for one in (house.house, second) * 3))
    assert sum(done) == len(doctors)
    assert await house.run_sql("SELECT count(*) FROM positions WHERE stand = 'chosen'") == [(1,)]
    settled = [e for e in await house.journal(search) if e["action"] == "time/settle"]
    assert len(settled) == len(doctors)


async def test_a_call_and_a_pause_of_one_doctor_at_once_lock_nobody_out(house: House) -> None:
    """A call locks search, journal and doctor; so do a pause that settles and a correction of the doctor."""
    one = await house.launched()
    record = request()["record"] | {"first_names": "Ondine", "birth_date": "1961-07-08"}
    other = await house.launched(record=record)
    shared = {d["id"] for d in await house.mailed(one)} & {d["id"] for d in await house.mailed(other)}
    doctors = [doctor for doctor in await house.mailed(one) if doctor["id"] in shared][:8]
    # The last mail of each is the other search's.
    tokens = [house.token(doctor["email"]) for doctor in doctors]
    for token in tokens:
        await house.post(None, "/links/open", {"token": token})
    house.clock.at += timedelta(seconds=10)
    for token in tokens:
        assert (await house.answer(token, "pause"))[0] == 200
    house.clock.at += timedelta(seconds=10)
    path = f"/searches/{one}/calls"
    notes = [
        {"doctor_id": doctor["id"], "outcome": "no_answer", "email": f"neuf-{doctor['email']}"}
        for doctor in doctors
    ]
    _, statuses = await asyncio.gather(
        clock.tick(house.house), house.together((OFFICE, path, note) for note in notes)
    )
    assert statuses == [200] * len(doctors)
    away = {d["id"] for d in (await house.doctors()).values() if d.get("away_until") == "2026-12-23"}
    assert away == {doctor["id"] for doctor in doctors}


async def test_a_pair_joined_and_withdrawn_from_both_ends_at_once_locks_nobody_out(house: House) -> None:
    other = await house.new_requester("CCAS d’à côté")
    for _ in range(4):
        first, second_ = await house.submitted(), await house.submitted(who=other)
        await house.do(first, "join", search=second_)
        statuses = await house.together(
            [
                ("requester", f"/searches/{first}/consent", {"given": "no"}),
                (other, f"/searches/{second_}/withdraw", {"reason": "consent"}),
            ]
        )
        assert set(statuses) <= {200, 409}
        assert 200 in statuses
        for search in (first, second_):
            where = f"WHERE search_id = '{search}' AND ciphertext IS NOT NULL"
            assert await house.run_sql(f"SELECT count(*) FROM sealed {where}") == [(0,)]


async def test_fifty_writers_of_the_journal_leave_one_unbroken_chain(house: House) -> None:
    search = await house.launched()
    calls = [(OFFICE, f"/searches/{search}/attempts", {"outcome": "reached"})] * 50
    assert set(await house.together(calls)) == {200}
    assert await verify_journal(house.house) is None
    assert len([e for e in await house.journal(search) if e["action"] == "contact_attempt"]) == 50


async def test_one_request_sent_twenty_times_at_once_under_one_key_is_one_search(house: House) -> None:
    replies = await asyncio.gather(
        *(
            house.call("requester", "POST", "/searches", request(), Idempotency_Key="une-fois")
            for _ in range(20)
        )
    )
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len((await house.get("requester", "/searches"))["items"]) == 1
    # Another caller's key of the same name is another key.
    mine = await house.call("requester2", "POST", "/searches", request(), Idempotency_Key="une-fois")
    assert mine.json["id"] != replies[0].json["id"]
    other = await house.call(
        "requester", "POST", "/searches", request(urgent=True), Idempotency_Key="une-fois"
    )
    assert other.status == 409
