"""Structures, users, sessions, keys, factors: found again, in time, and never another's."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from matcher.storage import api_keys, attempts, factors, idempotency, people
from matcher.storage import sessions as sessions_
from tests.integration.storage_world import DOCTORS, HERE, NOW, THERE, settle_in

ONE, TWO = DOCTORS[:2]


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


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
