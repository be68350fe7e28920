"""The course of a search as a picture: points on four lanes over time. Pure geometry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

WIDTH: Final = 900
LEFT: Final = 130
RIGHT: Final = 30
TOP: Final = 26
LANE: Final = 38

LANES: Final = ("La CPTS", "Mails", "Médecins", "Choix et suite")
_MAILS: Final = frozenset(
    {"launch", "wave", "reminder", "next_wave", "mail_accepted", "mail_dropped", "mail_dead"}
)
_DOCTORS: Final = frozenset(
    {
        "answer",
        "call",
        "settle",
        "settle_held",
        "yes_held",
        "yes_lapses",
        "offer_declared",
        "call_back",
        "call_me",
    }
)
_AFTER: Final = frozenset(
    {"choose", "decline", "open_record", "acknowledge", "desist", "appointment", "confirm", "renew_release",
     "lock_release", "opening_reminder", "opening_call", "reopen", "close"}
)  # fmt: skip

#: The office reads a record: /recherches/…/acces tells when and why.
_OPENINGS: Final = frozenset({"open_contact_staff", "open_record_staff"})


@dataclass(frozen=True, kw_only=True)
class Point:
    """One event: its place in the picture and what it says."""

    x: float
    y: float
    lane: int
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Everything that the template draws, in the units of its view box."""

    width: int
    height: int
    left: int
    right: int
    lanes: tuple[tuple[str, float], ...]
    points: tuple[Point, ...]
    #: Places of the dates under the picture.
    ticks: tuple[tuple[float, datetime], ...]


def lane_of(what: str) -> int:
    """The lane on which an event of this kind is drawn."""
    if what in _MAILS:
        return 1
    if what in _DOCTORS:
        return 2
    return 3 if what in _AFTER else 0


def course(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries worth a line: who opened the record has a page of its own, and the same thing twice
    running, as when a request is typed in steps, is said once, with its last time.
    """
    told: list[dict[str, Any]] = []
    for entry in entries:
        if entry["what"] in _OPENINGS:
            continue
        if told and (told[-1]["what"], told[-1]["text"]) == (entry["what"], entry["text"]):
            told.pop()
        told.append(entry)
    return told


def _at(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def drawn(entries: Sequence[dict[str, Any]]) -> Picture | None:
    """The picture of a timeline's entries ``{at, what, text}``; None where there is nothing to draw."""
    if not entries:
        return None
    times = [_at(entry["at"]) for entry in entries]
    first, last = min(times), max(times)
    span = max((last - first).total_seconds(), 1.0)
    breadth = WIDTH - LEFT - RIGHT

    def x(at: datetime) -> float:
        return round(LEFT + breadth * (at - first).total_seconds() / span, 1)

    lanes = tuple((name, float(TOP + LANE * i)) for i, name in enumerate(LANES))
    points = []
    for entry, at in zip(entries, times, strict=True):
        lane = lane_of(str(entry.get("what", "")))
        points.append(Point(x=x(at), y=lanes[lane][1], lane=lane, text=str(entry.get("text", "")), at=at))
    ticks = [(float(LEFT), first)]
    if last > first:
        ticks += [(LEFT + breadth / 2, first + (last - first) / 2), (float(WIDTH - RIGHT), last)]
    return Picture(
        width=WIDTH,
        height=TOP + LANE * len(LANES) + 10,
        left=LEFT,
        right=WIDTH - RIGHT,
        lanes=lanes,
        points=tuple(points),
        ticks=tuple(ticks),
    )
