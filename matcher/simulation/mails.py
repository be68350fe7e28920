"""The mails and what comes back: the relay takes them, a few doctors answer, some after the reminder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from matcher.protocol import digests, letters, steps
from matcher.protocol.cells import Refused
from matcher.protocol.effects import Effect, Letter, NeverCall, PauseDoctor, SendToDoctor
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.search import Answer, RefusalReason, Says, Search, Stand, State, Via
from matcher.simulation.behaviour import with_reminder
from matcher.simulation.chance import lognormal
from matcher.simulation.play import Case, Play
from matcher.simulation.roster import WEEK, OneDoctor

#: The relay takes a mail so long after it is written.
_RELAY: Final = timedelta(minutes=1)
_OVER: Final = frozenset({State.ATTACHED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Item:
    """One search in a mail to one doctor, and how many announcements he had had within a week before it."""

    case: Case
    run: int
    asked: int


class Mails:
    """Plays the relay and the doctors who answer by link."""

    def __init__(self, play: Play) -> None:
        self.play = play
        #: What waits for the end of a digest's window, by letter and doctor.
        self._waiting: dict[tuple[Letter, int], list[Item]] = {}

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
        item = Item(case, case.search.run, one.asked_lately(now))
        one.asked.append(now)
        case.outcome.misfits += doctor in case.misfits
        self._put(Letter.ANNOUNCEMENT, one, item, one.asked, now)

    def _remind(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        one = self.play.roster.by_id[doctor]
        item = Item(case, case.search.run, one.asked_lately(now))
        one.reminded.append(now)
        while one.reminded[0] <= now - WEEK:
            one.reminded.popleft()
        self._put(Letter.REMINDER, one, item, one.reminded, now)

    def _put(
        self, letter: Letter, one: OneDoctor, item: Item, written: Sequence[datetime], now: datetime
    ) -> None:
        """Mail it, or let it wait for a digest (``protocol.digests``)."""
        rules = self.play.rules
        window = digests.window(item.case.search, letter, rules, now)
        until = None
        if window is not None:
            lately = [at for at in written if at > now - window]
            until = digests.until(rules, window, len(lately), lately[0] if lately else None)
        if until is None:
            self._mail(letter, one, [item], now)
            return
        waiting = self._waiting.setdefault((letter, one.index), [])
        if not waiting:
            self.play.at(max(until, now), self._gathered, letter, one)
        waiting.append(item)

    def _gathered(self, letter: Letter, one: OneDoctor, now: datetime) -> None:
        """The window is over: what is still wanted goes as one mail, the rest is dropped."""
        doctor, away = one.doctor.id, one.doctor.away_until
        paused = away is not None and away >= self.play.roster.today(now)
        wanted = []
        for item in self._waiting.pop((letter, one.index)):
            search = item.case.search
            if paused or letters.unwanted(search, letter, doctor, run=item.run, number=1) is not None:
                step = steps.mail_dropped(search, letter, doctor, self.play.around(item.case, now))
                self.play.take(item.case, step, now)
            else:
                wanted.append(item)
        if wanted:
            self._mail(letter, one, wanted, now)

    def _mail(self, letter: Letter, one: OneDoctor, items: Sequence[Item], now: datetime) -> None:
        """One mail for these searches; each item of a digest is answered as if it were a mail of its own."""
        assumed = self.play.assumed
        one.mails += 1
        for item in items:
            case, lot = item.case, item.case.luck.lots[one.index]
            answers = one.temper.answers_mail(item.asked, assumed.mail_fatigue)
            case.outcome.mails += 1 / len(items)
            if letter is Letter.ANNOUNCEMENT:
                self.play.at(now + _RELAY, self._accepted, case, one.doctor.id)
                if lot.answers < answers:
                    self._answer_later(case, one.doctor.id, now, lot.slow)
                continue
            case.outcome.reminders += 1 / len(items)
            reminded = with_reminder(answers, assumed.reminder_odds)
            if lot.answers >= answers and lot.answers_reminder < reminded:
                self._answer_later(case, one.doctor.id, now, lot.slow_reminder)

    def _accepted(self, case: Case, doctor: DoctorId, now: datetime) -> None:
        self.play.roster.by_id[doctor].past.ask((case.search.id, case.search.run), now)
        around = self.play.around(case, now)
        self.play.take(case, steps.mail_accepted(case.search, Letter.ANNOUNCEMENT, doctor, around), now)

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
        self.play.roster.by_id[doctor].past.answer((case.search.id, case.search.run), says is Says.YES)
        self.play.take(case, step, now)
