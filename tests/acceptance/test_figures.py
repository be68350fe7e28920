"""Figures are counted once, when a record ends, and reports say the same when it is gone."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from matcher.service import retention, vaulted
from matcher.service.house import Part
from matcher.storage import figures, searches
from tests.acceptance.api_world import HERE, request
from tests.acceptance.house import House

YEAR = "/report?from=2026-01-01&to=2026-12-31"


async def counters(house: House) -> dict[tuple[str, str, str], int]:
    rows = await house.run_sql("SELECT measure, value, outcome, count FROM figures")
    return {(measure, value, outcome): count for measure, value, outcome, count in rows}


async def taken_back(house: House, search: str) -> None:
    await house.do(search, "withdraw", reason="consent")


async def test_a_record_that_ends_leaves_counters_and_no_way_back(house: House) -> None:
    search = await house.submitted()
    assert await counters(house) == {}
    await taken_back(house, search)
    assert await counters(house) == {
        ("requests", "pass", "withdrawn"): 1,
        ("age", "50-69", "withdrawn"): 1,
        ("coverage", "c2s", "withdrawn"): 1,
        ("ald", "no", "withdrawn"): 1,
        ("quartier", "Parilly", "withdrawn"): 1,
    }
    names = await house.run_sql("SELECT * FROM figures")
    assert search not in str(names)
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]


async def test_retention_counts_how_it_ended_and_how_long_it_took(small_house: House) -> None:
    house = small_house
    search, _ = await house.attached()
    await house.later(days=91)
    found = await counters(house)
    assert found["requests", "pass", "attached"] == 1
    assert found["attached", "pass", "attached"] == 1
    assert found["coverage", "c2s", "attached"] == 1
    assert [key[1] for key in found if key[0] == "days"] == ["0"]
    assert (await house.see(search))["state"] == "attached"


async def test_who_found_a_doctor_is_counted_so_though_erased_soon_after(small_house: House) -> None:
    house = small_house
    search, _ = await house.attached()
    house.clock.at += timedelta(days=3)
    before = await house.get("directrice", YEAR)
    reference = (await house.see(search))["reference"]
    await house.do(search, "erase", asked_by="asked_by_patient", reference=reference)
    found = await counters(house)
    assert found["requests", "pass", "attached"] == found["attached", "pass", "attached"] == 1
    assert [key[1] for key in found if key[0] == "days"] == ["0"]
    for _ in range(2):
        after = await house.get("directrice", YEAR)
        same = ("requests", "attached", "by_month", "by_requester")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        await house.work()
        await retention.purge(house.house)


async def test_a_crash_between_counting_and_destroying_counts_nothing_and_the_next_time_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = await house.submitted()

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(vaulted.lookups, "replace", crash)
        reply = await house.call(
            "coordinatrice", "POST", f"/searches/{search}/withdraw", {"reason": "consent"}
        )
        assert reply.status == 500
    assert await counters(house) == {}
    assert await house.state(search) == "submitted"
    await taken_back(house, search)
    await house.do(search, "withdraw", 409, reason="consent")
    assert (await counters(house))["requests", "pass", "withdrawn"] == 1


async def test_what_the_intake_destroys_is_counted_once_by_whoever_can_open_it(house: House) -> None:
    first, second = await house.submitted(), await house.submitted()
    intake = dataclasses.replace(house.house, part=Part.INTAKE)
    async with house.house.sessions.begin() as session:
        for search in (first, second):
            owned = await searches.lock(session, HERE, search)
            assert owned is not None
            await vaulted.destroy(session, intake, owned.search, consent_taken_back=True)
            after = dataclasses.replace(owned.search, record_destroyed=True)
            await searches.save(session, owned.search, after)
    left = await house.run_sql("SELECT DISTINCT section FROM sealed WHERE ciphertext IS NOT NULL")
    assert left == [("figures",)]
    assert await counters(house) == {}
    await asyncio.gather(*(retention.purge(house.house) for _ in range(4)))
    assert (await counters(house))["requests", "pass", "withdrawn"] == 2
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]
    await retention.purge(house.house)
    assert (await counters(house))["coverage", "c2s", "withdrawn"] == 2


async def test_fifty_counted_at_once_are_fifty(house: House) -> None:
    one = figures.Figure(month="2026-11", measure="age", value="50-69", outcome="unmet")

    async def add() -> None:
        async with house.house.sessions.begin() as session:
            await figures.add(session, HERE, [one, dataclasses.replace(one, measure="ald", value="no")])

    await asyncio.gather(*(add() for _ in range(50)))
    assert set((await counters(house)).values()) == {50}


async def test_a_report_says_the_same_once_the_searches_are_gone(house: House) -> None:
    found, _ = await house.attached()
    lost = await house.submitted()
    await taken_back(house, lost)
    living = await house.submitted()
    await house.later(days=91)
    before = await house.get("directrice", YEAR)
    assert (before["requests"], before["attached"], before["by_requester"]) == (3, 1, {"pass": 3})
    async with house.house.sessions.begin() as session:
        await searches.forget(session, HERE, found)
        await searches.forget(session, HERE, lost)
    after = await house.get("directrice", YEAR)
    assert {"month": "2026-11", "requests": 3, "attached": 1} in before["by_month"]
    same = ("requests", "attached", "by_requester", "by_month", "launches", "mails")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert round(after["days_to_attached_median"]) == round(before["days_to_attached_median"])
    assert (await house.see(living))["id"] == living
    # A period that cuts the month in two knows nothing of what is gone.
    assert (await house.get("directrice", "/report?from=2026-11-23&to=2026-11-24"))["requests"] == 1


async def test_a_quarters_groups_are_shown_once_every_request_of_it_is_counted(small_house: House) -> None:
    house = small_house
    many = [await house.submitted() for _ in range(5)]
    few = await house.submitted(record=request()["record"] | {"coverage": "ame"})
    for search in many:
        await taken_back(house, search)
    quarter = "/report?from=2026-10-01&to=2026-12-31"
    assert "groups" not in await house.get("directrice", quarter)
    await taken_back(house, few)
    groups: dict[str, Any] = (await house.get("directrice", quarter))["groups"]
    # Five with one coverage, one with another: the one would be known by the five.
    assert groups["coverage"] == {"other": 6}
    assert groups["age"] == {"50-69": 6}
    assert groups["quartier"] == {"Parilly": 6}
    assert "groups" not in await house.get("directrice", "/report?from=2026-11-01&to=2026-12-31")


async def test_a_duplicate_and_a_part_of_a_household_tell_of_nobody_twice(small_house: House) -> None:
    house = small_house
    child = [{"birth_date": "1990-05-05", "relation": "enfant"}]
    first = await house.submitted(record=request()["record"] | {"household": child})
    await house.do(first, "validate")
    await house.do(first, "split", adults=1, children=0)
    await taken_back(house, first)
    found = await counters(house)
    assert found["requests", "pass", "withdrawn"] == 2
    assert found["age", "50-69", "withdrawn"] == 1
