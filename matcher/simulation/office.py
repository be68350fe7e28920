"""The office: it launches, phones in two sessions a day, reconfirms, widens, closes and relaunches."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from matcher.protocol import sharing, steps
from matcher.protocol.effects import Effect
from matcher.protocol.hours import opening_of
from matcher.protocol.ids import AnswerId, DoctorId, SearchId
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    CallOutcome,
    Consent,
    Given,
    Next,
    Search,
    SpokeWith,
    State,
    TaskKind,
)
from matcher.simulation import telephone
from matcher.simulation.chance import luck
from matcher.simulation.demand import Demand
from matcher.simulation.measures import Outcome
from matcher.simulation.play import Case, Play
from matcher.simulation.policies import Policy
from matcher.simulation.roster import unfit

_HALF_DAY: Final = timedelta(hours=4)
#: An exhausted search waits so long for late answers before it is closed, and then for its next run.
_LATE: Final = timedelta(days=7)
_RELAUNCH: Final = timedelta(days=30)
_RUNS: Final = 2
_DONE: Final = frozenset({State.ATTACHED, State.WITHDRAWN})


class Office:
    """Plays the coordinatrice."""

    def __init__(self, play: Play, policy: Policy, seed: int, territory: str) -> None:
        self.play = play
        self.policy = policy
        self.seed = seed
        self.territory = territory
        self._calling: dict[str, Case] = {}
        #: Validated and not launched yet.
        self._ready: dict[str, Case] = {}
        self._reconfirming: set[str] = set()
        #: One line per search that was launched, in the order of launching.
        self.outcomes: list[Outcome] = []

    # A request comes in ------------------------------------------------------------------------------

    def receive(self, demand: Demand, now: datetime) -> None:
        """A request is validated and launched as soon as the office has an hour for it."""
        self.play.at(self.play.office_time(now, 0.0), self._validate, demand)

    def _validate(self, demand: Demand, now: datetime) -> None:
        misfits = unfit(self.play.roster, demand.wishes, demand.announcement)
        empty = Around(now=now, rules=self.play.rules, candidates=telephone.NOBODY)
        search = steps.new(
            SearchId(str(demand.number)),
            self.territory,
            empty,
            consent=Consent(given=Given.YES, at=now),
            wishes=demand.wishes,
            conditions=demand.conditions,
            urgent=demand.urgent,
            household=demand.household,
            announcement=demand.announcement,
        )
        search = steps.submit(search, empty).search
        search = steps.validate(search, empty).search
        case = Case(demand, search, luck(self.seed, demand.number, len(self.play.roster.all)), misfits)
        self.play.cases[search.id] = case
        self.outcomes.append(case.outcome)
        self._ready[search.id] = case
        self.play.at(self.play.office_time(now, 1.0), self._launch, case)

    def _launch(self, case: Case, now: datetime) -> None:
        """Launch a search; the others that are ready keep their share of the doctors."""
        around = self.play.around(case, now)
        if self.policy.shared:
            around = self._with_share(case, now)
        self._ready.pop(case.search.id, None)
        self.play.take(case, steps.launch(case.search, around), now)

    def _with_share(self, case: Case, now: datetime) -> Around:
        """As ``service.sharing``: all ready searches at once, the longest waiting first."""
        every = {**self._ready, case.search.id: case}
        found = {id: self._around(one.search, now) for id, one in every.items()}
        waiting = sorted((one.search for one in every.values()), key=lambda s: (s.seniority or s.since, s.id))
        doctors = [one.as_ranked(now) for one in self.play.roster.all]
        given = sharing.share(
            [steps.wave_need(search, found[search.id]) for search in waiting],
            sharing.room(doctors),
            {doctor.id: doctor.asked_this_week for doctor in doctors},
        )
        mine = found[case.search.id]
        shared = frozenset(given[case.search.id])
        return replace(mine, candidates=replace(mine.candidates, shared=shared))

    def _around(self, search: Search, now: datetime) -> Around:
        return Around(now=now, rules=self.play.rules, candidates=self.play.roster.candidates(search, now))

    # What a step asks of her -------------------------------------------------------------------------

    def effect(self, case: Case, effect: Effect, now: datetime) -> None:
        """She reads her tasks, not effects."""

    def moved(self, case: Case, before: Search, now: datetime) -> None:
        """Searches come to the telephone and leave it; old needs are reconfirmed; ended ones are put away."""
        search = case.search
        if search.state is State.CALLING:
            self._calling.setdefault(search.id, case)
        elif before.state is State.CALLING:
            self._calling.pop(search.id, None)
        if search.id not in self._reconfirming and any(
            task.kind in (TaskKind.RECONFIRM, TaskKind.RELAUNCH_DUE) for task in search.tasks
        ):
            self._reconfirming.add(search.id)
            self.play.at(self.play.weekdays(self.play.office_time(now, 0.0), 1), self._reconfirm, case)
        for_good = search.ending is not None and search.ending.next is not Next.RELAUNCH
        if search.state in _DONE or (search.state is State.UNMET and for_good):
            self.play.cases.pop(search.id, None)
            self.play.roster.forget(search.id)

    def _reconfirm(self, case: Case, now: datetime) -> None:
        self._reconfirming.discard(case.search.id)
        if case.search.state in _DONE or case.search.state is State.UNMET:
            return
        self.play.take(case, steps.reconfirm(case.search, self.play.around(case, now)), now)
        if case.search.state is State.READY:
            case.outcome.runs += 1
            self._launch(case, now)

    # The telephone -----------------------------------------------------------------------------------

    def open_day(self, now: datetime) -> None:
        """Two sessions of calls on every day that the office is open, then the next day."""
        self.play.at(now, self._session)
        self.play.at(now + _HALF_DAY, self._session)
        zone = self.play.rules.office_calendar.zone
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        self.play.at(opening_of(tomorrow, self.play.rules.office_calendar), self.open_day)

    def _session(self, now: datetime) -> None:
        """Plan a session: its calls are spread evenly over its hours, as many as she can place."""
        slots = max(1, self.play.assumed.calls_per_day // 2)
        # Where far more searches wait than she can phone for, the youngest are not even looked at.
        open_ = islice(self._open(now), 3 * slots)
        # Twice as many as she can place: some questions answer themselves meanwhile.
        many = self.policy.per_call > 1
        planned = telephone.by_doctor(open_) if many else telephone.by_search(open_, 2 * slots)
        self._next_call(iter(planned), slots, _HALF_DAY * 0.95 / slots, now, now)

    def _open(self, now: datetime) -> Iterator[tuple[Search, Around]]:
        """The searches to phone for, the most pressing first, with who may be asked."""
        for case in sorted(self._calling.values(), key=lambda case: telephone.oldest(case.search)):
            around = self._around(case.search, now)
            if steps.exhausted(case.search, around):
                self._exhausted(case, now)
            else:
                yield case.search, around

    def _exhausted(self, case: Case, now: datetime) -> None:
        """Both rounds are done: widen, then close with a dated relaunch, then for good."""
        around = self.play.around(case, now)
        if not case.search.widened:
            self.play.take(case, steps.widen(case.search, around), now)
        elif now - case.search.since >= _LATE:
            again = case.search.run < _RUNS
            next_ = Next.RELAUNCH if again else Next.MEDIATOR
            on = self.play.roster.today(now + _RELAUNCH) if again else None
            self.play.take(case, steps.close(case.search, next_, on, around), now)

    def _next_call(
        self,
        planned: telephone.Plan,
        slots: int,
        pace: timedelta,
        session: datetime,
        now: datetime,
    ) -> None:
        """Place the next call that still has a question to put, and plan the one after it."""
        for pile in planned:
            items = [
                (case, item)
                for item in pile.items
                if (case := self._calling.get(item.search)) is not None
                and telephone.still_wanted(case.search, pile.doctor, session)
            ][: self.policy.per_call]
            doctor = self.play.roster.by_id[pile.doctor].doctor
            away = doctor.away_until is not None and doctor.away_until >= self.play.roster.today(now)
            if items and not doctor.do_not_call and not away:
                self._call(pile.doctor, items, now)
                if slots > 1:
                    self.play.at(now + pace, self._next_call, planned, slots - 1, pace, session)
                return

    def _call(self, doctor: DoctorId, items: list[tuple[Case, telephone.Item]], now: datetime) -> None:
        """One call to one doctor, for up to three searches; each is decided on its own."""
        one = self.play.roster.by_id[doctor]
        assumed = self.play.assumed
        first = items[0][0]
        attempts = steps.attempts(first.search, doctor)
        asked = bool(attempts) and attempts[-1].outcome is CallOutcome.SECRETARY_WILL_ASK
        common = telephone.reached(first.luck.lots[one.index], len(attempts), asked, assumed)
        one.calls += 1
        one.set(last_phoned_at=now)
        told = []
        for case, item in items:
            lot = case.luck.lots[one.index]
            told.append(case.outcome)
            case.outcome.told += 1
            case.outcome.misfits += doctor in case.misfits
            outcome = common
            if outcome is None:
                willing = lot.yes < one.temper.yes(one.chosen_lately(now))
                outcome = CallOutcome.YES if willing else telephone.refusal(lot, assumed)
            self.play.events += 1
            question = case.search.id, case.search.run
            one.past.ask(question, now)
            if common is None:
                one.past.answer(question, outcome is CallOutcome.YES)
            step = steps.call(
                case.search,
                doctor,
                outcome,
                Around(now=now, rules=self.play.rules, candidates=item.around.candidates),
                answer_id=AnswerId(f"{case.search.id}-{self.play.events}"),
                spoke_with=SpokeWith.DOCTOR if common is None else None,
            )
            self.play.take(case, step, now)
            if outcome in (CallOutcome.NOT_TAKING, CallOutcome.DO_NOT_CALL):
                break  # he has heard enough
        for outcome_of in told:
            outcome_of.calls += 1 / len(told)
