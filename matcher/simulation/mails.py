"""The mails and what comes back: the relay takes them, a few doctors answer, some after the reminder."""

from datetime import datetime, timedelta
from typing import Final

from matcher.protocol import steps
from matcher.protocol.cells import Refused
from matcher.protocol.effects import Effect, Letter, NeverCall, PauseDoctor, SendToDoctor
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.search import Answer, RefusalReason, Says, Search, Stand, State, Via
from matcher.simulation.behaviour import with_reminder
from matcher.simulation.chance import lognormal
from matcher.simulation.play import Case, Play

#: The relay takes a mail so long after it is written.
_RELAY: Final = timedelta(minutes=1)
_OVER: Final = frozenset({State.ATTACHED, State.WITHDRAWN})


class Mails:
    """Plays the relay and the doctors who answer by link."""

    def __init__(self, play: Play) -> None:
        self.play = play

    def effect(self, case: Case, effect: Effect, now: datetime) -> None:
        """A letter is written; or a doctor said something of himself."""
        match effect:
            case SendToDoctor(letter=Letter.ANNOUNCEMENT, doctor=doctor):
                self._announce(case, doctor, now)
            case SendToDoctor(letter=Letter.REMINDER, doctor=doctor):
                self._remind(case, doctor, now)
            case SendToDoctor(letter=Letter.STILL_AVAILABLE, doctor=doctor):
                self._ask_again(case, doctor, now)
            case PauseDoctor(doctor=doctor, until=until):
                self.play.roster.by_id[doctor].set(away_until=until)
            case NeverCall(doctor=doctor):
                self.play.roster.by_id[doctor].set(do_not_call=True)
            case _:
                pass

    def moved(self, case: Case, before: Search, now: datetime) -> None:
        """The first yes is noted when it takes effect."""
        if case.outcome.first_yes is None and case.search.state is State.PROPOSING:
            case.outcome.first_yes = case.days(now)

    def _announce(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        one = self.play.roster.by_id[doctor]
        asked = one.asked_lately(now)
        one.asked.append(now)
        one.mails += 1
        case.outcome.mails += 1
        case.outcome.misfits += doctor in case.misfits
        self.play.at(now + _RELAY, self._accepted, case, doctor)
        lot = case.luck.lots[one.index]
        if lot.answers < one.temper.answers_mail(asked, self.play.assumed.mail_fatigue):
            self._answer_later(case, doctor, now, lot.slow)

    def _accepted(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        around = self.play.around(case, now)
        self.play.take(case, steps.mail_accepted(case.search, Letter.ANNOUNCEMENT, doctor, around), now)

    def _remind(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        one = self.play.roster.by_id[doctor]
        assumed = self.play.assumed
        one.mails += 1
        case.outcome.mails += 1
        case.outcome.reminders += 1
        lot = case.luck.lots[one.index]
        answers = one.temper.answers_mail(one.asked_lately(now), assumed.mail_fatigue)
        if lot.answers >= answers and lot.answers_reminder < with_reminder(answers, assumed.reminder_odds):
            self._answer_later(case, doctor, now, lot.slow_reminder)

    def _answer_later(self, case: Case, doctor: DoctorId, now: datetime, z: float) -> None:
        hours = lognormal(self.play.assumed.reply_hours, self.play.assumed.reply_spread, z)
        self.play.at(self.play.doctors_time(now, hours), self._answers, case, doctor, case.search.run)

    def _answers(self, case: Case, doctor: DoctorId, run: int, now: datetime) -> None:
        """He opens the mail and decides, unless he has decided on the telephone meanwhile."""
        position = case.search.position(doctor)
        decided = position is not None and position.stand is not Stand.OPEN
        if case.search.run != run or case.search.state in _OVER or decided:
            return
        one = self.play.roster.by_id[doctor]
        willing = case.luck.lots[one.index].yes < one.temper.yes(one.chosen_lately(now))
        self._say(case, doctor, Says.YES if willing else Says.NO, now)

    def _ask_again(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        if case.luck.lots[self.play.roster.by_id[doctor].index].confirms < self.play.assumed.yes_confirmed:
            self.play.at(self.play.doctors_time(now, 4.0), self._confirms, case, doctor, case.search.run)

    def _confirms(self, case: Case, doctor: DoctorId, run: int, now: datetime) -> None:
        position = case.search.position(doctor)
        if case.search.run == run and position is not None and position.stand is Stand.UNCONFIRMED:
            self._say(case, doctor, Says.YES, now)

    def _say(self, case: Case, doctor: DoctorId, says: Says, now: datetime) -> None:
        self.play.events += 1
        answer = Answer(
            id=AnswerId(f"{case.search.id}-{self.play.events}"),
            says=says,
            via=Via.LINK,
            at=now,
            reason=RefusalReason.FULL if says is Says.NO else None,
        )
        opened = now - timedelta(minutes=1)
        try:
            step = steps.answer(case.search, doctor, answer, opened, self.play.around(case, now))
        except Refused:
            return  # the page says that it is over
        self.play.take(case, step, now)
