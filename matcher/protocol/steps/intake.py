"""From a draft to a request that is ready, and what may be put right later."""

from collections.abc import Iterable
from dataclasses import replace

from matcher.protocol.announcement import Announcement, Condition, covers
from matcher.protocol.effects import Letter
from matcher.protocol.ids import SearchId
from matcher.protocol.moves import Event, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Choice,
    Consent,
    Given,
    Household,
    Search,
    SpeaksToPatient,
    Stand,
    State,
    TaskKind,
    Timer,
    TimerKind,
    WithdrawalReason,
)
from matcher.protocol.steps.leaving import take_out
from matcher.protocol.steps.proposals import last_yes_gone, place
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import mail_wave
from matcher.protocol.wishes import Wish

_BEFORE_VALIDATION = frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED})


def new(
    id: SearchId,
    territory: str,
    around: Around,
    *,
    consent: Consent | None,
    wishes: tuple[Wish, ...] = (),
    conditions: Iterable[Condition] = (),
    urgent: bool = False,
    choice: Choice = Choice.PATIENT_CHOOSES,
    speaks_to_patient: SpeaksToPatient = SpeaksToPatient.COORDINATRICE,
    household: Household | None = None,
    announcement: Announcement | None = None,
) -> Search:
    """A search in draft, kept for ``retention_draft`` from its last touch."""
    now = around.now
    return Search(
        id=id,
        territory=territory,
        state=State.DRAFT,
        since=now,
        created_at=now,
        touched_at=now,
        urgent=urgent,
        choice=choice,
        speaks_to_patient=speaks_to_patient,
        consent=consent,
        household=household,
        announcement=announcement,
        wishes=wishes,
        conditions=frozenset(conditions),
        timers=(Timer(kind=TimerKind.RETENTION_OVER, at=now + around.rules.retention_draft),),
    )


def submit(search: Search, around: Around) -> Step:
    """The request is handed in; its seniority counts from the first time."""
    turn = Turn(Event.SUBMIT, search, around)
    turn.set(seniority=search.seniority or turn.now, missing=())
    turn.enter(State.SUBMITTED)
    turn.touch()
    return turn.end()


def give_back(search: Search, missing: tuple[str, ...], around: Around) -> Step:
    """The office returns a request with what is missing, as field names."""
    turn = Turn(Event.RETURN, search, around)
    turn.set(missing=missing, touched_at=turn.now)
    turn.enter(State.RETURNED)
    turn.touch()
    turn.tell_requester()
    return turn.end()


def validate(search: Search, around: Around) -> Step:
    """The office finds the request complete. Raises Refused ``consent`` unless the patient said yes."""
    turn = Turn(Event.VALIDATE, search, around)
    turn.consented()
    turn.set(confirmed_at=turn.now)
    turn.enter(State.READY)
    turn.touch()
    return turn.end()


def correct(
    search: Search,
    around: Around,
    *,
    wishes: tuple[Wish, ...] | None = None,
    conditions: Iterable[Condition] | None = None,
    household: Household | None = None,
    urgent: bool | None = None,
    choice: Choice | None = None,
    speaks_to_patient: SpeaksToPatient | None = None,
) -> Step:
    """Put details right; what is None stays. ``around.candidates`` are those of the corrected wishes.

    A wish or condition made stricter stops what no longer fits: the yes of a doctor who is no
    candidate any more is withdrawn (the chosen one's stays, a person decides about it), and silent
    doctors get no reminder.
    """
    turn = Turn(Event.CORRECT, search, around)
    turn.set(
        wishes=search.wishes if wishes is None else wishes,
        conditions=search.conditions if conditions is None else frozenset(conditions),
        household=household or search.household,
        urgent=search.urgent if urgent is None else urgent,
        choice=choice or search.choice,
        speaks_to_patient=speaks_to_patient or search.speaks_to_patient,
    )
    turn.touch()
    if (turn.search.wishes, turn.search.conditions) != (search.wishes, search.conditions):
        fitting = {candidate.doctor for candidate in around.candidates.ordered}
        for position in search.standing_yes:
            if position.doctor not in fitting:
                place(turn, position.doctor, Stand.DECLINED, position.answer)
                turn.write(Letter.THANKED, position.doctor)
        last_yes_gone(turn)
    return turn.end()


def announce(search: Search, announcement: Announcement, around: Around) -> Step:
    """Choose what is announced. Once it has been sent, a later run may only repeat or widen it."""
    turn = Turn(Event.ANNOUNCE, search, around)
    sent = search.announcement if search.announcement_frozen else None
    # A corrected condition must reach the doctors; age and place may only grow.
    if sent is not None and not covers(replace(announcement, conditions=sent.conditions), sent):
        raise turn.refusal(
            "announcement_frozen", "Une annonce déjà envoyée peut seulement être reprise ou élargie."
        )
    turn.set(announcement=announcement)
    turn.touch()
    return turn.end()


def take_consent(search: Search, consent: Consent, around: Around) -> Step:
    """Note what the patient says. After validation a "no" is a withdrawal, at any time and at once."""
    turn = Turn(Event.CONSENT, search, around)
    if search.state in _BEFORE_VALIDATION:
        turn.set(consent=consent)
        turn.touch()
    elif consent.given is Given.NO:
        take_out(turn, WithdrawalReason.CONSENT)
        turn.set(consent=consent)
    elif search.state is State.WITHDRAWN:
        raise turn.refusal("over", "Cette recherche est terminée.")
    elif consent.given is Given.UNDECIDED:
        raise turn.refusal("consent_stands", "L’accord a déjà été donné : s’il est retiré, notez « non ».")
    else:
        turn.set(consent=consent)
        _confirmed(turn)
    return turn.end()


def reconfirm(search: Search, around: Around) -> Step:
    """The patient still needs a doctor and still agrees; a wave that waited for it goes out."""
    turn = Turn(Event.RECONFIRM, search, around)
    turn.consented()
    _confirmed(turn)
    return turn.end()


def _confirmed(turn: Turn) -> None:
    waited = any(task.kind is TaskKind.RECONFIRM for task in turn.search.tasks)
    turn.set(confirmed_at=turn.now)
    turn.untask(TaskKind.RECONFIRM)
    turn.touch()
    if waited and turn.state is State.ASKING and not mail_wave(turn):
        turn.enter(State.CALLING)
