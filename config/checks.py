"""What settings are checked with: the one-line complaint, durations."""

import re
from datetime import timedelta

_DURATION = re.compile(r"P(?:([0-9]{1,5})D|T(?:([0-9]{1,5})H|([0-9]{1,6})M|([0-9]{1,7})S))")


class BadSetting(Exception):
    """A setting that cannot be used. ``str()`` is one line that names it and never repeats a secret."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {' '.join(problem.split())}")
        self.name = name


def is_duration(text: str) -> bool:
    """Whether the text is one of ``PnD``, ``PTnH``, ``PTnM``, ``PTnS``: one unit, a whole number."""
    return _DURATION.fullmatch(text) is not None


def elapsed(duration: str) -> timedelta:
    """A duration by the wall clock: ``P7D`` is seven times 24 hours. Raises ValueError for any other text.

    Delays that run on a calendar are not converted here: there ``P2D`` means two weekdays.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError("a duration is written PnD, PTnH, PTnM or PTnS")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
