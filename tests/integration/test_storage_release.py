"""Links, releases and sealed sections: what stands between the record and everybody but one doctor."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from matcher.protocol.search import Position, Release, ReleaseKind, Stand, State, Withdrawal, WithdrawalReason
from matcher.storage import links, lookups, releases, sealed, searches
from matcher.storage.tables import metadata
from messaging.vault import Sealed
from tests.integration.storage_world import DOCTORS, HERE, NOW, THERE, add, asking, released, settle_in

LIFE = timedelta(minutes=15)
UNTIL = NOW + LIFE


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


async def begun(world, search):
    """The search with its release in force and a first code."""
    async with world.begin() as session:
        await add(session, search)
        await releases.insert(session, HERE, search.id, search.release, run=search.run, code_expires_at=UNTIL)
        return await releases.get(session, HERE, search.id, 1)


async def use(world, row, now=NOW):
    async with world.begin() as session:
        return await releases.use_code(session, row, now)


async def test_a_code_opens_once_however_many_come_together(world):
    row = await begun(world, released())
    assert row.code_alive(NOW)
    assert sorted(await asyncio.gather(*(use(world, row) for _ in range(10)))) == [False] * 9 + [True]
    async with world.begin() as session:
        after = await releases.get(session, HERE, row.search, 1)
    assert (after.code_used_at, after.opened_at, after.code_alive(NOW)) == (NOW, NOW, False)


async def test_a_code_lapses(world):
    row = await begun(world, released())
    assert not row.code_alive(UNTIL)
    assert not await use(world, row, UNTIL)
    assert await use(world, row, UNTIL - timedelta(seconds=1))


async def test_a_new_code_voids_the_one_before_and_keeps_the_hour_of_the_first_opening(world):
    row = await begun(world, released())
    assert await use(world, row)
    later = NOW + timedelta(hours=1)
    async with world.begin() as session:
        assert await releases.new_code(session, HERE, row.search, 1, later + LIFE)
        again = await releases.get(session, HERE, row.search, 1)
    assert again.code_number == row.code_number + 1
    assert not await use(world, row, later)
    assert await use(world, again, later)
    async with world.begin() as session:
        assert (await releases.get(session, HERE, row.search, 1)).opened_at == NOW


async def test_five_wrong_codes_lock_even_the_right_one(world):
    row = await begun(world, released())

    async def wrong():
        async with world.begin() as session:
            return await releases.wrong_code(session, row)

    assert sorted(await asyncio.gather(*(wrong() for _ in range(5)))) == [1, 2, 3, 4, 5]
    assert not await use(world, row)
    async with world.begin() as session:
        assert (await releases.get(session, HERE, row.search, 1)).locked
        assert not await releases.new_code(session, HERE, row.search, 1, UNTIL)


async def test_a_right_code_forgives_the_wrong_ones_before(world):
    row = await begun(world, released())
    async with world.begin() as session:
        assert await releases.wrong_code(session, row) == 1
    assert await use(world, row)
    async with world.begin() as session:
        assert await releases.wrong_code(session, row) == 1


async def test_a_renewal_ends_the_release_before(world):
    search = released()
    row = await begun(world, search)
    renewed = replace(search.release, number=2)
    async with world.begin() as session:
        await releases.insert(session, HERE, search.id, renewed, run=1, code_expires_at=UNTIL)
        second = await releases.get(session, HERE, search.id, 2)
    assert not await use(world, row)
    assert await use(world, second)


async def test_a_release_without_code_opens_nothing(world):
    search = released()
    async with world.begin() as session:
        await add(session, search)
        await releases.insert(session, HERE, search.id, search.release, run=1, code_expires_at=None)
        row = await releases.get(session, HERE, search.id, 1)
    assert not row.code_alive(NOW)
    assert not await use(world, row)


def gave_up(search):
    return replace(search, positions=(Position(doctor=DOCTORS[0], stand=Stand.GAVE_UP, at=NOW),))


def withdrawn(search):
    taken = Withdrawal(reason=WithdrawalReason.CONSENT, at=NOW, left=search.state)
    return replace(search, state=State.WITHDRAWN, withdrawal=taken)


@pytest.mark.parametrize(
    "happened",
    [
        gave_up,
        withdrawn,
        lambda search: replace(search, state=State.PROPOSING),
        lambda search: replace(search, record_destroyed=True),
        lambda search: replace(search, run=2),
    ],
    ids=["gave up", "withdrawn", "no longer released", "destroyed", "another run"],
)
async def test_the_database_itself_refuses_the_record_where_the_search_no_longer_gives_it(world, happened):
    # Even should the use case have forgotten to end the release.
    search = released()
    row = await begun(world, search)
    async with world.begin() as session:
        await searches.save(session, search, happened(search))
    assert not await use(world, row)


async def test_an_ended_release_opens_nothing(world):
    row = await begun(world, released())
    async with world.begin() as session:
        await releases.end(session, HERE, row.search, NOW)
        assert not (await releases.get(session, HERE, row.search, 1)).in_force
    assert not await use(world, row)


async def test_the_record_still_opens_once_the_patient_is_attached(world):
    search = released()
    row = await begun(world, search)
    async with world.begin() as session:
        await searches.save(session, search, replace(search, state=State.ATTACHED))
    assert await use(world, row)


async def test_a_release_is_another_territorys_for_nobody_else(world):
    row = await begun(world, released())
    assert not await use(world, replace(row, territory=THERE))
    async with world.begin() as session:
        assert await releases.get(session, THERE, row.search, 1) is None


async def test_only_one_release_of_a_search_is_in_force(world):
    search = released()
    row = await begun(world, search)
    with pytest.raises(IntegrityError):
        async with world.begin() as session:
            await releases.insert(
                session,
                HERE,
                search.id,
                Release(doctor=DOCTORS[0], kind=ReleaseKind.PAGE, number=row.number, at=NOW),
                run=1,
                code_expires_at=UNTIL,
            )


async def ensured(world, search, doctor=DOCTORS[0], purpose="answer", expires_at=UNTIL):
    async with world.begin() as session:
        made = await links.ensure(
            session, HERE, search.id, search.run, [doctor], purpose, now=NOW, expires_at=expires_at
        )
        return made[doctor]


async def test_announcement_and_reminder_share_one_link_that_lives_as_long_as_either(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
    made = await asyncio.gather(*(ensured(world, search) for _ in range(6)))
    assert len({(link.id, link.nonce) for link in made}) == 1
    later = await ensured(world, search, expires_at=UNTIL + LIFE)
    assert (later.id, later.expires_at) == (made[0].id, UNTIL + LIFE)
    assert (await ensured(world, search)).expires_at == UNTIL + LIFE
    assert (await ensured(world, search, purpose="record")).id != later.id
    async with world.begin() as session:
        assert await links.by_id(session, later.id) == later
        assert await links.by_id(session, "0" * 32) is None
        found = await links.of_searches(session, HERE, [search.id], DOCTORS)
        assert {key: link.purpose for key, link in found.items()} == {
            (search.id, 1, DOCTORS[0], purpose): purpose for purpose in ("answer", "record")
        }
        assert found[search.id, 1, DOCTORS[0], "answer"] == later
        assert await links.of_searches(session, HERE, [search.id], DOCTORS[1:]) == {}
        assert await links.of_searches(session, THERE, [search.id], DOCTORS) == {}


async def test_opening_is_noted_and_revoking_changes_the_nonce_of_what_was_meant(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
    answer, record = await ensured(world, search), await ensured(world, search, purpose="record")
    other = await ensured(world, search, doctor=DOCTORS[1])
    async with world.begin() as session:
        await links.opened(session, answer, NOW)
        assert (await links.by_id(session, answer.id)).last_opened_at == NOW
        await links.revoke(session, HERE, search.id, DOCTORS[0], "answer", "delegate")
        assert (await links.by_id(session, answer.id)).nonce != answer.nonce
        assert (await links.by_id(session, record.id)).nonce == record.nonce
        await links.revoke_of_doctor(session, HERE, DOCTORS[0])
        assert (await links.by_id(session, record.id)).nonce != record.nonce
        assert (await links.by_id(session, other.id)).nonce == other.nonce


async def test_a_doctors_pause_link_hangs_under_no_search(world):
    async def pause():
        async with world.begin() as session:
            return await links.of_doctor(session, HERE, DOCTORS[0], "pause", now=NOW)

    made = await asyncio.gather(*(pause() for _ in range(4)))
    assert len({link.id for link in made}) == 1
    assert made[0].search is None
    assert made[0].expires_at == NOW + timedelta(days=30)
    async with world.begin() as session:
        for hours, prolonged in ((12, 0), (36, 36)):
            now = NOW + timedelta(hours=hours)
            found = await links.of_doctors(session, HERE, DOCTORS[:2], "pause", now=now)
            assert set(found) == set(DOCTORS[:2])
            assert found[DOCTORS[0]].id == made[0].id
            assert found[DOCTORS[0]].expires_at == NOW + timedelta(days=30, hours=prolonged)


def box(number=1, key="2026-11"):
    return Sealed(
        key=key,
        version=1,
        wrapped=bytes([number]) * 80,
        commitment=b"c" * 32,
        nonce=b"n" * 12,
        ciphertext=bytes(range(256)) * number,
    )


async def test_a_sealed_section_comes_back_byte_for_byte_and_to_its_own_territory_only(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
        await sealed.put(session, HERE, search.id, "record", box(1))
        await sealed.put(session, HERE, search.id, "record", box(2))
        await sealed.put(session, HERE, search.id, "contact", box(3))
        assert await sealed.get(session, HERE, search.id, "record") == box(2)
        assert await sealed.get_many(session, HERE, [search.id, "x"], "contact") == {search.id: box(3)}
        assert await sealed.get(session, THERE, search.id, "record") is None
        await sealed.delete(session, HERE, search.id, "contact")
        assert await sealed.get(session, HERE, search.id, "contact") is None


async def test_a_closed_record_is_not_given_until_it_is_opened_again(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
        await sealed.put(session, HERE, search.id, "record", box())
        await sealed.close(session, HERE, search.id, NOW)
        assert await sealed.get(session, HERE, search.id, "record") is None
        assert await sealed.get(session, HERE, search.id, "record", closed=True) == box()
        await sealed.close(session, HERE, search.id, None)
        assert await sealed.get(session, HERE, search.id, "record") == box()


async def test_what_was_destroyed_is_gone_for_good(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
        await sealed.put(session, HERE, search.id, "record", box(1))
        await sealed.put(session, HERE, search.id, "contact", box(2))
        assert await sealed.destroy(session, HERE, search.id) == 2
        assert await sealed.destroy(session, HERE, search.id) == 0
        assert await sealed.get(session, HERE, search.id, "record", closed=True) is None
        left = await session.execute(
            text(
                "SELECT count(*) FROM sealed"
                " WHERE coalesce(sealed_key, ciphertext, nonce, commitment) IS NULL"
            )
        )
        assert left.scalar_one() == 2
        with pytest.raises(sealed.Destroyed):
            await sealed.put(session, HERE, search.id, "record", box())


async def test_sections_under_a_key_are_walked_and_rewrapped_unless_they_changed_meanwhile(world):
    made = [asking(), asking(), asking(territory=THERE)]
    async with world.begin() as session:
        for number, search in enumerate(made, start=1):
            await add(session, search)
            await sealed.put(session, search.territory, search.id, "record", box(number))
            await sealed.put(session, search.territory, search.id, "draft", box(number, "intake"))
        assert await sealed.keys_in_use(session) == {"2026-11": 3, "intake": 3}
        seen, after = [], None
        while page := await sealed.under_key(session, "2026-11", after=after, limit=2):
            seen += page
            after = page[-1]
        assert {(one.territory, one.search) for one in seen} == {(s.territory, s.id) for s in made}
        first = seen[0]
        renewed = replace(first.sealed, key="2026-12", wrapped=b"w" * 80)
        assert await sealed.rewrapped(session, first, renewed)
        assert not await sealed.rewrapped(session, first, renewed)
        assert await sealed.get(session, first.territory, first.search, "record") == renewed
        assert await sealed.keys_in_use(session) == {"2026-11": 2, "2026-12": 1, "intake": 3}


async def test_a_patient_is_found_by_any_term_of_its_own_kind_and_territory(world):
    one, two = asking(), asking(territory=THERE)
    async with world.begin() as session:
        for search in (one, two):
            await add(session, search)
            await lookups.replace(
                session, search.territory, search.id, [("name", "aa"), ("name", "aa"), ("phone", "bb")]
            )
        assert await lookups.find(session, HERE, [("name", "aa"), ("phone", "bb")]) == [one.id]
        assert await lookups.find(session, HERE, [("phone", "aa")]) == []
        assert await lookups.find(session, HERE, []) == []
        await lookups.replace(session, HERE, one.id, [])
        assert await lookups.find(session, HERE, [("name", "aa")]) == []
        assert await lookups.find(session, THERE, [("name", "aa")]) == [two.id]


async def test_two_requests_for_one_patient_share_a_combined_term_or_a_nir(world):
    one, two, three, gone = asking(), asking(), asking(), withdrawn(asking())
    terms = {
        one: [("name", "n"), ("name+birth_date", "x"), ("nir", "y")],
        two: [("name+birth_date", "x"), ("nir", "y")],
        three: [("name", "n")],
        gone: [("nir", "y")],
    }
    async with world.begin() as session:
        for search, its in terms.items():
            await add(session, search)
            await lookups.replace(session, HERE, search.id, its)
        (twin,) = await lookups.twins(session, HERE, one.id)
        assert twin[0] == two.id
        assert twin[1].startswith("VEN-26-")
        await searches.join(session, HERE, two.id, one.id)
        assert await lookups.twins(session, HERE, one.id) == []


async def test_nothing_of_a_patient_has_a_column_in_clear():
    patient = {"name", "first_name", "last_name", "phone", "email", "birth_date", "nir", "label", "address"}
    of_others = {
        "doctors",
        "structures",
        "users",
        "factors",
        "origins",
        "api_keys",
        "call_claims",
        "places",
        "territories",
        "counters",
    }
    for table in metadata.tables.values():
        if table.name not in of_others:
            assert not patient & {column.name for column in table.c}, table.name


async def test_the_number_of_releases_in_force_is_one(world):
    row = await begun(world, released())
    async with world.begin() as session:
        table = metadata.tables["releases"]
        in_force = select(func.count()).select_from(table).where(table.c.ended_at.is_(None))
        assert await session.scalar(in_force) == 1
        assert row.id == f"{row.search}.1"
