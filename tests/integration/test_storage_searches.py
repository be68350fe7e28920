"""Searches come back as they were saved, and the database repeats the rules that must never break."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from config.database import OutsideTransaction
from matcher.protocol.ids import SearchId
from matcher.protocol.search import (
    CallAttempt,
    CallOutcome,
    Channel,
    Delivery,
    Position,
    Solicitation,
    Stand,
    State,
    Task,
    TaskKind,
    TimerKind,
)
from matcher.records.priority import Level
from matcher.storage import doctors, parts, people, references, searches
from matcher.storage.tables import metadata
from tests.integration.storage_world import (
    DOCTORS,
    HERE,
    NOW,
    THERE,
    add,
    any_search,
    asking,
    card,
    due,
    in_order,
    released,
    settle_in,
)

_SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture
async def world(sessions):
    await settle_in(sessions)
    return sessions


def phoned(doctor, *outcomes):
    return Solicitation(
        doctor=doctor,
        channel=Channel.PHONE,
        delivery=Delivery.ASKED,
        at=NOW,
        attempts=tuple(CallAttempt(at=NOW, outcome=outcome) for outcome in outcomes),
    )


def yes(doctor, stand=Stand.YES):
    return Position(doctor=doctor, stand=stand, at=NOW)


@settings(max_examples=40, deadline=None, suppress_health_check=_SLOW)
@given(value=any_search)
async def test_any_search_comes_back_as_it_was_inserted(world, value):
    async with world() as session, session.begin() as transaction:
        value = replace(value, territory=HERE)
        await add(session, value)
        owned = await searches.lock(session, HERE, value.id)
        assert in_order(owned.search) == in_order(value)
        await transaction.rollback()


@settings(max_examples=60, deadline=None, suppress_health_check=_SLOW)
@given(before=any_search, after=any_search, same_run=st.booleans())
async def test_any_search_comes_back_as_it_was_saved_over_any_other(world, before, after, same_run):
    before = replace(before, territory=HERE)
    after = replace(after, territory=HERE, id=before.id)
    if same_run:
        after = replace(after, run=before.run)
    async with world() as session, session.begin() as transaction:
        await add(session, before)
        await searches.save(session, before, after)
        owned = await searches.get(session, HERE, before.id)
        assert in_order(owned.search) == in_order(after)
        await transaction.rollback()


async def test_what_did_not_change_is_not_written(world, engine):
    search = asking(positions=(yes(DOCTORS[0]),), timers=(due(5),), solicitations=(phoned(DOCTORS[1]),))
    async with world.begin() as session:
        await add(session, search)
        written = []
        connection = await session.connection()

        def note(_conn, _cursor, statement, *_):
            if not statement.startswith("SELECT"):
                written.append(statement.split()[:3])

        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await searches.save(session, search, search)
        assert written == []
        await searches.save(session, search, replace(search, urgent=True))
        assert written == [["UPDATE", "searches", "SET"]]


async def test_a_search_is_moved_in_a_transaction_only(world):
    async with world() as session:
        with pytest.raises(OutsideTransaction):
            await searches.lock(session, HERE, "search")


async def test_what_is_another_territorys_is_not_there(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search)
        assert await searches.get(session, THERE, search.id) is None
        assert await searches.lock(session, THERE, search.id) is None
        assert await searches.list_ids(session, THERE) == ([], None)
        assert await searches.in_states(session, THERE, list(State)) == []
        reference = (await searches.get(session, HERE, search.id)).reference
        assert await searches.by_reference(session, THERE, reference) == []
        assert await searches.by_reference(session, HERE, reference) == [search.id]


async def test_a_doctor_of_another_territory_cannot_be_asked(world):
    async with world.begin() as session:
        await doctors.put(session, THERE, [card("theirs")], NOW)
    with pytest.raises(IntegrityError):
        async with world.begin() as session:
            await add(session, asking(positions=(yes("theirs"),)))


async def test_saving_what_is_not_there_is_an_error(world):
    search = asking()
    with pytest.raises(searches.Gone):
        async with world.begin() as session:
            await searches.save(session, search, replace(search, urgent=True))


async def test_a_run_has_one_chosen_doctor_whatever_is_saved(world):
    both = asking(positions=(yes(DOCTORS[0], Stand.CHOSEN), yes(DOCTORS[1], Stand.CHOSEN)))
    with pytest.raises(IntegrityError):
        async with world.begin() as session:
            await add(session, both)


async def test_another_doctor_may_be_chosen_in_the_step_in_which_the_first_gives_up(world):
    before = released(DOCTORS[0])
    after = replace(before, positions=(yes(DOCTORS[1], Stand.CHOSEN), yes(DOCTORS[0], Stand.GAVE_UP)))
    async with world.begin() as session:
        await add(session, before)
        await searches.save(session, before, after)
        assert (await searches.get(session, HERE, before.id)).search.chosen == DOCTORS[1]


async def test_of_two_transactions_that_choose_two_doctors_without_a_lock_one_fails(world):
    search = asking(positions=(yes(DOCTORS[0]), yes(DOCTORS[1])))
    async with world.begin() as session:
        await add(session, search)

    async def choose(doctor):
        positions = tuple(
            replace(p, stand=Stand.CHOSEN) if p.doctor == doctor else p for p in search.positions
        )
        async with world.begin() as session:
            await searches.save(session, search, replace(search, positions=positions))

    done = await asyncio.gather(*(choose(doctor) for doctor in DOCTORS[:2]), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["IntegrityError", "NoneType"]


async def test_of_many_who_lock_before_they_choose_the_first_wins_and_the_others_see_it(world):
    search = asking(positions=tuple(yes(doctor) for doctor in DOCTORS))
    async with world.begin() as session:
        await add(session, search)

    async def choose(doctor):
        async with world.begin() as session:
            held = (await searches.lock(session, HERE, search.id)).search
            if held.chosen is not None:
                return False
            positions = tuple(
                replace(p, stand=Stand.CHOSEN) if p.doctor == doctor else p for p in held.positions
            )
            await searches.save(session, held, replace(held, positions=positions))
            return True

    assert sorted(await asyncio.gather(*(choose(doctor) for doctor in DOCTORS))) == [False] * 4 + [True]


@pytest.mark.parametrize(
    "state", [State.RELEASED, State.RESTING, State.WITHDRAWN, State.UNMET], ids=lambda state: state.value
)
async def test_a_state_is_not_saved_without_what_it_means(world, state):
    with pytest.raises(IntegrityError):
        async with world.begin() as session:
            await add(session, asking(state=state))


async def test_nobody_is_asked_without_announcement_and_consent(world):
    for search in (asking(announcement=None), asking(consent=None)):
        with pytest.raises(IntegrityError):
            async with world.begin() as session:
                await add(session, search)


async def test_the_runs_before_stay_as_history(world):
    first = asking(
        solicitations=(phoned(DOCTORS[0], CallOutcome.NO_ANSWER, CallOutcome.NO),),
        positions=(yes(DOCTORS[0], Stand.NO),),
    )
    second = replace(first, run=2, solicitations=(phoned(DOCTORS[1], CallOutcome.YES),), positions=())
    async with world.begin() as session:
        await add(session, first)
        await searches.save(session, first, second)
        assert (await searches.get(session, HERE, first.id)).search == second
        assert await parts.earlier_runs(session, HERE, first.id) == [
            (1, first.solicitations[0]),
            (1, first.positions[0]),
        ]


async def test_lists_are_paged_newest_first_and_narrowed(world):
    made = [asking(created_at=NOW + timedelta(minutes=n // 2)) for n in range(7)]
    async with world.begin() as session:
        for search in made:
            await add(session, search)
        seen, after = [], None
        while True:
            page, after = await searches.list_ids(session, HERE, after=after, limit=3)
            seen += page
            if after is None:
                break
        newest = sorted(made, key=lambda s: (s.created_at, s.id), reverse=True)
        assert seen == [search.id for search in newest]
        assert {o.search for o in await searches.these(session, HERE, [*seen, "another"])} == set(made)
        among, _ = await searches.list_ids(session, HERE, among=[made[3].id, "another"])
        assert among == [made[3].id]
        assert await searches.list_ids(session, HERE, state=State.CALLING) == ([], None)
        assert len((await searches.list_ids(session, HERE, state=[State.ASKING, State.CALLING]))[0]) == 7


async def test_a_requester_lists_what_its_own_structure_submitted(world):
    mine, officers = asking(), asking()
    async with world.begin() as session:
        of = await people.put_structure(session, HERE, structure_id="pass", name="PASS", kind="pass", now=NOW)
        await searches.insert(session, mine, reference="VEN-26-9001", structure=of, created_by="key")
        await add(session, officers)
        ids, following = await searches.list_ids(session, HERE, structure=of)
        (owned,) = await searches.these(session, HERE, ids)
    assert (owned.search, owned.structure, owned.structure_name, following) == (mine, of, "PASS", None)


async def test_a_priority_that_a_person_set_is_not_replaced_by_the_records(world):
    search = asking()
    async with world.begin() as session:
        await add(session, search, priority=Level.NORMAL)
        await searches.set_priority(session, HERE, search.id, Level.HIGH, by_person=False)
        assert (await searches.get(session, HERE, search.id)).priority is Level.HIGH
        await searches.set_priority(session, HERE, search.id, Level.URGENT)
        await searches.set_priority(session, HERE, search.id, Level.NORMAL, by_person=False)
        owned = await searches.get(session, HERE, search.id)
        assert (owned.priority, owned.priority_set) == (Level.URGENT, True)


async def test_a_joined_search_and_those_joined_to_it_point_to_the_last(world):
    one, two, three = asking(), asking(), asking()
    async with world.begin() as session:
        for search in (one, two, three):
            await add(session, search)
        await searches.join(session, HERE, one.id, two.id)
        await searches.join(session, HERE, two.id, three.id)
        assert await searches.joined(session, HERE, three.id) == sorted([one.id, two.id])
        assert (await searches.get(session, HERE, one.id)).joined_to == three.id


async def test_a_forgotten_search_leaves_nothing_behind(world):
    search = released(
        timers=(due(1),),
        tasks=(Task(kind=TaskKind.UNTOUCHED, since=NOW),),
        solicitations=(phoned(DOCTORS[2], CallOutcome.NO_ANSWER),),
    )
    async with world.begin() as session:
        await add(session, search)
        await searches.forget(session, HERE, search.id)
        assert await searches.get(session, HERE, search.id) is None
        for table in metadata.tables.values():
            if "search_id" in table.c and table.name != "journal":
                assert await session.scalar(select(func.count()).select_from(table)) == 0, table.name


async def test_references_are_counted_by_territory_and_year_without_gap(world):
    async def next_one():
        async with world.begin() as session:
            return await references.next_one(session, HERE, 2026)

    async with world() as session, session.begin() as transaction:
        await references.next_one(session, HERE, 2026)
        await transaction.rollback()
    taken = await asyncio.gather(*(next_one() for _ in range(12)))
    assert sorted(taken) == [f"VEN-26-{n:04d}" for n in range(1, 13)]
    async with world.begin() as session:
        assert await references.next_one(session, HERE, 2027) == "VEN-27-0001"
        assert await references.next_one(session, THERE, 2026) == "BRO-26-0001"


async def test_every_word_of_the_protocol_has_its_place(world):
    timers = tuple(due(kind=kind) for kind in TimerKind)
    tasks = tuple(Task(kind=kind, since=NOW) for kind in TaskKind)
    search = asking(timers=timers, tasks=tasks)
    async with world.begin() as session:
        await add(session, search)
        owned = await searches.get(session, HERE, SearchId(search.id))
    assert {t.kind for t in owned.search.timers} == set(TimerKind)
    assert {t.kind for t in owned.search.tasks} == set(TaskKind)
