"""Sets of doctors instead of doctor by doctor: the same are found."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from matcher.protocol import ranking, steps
from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Doctor, Zone
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    CallAttempt,
    CallOutcome,
    Channel,
    Delivery,
    Position,
    Search,
    Solicitation,
    Stand,
)
from matcher.protocol.switchboard import Switchboard
from matcher.protocol.travel import Travel
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.protocol_world import ANNOUNCED, PARILLY, RULES, START, World

TODAY = START.date()
ELSEWHERE = replace(PARILLY, name="P2", lat=45.72)
CONDITIONS = (ConditionKind.HOME_VISITS, ConditionKind.EVENINGS)
_WISHES = (
    (WishKind.SECTOR1, True),
    (WishKind.DOCTOR_SEX, "F"),
    (WishKind.LANGUAGE, "ar"),
    (WishKind.TRAVEL, "walk"),
    (WishKind.MAX_DISTANCE_KM, 2.0),
    (WishKind.STEP_FREE, True),
    (WishKind.EXCLUDE, ("d1", "d2")),
    (WishKind.PREFER, ("d3",)),
)


def _doctor(random: Random, number: int) -> Doctor:
    return Doctor(
        id=DoctorId(f"d{number}"),
        sex=random.choice(("F", "M", None)),
        languages=frozenset(random.sample(("ar", "en"), random.randrange(3))),
        lat=random.choice((None, 45.7 + random.uniform(-0.05, 0.05))),
        lon=4.9,
        step_free=random.choice((True, False, None)),
        home_visits=random.choice((True, False, None)),
        sector=random.choice((1, 2, None)),
        teleconsultation=None,
        member=True,
        zone=random.choice((Zone.TERRITORY, Zone.TERRITORY, Zone.NEIGHBOUR)),
        has_mailbox=True,
        has_phone=random.random() < 0.9,
        do_not_call=random.random() < 0.1,
        away_until=random.choice((None, None, TODAY - timedelta(days=1), TODAY)),
        declines=frozenset(random.sample((ConditionKind.EVENINGS,), random.randrange(2))),
        accepted_per_month=2,
        accepted_this_month=random.randrange(3),
    )


def _search(random: Random, number: int) -> Search:
    asked = random.sample(range(60), 8)
    outcomes = list(CallOutcome)
    return replace(
        World().calling().search,
        id=SearchId(f"s{number}"),
        widened=random.random() < 0.5,
        announcement=replace(ANNOUNCED, place=random.choice((PARILLY, ELSEWHERE))),
        wishes=tuple(
            Wish(kind=kind, value=value, hard=random.random() < 0.4)
            for kind, value in random.sample(_WISHES, random.randrange(4))
        ),
        conditions=frozenset(
            Condition(kind=kind)
            for kind in random.sample(
                (ConditionKind.HOME_VISITS, ConditionKind.EVENINGS), random.randrange(3)
            )
        ),
        declined=frozenset(DoctorId(f"d{n}") for n in random.sample(range(60), 3)),
        positions=tuple(
            Position(doctor=DoctorId(f"d{n}"), stand=random.choice(list(Stand)), at=START) for n in asked[:4]
        ),
        solicitations=tuple(
            Solicitation(
                doctor=DoctorId(f"d{n}"),
                channel=Channel.PHONE,
                delivery=Delivery.ASKED,
                at=START,
                attempts=tuple(
                    CallAttempt(at=START, outcome=random.choice(outcomes), call_back_at=START)
                    for _ in range(random.randrange(1, 4))
                ),
            )
            for n in asked[2:]
        ),
    )


@pytest.mark.parametrize("seed", range(6))
def test_whom_to_phone_is_the_same_as_doctor_by_doctor(seed: int) -> None:
    random = Random(seed)
    times = {"P2": {DoctorId(f"d{n}"): Travel(walk=random.randrange(60), drive=5) for n in range(0, 60, 2)}}
    board = None
    for _day in range(2):
        doctors = [_doctor(random, number) for number in range(60)]
        board = Switchboard(doctors, today=TODAY, rounds=RULES.rounds, times=times, before=board)
        found = []
        for number in range(12):
            search = _search(random, number)
            assert search.announcement is not None
            candidates = ranking.candidates(
                doctors,
                wishes=search.wishes,
                conditions=search.conditions,
                place=search.announcement.place,
                declined=search.declined,
                offers=(),
                today=TODAY,
                times=times.get(search.announcement.place.name, {}),
            )
            expected = steps.to_phone(search, Around(now=START, rules=RULES, candidates=candidates))
            those = board.to_phone(search)
            assert set(board.members(those)) == {candidate.doctor for candidate in expected}
            for candidate in expected:
                assert board.candidate(search, candidate.doctor) == candidate
                assert board.distance_km(search, candidate.doctor) == candidate.distance_km
                assert board.has(those, candidate.doctor)
            found.append((search, those, {c.doctor: len(c.met) for c in expected}))
        most = board.most_met([(search, those) for search, those, _ in found])
        assert most == {
            id: max(met.get(id, 0) for _, _, met in found) for id in {d for _, _, met in found for d in met}
        }


def test_what_was_found_of_the_doctors_is_used_again_as_long_as_it_holds() -> None:
    random = Random(1)
    doctors = [_doctor(random, number) for number in range(20)]
    first = Switchboard(doctors, today=TODAY, rounds=2)
    phoned = [replace(doctor, last_phoned_at=START, away_until=None) for doctor in doctors]
    assert Switchboard(phoned, today=TODAY, rounds=2, before=first).work is first.work
    moved = [replace(doctor, lat=45.0) for doctor in doctors]
    assert Switchboard(moved, today=TODAY, rounds=2, before=first).work is not first.work


def test_who_is_not_there_or_not_wanted_is_no_candidate() -> None:
    random = Random(2)
    board = Switchboard([_doctor(random, number) for number in range(60)], today=TODAY, rounds=2)
    search = _search(random, 0)
    known, declined = DoctorId("d5"), min(search.declined)
    assert board.candidate(search, DoctorId("nobody")) is None
    assert board.candidate(search, declined) is None
    assert (board.only(known).bit_count(), board.only(DoctorId("nobody"))) == (1, 0)
    assert board.has(board.only(known), known)


def test_nothing_announced_is_at_no_distance() -> None:
    board = Switchboard([_doctor(Random(3), 0)], today=TODAY, rounds=2)
    assert board.distance_km(replace(_search(Random(3), 0), announcement=None), DoctorId("d0")) is None


def test_the_same_search_is_looked_at_once() -> None:
    random = Random(4)
    board = Switchboard([_doctor(random, number) for number in range(60)], today=TODAY, rounds=2)
    search = _search(random, 0)
    assert board.to_phone(search) == board.to_phone(search)
    assert board.work.done[search.id][0] is search
