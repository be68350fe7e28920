"""The calls: what they come to, who is still to phone, who holds the telephone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from matcher.protocol.doctors import Candidate, Zone
from matcher.protocol.effects import FlagNumber, NeverCall
from matcher.protocol.hours import ONE_DAY
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Step
from matcher.protocol.rules import Around, Rules
from matcher.protocol.search import (
    Answer,
    CallAttempt,
    CallOutcome,
    Channel,
    Delivery,
    Position,
    RefusalReason,
    Says,
    Search,
    Solicitation,
    SpokeWith,
    Stand,
    State,
    TaskKind,
    Terms,
    TimerKind,
    Via,
)
from matcher.protocol.steps.answers import receive
from matcher.protocol.steps.turn import Turn

_PROMISES = (CallOutcome.CALL_BACK, CallOutcome.SECRETARY_WILL_ASK)
_NEVER_AGAIN = (CallOutcome.DO_NOT_CALL, CallOutcome.WRONG_NUMBER)
_ANSWERS = {
    CallOutcome.YES: Says.YES,
    CallOutcome.NO: Says.NO,
    CallOutcome.DO_NOT_CALL: Says.NO,
    CallOutcome.NOT_TAKING: Says.PAUSE,
}


def call(
    search: Search,
    doctor: DoctorId,
    outcome: CallOutcome,
    around: Around,
    *,
    answer_id: AnswerId,
    spoke_with: SpokeWith | None = None,
    call_back_at: datetime | None = None,
    until: date | None = None,
    reason: RefusalReason | None = None,
    terms: Terms | None = None,
) -> Step:
    """Note what a call came to; a yes or a no takes effect at once.

    A promised call-back without an hour is for the next working day. Raises Refused
    ``not_a_candidate`` for a doctor who does not fit and was never asked (P4).
    """
    turn = Turn(Event.CALL, search, around)
    if search.state in (State.ATTACHED, State.WITHDRAWN, State.UNMET):
        if outcome is CallOutcome.YES:
            receive(turn, doctor, _as_answer(turn, answer_id, outcome, until, reason, terms))
        return turn.end()
    _note(turn, doctor, outcome, spoke_with, call_back_at)
    turn.touch()
    if outcome is CallOutcome.WRONG_NUMBER:
        turn.emit(FlagNumber(doctor=doctor))
    if outcome is CallOutcome.DO_NOT_CALL:
        turn.emit(NeverCall(doctor=doctor))
    if outcome in _ANSWERS:
        receive(turn, doctor, _as_answer(turn, answer_id, outcome, until, reason, terms))
    return turn.end()


def _as_answer(
    turn: Turn,
    answer_id: AnswerId,
    outcome: CallOutcome,
    until: date | None,
    reason: RefusalReason | None,
    terms: Terms | None,
) -> Answer:
    return Answer(
        id=answer_id,
        says=_ANSWERS[outcome],
        via=Via.PHONE,
        at=turn.now,
        terms=terms or Terms(),
        reason=reason,
        until=until,
    )


def _note(
    turn: Turn,
    doctor: DoctorId,
    outcome: CallOutcome,
    spoke_with: SpokeWith | None,
    call_back_at: datetime | None,
) -> None:
    """Hang the attempt under the doctor's solicitation by phone, and arm a promised call-back."""
    search = turn.search
    known = search.position(doctor) is not None or any(s.doctor == doctor for s in search.solicitations)
    if not known and all(c.doctor != doctor for c in turn.around.candidates.ordered):
        raise turn.refusal(
            "not_a_candidate",
            "Ce médecin ne répond pas à un souhait indispensable de la personne : il n’est pas à appeler.",
        )
    if outcome in _PROMISES:
        call_back_at = call_back_at or turn.office_time(ONE_DAY)
    attempt = CallAttempt(at=turn.now, outcome=outcome, spoke_with=spoke_with, call_back_at=call_back_at)
    before = search.solicitation(doctor, Channel.PHONE) or Solicitation(
        doctor=doctor, channel=Channel.PHONE, delivery=Delivery.ASKED, at=turn.now
    )
    wrong = outcome is CallOutcome.WRONG_NUMBER
    turn.solicit(
        replace(
            before,
            delivery=Delivery.UNREACHED if wrong else Delivery.ASKED,
            attempts=(*before.attempts, attempt),
        )
    )
    turn.cancel(TimerKind.CALL_BACK, doctor=doctor)
    turn.untask(TaskKind.CALL_BACK, doctor=doctor)
    if (
        outcome in _PROMISES
        and call_back_at is not None
        and search.state
        in (
            State.ASKING,
            State.CALLING,
            State.PROPOSING,
        )
    ):
        turn.arm(TimerKind.CALL_BACK, call_back_at, doctor)


def attempts(search: Search, doctor: DoctorId) -> tuple[CallAttempt, ...]:
    """The calls to this doctor in this run, oldest first."""
    solicitation = search.solicitation(doctor, Channel.PHONE)
    return () if solicitation is None else solicitation.attempts


def to_phone(search: Search, around: Around) -> tuple[Candidate, ...]:
    """Those still to phone while calling or proposing: promised call-backs that are due first, then
    those phoned least often, in the candidates' order; call-backs promised for later come last.
    """
    if search.state not in (State.CALLING, State.PROPOSING):
        return ()

    def order(candidate: Candidate) -> tuple[int, int]:
        promised = _promised(search, candidate.doctor)
        turn = 1 if promised is None else 0 if promised <= around.now else 2
        return turn, len(attempts(search, candidate.doctor))

    return tuple(sorted(_left(search, around), key=order))


def _left(search: Search, around: Around) -> Iterator[Candidate]:
    """Those still to phone, in the candidates' order."""
    today = around.now.astimezone(around.rules.office_calendar.zone).date()
    gone = done_with(search, today, around.rules.rounds)
    return (
        candidate
        for candidate in around.candidates.ordered
        if candidate.callable
        and (search.widened or candidate.zone is Zone.TERRITORY)
        and candidate.doctor not in gone
    )


def _promised(search: Search, doctor: DoctorId) -> datetime | None:
    """When this doctor was promised a call-back that has not been placed."""
    made = attempts(search, doctor)
    return made[-1].call_back_at if made and made[-1].outcome in _PROMISES else None


def _may_say_more(position: Position, today: date) -> bool:
    """Whether there is something to ask: nothing said, a yes to confirm, or a pause that is over."""
    if position.stand is Stand.PAUSED and position.answer is not None and position.answer.until is not None:
        return position.answer.until < today
    return position.stand in (Stand.OPEN, Stand.UNCONFIRMED) and position.settling is None


def _done_with(search: Search, doctor: DoctorId, today: date, rounds: int) -> bool:
    """Whether the doctor has been phoned enough for this search, or has said what there was to say."""
    position = search.position(doctor)
    made = attempts(search, doctor)
    return (
        doctor in search.declined
        or (position is not None and not _may_say_more(position, today))
        or any(attempt.outcome in _NEVER_AGAIN for attempt in made)
        or (len(made) >= rounds and _promised(search, doctor) is None)
    )


def done_with(search: Search, today: date, rounds: int) -> frozenset[DoctorId]:
    """The doctors who are not to be phoned for this search (any more), however well they fit; ``today`` is
    the territory's.
    """
    met = {s.doctor for s in search.solicitations if s.channel is Channel.PHONE}
    met |= {position.doctor for position in search.positions}
    return search.declined | {doctor for doctor in met if _done_with(search, doctor, today, rounds)}


def exhausted(search: Search, around: Around) -> bool:
    """Whether the rounds are done and no call-back is pending: the search waits for a person's decision."""
    return search.state is State.CALLING and next(_left(search, around), None) is None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One person phones one doctor; nobody else does until the claim lapses."""

    person: str
    until: datetime


def claim(current: Claim | None, person: str, now: datetime, rules: Rules) -> Claim | None:
    """The claim as ``person`` now holds it, made or prolonged; None while another person holds it."""
    if current is not None and current.person != person and current.until > now:
        return None
    return Claim(person=person, until=now + rules.claim)
