"""What a cell of the table of moves may say, and what comes of an event."""

from dataclasses import dataclass
from typing import TypeAlias

from matcher.protocol.effects import Effect
from matcher.protocol.search import Search
from matcher.protocol.states import State


class Refused(Exception):
    """An event that this search does not take now. ``reason`` is a French sentence for a person."""

    def __init__(self, code: str, reason: str, state: State) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.state = state


@dataclass(frozen=True)
class Step:
    """What an event made of a search, and what must now be done."""

    search: Search
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Moved:
    """The event is taken; the search is in one of ``to`` afterwards (its own state, where it may stay)."""

    to: frozenset[State]


@dataclass(frozen=True)
class Kept:
    """The event is journaled and changes nothing, because of ``why``."""

    why: str


@dataclass(frozen=True)
class Refusal:
    """The event is not taken. ``reason`` is a French sentence for a person."""

    code: str
    reason: str


Cell: TypeAlias = Moved | Kept | Refusal
