"""A search that ends: taken out at once, or brought into its next run."""

from dataclasses import replace
from datetime import timedelta

from matcher.protocol.effects import CloseRecord, DestroyRecord, Letter
from matcher.protocol.search import (
    Consent,
    Given,
    Position,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    TimerKind,
    Withdrawal,
    WithdrawalReason,
)
from matcher.protocol.steps.proposals import aged, end_release, give_offer_back
from matcher.protocol.steps.turn import Turn

#: A withdrawal other than consent taken back may be undone for so long (wall time).
GRACE = timedelta(days=7)


def said_yes(position: Position) -> bool:
    """Whether the doctor waits for the outcome of a yes, be it still settling."""
    standing = position.stand in (Stand.YES, Stand.UNCONFIRMED)
    return standing or (position.settling is not None and position.settling.says is Says.YES)


def thank_the_others(turn: Turn) -> None:
    """It is over: thank every doctor whose yes was not chosen."""
    for position in turn.search.positions:
        if said_yes(position):
            turn.write(Letter.THANKED, position.doctor)


def take_out(turn: Turn, reason: WithdrawalReason) -> None:
    """Withdraw the search. Consent taken back destroys the record at once and is not undone (P9)."""
    search = turn.search
    already = search.state is State.WITHDRAWN
    if already and (reason is not WithdrawalReason.CONSENT or _taken_back(search)):
        raise turn.refusal("already_withdrawn", "Cette recherche est déjà retirée.")
    if not already:
        turn.set(withdrawal=Withdrawal(reason=reason, at=turn.now, left=search.state, timers=search.timers))
        end_release(turn)
        if search.chosen is not None and search.state is State.RELEASED:
            give_offer_back(turn, search.chosen)
        thank_the_others(turn)
        turn.enter(State.WITHDRAWN)
        if reason is not WithdrawalReason.DUPLICATE:
            turn.tell_requester()
    turn.touch()
    if reason is WithdrawalReason.CONSENT:
        consent = search.consent or Consent(given=Given.NO, at=turn.now)
        turn.set(
            consent=replace(consent, given=Given.NO, at=turn.now),
            withdrawal=Withdrawal(reason=reason, at=turn.now, left=State.WITHDRAWN),
        )
        destroy(turn, consent_taken_back=True)
    else:
        turn.emit(CloseRecord())
        turn.arm(TimerKind.GRACE_OVER, turn.now + GRACE)


def _taken_back(search: Search) -> bool:
    return search.withdrawal is not None and search.withdrawal.reason is WithdrawalReason.CONSENT


def destroy(turn: Turn, *, consent_taken_back: bool) -> None:
    """The data keys go now; nothing of this search runs any more."""
    turn.set(record_destroyed=True, release=None, rest=None, timers=(), tasks=())
    turn.emit(DestroyRecord(consent_taken_back=consent_taken_back))


def new_run(turn: Turn) -> None:
    """Begin the next run: everybody may be asked anew, a yes that stands comes along.

    A yes older than 5 working days must be confirmed before it can be chosen.
    """
    search = turn.search
    carried = tuple(
        replace(p, stand=Stand.UNCONFIRMED) if p.stand is Stand.YES and aged(turn, p) else p
        for p in search.positions
        if p.stand in (Stand.YES, Stand.UNCONFIRMED) or p.settling is not None or p.held
    )
    turn.set(
        run=search.run + 1,
        wave=0,
        first_match_done=False,
        solicitations=(),
        positions=carried,
        release=None,
        appointment=None,
        declaration=None,
        ending=None,
    )
    if turn.stale:
        turn.task(TaskKind.RECONFIRM)
