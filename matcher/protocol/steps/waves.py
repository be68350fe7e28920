"""Whom to mail next, and the delays of a wave; shared by the events that send one."""

from dataclasses import replace
from datetime import timedelta

from matcher.protocol.doctors import Candidate
from matcher.protocol.effects import Letter, SendToDoctor
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import (
    Channel,
    Delivery,
    Position,
    Search,
    Solicitation,
    Stand,
    State,
    TaskKind,
    TimerKind,
)
from matcher.protocol.steps.turn import Turn

#: A mail retried for longer no longer counts for its wave's delays (wall time).
MAIL_PATIENCE = timedelta(hours=4)
#: Nothing accepted for so long after mailing: the office is told (wall time).
SILENT_RELAY = timedelta(hours=1)
#: A search mails at most so many waves by itself.
WAVES = 2


def answered(position: Position | None) -> bool:
    """Whether the doctor has said anything in this run, even if it waits for the office."""
    if position is None:
        return False
    return position.stand is not Stand.OPEN or position.settling is not None or bool(position.held)


def unasked(turn: Turn) -> list[Candidate]:
    """Members who may still be mailed in this run: those who meet every wish first, then best first."""
    search = turn.search
    found = [
        candidate
        for candidate in turn.around.candidates.ordered
        if candidate.mailable
        and candidate.doctor not in search.declined
        and search.solicitation(candidate.doctor, Channel.MAIL) is None
        and not answered(search.position(candidate.doctor))
    ]
    return sorted(found, key=lambda candidate: not candidate.meets_all)


def mail_wave(turn: Turn) -> bool:
    """Mail the next wave; False where nobody is left to mail.

    The first wave holds only members who meet every wish; where there are none it is skipped at once.
    An urgent search mails everybody. Where need or consent have grown old nobody is mailed and the
    office is asked to reconfirm them (True: somebody will be mailed).
    """
    search = turn.search
    found = unasked(turn)
    if not found:
        return False
    if search.wave + search.run > 1 and turn.stale:
        turn.task(TaskKind.RECONFIRM)
        return True
    wave, found = _pick(turn, found)
    for candidate in found:
        turn.solicit(
            Solicitation(
                doctor=candidate.doctor,
                channel=Channel.MAIL,
                delivery=Delivery.QUEUED,
                at=turn.now,
                wave=wave,
            )
        )
        turn.emit(SendToDoctor(letter=Letter.ANNOUNCEMENT, doctor=candidate.doctor))
    turn.set(wave=wave)
    turn.untask(TaskKind.RECONFIRM)
    if turn.state is State.ASKING:
        turn.cancel(TimerKind.NEXT_WAVE, TimerKind.CALLS)
        turn.arm(TimerKind.MAIL_OVERDUE, turn.now + MAIL_PATIENCE)
        if first_acceptance(turn.search) is None:
            turn.arm(TimerKind.NOBODY_REACHED, turn.now + SILENT_RELAY)
    return True


def _pick(turn: Turn, found: list[Candidate]) -> tuple[int, list[Candidate]]:
    """The number of the next wave, and who is in it: of those whom the searches that are about to ask were
    given when they were shared out, where they were.
    """
    wave, eligible = _eligible(turn, found)
    if turn.search.urgent:
        return wave, eligible
    shared = turn.around.candidates.shared
    mine = [candidate for candidate in eligible if candidate.doctor in shared]
    return wave, (mine or eligible)[: turn.rules.wave_size]


def _eligible(turn: Turn, found: list[Candidate]) -> tuple[int, list[Candidate]]:
    """The number of the next wave, and everybody who could be in it."""
    wave = turn.search.wave + 1
    if turn.search.urgent:
        return wave, found
    best = [candidate for candidate in found if candidate.meets_all]
    if wave == 1 and not best:
        wave = WAVES
    return wave, best if wave == 1 else found


def next_wave(turn: Turn) -> list[Candidate]:
    """Who the next wave would mail."""
    return _pick(turn, unasked(turn))[1]


def eligible(turn: Turn) -> list[Candidate]:
    """Everybody whom the next wave could mail, best first."""
    return _eligible(turn, unasked(turn))[1]


def mailed(search: Search) -> list[Solicitation]:
    """The mails of this run."""
    return [s for s in search.solicitations if s.channel is Channel.MAIL]


def first_acceptance(search: Search) -> Solicitation | None:
    """The mail of this run that the relay accepted first."""
    accepted = [s for s in mailed(search) if s.accepted_at is not None]
    return min(accepted, key=lambda s: (s.accepted_at, s.doctor), default=None)


def start_delays(turn: Turn) -> None:
    """Start the delays of the wave once its mails are gone; go on at once where nobody is left to wait for.

    MAIL_OVERDUE runs from the mailing until the delays start, so it tells whether they have.
    """
    if turn.state is not State.ASKING or not turn.runs(TimerKind.MAIL_OVERDUE):
        return
    waiting = [s for s in mailed(turn.search) if s.delivery is Delivery.QUEUED]
    if any(turn.now - s.at < MAIL_PATIENCE for s in waiting):
        return
    first = first_acceptance(turn.search)
    if first is None:
        if not waiting:
            turn.enter(State.CALLING)
        return
    turn.cancel(TimerKind.MAIL_OVERDUE)
    assert first.accepted_at is not None
    if go_on_if_all_answered(turn):
        return
    delays = turn.delays
    calls = turn.doctors_time(delays.calls, first.accepted_at)
    if turn.search.urgent:
        turn.arm(TimerKind.CALLS, max(calls, turn.now))
        return
    next_wave = turn.doctors_time(delays.next_wave)
    if delays.reminder is not None:
        turn.arm(TimerKind.REMINDER, turn.doctors_time(delays.reminder))
    if turn.search.wave < WAVES:
        turn.arm(TimerKind.NEXT_WAVE, next_wave)
    turn.arm(TimerKind.CALLS, max(calls, next_wave))


def silent(turn: Turn, solicitation: Solicitation) -> bool:
    """Whether the doctor may still answer this mail: nothing said, and the mail not lost."""
    lost = solicitation.delivery in (Delivery.UNREACHED, Delivery.DROPPED)
    return not lost and not settled(turn.search.position(solicitation.doctor))


def settled(position: Position | None) -> bool:
    """Whether the doctor's answer has taken effect and nothing of his is pending."""
    return (
        position is not None
        and position.stand is not Stand.OPEN
        and position.settling is None
        and not position.held
    )


def go_on_if_all_answered(turn: Turn) -> bool:
    """While asking: go on at once where every asked doctor of the run has answered or cannot be reached."""
    if turn.state is not State.ASKING or turn.search.wave == 0:
        return False
    if any(silent(turn, solicitation) for solicitation in mailed(turn.search)):
        return False
    go_on(turn)
    return True


def go_on(turn: Turn) -> None:
    """The next wave where there is one to come by itself, else the calls."""
    if turn.search.urgent or turn.search.wave >= WAVES or not mail_wave(turn):
        turn.enter(State.CALLING)


def ask_again(turn: Turn) -> None:
    """No yes stands any more: one more wave with fresh delays where members are left, else the calls."""
    if unasked(turn):
        turn.enter(State.ASKING)
        mail_wave(turn)
    else:
        turn.enter(State.CALLING)


def remind(turn: Turn) -> None:
    """The one reminder, to the doctors whose mail was accepted a reminder's delay ago and who said nothing.

    Nobody is reminded who no longer fits (a wish made stricter) or is away (P4, P5).
    """
    delay = turn.delays.reminder
    usable = {c.doctor for c in turn.around.candidates.ordered if c.mailable or c.callable}
    for solicitation in mailed(turn.search):
        if (
            delay is not None
            and solicitation.delivery is Delivery.ASKED
            and solicitation.accepted_at is not None
            and solicitation.reminded_at is None
            and solicitation.doctor in usable
            and not answered(turn.search.position(solicitation.doctor))
            and turn.doctors_time(delay, solicitation.accepted_at) <= turn.now
        ):
            turn.solicit(replace(solicitation, reminded_at=turn.now))
            turn.emit(SendToDoctor(letter=Letter.REMINDER, doctor=solicitation.doctor))


def drop_from_wave(turn: Turn, doctor: DoctorId, delivery: Delivery) -> None:
    """The announcement to this doctor is settled without having reached him."""
    solicitation = turn.search.solicitation(doctor, Channel.MAIL)
    if solicitation is not None and solicitation.delivery is not delivery:
        turn.solicit(replace(solicitation, delivery=delivery))
        start_delays(turn)
        go_on_if_all_answered(turn)
