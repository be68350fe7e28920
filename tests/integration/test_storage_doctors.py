"""Doctors, offers, calls, a territory's tables: found again, counted right, and never another's."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from matcher.protocol.announcement import ConditionKind
from matcher.protocol.doctors import Offer, Zone
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.population import Households, Residents
from matcher.protocol.search import Channel, Delivery, Position, Solicitation, Stand, State
from matcher.storage import calls, doctors, offers, territories
from tests.integration.storage_world import DOCTORS, HERE, NOW, PLACE, THERE, add, asking, card, settle_in

ONE, TWO = DOCTORS[:2]


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


def mailed(doctor, at=NOW, delivery=Delivery.ASKED):
    return Solicitation(doctor=doctor, channel=Channel.MAIL, delivery=delivery, at=at, wave=1)


async def test_a_doctor_comes_back_with_everything_the_directory_holds(world):
    full = card(
        "full",
        rpps="10100000000",
        sex="F",
        mssante="f@mssante.example",
        delegate_email="secretariat@cabinet.example",
        address="3 rue des Lilas",
        postcode="69200",
        city="Vénissieux",
        insee="69259",
        lat=45.7,
        lon=4.88,
        languages=frozenset({"fr", "ar"}),
        step_free=True,
        home_visits=False,
        sector=1,
        teleconsultation=True,
        zone=Zone.NEIGHBOUR,
        asked_per_week=3,
        accepted_per_month=2,
        declines=frozenset({ConditionKind.EVENINGS}),
        away_until=date(2026, 12, 24),
        do_not_call=True,
    )
    async with world.begin() as session:
        await doctors.put(session, HERE, [full], NOW)
        assert await doctors.get(session, HERE, "full") == full
        assert await doctors.get(session, THERE, "full") is None
        assert not await doctors.exists(session, THERE, "full")
        assert (await doctors.by_rpps(session, HERE))["10100000000"] == "full"
        assert [one.id for one in await doctors.list_(session, HERE, "camille FULL")] == ["full"]
        assert await doctors.list_(session, HERE, "100%") == []


async def test_a_repeated_import_keeps_what_the_doctor_said_and_unflags_a_new_address(world):
    async with world.begin() as session:
        await doctors.pause(session, HERE, ONE, date(2026, 12, 1))
        await doctors.never_call(session, HERE, ONE)
        await doctors.phoned(session, HERE, ONE, NOW)
        await doctors.flag_mailbox(session, HERE, ONE)
        await doctors.flag_number(session, HERE, ONE)
        flagged = await doctors.get(session, HERE, ONE)
        assert not flagged.has_mailbox
        await doctors.put(session, HERE, [card(ONE)], NOW)
        assert await doctors.get(session, HERE, ONE) == flagged
        await doctors.put(session, HERE, [card(ONE, email="new@cabinet.example")], NOW)
        again = await doctors.get(session, HERE, ONE)
        assert (again.mailbox, again.phone_flagged, again.do_not_call) == ("new@cabinet.example", True, True)
        assert await doctors.patch(session, HERE, ONE, {"phone": "01 99 00 00 00", "sex": "M"}, NOW)
        assert not (await doctors.get(session, HERE, ONE)).phone_flagged
        assert not await doctors.patch(session, HERE, "nobody", {"sex": "M"}, NOW)
        await doctors.flag_mailbox(session, HERE, ONE)
        assert await doctors.patch(session, HERE, ONE, {"email": "new@cabinet.example"}, NOW)
        assert not (await doctors.get(session, HERE, ONE)).has_mailbox
        assert await doctors.patch(session, HERE, ONE, {}, NOW, checked={"email"})
        assert (await doctors.get(session, HERE, ONE)).has_mailbox
        with pytest.raises(ValueError, match="mailbox_flagged"):
            await doctors.patch(session, HERE, ONE, {"mailbox_flagged": False}, NOW)


async def test_two_doctors_do_not_share_an_rpps_number_or_a_corrected_address(world):
    async with world.begin() as session:
        await doctors.flag_mailbox(session, HERE, ONE)
        assert not await doctors.correct_mailbox(session, HERE, ONE, f"{TWO}@CABINET.example")
        assert await doctors.correct_mailbox(session, HERE, ONE, "mine@cabinet.example", "m@mssante.example")
        assert (await doctors.get(session, HERE, ONE)).mailbox == "mine@cabinet.example"
        taken = (await doctors.get(session, HERE, ONE)).rpps
    with pytest.raises(IntegrityError):
        async with world.begin() as session:
            await doctors.put(session, HERE, [card("other", rpps=taken)], NOW)


async def ranked(world, quota=None):
    async with world.begin() as session:
        return {one.id: one for _, one in await doctors.everybody(session, HERE, NOW, quota)}


async def test_the_rules_see_how_often_a_doctor_was_asked_and_chosen_lately(world):
    recent, old = NOW - timedelta(days=6), NOW - timedelta(days=8)
    async with world.begin() as session:
        for at, delivery in ((recent, Delivery.ASKED), (recent, Delivery.QUEUED), (old, Delivery.ASKED)):
            await add(session, asking(solicitations=(mailed(ONE, at, delivery),)))
        await add(session, asking(solicitations=(mailed(ONE, recent, Delivery.DROPPED),)))
        await add(session, asking(territory=THERE, solicitations=(mailed(ONE, recent),)))
        for days in (29, 31):
            chosen = Position(doctor=ONE, stand=Stand.CHOSEN, at=NOW - timedelta(days=days))
            await add(session, asking(positions=(chosen,)))
        await doctors.phoned(session, HERE, ONE, recent)
    seen = await ranked(world)
    assert (seen[ONE].asked_this_week, seen[ONE].accepted_this_month) == (2, 1)
    assert seen[ONE].last_phoned_at == recent
    assert (seen[TWO].asked_this_week, seen[TWO].accepted_this_month, seen[TWO].last_phoned_at) == (
        0,
        0,
        None,
    )


async def test_the_territorys_quota_is_for_those_who_set_none(world):
    class Quota:
        asked_per_week, accepted_per_month = 5, 4

    async with world.begin() as session:
        await doctors.patch(session, HERE, ONE, {"asked_per_week": 0}, NOW)
    seen = await ranked(world, Quota())
    assert (seen[ONE].asked_per_week, seen[ONE].accepted_per_month) == (0, 4)
    assert (await ranked(world))[TWO].asked_per_week is None


async def test_a_flagged_mailbox_or_number_is_none_for_the_rules(world):
    async with world.begin() as session:
        await doctors.flag_mailbox(session, HERE, ONE)
        await doctors.flag_number(session, HERE, ONE)
        await doctors.put(session, HERE, [card("none", phone=None, email=None)], NOW)
    seen = await ranked(world)
    assert (seen[ONE].has_mailbox, seen[ONE].has_phone) == (False, False)
    assert (seen[DoctorId("none")].has_mailbox, seen[DoctorId("none")].has_phone) == (False, False)
    assert (seen[TWO].has_mailbox, seen[TWO].has_phone) == (True, True)


def offered(name="offer", **changes):
    fields = {"id": OfferId(name), "doctor": ONE, "left": 2, "from_": date(2026, 11, 1)}
    return Offer(**(fields | changes))


async def test_an_offer_is_open_in_its_period_while_places_are_left(world):
    today = date(2026, 11, 23)
    fits = offered(until=today, declines=frozenset({ConditionKind.HOME_VISITS}), by_link=True)
    async with world.begin() as session:
        await offers.add(session, HERE, fits, NOW)
        await offers.add(session, HERE, offered("early", from_=date(2026, 11, 24)), NOW)
        await offers.add(session, HERE, offered("late", until=date(2026, 11, 22)), NOW)
        await offers.add(session, HERE, offered("used", left=0), NOW)
        await offers.add(session, HERE, offered("taken back"), NOW)
        await offers.withdraw(session, HERE, "taken back", NOW)
        assert await offers.open_ones(session, HERE, today) == [fits]
        assert await offers.open_ones(session, THERE, today) == []
        assert len(await offers.of_doctor(session, HERE, ONE)) == 4


async def test_the_last_place_of_an_offer_is_given_once(world):
    async with world.begin() as session:
        await offers.add(session, HERE, offered(), NOW)

    async def take(by):
        async with world.begin() as session:
            return await offers.count(session, HERE, "offer", by)

    assert sorted(await asyncio.gather(*(take(-1) for _ in range(6)))) == [False] * 4 + [True] * 2
    assert [await take(1), await take(1), await take(1)] == [True, True, False]


async def test_one_doctor_is_phoned_by_one_person_until_the_claim_lapses(world):
    until = NOW + timedelta(minutes=20)

    async def claim(person, now=NOW):
        async with world.begin() as session:
            end = now + timedelta(minutes=20)
            return (await calls.claim(session, HERE, ONE, person, person.title(), now, end)).person

    assert len(set(await asyncio.gather(*(claim(p) for p in ("anne", "bela", "chloe"))))) == 1
    async with world.begin() as session:
        holder = (await calls.claimed(session, HERE, NOW))[ONE].person
        other = "anne" if holder != "anne" else "bela"
        await calls.release(session, HERE, ONE, other)
        assert await calls.claimed(session, THERE, NOW) == {}
        assert await calls.claimed(session, HERE, until) == {}
    assert await claim(other, NOW + timedelta(minutes=19)) == holder
    assert await claim(holder, NOW + timedelta(minutes=19)) == holder
    assert await claim(other, NOW + timedelta(minutes=20)) == holder
    assert await claim(other, NOW + timedelta(minutes=39)) == other
    async with world.begin() as session:
        await calls.release(session, HERE, ONE, other)
    assert await claim("anne") == "anne"


async def test_a_doctor_who_calls_back_is_told_his_open_questions(world):
    asked, answered = (
        asking(solicitations=(mailed(ONE),)),
        asking(positions=(Position(doctor=ONE, stand=Stand.YES, at=NOW),)),
    )
    over = asking(solicitations=(mailed(ONE),), state=State.ATTACHED)
    async with world.begin() as session:
        for search in (asked, answered, over, asking(solicitations=(mailed(TWO),))):
            await add(session, search)
        assert await calls.open_questions(session, HERE, ONE) == sorted([asked.id, answered.id])


async def test_a_territorys_tables_are_replaced_as_a_whole(world):
    residents = (
        Residents(quartier="Centre", insee="69259", age_from=0, age_to=4, residents=812.5),
        Residents(quartier="Centre", insee="69259", age_from=85, age_to=None, residents=90),
    )
    households = (Households(insee="69259", adults=2, children=1, households=700),)
    async with world.begin() as session:
        for _ in range(2):
            await territories.put_places(session, HERE, [PLACE])
            await territories.put_residents(session, HERE, residents)
            await territories.put_households(session, HERE, households)
        assert await territories.places(session, HERE) == (PLACE,)
        assert await territories.residents(session, HERE) == residents
        assert await territories.households(session, HERE) == households
        moved = replace(PLACE, name="Ailleurs")
        await territories.put_places(session, HERE, [moved])
        assert await territories.places(session, HERE) == (moved,)
        assert await territories.places(session, THERE) == ()
        await territories.put(session, HERE, "CPTS de Vénissieux", "id = 1", NOW)
        assert await territories.settings(session) == {THERE: "", HERE: "id = 1"}
