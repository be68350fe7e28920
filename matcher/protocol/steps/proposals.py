"""A yes that takes effect, goes, or is chosen; shared by the events that bring one about."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from matcher.protocol.effects import CountOffer, EndRelease, Letter, OpenRelease, PauseDoctor, SendToDoctor
from matcher.protocol.hours import ONE_DAY, Delay
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import (
    HANDOVERS,
    Answer,
    Choice,
    Given,
    Position,
    Release,
    ReleaseKind,
    Says,
    Stand,
    State,
    TaskKind,
    TimerKind,
    Via,
)
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import ask_again, go_on_if_all_answered

#: A reserve older than this (working days) is asked again before it is proposed.
FRESH_RESERVE = Delay(weekdays=5)
#: A pause without an end lasts so long.
DEFAULT_PAUSE = timedelta(days=30)

_YES = (Stand.YES, Stand.UNCONFIRMED)
_DOCTOR_TIMERS = (TimerKind.YES_HELD, TimerKind.YES_LAPSES)


def place(turn: Turn, doctor: DoctorId, stand: Stand, answer: Answer | None) -> None:
    """Give a doctor this stand; whatever of his was settling or held is settled by it."""
    turn.put(Position(doctor=doctor, stand=stand, at=turn.now, answer=answer))
    turn.cancel(TimerKind.SETTLE, TimerKind.HELD_OVERDUE, *_DOCTOR_TIMERS, doctor=doctor)
    turn.untask(TaskKind.ANSWER_HELD, TaskKind.ANSWER_HELD_OVERDUE, doctor=doctor)


def take_effect(turn: Turn, doctor: DoctorId, answer: Answer, *, may_match: bool) -> None:
    """An answer takes effect. ``may_match``: by its way it may trigger ``first_match``."""
    # Whoever is chosen or declined has nothing pending: it went with the decision.
    position = turn.search.position(doctor)
    assert position is None or position.stand not in (Stand.CHOSEN, Stand.DECLINED)
    if answer.says is Says.YES:
        _yes(turn, doctor, answer, may_match=may_match)
    elif answer.says is Says.NO:
        place(turn, doctor, Stand.NO, answer)
    elif answer.says is Says.PAUSE:
        until = answer.until or (turn.now.astimezone(turn.office.zone) + DEFAULT_PAUSE).date()
        place(turn, doctor, Stand.PAUSED, replace(answer, until=until))
        turn.emit(PauseDoctor(doctor=doctor, until=until))
    else:
        undo(turn, doctor)
    if answer.says is not Says.YES:
        turn.cancel(TimerKind.CALL_BACK, doctor=doctor)
    turn.untask(TaskKind.CALL_BACK, doctor=doctor)
    last_yes_gone(turn)
    go_on_if_all_answered(turn)


def undo(turn: Turn, doctor: DoctorId) -> None:
    """An answer is taken back: the doctor stands as if he had said nothing."""
    position = turn.search.position(doctor)
    if position is not None and position.stand is Stand.PAUSED:
        turn.emit(PauseDoctor(doctor=doctor, until=None))
    place(turn, doctor, Stand.OPEN, None)


def _yes(turn: Turn, doctor: DoctorId, answer: Answer, *, may_match: bool) -> None:
    if answer.terms.once:
        place(turn, doctor, Stand.ONCE, answer)
        return
    plain = answer.via is Via.MAIL
    place(turn, doctor, Stand.UNCONFIRMED if plain else Stand.YES, answer)
    if plain:
        ask_to_confirm(turn, doctor, Letter.CONFIRM_ANSWER)
    turn.cancel(TimerKind.CALL_BACK, doctor=doctor)
    match turn.state:
        case State.ASKING | State.CALLING | State.PROPOSING:
            # What the requester reads is the state: a second yes is no news to it.
            news = turn.state is not State.PROPOSING
            open_proposals(turn)
            if may_match and match_first(turn, doctor, answer):
                return
            if news:
                turn.tell_requester()
        case State.RELEASED:
            keep_in_reserve(turn, doctor)
        case State.UNMET:
            turn.task(TaskKind.LATE_YES, doctor)
        case _:
            pass  # Ready or resting: kept as a reserve.


def ask_to_confirm(turn: Turn, doctor: DoctorId, letter: Letter) -> None:
    """Ask for a yes once more: by letter, or by a call where there is no mailbox."""
    if turn.reachable(doctor):
        turn.write(letter, doctor, turn.next_letter())
    else:
        turn.task(TaskKind.CALL_BACK, doctor)


def ask_yes_again(turn: Turn, position: Position) -> None:
    """A yes that has grown old: it cannot be chosen until confirmed, and lapses in a working day."""
    turn.put(replace(position, stand=Stand.UNCONFIRMED))
    ask_to_confirm(turn, position.doctor, Letter.STILL_AVAILABLE)
    turn.cancel(TimerKind.YES_HELD, doctor=position.doctor)
    turn.arm(TimerKind.YES_LAPSES, turn.doctors_time(ONE_DAY), position.doctor)


def open_proposals(turn: Turn) -> None:
    """Enter (or stay in) proposing, with every standing yes and its delays."""
    turn.enter(State.PROPOSING)
    for position in turn.search.standing_yes:
        if any(turn.runs(kind, position.doctor) for kind in _DOCTOR_TIMERS):
            continue
        if position.at == turn.now or (position.stand is Stand.YES and not aged(turn, position)):
            turn.arm(TimerKind.YES_HELD, turn.doctors_time(turn.delays.yes_held), position.doctor)
        else:
            ask_yes_again(turn, position)
    if not turn.runs(TimerKind.CHOICE_CHASE):
        turn.arm(TimerKind.CHOICE_CHASE, turn.office_time(turn.delays.choice_chase))


def aged(turn: Turn, position: Position) -> bool:
    """Whether a reserve is older than 5 working days."""
    return turn.office_time(FRESH_RESERVE, position.at) <= turn.now


def last_yes_gone(turn: Turn) -> None:
    """While proposing: the last yes is gone; the office is told and the asking goes on."""
    if turn.state is State.PROPOSING and not turn.search.standing_yes:
        ask_again(turn)
        turn.task(TaskKind.LAST_YES_GONE)


def keep_in_reserve(turn: Turn, doctor: DoctorId) -> None:
    """Tell a doctor whose yes stands that another is intended; once per release."""
    assert turn.search.release is not None
    turn.write(Letter.KEPT_IN_RESERVE, doctor, turn.search.release.number)


def match_first(turn: Turn, doctor: DoctorId, answer: Answer) -> bool:
    """``first_match``: choose this unconditional yes at once where the patient agreed; True if chosen.

    Once per run, never while need or consent have grown old; the hour of the office does not matter.
    """
    search = turn.search
    consent = search.consent
    if (
        search.choice is not Choice.FIRST_MATCH
        or consent is None
        or consent.given is not Given.YES
        or not consent.first_match_agreed
        or search.first_match_done
        or not answer.terms.unconditional
        or answer.via not in (Via.LINK, Via.OFFER)
        or turn.stale
        or not turn.reachable(doctor)
        or all(candidate.doctor != doctor for candidate in turn.around.candidates.ordered)
    ):
        return False
    release_to(turn, doctor, ReleaseKind.PAGE)
    turn.set(first_match_done=True)
    return True


def release_to(turn: Turn, doctor: DoctorId, kind: ReleaseKind) -> None:
    """The patient's choice: this doctor, and only this one, may have the record (P1, P2)."""
    position = turn.search.position(doctor)
    assert position is not None
    assert turn.search.chosen is None
    turn.cancel(*_DOCTOR_TIMERS, doctor=doctor)
    turn.put(replace(position, stand=Stand.CHOSEN, at=turn.now, settling=None, held=()))
    turn.cancel(TimerKind.SETTLE, TimerKind.HELD_OVERDUE, doctor=doctor)
    turn.untask(TaskKind.ANSWER_HELD, TaskKind.ANSWER_HELD_OVERDUE, doctor=doctor)
    turn.set(appointment=None, declaration=None)
    turn.enter(State.RELEASED)
    give(turn, doctor, kind)
    turn.arm(TimerKind.APPOINTMENT_ASKED, turn.office_time(turn.delays.appointment_asked))
    if position.answer is not None and position.answer.offer is not None:
        turn.emit(CountOffer(offer=position.answer.offer, by=-1))
    for other in turn.search.standing_yes:
        keep_in_reserve(turn, other.doctor)
    turn.tell_requester()


def give(turn: Turn, doctor: DoctorId, kind: ReleaseKind) -> None:
    """Open a release under a new number, which kills the link of the one before."""
    number = turn.search.releases + 1
    former = turn.search.release
    release = Release(
        doctor=doctor,
        kind=kind,
        number=number,
        at=turn.now,
        opened_at=None if former is None else seen_at(former),
        acknowledged_at=None if former is None else former.acknowledged_at,
    )
    turn.set(releases=number, release=release)
    turn.emit(OpenRelease(release=release))
    turn.cancel(TimerKind.OPENING_REMINDER, TimerKind.OPENING_CALL)
    if kind not in HANDOVERS:
        turn.emit(SendToDoctor(letter=Letter.CHOSEN, doctor=doctor, number=number))
        if release.opened_at is None and turn.state is State.RELEASED:
            turn.arm(TimerKind.OPENING_REMINDER, turn.doctors_time(turn.delays.opening_reminder))
            turn.arm(TimerKind.OPENING_CALL, turn.doctors_time(turn.delays.opening_call))


def seen_at(release: Release) -> datetime | None:
    """When the doctor had the record before his eyes or in his hands, if he had."""
    return release.at if release.kind in HANDOVERS else release.opened_at


def end_release(turn: Turn) -> None:
    """The doctor who had the record may no longer have it; one who has seen it is asked to delete it."""
    release = turn.search.release
    if release is None:
        return
    turn.emit(EndRelease(doctor=release.doctor))
    if seen_at(release) is not None:
        turn.write(Letter.PLEASE_DELETE, release.doctor, release.number)


def give_offer_back(turn: Turn, doctor: DoctorId) -> None:
    """The place of a standing offer was not used after all."""
    position = turn.search.position(doctor)
    if position is not None and position.answer is not None and position.answer.offer is not None:
        turn.emit(CountOffer(offer=position.answer.offer, by=1))


def channel_for(turn: Turn, doctor: DoctorId, wanted: ReleaseKind | None) -> ReleaseKind:
    """The way the record goes: as wanted, else the page. Raises Refused where it needs a mailbox."""
    kind = wanted or ReleaseKind.PAGE
    if kind not in HANDOVERS and not turn.reachable(doctor):
        raise turn.refusal(
            "no_channel",
            "Ce médecin n’a pas d’adresse électronique : choisissez une remise sur papier ou une lecture"
            " par téléphone.",
        )
    return kind


def opening_of_day(turn: Turn, day: date) -> datetime:
    """When the office opens on that day; now, where that is past."""
    opens = turn.office_time(Delay(), datetime.combine(day, time(), turn.office.zone))
    return max(opens, turn.now).astimezone(UTC)


def today(turn: Turn) -> date:
    """The day at the office."""
    return turn.now.astimezone(turn.office.zone).date()
