"""The stage: made time, the searches under way, and the one place where a step of the protocol is taken."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final, Protocol

from matcher.protocol import steps
from matcher.protocol.cells import Step
from matcher.protocol.effects import Effect
from matcher.protocol.hours import Delay, after, next_open
from matcher.protocol.ids import DoctorId
from matcher.protocol.rules import Around, Rules
from matcher.protocol.search import Search, State, Timer, TimerKind
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.chance import Luck
from matcher.simulation.demand import Demand
from matcher.simulation.measures import DAY, Outcome
from matcher.simulation.roster import Roster

#: Timers that change nothing here: nobody forgets a made search.
_IDLE: Final = frozenset(
    {TimerKind.UNTOUCHED, TimerKind.ABANDONED, TimerKind.RETENTION_OVER, TimerKind.GRACE_OVER}
)


class Case:
    """One search under way, with its luck and what is measured of it."""

    def __init__(self, demand: Demand, search: Search, chance: Luck, misfits: frozenset[DoctorId]) -> None:
        self.demand = demand
        self.search = search
        self.luck = chance
        #: The doctors who miss a wish that binds.
        self.misfits = misfits
        self.outcome = Outcome(
            number=demand.number, requester=demand.requester, urgent=demand.urgent, wishes=len(demand.wishes)
        )

    def days(self, now: datetime) -> float:
        """Days since the request."""
        return (now - self.demand.at).total_seconds() / DAY


class Player(Protocol):
    """Somebody who reacts to what a step did: the mails, the office, the patients."""

    def effect(self, case: Case, effect: Effect, now: datetime) -> None:
        """Something must now be done."""

    def moved(self, case: Case, before: Search, now: datetime) -> None:
        """A step was taken."""


class Play:
    """Made time and everybody in it. Players are added after it is made."""

    def __init__(self, rules: Rules, assumed: Assumptions, roster: Roster) -> None:
        self.rules = rules
        self.assumed = assumed
        self.roster = roster
        self.cases: dict[str, Case] = {}
        self.players: list[Player] = []
        self.events = 0
        self._diary: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()

    def at(self, when: datetime, act: Callable[..., None], *about: Any) -> None:
        """``act(*about, now)`` at that moment; in the order of asking where moments are the same."""
        heapq.heappush(self._diary, (when, next(self._order), act, about))

    def run(self, until: datetime) -> None:
        """Play until that moment, or until nothing is to come."""
        while self._diary and self._diary[0][0] <= until:
            now, _, act, about = heapq.heappop(self._diary)
            self.events += 1
            act(*about, now)

    def around(self, case: Case, now: datetime) -> Around:
        """What surrounds a search now."""
        return self.roster.around(case.search, now)

    def take(self, case: Case, step: Step, now: datetime) -> None:
        """Carry a step out: the search as it now is, its timers, its effects, and whoever reacts."""
        before = case.search
        case.search = step.search
        if step.search.timers is not before.timers:
            known = set(before.timers)
            for timer in step.search.timers:
                if timer.kind not in _IDLE and timer not in known:
                    self.at(max(timer.at, now), self._due, case, timer)
        for effect in step.effects:
            for player in self.players:
                player.effect(case, effect, now)
        for player in self.players:
            player.moved(case, before, now)

    def _due(self, case: Case, timer: Timer, now: datetime) -> None:
        if timer in case.search.timers:
            self.take(case, steps.due(case.search, timer, self.around(case, now)), now)

    def doctors_time(self, now: datetime, hours: float) -> datetime:
        """So many hours later, when the doctors are there."""
        return next_open(now + timedelta(hours=hours), self.rules.doctors_calendar)

    def office_time(self, now: datetime, hours: float) -> datetime:
        """So many hours later, when the office is open."""
        return next_open(now + timedelta(hours=hours), self.rules.office_calendar)

    def weekdays(self, now: datetime, days: int) -> datetime:
        """The same hour so many office days later."""
        return after(now, Delay(weekdays=days), self.rules.office_calendar)


def in_run(case: Case, run: int, *states: State) -> bool:
    """Whether the search is still in that run, and in one of the states."""
    return case.search.run == run and case.search.state in states
