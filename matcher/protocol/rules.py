"""A territory's settings, as the rules use them; and what surrounds a search when an event comes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from matcher.protocol.doctors import Candidates
from matcher.protocol.hours import Calendar, Delay


@dataclass(frozen=True, kw_only=True)
class Delays:
    """How long each step waits. Doctors' delays run on the doctors' calendar, the others on the office's."""

    reminder: Delay | None
    next_wave: Delay
    calls: Delay
    yes_held: Delay
    choice_chase: Delay
    opening_reminder: Delay
    opening_call: Delay
    appointment_asked: Delay
    appointment_check: Delay
    #: Need and consent older than this are reconfirmed before a new wave or round, and for ``first_match``.
    reconfirm: Delay


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """More than so many letters of a kind to one doctor within the window go as one mail."""

    more_than: int
    window: timedelta


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Everything a territory sets. Built from ``territory.toml`` by ``matcher.service.territories``."""

    doctors_calendar: Calendar
    office_calendar: Calendar
    delays: Delays
    urgent: Delays
    #: Doctors mailed in one wave; an urgent wave takes everybody.
    wave_size: int
    settle: timedelta
    min_reading: timedelta
    rounds: int
    claim: timedelta
    k: int
    unreachable_tries: int
    link_life: timedelta
    code_life: timedelta
    retention_draft: timedelta
    retention_record: timedelta
    #: None: every mail goes by itself.
    gathering: Gathering | None = None

    def for_(self, *, urgent: bool) -> Delays:
        """The delays of a normal or an urgent search."""
        return self.urgent if urgent else self.delays


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a search cannot know by itself when an event comes."""

    now: datetime
    rules: Rules
    #: Who may be asked now, worked out for this search by ``ranking.candidates``.
    candidates: Candidates


class CandidatesWanted(Exception):
    """A step looks at who may be asked, and nobody has ranked them: rank them, and take the step again."""


class Unranked(Around):
    """What surrounds a search before anybody has ranked who may be asked, which is what costs.

    Most events never look at it. A step that does raises CandidatesWanted and, since a step changes
    nothing, is simply taken again with the candidates.
    """

    def __init__(self, now: datetime, rules: Rules) -> None:
        object.__setattr__(self, "now", now)
        object.__setattr__(self, "rules", rules)

    @property
    def candidates(self) -> Candidates:
        raise CandidatesWanted
