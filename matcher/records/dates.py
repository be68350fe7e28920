"""Birth dates as people know them: a day, a month, or a year only."""

import re
from calendar import monthrange
from datetime import date

#: Nobody is known to have lived longer (Jeanne Calment, 122 years).
OLDEST_YEARS = 125


def earliest_and_latest(birth_date: str) -> tuple[date, date]:
    """The first and the last day that ``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY`` may mean.

    Raises ValueError with a French sentence where there is no such day.
    """
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", birth_date, re.ASCII):
        raise ValueError(
            "écrivez le jour, le mois et l’année, le mois et l’année, ou l’année seule, en quatre chiffres"
        )
    year, month, day = (*(int(part) for part in birth_date.split("-")), 1, 1)[:3]
    try:
        first = date(year, month, day)
    except ValueError:
        raise ValueError("cette date n’existe pas") from None
    if len(birth_date) == 10:
        return first, first
    last_month = first.month if len(birth_date) == 7 else 12
    return first, date(year, last_month, monthrange(year, last_month)[1])


def age_on(birth_date: str, today: date) -> int:
    """The age in whole years reached for certain on that day, never under 0.

    Of an approximate date the latest possible day counts. Somebody born in 1960 is 65 or 66 in 2026:
    said to be 65, hence announced as 65 to 69, right either way but for the one year in five (in ten)
    whose two ages lie in two bands; then the younger band is announced, at most a year off, rather
    than a band so wide that doctors could not decide.
    """
    _, latest = earliest_and_latest(birth_date)
    reached = today.year - latest.year - ((today.month, today.day) < (latest.month, latest.day))
    return max(0, reached)


def implausible(birth_date: str, today: date) -> str | None:
    """Why nobody can be born then, in French: in the future, or more than 125 years ago; else None."""
    earliest, latest = earliest_and_latest(birth_date)
    if earliest > today:
        return "cette date est dans l’avenir"
    if today.year - latest.year > OLDEST_YEARS:
        return f"cette date remonte à plus de {OLDEST_YEARS} ans"
    return None
