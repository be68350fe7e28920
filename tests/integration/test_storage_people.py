"""Doctors, offers, calls, users, keys, territories: found again, counted right, and never another's."""

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
from matcher.storage import (
    api_keys,
    attempts,
    calls,
    doctors,
    factors,
    idempotency,
    offers,
    people,
    territories,
)
from matcher.storage import sessions as sessions_
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


async def structure(session, territory=HERE, name="PASS de l’hôpital", **more):
    fields = {"structure_id": f"s-{territory}", "name": name, "kind": "pass", "now": NOW}
    return await people.put_structure(session, territory, **(fields | more))


async def test_a_structure_is_one_by_its_name_and_keeps_what_is_not_said_again(world):
    async with world.begin() as session:
        made = await structure(session, email="pass@hopital.example")
        assert await structure(session, structure_id="another", phone="05 36 49 00 00") == made
        known = await people.structure(session, HERE, made)
        assert (known.email, known.phone, known.kind) == ("pass@hopital.example", "05 36 49 00 00", "pass")
        assert await people.structure_by_name(session, HERE, known.name) == made
        assert await people.structure_by_name(session, THERE, known.name) is None
        assert await people.structure(session, THERE, made) is None
        assert await people.structures(session, HERE) == [known]


async def user(session, territory=HERE, **more):
    fields = {
        "user_id": f"u-{territory}",
        "email": "Salima@cpts.example",
        "name": "Salima",
        "role": "coordinatrice",
        "structure": None,
        "enrolment_hash": f"e-{territory}",
        "enrolment_expires_at": NOW + timedelta(days=7),
        "now": NOW,
    }
    return await people.put_user(session, territory, **(fields | more))


async def test_an_enrolment_link_gives_a_password_once_and_in_time(world):
    async with world.begin() as session:
        made = await user(session)
        await user(session, THERE)
        assert {u.territory for u in await people.users_by_email(session, "SALIMA@cpts.example")} == {
            HERE,
            THERE,
        }
        assert await people.enrolling(session, "e-venissieux", NOW + timedelta(days=7)) is None
        assert (await people.enrolling(session, "e-venissieux", NOW)).territory == HERE
        assert await people.enrol(session, "e-venissieux", "argon", NOW + timedelta(days=7)) is None
        enrolled = await people.enrol(session, "e-venissieux", "argon", NOW)
        assert (enrolled.id, enrolled.password_hash, enrolled.email) == (made, "argon", "salima@cpts.example")
        assert await people.enrol(session, "e-venissieux", "other", NOW) is None
        assert (await people.user(session, HERE, made)) == enrolled


async def test_enrolling_again_ends_the_password_and_every_session(world):
    async with world.begin() as session:
        made = await user(session)
        await people.set_password(session, HERE, "salima@CPTS.example", "argon")
        assert await people.enrol(session, "e-venissieux", "x", NOW) is None
        await begin(session, "cookie", user=made, data={"user": made})
        assert await held(session, "cookie") == {"user": made}
        assert await user(session, user_id="another", enrolment_hash="again") == made
        assert (await people.user(session, HERE, made)).password_hash is None
        assert await held(session, "cookie") is None
        assert (await people.enrol(session, "again", "new", NOW)).id == made
        # An invitation never touches an account that is there.
        assert await user(session, user_id="third", enrolment_hash="third", only_new=True) is None
        assert (await people.user(session, HERE, made)).password_hash == "new"


async def test_a_disabled_user_is_out_at_once(world):
    async with world.begin() as session:
        made = await user(session)
        await begin(session, "cookie", user=made)
        await people.disable_user(session, HERE, made, NOW)
        assert (await people.user(session, HERE, made)).disabled
        assert await held(session, "cookie") is None
        assert await people.enrol(session, "e-venissieux", "x", NOW) is None
        assert [one.disabled for one in await people.users(session, HERE)] == [True]


async def test_a_requester_belongs_to_a_structure_of_its_territory_and_nobody_else_does(world):
    async with world.begin() as session:
        theirs = await structure(session, THERE)
    for role, of in (("requester", None), ("secretaire", theirs), ("requester", theirs), ("doctor", None)):
        with pytest.raises(IntegrityError):
            async with world.begin() as session:
                await user(session, role=role, structure=of)


async def begin(session, name, *, user=None, data=None, now=NOW, until=timedelta(hours=8)):
    await sessions_.put(
        session, HERE, name, user=user, data=data or {}, agent="Firefox", now=now, expires_at=now + until
    )


async def held(session, name, territory=HERE, now=NOW):
    return await sessions_.data(session, territory, name, now, timedelta(hours=2))


async def test_a_session_ends_with_its_hour_by_hand_or_left_alone_and_is_swept(world):
    async with world.begin() as session:
        await begin(session, "one", data={"n": 1})
        await begin(session, "two", data={"n": 1})
        # What it holds may change; its end does not move.
        await begin(session, "one", data={"n": 2}, until=timedelta(days=9))
        assert await held(session, "one") == {"n": 2}
        assert await held(session, "one", THERE) is None
        for hours in (1, 2, 3, 4, 5, 6, 7):
            assert await held(session, "one", now=NOW + timedelta(hours=hours)) == {"n": 2}
        assert await held(session, "one", now=NOW + timedelta(hours=8)) is None
        assert await held(session, "two", now=NOW + timedelta(hours=2)) is None
        await sessions_.end(session, HERE, "one")
        assert await held(session, "one") is None
        await sessions_.sweep(session, HERE, NOW + timedelta(hours=8))
        assert await held(session, "two") is None


async def test_a_user_sees_their_own_sessions_and_ends_one_or_all_others(world):
    async with world.begin() as session:
        made = await user(session)
        other = await user(session, user_id="other", email="o@cpts.example", enrolment_hash="o")
        for name in ("one", "two", "three"):
            await begin(session, name, user=made)
        await begin(session, "theirs", user=other)
        await sessions_.end_of(session, HERE, made, only="theirs")
        await sessions_.end_of(session, HERE, made, only="one")
        assert {one.key_hash for one in await sessions_.of_user(session, HERE, made, NOW)} == {"two", "three"}
        await sessions_.end_of(session, HERE, made, but="two")
        assert [one.key_hash for one in await sessions_.of_user(session, HERE, made, NOW)] == ["two"]
        assert await held(session, "theirs") == {}
        assert await sessions_.of_user(session, HERE, made, NOW + timedelta(hours=8)) == []


async def test_a_key_is_found_by_its_hash_alone(world):
    async with world.begin() as session:
        of = await structure(session)
        fields = {"name": "PASS", "role": "requester", "structure": of, "key_hash": "h", "now": NOW}
        await api_keys.add(session, HERE, key_id="k", scopes=frozenset({"read", "create"}), **fields)
        found = await api_keys.find(session, "h")
        assert (found.territory, found.id, found.structure, found.disabled) == (HERE, "k", of, False)
        assert (found.scopes, found.used_at) == ({"read", "create"}, None)
        assert await api_keys.find(session, "other") is None
        assert await api_keys.get(session, THERE, "k") is None
        await api_keys.used(session, HERE, "k", NOW)
        await api_keys.used(session, HERE, "k", NOW + timedelta(minutes=59))
        assert (await api_keys.find(session, "h")).used_at == NOW
        await api_keys.ends(session, HERE, "k", NOW + timedelta(days=7))
        await api_keys.ends(session, HERE, "k", NOW + timedelta(days=9))
        found = await api_keys.find(session, "h")
        assert [found.opens(NOW + timedelta(days=day)) for day in (6, 7, 8)] == [True, False, False]
        assert await api_keys.disable(session, HERE, "k", NOW)
        assert not await api_keys.disable(session, HERE, "k", NOW)
        assert not (await api_keys.find(session, "h")).opens(NOW)
        assert len(await api_keys.of_territory(session, HERE)) == 1


async def test_what_was_tried_is_counted_together_and_forgotten(world):
    async def fail(minutes):
        async with world.begin() as session:
            await attempts.count(session, HERE, "login", "someone", NOW + timedelta(minutes=minutes))

    await asyncio.gather(*(fail(minute) for minute in (0, 0, 0, 1, 20)))
    async with world.begin() as session:

        async def counted(since):
            return await attempts.since(session, HERE, "login", "someone", NOW + timedelta(minutes=since))

        assert [await counted(-1), await counted(0), await counted(10)] == [5, 2, 1]
        assert await attempts.since(session, HERE, "code", "someone", NOW - timedelta(days=1)) == 0
        assert await attempts.count(session, HERE, "login", "someone", NOW, 100) == 103
        await attempts.came_from(session, HERE, "someone", "there", NOW)
        assert await attempts.is_known(session, HERE, "someone", "there", NOW - timedelta(days=1))
        assert not await attempts.is_known(session, HERE, "someone", "elsewhere", NOW - timedelta(days=1))
        assert not await attempts.is_known(session, HERE, "someone", "there", NOW)
        await attempts.sweep(session, HERE, NOW + timedelta(minutes=5), NOW + timedelta(minutes=5))
        assert await counted(-1) == 1
        assert not await attempts.is_known(session, HERE, "someone", "there", NOW - timedelta(days=1))


async def test_a_factor_is_used_once_per_step_whoever_comes_together(world):
    async def put(session, name, **more):
        fields = {"kind": "totp", "name": "app", "held": b"sealed", "now": NOW, "confirmed": False}
        return await factors.put(session, HERE, factor_id=name, **({"subject": name} | fields | more))

    async with world.begin() as session:
        made = await user(session)
        assert await put(session, "first", user=made)
        assert await put(session, "second", user=made)
        waiting = await factors.of_user(session, HERE, made)
        # Of those that wait the newest counts.
        assert [one.id for one in waiting] == ["second"]
        assert await factors.holders(session, HERE) == frozenset()

    async def use(step):
        async with world.begin() as session:
            return await factors.advance(session, waiting[0], step, NOW, beyond=step - 1)

    assert sum(await asyncio.gather(*(use(5) for _ in range(4)))) == 1
    assert [await use(4), await use(5), await use(6)] == [False, False, True]
    async with world.begin() as session:
        assert await factors.holders(session, HERE) == {made}
        assert await factors.of_user(session, THERE, made) == []
        assert await put(session, "code", user=made, kind="recovery", confirmed=True)
        card = {"kind": "psc", "subject": "card", "confirmed": True}
        assert await put(session, "card", user=made, **card)
        assert not await put(session, "same card", user=made, **card)
        assert [one.id for one in await factors.by_subject(session, "psc", "card")] == ["card"]

    async def spend():
        async with world.begin() as session:
            return await factors.spend(session, HERE, made, "recovery", "code")

    assert sum(await asyncio.gather(*(spend() for _ in range(3)))) == 1
    async with world.begin() as session:
        assert await factors.remove(session, HERE, made, kind="psc") == 1
        assert await factors.remove(session, HERE, made) == 1


async def test_of_two_requests_with_one_key_the_second_gets_the_firsts_answer(world):
    async def create(number):
        async with world.begin() as session:
            kept = await idempotency.begin(session, HERE, "actor", "key", "body", NOW)
            if kept is not None:
                return kept
            await asyncio.sleep(0.02)
            await idempotency.end(session, HERE, "actor", "key", {"id": number})
            return number

    done = await asyncio.gather(*(create(number) for number in range(5)))
    (winner,) = [one for one in done if isinstance(one, int)]
    assert [one.response for one in done if not isinstance(one, int)] == [{"id": winner}] * 4
    async with world.begin() as session:
        assert await idempotency.begin(session, HERE, "another", "key", "body", NOW) is None
        await idempotency.sweep(session, HERE, NOW + timedelta(seconds=1))
        assert await idempotency.begin(session, HERE, "actor", "key", "body", NOW) is None


async def test_a_request_that_was_rolled_back_leaves_its_key_free(world):
    async with world() as session, session.begin() as transaction:
        assert await idempotency.begin(session, HERE, "actor", "key", "body", NOW) is None
        await transaction.rollback()
    async with world.begin() as session:
        assert await idempotency.begin(session, HERE, "actor", "key", "body", NOW) is None


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
