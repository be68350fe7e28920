"""What a doctor answers, by link, through a delegate, on the phone or by plain mail."""

from dataclasses import replace
from datetime import datetime

from matcher.protocol.effects import Letter
from matcher.protocol.hours import ONE_DAY
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Answer,
    Held,
    HeldAnswer,
    Position,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    TimerKind,
    Via,
)
from matcher.protocol.steps.proposals import last_yes_gone, take_effect, undo
from matcher.protocol.steps.turn import Turn

_BY_LINK = (Via.LINK, Via.DELEGATE)
_CHOSEN = "La personne vous a choisi : pour renoncer, utilisez la page de sa fiche."
_CALLED = "La personne a choisi ce médecin : notez son désistement."
_STANDS = {
    Says.YES: (Stand.YES, Stand.ONCE),
    Says.NO: (Stand.NO,),
    Says.PAUSE: (Stand.PAUSED,),
}


def answer(
    search: Search, doctor: DoctorId, answer: Answer, opened_at: datetime | None, around: Around
) -> Step:
    """A doctor answers. By link it takes effect after ``settle``; too quick or contradictory, it is held.

    ``opened_at``: the link's last opening, None for the phone and plain mail. Repeating an answer
    changes nothing (P6). Raises Refused ``over``, or ``give_up_instead`` for the chosen doctor's no.
    """
    turn = Turn(Event.ANSWER, search, around)
    receive(turn, doctor, answer, opened_at)
    return turn.end()


def receive(turn: Turn, doctor: DoctorId, answer: Answer, opened_at: datetime | None = None) -> None:
    """Take an answer in, whatever its way."""
    search = turn.search
    if search.state in (State.ATTACHED, State.WITHDRAWN) or search.record_destroyed:
        if answer.says is Says.YES:
            turn.write(Letter.THANKED, doctor)
        return
    position = search.position(doctor) or Position(doctor=doctor, at=turn.now)
    if position.stand is Stand.DECLINED:
        return
    if position.stand is Stand.CHOSEN:
        if answer.says is not Says.YES:
            raise turn.refusal("give_up_instead", _CALLED if answer.via is Via.PHONE else _CHOSEN)
        return
    by_link = answer.via in _BY_LINK
    quick = by_link and opened_at is not None and turn.now - opened_at < turn.rules.min_reading
    if _says_nothing_new(position, answer, quick=quick):
        return
    turn.touch()
    settling = position.settling
    undone = answer.says is Says.UNDO and not quick
    if settling is not None and not undone and answer.via is not Via.PHONE:
        _hold(turn, replace(position, settling=None), Held.CONTRADICTION, settling, answer)
    elif quick:
        _hold(turn, position, Held.TOO_QUICK, answer)
    elif undone:
        _undo(turn, position)
    elif answer.via is Via.PHONE:
        take_effect(turn, doctor, answer, may_match=False)
    elif any(held.why is Held.CONTRADICTION for held in position.held):
        _hold(turn, position, Held.CONTRADICTION, answer)
    elif by_link:
        _unhold(turn, doctor)
        turn.put(replace(position, settling=answer, held=()))
        turn.arm(TimerKind.SETTLE, turn.now + turn.rules.settle, doctor)
    else:
        take_effect(turn, doctor, answer, may_match=False)


def _same(one: Answer, other: Answer) -> bool:
    return (one.says, one.terms, one.until) == (other.says, other.terms, other.until)


def _says_nothing_new(position: Position, answer: Answer, *, quick: bool) -> bool:
    """Whether this is a repetition: of what settles, of the last held one, or of what already stands."""
    if quick and any(_same(held.answer, answer) for held in position.held):
        return True
    if answer.says is Says.UNDO:
        pending = position.settling is not None or bool(position.held)
        return position.stand in (Stand.OPEN, Stand.GAVE_UP) and not pending
    if position.settling is not None:
        return _same(position.settling, answer) and answer.via is not Via.PHONE
    if position.held:
        last = position.held[-1]
        return last.why is Held.CONTRADICTION and answer.via is not Via.PHONE and _same(last.answer, answer)
    if position.stand is Stand.UNCONFIRMED:
        return answer.says is Says.YES and answer.via is Via.MAIL
    stands = position.answer
    if stands is None or position.stand not in _STANDS[answer.says]:
        return False
    if answer.says is Says.PAUSE and answer.until is None:
        return True
    return _same(stands, answer)


def _hold(turn: Turn, position: Position, why: Held, *answers: Answer) -> None:
    """These answers wait for the office; urgent once a working day has passed."""
    doctor = position.doctor
    known = [held.answer for held in position.held]
    added = tuple(
        HeldAnswer(answer=one, why=why) for one in answers if not any(_same(one, other) for other in known)
    )
    turn.put(replace(position, held=(*position.held, *added)))
    turn.cancel(TimerKind.SETTLE, doctor=doctor)
    turn.task(TaskKind.ANSWER_HELD, doctor)
    if not turn.runs(TimerKind.HELD_OVERDUE, doctor):
        turn.arm(TimerKind.HELD_OVERDUE, turn.office_time(ONE_DAY), doctor)


def _unhold(turn: Turn, doctor: DoctorId) -> None:
    turn.cancel(TimerKind.SETTLE, TimerKind.HELD_OVERDUE, doctor=doctor)
    turn.untask(TaskKind.ANSWER_HELD, TaskKind.ANSWER_HELD_OVERDUE, doctor=doctor)


def _undo(turn: Turn, position: Position) -> None:
    """What is pending is dropped; where nothing was, the answer in effect is taken back."""
    if position.settling is not None or position.held:
        turn.put(replace(position, settling=None, held=()))
        _unhold(turn, position.doctor)
    else:
        undo(turn, position.doctor)
        last_yes_gone(turn)


def settle_held(search: Search, answer_id: AnswerId, keep: bool, around: Around) -> Step:
    """The office settles a held answer: it takes effect (as no ``first_match``), or is set aside.

    Keeping one sets the doctor's other held answers aside. Raises Refused ``no_such_answer``.
    """
    turn = Turn(Event.SETTLE_HELD, search, around)
    for position in search.positions:
        for held in position.held:
            if held.answer.id == answer_id:
                _settle(turn, position, held, keep)
                turn.touch()
                return turn.end()
    raise turn.refusal("no_such_answer", "Cette réponse n’attend plus : elle a déjà été départagée.")


def _settle(turn: Turn, position: Position, held: HeldAnswer, keep: bool) -> None:
    left = () if keep else tuple(other for other in position.held if other is not held)
    turn.put(replace(position, held=left))
    if not left:
        _unhold(turn, position.doctor)
    if keep:
        if turn.state in (State.ATTACHED, State.WITHDRAWN):
            if held.answer.says is Says.YES:
                turn.write(Letter.THANKED, position.doctor)
        else:
            take_effect(turn, position.doctor, held.answer, may_match=False)
