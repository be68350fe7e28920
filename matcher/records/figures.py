"""What a report may count of a request once its record is gone: a few closed words, and who is counted in.

A counter holds one measure at a time: which person of an age band had which coverage is nowhere. Still, a
group of three may be recognised by who knows two of them. So groups are shown by whole quarters of the
calendar, each quarter on its own rules out what is small, and a longer period is the sum of what its quarters
show: comparing two periods tells nothing that neither of them says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from matcher.records.dates import age_on

#: Fewer than this are not shown on their own.
SMALLEST: Final = 5
#: The last age of each band; the indicators of a CPTS ask for those over 16 and over 70.
_BANDS: Final = ((15, "0-15"), (29, "16-29"), (49, "30-49"), (69, "50-69"))
_OLDEST: Final = "70-"

#: Measures that describe groups of people, as they are kept: one word each.
GROUPS: Final = ("age", "coverage", "ald", "quartier")
#: How many of a measure and value, of a month or quarter.
Counts = Mapping[str, Mapping[str, int]]


def of_record(record: Mapping[str, Any], on: date) -> dict[str, str]:
    """The words of a request that outlive it: age band, coverage, long illness."""
    age = age_on(record["birth_date"], on)
    band = next((name for last, name in _BANDS if age <= last), _OLDEST)
    told = {name: str(record.get(name) or "unknown") for name in ("coverage", "ald")}
    return {"age": band} | told


def month_of(day: date) -> str:
    """``2026-11``: finer is not kept."""
    return f"{day:%Y-%m}"


def months(first: date, last: date) -> list[str]:
    """The months of which a period has a day, in order."""
    return [month_of(start) for start in _starts(first, last)]


def whole_months(first: date, last: date) -> list[str]:
    """The months that lie in a period with all their days, in order."""
    inside = (s for s in _starts(first, last) if s >= first and (_next(s) - last).days <= 1)
    return [month_of(start) for start in inside]


def _starts(first: date, last: date) -> Iterator[date]:
    start = first.replace(day=1)
    while start <= last:
        yield start
        start = _next(start)


def _next(start: date) -> date:
    return date(start.year + start.month // 12, start.month % 12 + 1, 1)


def quarters(months: Iterable[str]) -> list[tuple[str, str, str]]:
    """The quarters of the calendar that lie in ``months`` with all their three."""
    known = set(months)
    starts = sorted(one for one in known if one[5:] in ("01", "04", "07", "10"))
    made = [(one, *(f"{one[:5]}{int(one[5:]) + n:02}" for n in (1, 2))) for one in starts]
    return [(first, second, third) for first, second, third in made if {second, third} <= known]


def shown(counts: Mapping[str, int]) -> dict[str, int]:
    """The values of one measure in one quarter that may be shown: none under ``SMALLEST``, and never all but
    one small rest that the total would give away.
    """
    large = {value: count for value, count in counts.items() if count >= SMALLEST}
    rest = sum(counts.values()) - sum(large.values())
    while large and 0 < rest < SMALLEST:
        # Hidden with the small ones, so that what is hidden is a group again.
        value = min(large, key=lambda one: (large[one], one))
        rest += large.pop(value)
    return large


def grouped(by_quarter: Iterable[Counts]) -> dict[str, dict[str, int]]:
    """By measure, the values that every reader may see; ``other`` is how many are counted without a value."""
    found: dict[str, Counter[str]] = {}
    for quarter in by_quarter:
        for measure, counts in quarter.items():
            large = shown(counts)
            kept = found.setdefault(measure, Counter())
            kept.update(large)
            kept["other"] += sum(counts.values()) - sum(large.values())
    return {measure: {k: n for k, n in sorted(counts.items()) if n} for measure, counts in found.items()}
