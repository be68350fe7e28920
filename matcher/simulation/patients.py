"""From a proposal to a médecin traitant: the patient's choice, the record, the first appointment."""

from datetime import datetime

from matcher.protocol import steps
from matcher.protocol.effects import Effect, OpenRelease
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import (
    AppointmentState,
    Declaration,
    Position,
    ReleaseKind,
    Search,
    Stand,
    State,
)
from matcher.simulation.chance import lognormal
from matcher.simulation.play import Case, Play, in_run
from matcher.simulation.roster import unmet

# Which of a patient's draws is for what.
_GIVES_UP, _MISSED = 0, 1
_CHOICE, _DATE, _READ = 0, 1, 2


class Patients:
    """Plays the patients, whoever speaks to them, and the chosen doctors."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self._waiting: set[str] = set()

    def effect(self, case: Case, effect: Effect, now: datetime) -> None:
        """The record goes: the chosen doctor counts one more patient."""
        if isinstance(effect, OpenRelease):
            one = self.play.roster.by_id[effect.release.doctor]
            one.chosen.append(now)

    def moved(self, case: Case, before: Search, now: datetime) -> None:
        """A proposal is discussed some time after it came; a release goes on by itself."""
        search = case.search
        if search.state is State.PROPOSING and search.id not in self._waiting:
            self._waiting.add(search.id)
            hours = lognormal(self.play.assumed.choice_hours, 0.8, case.luck.delays[_CHOICE])
            self.play.at(self.play.office_time(now, hours), self._chooses, case)
        if search.state is State.RELEASED and before.state is not State.RELEASED:
            self._released(case, now)

    def _chooses(self, case: Case, now: datetime) -> None:
        self._waiting.discard(case.search.id)
        search = case.search
        if search.state is not State.PROPOSING:
            return
        sure = [p for p in search.standing_yes if p.stand is Stand.YES and p.settling is None and not p.held]
        if not sure:
            # The only yes is being confirmed: the conversation waits for it.
            self._waiting.add(search.id)
            self.play.at(self.play.office_time(now, 4.0), self._chooses, case)
            return
        wanted = [position for position in sure if self._wants(case, position)]
        around = self.play.around(case, now)
        if not wanted:
            self.play.take(case, steps.decline(search, [p.doctor for p in sure], around), now)
            return
        best = min(wanted, key=lambda position: self._taste(case, position.doctor))
        reachable = self.play.roster.by_id[best.doctor].doctor.has_mailbox
        handover = None if reachable else ReleaseKind.PAPER
        case.outcome.chosen = case.days(now)
        self.play.take(case, steps.choose(search, best.doctor, handover, around), now)

    def _missed(self, case: Case, doctor: DoctorId) -> tuple[bool, ...]:
        """Of each wish, most important first, whether this doctor misses it."""
        one = self.play.roster.by_id[doctor]
        missing = unmet(one.doctor, case.demand.wishes, case.demand.announcement)
        return tuple(wish in missing for wish in case.demand.wishes)

    def _wants(self, case: Case, position: Position) -> bool:
        missed = self._missed(case, position.doctor)
        if any(wish.binding and miss for wish, miss in zip(case.demand.wishes, missed, strict=True)):
            return False
        assumed = self.play.assumed
        against = assumed.patient_declines + assumed.declines_per_missed_wish * sum(missed)
        return case.luck.lots[self.play.roster.by_id[position.doctor].index].patient_wants >= against

    def _taste(self, case: Case, doctor: DoctorId) -> tuple[object, ...]:
        return self._missed(case, doctor), self.play.roster.by_id[doctor].index

    def _released(self, case: Case, now: datetime) -> None:
        search, assumed = case.search, self.play.assumed
        number = search.releases
        reads = self.play.doctors_time(now, lognormal(12.0, 0.8, case.luck.delays[_READ]))
        self.play.at(reads, self._reads, case, number)
        # A second release is luck anew.
        gives_up = case.luck.patient[(_GIVES_UP + 2 * (number - 1)) % len(case.luck.patient)]
        if gives_up < assumed.doctor_gives_up:
            self.play.at(self.play.doctors_time(now, 48.0), self._gives_up, case, number)
            return
        days = lognormal(assumed.appointment_days, 0.6, case.luck.delays[_DATE])
        self._appointment(case, number, self.play.office_time(now, 24 * days), 0, now)

    def _reads(self, case: Case, number: int, now: datetime) -> None:
        release = case.search.release
        if case.search.state is State.RELEASED and release is not None and release.number == number:
            self.play.take(
                case, steps.open_record(case.search, release.doctor, self.play.around(case, now)), now
            )

    def _gives_up(self, case: Case, number: int, now: datetime) -> None:
        release = case.search.release
        if case.search.state is State.RELEASED and release is not None and release.number == number:
            chosen = self.play.roster.by_id[release.doctor].chosen
            if chosen:
                chosen.pop()
            step = steps.desist(case.search, "doctor", "other", self.play.around(case, now))
            self.play.take(case, step, now)

    def _appointment(self, case: Case, number: int, on: datetime, missed: int, now: datetime) -> None:
        day = self.play.roster.today(on)
        step = steps.appointment(case.search, day, AppointmentState.PLANNED, self.play.around(case, now))
        self.play.take(case, step, now)
        check = self.play.weekdays(self.play.office_time(on, 0.0), 2)
        self.play.at(check, self._came, case, number, on, missed)

    def _came(self, case: Case, number: int, on: datetime, missed: int, now: datetime) -> None:
        search = case.search
        if search.releases != number or not in_run(case, search.run, State.RELEASED):
            return
        day, around = self.play.roster.today(on), self.play.around(case, now)
        drawn = case.luck.patient[(_MISSED + 2 * (number - 1) + missed) % len(case.luck.patient)]
        if missed < 2 and drawn < self.play.assumed.appointment_missed:
            self.play.take(case, steps.appointment(search, day, AppointmentState.MISSED, around), now)
            again = self.play.office_time(now, 24 * 7.0)
            self._appointment(case, number, again, missed + 1, now)
            return
        chosen = search.chosen
        assert chosen is not None
        # Counted from the appointment itself, not from the office's asking two days later.
        case.outcome.attached = case.days(on)
        case.outcome.met = len(case.demand.wishes) - sum(self._missed(case, chosen))
        self.play.roster.by_id[chosen].accepted += 1
        self.play.take(case, steps.confirm(search, Declaration.DONE, day, around), now)
