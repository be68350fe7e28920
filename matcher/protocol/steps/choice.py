"""The patient's choice, the release of the record, and the giving up."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Position,
    Release,
    ReleaseKind,
    Search,
    Stand,
    TaskKind,
    TimerKind,
)
from matcher.protocol.steps.proposals import (
    channel_for,
    end_release,
    give,
    give_offer_back,
    open_proposals,
    place,
    release_to,
)
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import ask_again

_NO_SUCH = "Ce médecin n’a pas proposé d’accueillir la personne."


def choose(search: Search, doctor: DoctorId, handover: ReleaseKind | None, around: Around) -> Step:
    """The patient chooses this doctor, and the record goes to him.

    ``handover``: the way it goes, where it is not the page. Raises Refused ``consent``,
    ``no_such_proposal``, ``unconfirmed`` or ``no_channel``.
    """
    turn = Turn(Event.CHOOSE, search, around)
    turn.consented()
    position = _proposal(turn, doctor)
    if position.stand is Stand.UNCONFIRMED:
        raise turn.refusal(
            "unconfirmed", "Ce oui n’est pas encore confirmé : par le lien du médecin, ou en l’appelant."
        )
    if position.settling is not None or position.held:
        raise turn.refusal(
            "answer_pending", "Ce médecin vient de répondre autre chose : attendez ou départagez sa réponse."
        )
    turn.touch()
    release_to(turn, doctor, channel_for(turn, doctor, handover))
    return turn.end()


def _proposal(turn: Turn, doctor: DoctorId) -> Position:
    position = turn.search.position(doctor)
    if position is None or position.stand not in (Stand.YES, Stand.UNCONFIRMED):
        raise turn.refusal("no_such_proposal", _NO_SUCH)
    return position


def decline(search: Search, doctors: Iterable[DoctorId], around: Around) -> Step:
    """The patient does not wish these doctors: they are thanked and never asked again in this search.

    Raises Refused ``no_such_proposal`` where one of them has no yes that stands.
    """
    turn = Turn(Event.DECLINE, search, around)
    turn.touch()
    for doctor in doctors:
        position = _proposal(turn, doctor)
        place(turn, doctor, Stand.DECLINED, position.answer)
        turn.set(declined=turn.search.declined | {doctor})
        turn.write(Letter.THANKED, doctor)
    if not turn.search.standing_yes:
        ask_again(turn)
    return turn.end()


def _release(turn: Turn) -> Release:
    """The release that stands. In released and attached there always is one."""
    release = turn.search.release
    assert release is not None
    return release


def renew_release(search: Search, kind: ReleaseKind | None, around: Around) -> Step:
    """A new link (or another way) for the chosen doctor; the old link dies and the lock goes.

    Raises Refused ``consent`` or ``no_channel``.
    """
    turn = Turn(Event.RENEW_RELEASE, search, around)
    turn.consented()
    release = _release(turn)
    give(turn, release.doctor, channel_for(turn, release.doctor, kind or release.kind))
    turn.untask(
        TaskKind.LINK_LOCKED,
        TaskKind.RELEASE_UNREACHED,
        TaskKind.RECORD_NOT_OPENED,
        TaskKind.CALL_ME_FOR_THE_CODE,
        doctor=release.doctor,
    )
    turn.touch()
    return turn.end()


def lock_release(search: Search, around: Around) -> Step:
    """Five wrong codes: the link is locked until the office renews it."""
    turn = Turn(Event.LOCK_RELEASE, search, around)
    release = _release(turn)
    turn.set(release=replace(release, locked=True))
    turn.task(TaskKind.LINK_LOCKED, release.doctor)
    return turn.end()


def call_me(search: Search, around: Around) -> Step:
    """The chosen doctor asks to be called for the code."""
    turn = Turn(Event.CALL_ME, search, around)
    turn.task(TaskKind.CALL_ME_FOR_THE_CODE, _release(turn).doctor)
    turn.touch()
    return turn.end()


def _his_release(turn: Turn, doctor: DoctorId) -> Release:
    """The release, if it is this doctor's and not locked. Raises Refused ``over`` or ``locked``."""
    release = _release(turn)
    if release.doctor != doctor:
        raise turn.refusal("over", "Cette recherche est terminée pour vous.")
    if release.locked:
        raise turn.refusal("locked", "Ce lien est bloqué : appelez la CPTS, qui le renouvelle.")
    return release


def open_record(search: Search, doctor: DoctorId, around: Around) -> Step:
    """The chosen doctor opens the record (P1). Raises Refused ``consent``, ``over`` or ``locked``."""
    turn = Turn(Event.OPEN_RECORD, search, around)
    turn.consented()
    release = _his_release(turn, doctor)
    if release.opened_at is None:
        turn.set(release=replace(release, opened_at=turn.now))
    turn.cancel(TimerKind.OPENING_REMINDER, TimerKind.OPENING_CALL)
    turn.untask(TaskKind.RECORD_NOT_OPENED, TaskKind.CALL_ME_FOR_THE_CODE, doctor=doctor)
    turn.touch()
    return turn.end()


def acknowledge(search: Search, doctor: DoctorId, around: Around) -> Step:
    """The chosen doctor says that he has read the record. Raises Refused as ``open_record``."""
    turn = Turn(Event.ACKNOWLEDGE, search, around)
    release = _his_release(turn, doctor)
    if release.acknowledged_at is None:
        turn.set(release=replace(release, acknowledged_at=turn.now))
        turn.touch()
    return turn.end()


def desist(
    search: Search,
    by: Literal["doctor", "patient"],
    reason: str,  # noqa: ARG001 - sealed beside the record, no rule reads it
    around: Around,
) -> Step:
    """The chosen doctor gives up, or the patient does not wish to go on with him.

    The reserve is proposed where there is one, else the asking goes on.
    """
    turn = Turn(Event.DESIST, search, around)
    turn.touch()
    doctor = _release(turn).doctor
    end_release(turn)
    give_offer_back(turn, doctor)
    turn.set(release=None, appointment=None)
    position = search.position(doctor)
    answer = None if position is None else position.answer
    if by == "patient":
        turn.set(declined=turn.search.declined | {doctor})
    place(turn, doctor, Stand.DECLINED if by == "patient" else Stand.GAVE_UP, answer)
    if turn.search.standing_yes:
        open_proposals(turn)
    else:
        ask_again(turn)
    if by == "doctor":
        turn.task(TaskKind.DOCTOR_GAVE_UP, doctor)
    turn.tell_requester()
    return turn.end()
