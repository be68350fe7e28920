"""Whom to phone now, in which order, and for which searches: ``/appels`` and the morning screen's line."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.doctors import Candidate
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import State, TaskKind
from matcher.protocol.switchboard import Switchboard
from matcher.service import desk
from matcher.service.house import House
from matcher.service.sheets import Sheet
from matcher.storage.searches import Owned

#: Farther than any doctor whose distance is known.
_FAR = 99.0


@dataclass(frozen=True, kw_only=True)
class Board:
    """Every doctor to phone, best first."""

    switchboard: Switchboard
    order: tuple[DoctorId, ...]
    #: When a call-back was promised.
    promised: dict[DoctorId, datetime]
    #: How many searches wait for a call.
    waiting: int
    #: The searches with the set of those to phone for each: the urgent ones first, then by seniority.
    sets: tuple[tuple[Owned, int], ...]
    #: What a doctor was promised to be called back for and is not in the sets of.
    besides: dict[DoctorId, tuple[Owned, ...]]

    def about(self, doctor: DoctorId, first: str | None = None) -> list[Owned]:
        """What there is to say to him: the search ``first``, then the urgent ones, then by seniority."""
        him, more = self.switchboard.only(doctor), self.besides.get(doctor, ())
        found = [owned for owned, those in self.sets if those & him]
        if more:
            found = sorted([*found, *more], key=_by_seniority)
        return found if first is None else sorted(found, key=lambda owned: owned.search.id != first)

    def for_search(self, search: str) -> tuple[DoctorId, ...]:
        """Those of them who are to be phoned for one search."""
        found = next((those for owned, those in self.sets if owned.search.id == search), 0)
        for doctor, more in self.besides.items():
            if any(owned.search.id == search for owned in more):
                found |= self.switchboard.only(doctor)
        return tuple(doctor for doctor in self.order if self.switchboard.has(found, doctor))

    def candidate(self, owned: Owned, doctor: DoctorId) -> Candidate | None:
        """The doctor as the rules see him for that search."""
        return self.switchboard.candidate(owned.search, doctor)


async def board(session: AsyncSession, house: House, territory: str, also: str | None = None) -> Board:
    """The calls of the territory now: promised, urgent, wishes met, least recently phoned, near.

    ``also`` is a search that has a yes and for which one wishes to go on phoning.
    """
    sheet = await desk.sheet(session, house, territory)
    wanted = None if also is None else sheet.searches.get(also)
    if wanted is not None and wanted.search.state is State.PROPOSING:
        return _board(sheet, wanted)
    return of_sheet(sheet)


def of_sheet(sheet: Sheet) -> Board:
    """The calls as of a sheet, worked out once for it."""
    made: Board = sheet.drawn.get("board") or _board(sheet)
    sheet.drawn["board"] = made
    return made


def _board(sheet: Sheet, also: Owned | None = None) -> Board:
    switchboard, known = sheet.switchboard, sheet.searches.values()
    calling = [owned for owned in known if owned.search.state is State.CALLING or owned is also]
    sets = tuple((owned, switchboard.to_phone(owned.search)) for owned in calling)
    promised: dict[DoctorId, datetime] = {}
    besides: dict[DoctorId, tuple[Owned, ...]] = defaultdict(tuple)
    by_id = {owned.search.id: those for owned, those in sets}
    for owned, doctor, since in _promises(known):
        listed = switchboard.has(by_id.get(owned.search.id, 0), doctor)
        if not listed and switchboard.candidate(owned.search, doctor) is not None:
            besides[doctor] += (owned,)
        promised[doctor] = min(since, promised.get(doctor, since))
    return Board(
        switchboard=switchboard,
        order=_ordered(switchboard, sets, besides, promised),
        promised=promised,
        waiting=sum(bool(those) for _, those in sets),
        sets=tuple(sorted(sets, key=lambda pair: _by_seniority(pair[0]))),
        besides=dict(besides),
    )


def _by_seniority(owned: Owned) -> tuple[bool, datetime]:
    return not owned.search.urgent, owned.search.seniority or owned.search.since


def _promises(known: Iterable[Owned]) -> Iterator[tuple[Owned, DoctorId, datetime]]:
    """The call-backs that were promised and are due."""
    for owned in known:
        for task in owned.search.tasks:
            if task.kind is TaskKind.CALL_BACK and task.doctor is not None:
                yield owned, task.doctor, task.since


def _ordered(
    switchboard: Switchboard,
    sets: tuple[tuple[Owned, int], ...],
    besides: dict[DoctorId, tuple[Owned, ...]],
    promised: dict[DoctorId, datetime],
) -> tuple[DoctorId, ...]:
    pairs = [(owned.search, those) for owned, those in sets]
    pairs += [(o.search, switchboard.only(doctor)) for doctor, more in besides.items() for o in more]
    met = switchboard.most_met(pairs)
    first: dict[DoctorId, Owned] = {}
    seen = urgent = 0
    for owned, those in sets:
        for doctor in switchboard.members(those & ~seen):
            first[doctor] = owned
        seen |= those
        urgent |= those if owned.search.urgent else 0
    for doctor, more in besides.items():
        first.setdefault(doctor, more[0])

    def rank(doctor: DoctorId) -> tuple[object, ...]:
        phoned = switchboard.doctors[doctor].last_phoned_at
        pressing = switchboard.has(urgent, doctor) or any(o.search.urgent for o in besides.get(doctor, ()))
        near = switchboard.distance_km(first[doctor].search, doctor)
        return (
            doctor not in promised,
            not pressing,
            -met.get(doctor, 0),
            0.0 if phoned is None else phoned.timestamp(),
            _FAR if near is None else near,
            doctor,
        )

    return tuple(sorted(first, key=rank))
