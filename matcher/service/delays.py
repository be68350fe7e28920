"""How long searches took: to the first yes, to the attachment, with and without the days at rest.

All is read from the journal, which says when each state began; a period's report counts what it finds there.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any, Final

from matcher.protocol.moves import Event
from matcher.protocol.search import State, TimerKind
from matcher.storage.journal import Entry
from matcher.storage.searches import Owned

#: What takes a search in and out of a rest.
RESTS: Final = frozenset(
    {Event.REST, Event.CONTACT_ATTEMPT, Event.WAKE, f"time/{TimerKind.WAKE}", Event.CLOSE, Event.WITHDRAW}
)
ANSWERS: Final = frozenset({Event.ANSWER, Event.CALL})
#: The share of requests that found a doctor is told for this time; Manitoba's target is 70 to 80 %.
MONTH: Final = timedelta(days=30)
_DAY: Final = timedelta(days=1)


def figures(
    handed: Sequence[Owned],
    found: Sequence[Owned],
    entries: Iterable[Entry],
    now: datetime,
    gone: Iterable[int] = (),
) -> dict[str, Any]:
    """The delays of a period, in days; what there is nothing to tell of is left out.

    ``handed`` are the requests of the period, ``found`` those that ended with a médecin traitant in it,
    ``entries`` the answers to the former and the rests of the latter, oldest first;
    ``gone`` are the days to the attachment of searches that are forgotten.
    """
    by_search: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.search is not None:
            by_search[entry.search].append(entry)
    whole = [_days(one) for one in found]
    reachable = [_days(one) - at_rest(by_search[one.search.id], one.search.since) / _DAY for one in found]
    first = [
        (yes - began(one)) / _DAY
        for one in handed
        if (yes := first_yes(by_search[one.search.id])) is not None
    ]
    old = [one for one in handed if began(one) + MONTH <= now]
    soon = [o for o in old if o.search.state is State.ATTACHED and o.search.since - began(o) <= MONTH]
    told: dict[str, Any] = {}
    told |= _spread("days_to_first_yes", first)
    told |= _spread("days_to_attached", [*whole, *gone])
    told |= _spread("days_to_attached_reachable", reachable)
    if old:
        told["found_within_30_days"] = {"of": len(old), "found": len(soon)}
    return told


def began(one: Owned) -> datetime:
    """When the request was handed in; the seniority is kept through runs."""
    return one.search.seniority or one.search.created_at


def first_yes(entries: Iterable[Entry]) -> datetime | None:
    """When a doctor first said yes."""
    return next((e.at for e in entries if e.action in ANSWERS and e.purpose == "yes"), None)


def at_rest(entries: Sequence[Entry], until: datetime) -> timedelta:
    """How long the search rested: the patient could not be reached, or was away."""
    rested, since = timedelta(), None
    for entry in entries:
        if entry.at > until or entry.state is None:
            continue
        if entry.state == State.RESTING:
            since = since or entry.at
        elif since is not None:
            rested += entry.at - since
            since = None
    return rested


def _days(one: Owned) -> float:
    return (one.search.since - began(one)) / _DAY


def _spread(name: str, days: Sequence[float]) -> dict[str, float]:
    """The median, and the time within which nine of ten were served."""
    if not days:
        return {}
    ninth = quantiles(days, n=10, method="inclusive")[-1] if len(days) > 1 else days[0]
    return {f"{name}_median": round(median(days), 1), f"{name}_ninth": round(ninth, 1)}
