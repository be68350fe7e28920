"""Figures without identity: counted when a record ends, so that reports say the same once it is gone.

Exactly once: the counters rise in the transaction that destroys what was counted. A process that takes
requests in cannot open the section; what it leaves is counted by the next ``purge``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.places import PlaceKind
from matcher.protocol.search import Search, State, WithdrawalReason
from matcher.records import figures as words
from matcher.service.house import House
from matcher.storage import figures, searches
from matcher.storage.figures import Figure
from matcher.storage.searches import Owned

#: Who sent it, where that was no structure.
OFFICE = "cpts"
_OUTCOMES = (State.ATTACHED, State.UNMET)


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What a period's reports owe to searches of which nothing but figures is left."""

    #: Handed in, by kind of requester.
    requests: Counter[str]
    attached: int
    #: Of each attached one, days from the request.
    days: tuple[int, ...]
    #: Month as ``2026-11`` → how many were handed in, and how many found a doctor, in it.
    requests_by_month: Counter[str]
    attached_by_month: Counter[str]


async def count(session: AsyncSession, house: House, search: Search, kept: Mapping[str, Any]) -> None:
    """Raise the counters by one search whose record ends now; ``kept`` is its figures section."""
    owned = await searches.get(session, search.territory, search.id)
    if owned is None or search.seniority is None:
        return
    kind = owned.structure_kind or OFFICE
    outcome = search.state.value if search.state in _OUTCOMES else State.WITHDRAWN.value
    asked = month(house, search.territory, search.created_at)
    found = {"requests": kind}
    if _of_its_own(owned, search):
        found |= {name: str(kept[name]) for name in words.GROUPS if name in kept}
        place = None if search.announcement is None else search.announcement.place
        found |= {"quartier": place.name} if place is not None and place.kind is PlaceKind.QUARTIER else {}
    counters = [Figure(month=asked, measure=m, value=v, outcome=outcome) for m, v in found.items()]
    if search.state is State.ATTACHED:
        ended = month(house, search.territory, search.since)
        told = {"attached": kind, "days": str(_days(search))}
        counters += [Figure(month=ended, measure=m, value=v, outcome=outcome) for m, v in told.items()]
    await figures.add(session, search.territory, counters)


async def gone(
    session: AsyncSession, house: House, territory: str, first: date, last: date, living: Iterable[Owned]
) -> Gone:
    """What the counters of the period's whole months hold beyond the searches that are still there."""
    months = set(words.whole_months(first, last))
    held = await figures.of_months(session, territory, months)
    requests, attached, days = _by(held, "requests"), _by(held, "attached"), _by(held, "days")
    asked_in, found_in = (_by(held, measure, attrgetter("month")) for measure in ("requests", "attached"))
    for one in living:
        search = one.search
        if not search.record_destroyed or search.seniority is None:
            continue
        if (asked := month(house, territory, search.created_at)) in months:
            requests[one.structure_kind or OFFICE] -= 1
            asked_in[asked] -= 1
        if search.state is State.ATTACHED and (ended := month(house, territory, search.since)) in months:
            attached[one.structure_kind or OFFICE] -= 1
            found_in[ended] -= 1
            days[str(_days(search))] -= 1
    return Gone(
        requests=+requests,
        attached=(+attached).total(),
        days=tuple(sorted(int(value) for value in (+days).elements())),
        requests_by_month=+asked_in,
        attached_by_month=+found_in,
    )


def finished(
    house: House, territory: str, first: date, last: date, living: Iterable[Owned]
) -> list[tuple[str, str, str]]:
    """The quarters of the period of which every request is counted: one that still grew would tell, from one
    day to the next, who was added.
    """
    growing = {
        month(house, territory, one.search.created_at)
        for one in living
        if one.search.seniority is not None and not one.search.record_destroyed
    }
    return [q for q in words.quarters(words.whole_months(first, last)) if not growing & set(q)]


async def groups(
    session: AsyncSession, house: House, territory: str, first: date, last: date, living: Iterable[Owned]
) -> dict[str, dict[str, int]]:
    """Who was counted, by measure and value, in the quarters of the period that are ``finished``."""
    done = finished(house, territory, first, last, living)
    held = await figures.of_months(session, territory, [month for quarter in done for month in quarter])
    by_quarter = []
    for quarter in done:
        theirs = [one for one in held if one.month in quarter]
        counts = {measure: _by(theirs, measure) for measure in words.GROUPS}
        by_quarter.append({measure: values for measure, values in counts.items() if values})
    return words.grouped(by_quarter)


def _by(
    held: Iterable[Figure], measure: str, key: Callable[[Figure], str] = attrgetter("value")
) -> Counter[str]:
    """How many of a measure, by value or by another ``key``."""
    found: Counter[str] = Counter()
    for one in held:
        if one.measure == measure:
            found[key(one)] += one.count
    return found


def _of_its_own(owned: Owned, search: Search) -> bool:
    """Whether nobody else's record tells of the same person: a duplicate's or a household's does."""
    duplicate = search.withdrawal is not None and search.withdrawal.reason is WithdrawalReason.DUPLICATE
    return not duplicate and owned.joined_to is None and owned.split_from is None


def _days(search: Search) -> int:
    assert search.seniority is not None
    return (search.since - search.seniority).days


def month(house: House, territory: str, at: datetime) -> str:
    """The month of the territory's calendar in which a moment lies: ``2026-11``."""
    zone = house.territory(territory).rules.office_calendar.zone
    return words.month_of(at.astimezone(zone).date())
