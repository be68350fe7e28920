"""The office's telephone: whom it calls in one session, in which order, and what a call comes to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from matcher.protocol import steps
from matcher.protocol.doctors import Candidate, Candidates
from matcher.protocol.ids import DoctorId
from matcher.protocol.rules import Around
from matcher.protocol.search import CallOutcome, Search, Stand, State
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.chance import CALLS, Lot

#: Nobody may be asked: what surrounds a search that is only being written.
NOBODY: Final = Candidates()


@dataclass(frozen=True, slots=True)
class Item:
    """One announcement to tell one doctor."""

    search: str
    candidate: Candidate
    around: Around


@dataclass(slots=True)
class Pile:
    """What is to be said to one doctor."""

    doctor: DoctorId
    items: list[Item] = field(default_factory=list)
    promised: bool = False
    urgent: bool = False


#: The calls of a session, in their order, as far as they have not been placed.
Plan: TypeAlias = Iterator[Pile]


def by_search(open_: Iterable[tuple[Search, Around]], enough: int) -> list[Pile]:
    """By hand: search after search as they come, each doctor of the list in turn, until it is ``enough``."""
    piles: list[Pile] = []
    for search, around in open_:
        piles += (
            Pile(candidate.doctor, [Item(search.id, candidate, around)]) for candidate in _now(search, around)
        )
        if len(piles) >= enough:
            break
    return piles


def by_doctor(open_: Iterable[tuple[Search, Around]]) -> list[Pile]:
    """As /appels does it (``service.calls.board``): promised, urgent, most wishes met, longest not phoned."""
    piles: dict[DoctorId, Pile] = {}
    for search, around in open_:
        for candidate in _now(search, around):
            pile = piles.setdefault(candidate.doctor, Pile(candidate.doctor))
            pile.items.append(Item(search.id, candidate, around))
            pile.urgent |= search.urgent
            pile.promised |= _promised(search, candidate.doctor) is not None
    return sorted(piles.values(), key=_rank)


def _rank(pile: Pile) -> tuple[object, ...]:
    first = pile.items[0].candidate
    phoned = first.last_phoned_at
    return (
        not pile.promised,
        not pile.urgent,
        -max(len(item.candidate.met) for item in pile.items),
        0.0 if phoned is None else phoned.timestamp(),
        99.0 if first.distance_km is None else first.distance_km,
        pile.doctor,
    )


def oldest(search: Search) -> tuple[object, ...]:
    """The order in which the office takes its searches: urgent ones, then by seniority."""
    return not search.urgent, search.seniority or search.since, search.id


def _now(search: Search, around: Around) -> list[Candidate]:
    """Those to phone in this session: nobody before the hour of a promised call-back."""
    found = []
    for candidate in steps.to_phone(search, around):
        promised = _promised(search, candidate.doctor)
        if promised is None or promised <= around.now:
            found.append(candidate)
    return found


def _promised(search: Search, doctor: DoctorId) -> datetime | None:
    made = steps.attempts(search, doctor)
    return made[-1].call_back_at if made else None


def still_wanted(search: Search, doctor: DoctorId, session: datetime) -> bool:
    """Whether a call planned at the session's start still has a question to put."""
    if search.state is not State.CALLING or doctor in search.declined:
        return False
    position = search.position(doctor)
    if position is not None and (position.stand is not Stand.OPEN or position.settling is not None):
        return position.stand is Stand.UNCONFIRMED
    made = steps.attempts(search, doctor)
    return not made or made[-1].at < session


def reached(lot: Lot, attempt: int, secretary_asked: bool, assumed: Assumptions) -> CallOutcome | None:
    """What one call comes to; None where somebody decides. ``attempt`` counts from 0.

    A secretary who promised to ask has asked, most of the time: then the call is decided.
    """
    drawn = lot.calls[min(attempt, CALLS - 1)]
    if drawn < assumed.phone_reached + (assumed.phone_secretary if secretary_asked else 0.0):
        return None
    if drawn < assumed.phone_reached + assumed.phone_secretary:
        return CallOutcome.SECRETARY_WILL_ASK
    if drawn < assumed.phone_reached + assumed.phone_secretary + assumed.phone_message:
        return CallOutcome.MESSAGE_LEFT
    return CallOutcome.NO_ANSWER


def refusal(lot: Lot, assumed: Assumptions) -> CallOutcome:
    """How a doctor who decided against says so."""
    if lot.why_not < assumed.do_not_call:
        return CallOutcome.DO_NOT_CALL
    if lot.why_not < assumed.do_not_call + assumed.not_taking:
        return CallOutcome.NOT_TAKING
    return CallOutcome.NO
