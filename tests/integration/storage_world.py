"""Made-up territories, doctors and searches for the tests of the storage."""

import dataclasses
import types
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from matcher.protocol.announcement import AgeBand, Announcement
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.search import (
    Consent,
    Given,
    Position,
    Release,
    ReleaseKind,
    Search,
    Stand,
    State,
    Timer,
    TimerKind,
)
from matcher.storage import doctors, references, searches, territories
from matcher.storage.doctors import Card

HERE, THERE = "venissieux", "bron"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DOCTORS = tuple(DoctorId(f"doctor{n}") for n in range(5))
PLACE = Place(
    name="Minguettes", kind=PlaceKind.QUARTIER, lat=45.69, lon=4.87, insee="69259", quartier="Minguettes"
)
ANNOUNCEMENT = Announcement(age=AgeBand(from_=65, to=69), place=PLACE, residents=1900, candidates=200)
_numbers = count(1)


async def settle_in(sessions):
    """Two territories, each with the same doctors."""
    async with sessions.begin() as session:
        for territory in (HERE, THERE):
            await territories.put(session, territory, territory.title(), "", NOW)
            await doctors.put(session, territory, [card(doctor) for doctor in DOCTORS], NOW)


def card(doctor, **changes):
    """A doctor of fiction."""
    fields = {
        "id": DoctorId(doctor),
        "last_name": f"Bruyère-{doctor}",
        "first_name": "Camille",
        "rpps": f"10{abs(hash(doctor)) % 10**9:09d}",
        "phone": "01 99 00 12 34",
        "email": f"{doctor}@cabinet.example",
        "member": True,
    }
    return Card(**(fields | changes))


def asking(**changes):
    """A search that asks doctors, new each time."""
    fields = {
        "id": SearchId(f"search{next(_numbers)}"),
        "territory": HERE,
        "state": State.ASKING,
        "since": NOW,
        "created_at": NOW,
        "touched_at": NOW,
        "seniority": NOW,
        "consent": Consent(given=Given.YES, at=NOW),
        "announcement": ANNOUNCEMENT,
    }
    return Search(**(fields | changes))


def released(doctor=DOCTORS[0], **changes):
    """A search whose record may be opened by one doctor."""
    return asking(
        state=State.RELEASED,
        positions=(Position(doctor=doctor, stand=Stand.CHOSEN, at=NOW),),
        releases=1,
        release=Release(doctor=doctor, kind=ReleaseKind.PAGE, number=1, at=NOW),
        **changes,
    )


def due(minutes=0, kind=TimerKind.REMINDER, doctor=None):
    """A timer, so many minutes after NOW."""
    return Timer(kind=kind, at=NOW + timedelta(minutes=minutes), doctor=doctor)


async def add(session, search, **others):
    """Insert a search under the next reference."""
    reference = await references.next_one(session, search.territory, 2026)
    await searches.insert(session, search, reference=reference, structure=None, **others)
    return search


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXT,
    bool: st.booleans(),
    int: st.integers(0, 2**31 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    date: st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    DoctorId: st.sampled_from(DOCTORS),
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the protocol's values are made of, new fields included."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.deferred(
            lambda: st.builds(hint, **{f.name: anything(hints[f.name]) for f in dataclasses.fields(hint)})
        )
    if hasattr(hint, "__supertype__"):
        return anything(hint.__supertype__)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*(anything(one) for one in arguments))
    if origin is tuple and arguments[1] is ...:
        return st.lists(anything(arguments[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(anything(arguments[0]), max_size=3)
    raise NotImplementedError(hint)


def _one_each(values, key):
    return tuple({key(value): value for value in values}.values())


def lawful(search: Search) -> Search:
    """The same with what must always hold: one of each key, at most one chosen, what its state needs."""
    positions = _one_each(search.positions, lambda p: p.doctor)
    chosen = [p for p in positions if p.stand is Stand.CHOSEN]
    positions = tuple(replace(p, stand=Stand.YES) if p in chosen[1:] else p for p in positions)
    needed = {
        State.RELEASED: (search.release, search.announcement, search.consent),
        State.ASKING: (search.announcement, search.consent),
        State.CALLING: (search.announcement, search.consent),
        State.PROPOSING: (search.announcement, search.consent),
        State.RESTING: (search.rest,),
        State.WITHDRAWN: (search.withdrawal,),
        State.UNMET: (search.ending,),
    }.get(search.state, ())
    return replace(
        search,
        state=State.DRAFT if None in needed else search.state,
        run=max(1, search.run),
        solicitations=_one_each(search.solicitations, lambda s: (s.doctor, s.channel)),
        positions=positions,
        timers=_one_each(search.timers, lambda t: (t.kind, t.doctor)),
        tasks=_one_each(search.tasks, lambda t: (t.kind, t.doctor)),
    )


def in_order(search: Search) -> Search:
    """The same with its parts sorted: their order says nothing, and is not kept."""
    return replace(
        search,
        solicitations=tuple(sorted(search.solicitations, key=lambda s: (s.doctor, s.channel))),
        positions=tuple(sorted(search.positions, key=lambda p: p.doctor)),
        timers=tuple(sorted(search.timers, key=lambda t: (t.kind, t.doctor or ""))),
        tasks=tuple(sorted(search.tasks, key=lambda t: (t.kind, t.doctor or ""))),
    )


#: Any search that the rules could make, and many that they could not.
any_search = anything(Search).map(lawful)
