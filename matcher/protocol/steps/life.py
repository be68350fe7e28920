"""What happens to a search beside the asking: resting, ending, beginning again, splitting, joining."""

from dataclasses import replace
from datetime import date

from matcher.protocol.effects import CountOffer, ReopenRecord, SplitHousehold
from matcher.protocol.hours import next_open
from matcher.protocol.moves import Event, Refused, Step
from matcher.protocol.reaching import Wanted, wanted
from matcher.protocol.rules import Around, Rules
from matcher.protocol.search import (
    ContactAttempt,
    Ending,
    Household,
    Next,
    PatientContact,
    Position,
    Rest,
    Search,
    Stand,
    State,
    TaskKind,
    TimerKind,
    WithdrawalReason,
)
from matcher.protocol.steps.leaving import GRACE, new_run, take_out
from matcher.protocol.steps.proposals import (
    end_release,
    give,
    last_yes_gone,
    open_proposals,
    opening_of_day,
    today,
)
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import ask_again, start_delays

#: Goes on during a rest: the office's and the doctors' own hours, and the 90 and 180 days.
_RUN_ON = frozenset(
    {
        TimerKind.SETTLE,
        TimerKind.HELD_OVERDUE,
        TimerKind.UNTOUCHED,
        TimerKind.ABANDONED,
    }
)
_RESTABLE = frozenset({State.READY, State.ASKING, State.CALLING, State.PROPOSING})
_OFFICE = frozenset({TimerKind.CHOICE_CHASE, TimerKind.CALL_BACK})
#: How far a search has come; the less advanced of two for one patient ends as duplicate.
_ADVANCE = (
    State.DRAFT,
    State.WITHDRAWN,
    State.UNMET,
    State.RETURNED,
    State.SUBMITTED,
    State.READY,
    State.ASKING,
    State.CALLING,
    State.PROPOSING,
    State.RELEASED,
    State.ATTACHED,
)


def contact_attempt(search: Search, outcome: PatientContact, around: Around) -> Step:
    """An attempt to reach the patient. Once all was tried in vain (``reaching``) the search rests."""
    turn = Turn(Event.CONTACT_ATTEMPT, search, around)
    turn.touch()
    if outcome is PatientContact.REACHED:
        turn.set(contact_attempts=())
        turn.untask(TaskKind.PATIENT_UNREACHABLE)
        return turn.end()
    turn.set(contact_attempts=(*search.contact_attempts, ContactAttempt(at=turn.now, outcome=outcome)))
    if not still_to_try(turn.search, around.rules):
        if turn.state in _RESTABLE:
            _set_aside(turn, None)
        turn.task(TaskKind.PATIENT_UNREACHABLE)
    return turn.end()


def still_to_try(search: Search, rules: Rules) -> Wanted:
    """What of the tries to reach the patient is missing before the search rests."""
    return wanted(search.contact_attempts, rules.unreachable_tries, rules.office_calendar.zone)


def rest(search: Search, until: date | None, around: Around) -> Step:
    """The patient is unavailable: no delay runs, a yes is kept; ``until`` wakes the search that morning.

    Resting already, only the date changes. Raises Refused ``date_past``.
    """
    turn = Turn(Event.REST, search, around)
    _not_past(turn, until)
    turn.touch()
    if search.rest is not None and search.state is State.RESTING:
        turn.set(rest=replace(search.rest, until=until))
        _wake_on(turn, until)
    else:
        _set_aside(turn, until)
    return turn.end()


def _not_past(turn: Turn, day: date | None) -> None:
    if day is not None and day < today(turn):
        raise turn.refusal("date_past", "Cette date est passée.")


def _wake_on(turn: Turn, until: date | None) -> None:
    turn.cancel(TimerKind.WAKE)
    if until is not None:
        turn.arm(TimerKind.WAKE, opening_of_day(turn, until))


def _set_aside(turn: Turn, until: date | None) -> None:
    aside = tuple(timer for timer in turn.search.timers if timer.kind not in _RUN_ON)
    turn.set(rest=Rest(since=turn.now, left=turn.state, until=until, timers=aside))
    turn.enter(State.RESTING)
    _wake_on(turn, until)


def wake(search: Search, around: Around) -> Step:
    """The patient is back: the delays go on where they stood; a yes kept meanwhile is a proposal."""
    turn = Turn(Event.WAKE, search, around)
    turn.touch()
    wake_up(turn)
    return turn.end()


def wake_up(turn: Turn) -> None:
    """Leave the rest, its timers shifted by its length and moved into open hours."""
    rest = turn.search.rest
    assert rest is not None
    turn.set(rest=None, contact_attempts=())
    turn.untask(TaskKind.PATIENT_UNREACHABLE)
    slept = turn.now - rest.since
    for timer in rest.timers:
        calendar = turn.office if timer.kind in _OFFICE else turn.rules.doctors_calendar
        turn.arm(timer.kind, next_open(timer.at + slept, calendar), timer.doctor)
    if rest.left is State.READY:
        turn.enter(State.READY)
    elif turn.search.standing_yes:
        open_proposals(turn)
    else:
        turn.enter(rest.left)
        last_yes_gone(turn)
        start_delays(turn)


def withdraw(search: Search, reason: WithdrawalReason, around: Around) -> Step:
    """The search ends at once, whatever its state. Raises Refused ``already_withdrawn``."""
    turn = Turn(Event.WITHDRAW, search, around)
    take_out(turn, reason)
    return turn.end()


def undo_withdrawal(search: Search, around: Around) -> Step:
    """Within 7 days the state left comes back, with its timers; what became due meanwhile is due now.

    A release that stood is opened again under a new link. Raises Refused ``too_late``.
    """
    turn = Turn(Event.UNDO_WITHDRAWAL, search, around)
    withdrawal = search.withdrawal
    assert withdrawal is not None
    if turn.now >= withdrawal.at + GRACE:
        raise turn.refusal("too_late", "Le délai de sept jours est passé : le dossier est détruit.")
    turn.set(withdrawal=None, touched_at=turn.now, timers=())
    turn.enter(withdrawal.left)
    for timer in withdrawal.timers:
        turn.arm(timer.kind, max(timer.at, turn.now), timer.doctor)
    turn.emit(ReopenRecord())
    release = search.release
    if release is not None:
        timers = turn.search.timers
        give(turn, release.doctor, release.kind)
        turn.set(timers=timers)
        position = search.position(release.doctor)
        used = position is not None and position.answer is not None and position.answer.offer
        if used and turn.state is State.RELEASED:
            turn.emit(CountOffer(offer=used, by=-1))
    turn.touch()
    turn.tell_requester()
    return turn.end()


def close(search: Search, comes_next: Next, relaunch_on: date | None, around: Around) -> Step:
    """A person ends the search without a doctor, with what comes next; closed already, only that changes.

    Raises Refused ``date_past``.
    """
    turn = Turn(Event.CLOSE, search, around)
    _not_past(turn, relaunch_on)
    turn.touch()
    if search.state is not State.UNMET:
        turn.set(rest=None)
        turn.enter(State.UNMET)
        turn.tell_requester()
    turn.set(ending=Ending(at=turn.search.since, next=comes_next, relaunch_on=relaunch_on))
    _plan(turn, relaunch_on)
    return turn.end()


def _plan(turn: Turn, relaunch_on: date | None) -> None:
    """Arm the relaunch; it defers the end of the retention."""
    turn.cancel(TimerKind.RELAUNCH)
    if relaunch_on is not None:
        at = opening_of_day(turn, relaunch_on)
        turn.arm(TimerKind.RELAUNCH, at)
        turn.arm(TimerKind.RETENTION_OVER, at + turn.rules.retention_record)


def relaunch(search: Search, on: date | None, around: Around) -> Step:
    """A new run, at once (ready, to be launched) or planned for a day. Raises Refused ``date_past``."""
    turn = Turn(Event.RELAUNCH, search, around)
    _not_past(turn, on)
    turn.touch()
    if on is not None and on > today(turn):
        ending = search.ending or Ending(at=search.since, next=Next.RELAUNCH)
        turn.set(ending=replace(ending, next=Next.RELAUNCH, relaunch_on=on))
        _plan(turn, on)
    else:
        new_run(turn)
        turn.enter(State.READY)
    return turn.end()


def reopen(
    search: Search,
    reason: str,  # noqa: ARG001 - sealed beside the record, no rule reads it
    around: Around,
) -> Step:
    """The doctor left or it failed: a new run begins at once, with the seniority of the first.

    The former doctor's release ends, and he is not asked again in this run.
    """
    turn = Turn(Event.REOPEN, search, around)
    turn.consented()
    end_release(turn)
    former = search.chosen
    assert former is not None
    new_run(turn)
    turn.put(Position(doctor=former, stand=Stand.GAVE_UP, at=turn.now))
    if turn.search.standing_yes:
        open_proposals(turn)
    else:
        ask_again(turn)
    turn.touch()
    turn.tell_requester()
    return turn.end()


def split(search: Search, keep: Household, around: Around) -> Step:
    """Part of a household stays in this search; the rest becomes a new one.

    Raises Refused ``not_a_household`` or ``bad_split``.
    """
    turn = Turn(Event.SPLIT, search, around)
    whole = search.household
    if whole is None or whole.adults + whole.children < 2:
        raise turn.refusal("not_a_household", "Cette recherche ne concerne qu’une personne.")
    rest = Household(adults=whole.adults - keep.adults, children=whole.children - keep.children)
    parts = (keep.adults, keep.children, rest.adults, rest.children)
    if min(parts) < 0 or keep.adults + keep.children == 0 or rest.adults + rest.children == 0:
        raise turn.refusal("bad_split", "Chaque partie doit compter au moins une personne du foyer.")
    turn.set(household=keep)
    turn.emit(SplitHousehold(rest=rest))
    turn.touch()
    return turn.end()


def join(search: Search, other: Search, around: Around) -> tuple[Step, Step]:
    """Two searches for one patient: the less advanced ends as duplicate, the other keeps the older seniority.

    Two that have a doctor each cannot be joined: both come back with a task, and stay. Raises Refused
    ``same_search``, or what the table refuses for either.
    """
    if search.id == other.id:
        raise Refused("same_search", "Choisissez deux recherches différentes.", search.state)
    turns = [Turn(Event.JOIN, one, around) for one in (search, other)]
    if all(turn.state in (State.RELEASED, State.ATTACHED) for turn in turns):
        for turn in turns:
            turn.task(TaskKind.BOTH_RELEASED)
        return turns[0].end(), turns[1].end()
    kept, ended = sorted(turns, key=_advance, reverse=True)
    take_out(ended, WithdrawalReason.DUPLICATE)
    kept.set(seniority=min(filter(None, (kept.search.seniority, ended.search.seniority)), default=None))
    kept.touch()
    return turns[0].end(), turns[1].end()


def _advance(turn: Turn) -> tuple[int, float]:
    """How far the search has come (a resting one: where it rests from), then how long it has waited."""
    search = turn.search
    state = search.state if search.rest is None else search.rest.left
    since = search.seniority or search.created_at
    return _ADVANCE.index(state), -since.timestamp()
