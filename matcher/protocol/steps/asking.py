"""The launch, the waves, and what becomes of the mails."""

from dataclasses import replace

from matcher.protocol.doctors import FittingOffer
from matcher.protocol.effects import FlagMailbox, Letter, RevokeLinks
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Event, Step
from matcher.protocol.needs import Need
from matcher.protocol.rules import Around
from matcher.protocol.search import (
    Answer,
    Channel,
    Delivery,
    Position,
    Says,
    Search,
    Stand,
    State,
    TaskKind,
    TimerKind,
    Via,
)
from matcher.protocol.steps.proposals import match_first, open_proposals
from matcher.protocol.steps.turn import Turn
from matcher.protocol.steps.waves import (
    answered,
    drop_from_wave,
    eligible,
    mail_wave,
    next_wave,
    start_delays,
)

_ANNOUNCING = (Letter.ANNOUNCEMENT, Letter.REMINDER)
_PROPOSED = (State.ASKING, State.CALLING, State.PROPOSING)


def launch(search: Search, around: Around) -> Step:
    """Begin to look: standing offers and reserve first, else the first wave, else the calls.

    Raises Refused ``consent``, ``too_few_residents`` or, for a later run, ``reconfirm_needed``.
    """
    turn = Turn(Event.LAUNCH, search, around)
    turn.consented()
    turn.announced()
    if search.run > 1:
        _reconfirmed(turn)
    turn.untask(TaskKind.RECONFIRM, TaskKind.RELAUNCH_DUE)
    turn.set(announcement_frozen=True)
    fitting = _offers(turn)
    turn.touch()
    if turn.search.standing_yes:
        open_proposals(turn)
        turn.tell_requester()
        _match_an_offer(turn, fitting)
    else:
        turn.enter(State.ASKING)
        if not mail_wave(turn):
            turn.enter(State.CALLING)
    turn.touch()
    return turn.end()


def wave_size(search: Search, around: Around) -> int:
    """How many doctors a launch would mail now (« Lancer : 12 médecins »); none where an offer or a
    reserve fits. Raises Refused where there is nothing to launch.
    """
    turn = Turn(Event.LAUNCH, search, around)
    return 0 if around.candidates.offers or search.standing_yes else len(next_wave(turn))


def wave_need(search: Search, around: Around) -> Need:
    """Whom the first wave of a launch could mail, best first, and how many of them: what ``sharing`` takes.

    Nobody where an offer or a reserve fits, and nobody for an urgent search, which mails everybody. Raises
    Refused where there is nothing to launch.
    """
    turn = Turn(Event.LAUNCH, search, around)
    alone = search.urgent or around.candidates.offers or search.standing_yes
    doctors = () if alone else tuple(candidate.doctor for candidate in eligible(turn))
    return Need(search=search.id, doctors=doctors, wanted=min(len(doctors), turn.rules.wave_size))


def _reconfirmed(turn: Turn) -> None:
    """Raises Refused ``reconfirm_needed`` where need and consent have grown old."""
    if turn.stale:
        raise turn.refusal(
            "reconfirm_needed",
            "Le besoin et l’accord de la personne datent : confirmez-les d’abord avec elle.",
        )


def _offers(turn: Turn) -> list[FittingOffer]:
    """Take every fitting standing offer as a yes given beforehand; returns those taken, best first."""
    taken = []
    for offer in turn.around.candidates.offers:
        search = turn.search
        if offer.doctor in search.declined or answered(search.position(offer.doctor)):
            continue
        answer = Answer(
            id=AnswerId(f"{search.run}-{offer.offer}"),
            says=Says.YES,
            via=Via.OFFER,
            at=turn.now,
            offer=offer.offer,
        )
        turn.put(Position(doctor=offer.doctor, stand=Stand.YES, at=turn.now, answer=answer))
        taken.append(offer)
    return taken


def _match_an_offer(turn: Turn, offers: list[FittingOffer]) -> None:
    """Under ``first_match`` an offer counts only where the doctor made it over his own link."""
    for offer in offers:
        position = turn.search.position(offer.doctor)
        if not offer.by_link or position is None or position.answer is None:
            continue
        if match_first(turn, offer.doctor, position.answer):
            return


def send_wave(search: Search, around: Around) -> Step:
    """The next wave by hand, also while calling or proposing. Raises Refused ``nobody_left``."""
    turn = Turn(Event.WAVE, search, around)
    turn.consented()
    _reconfirmed(turn)
    if not mail_wave(turn):
        raise turn.refusal("nobody_left", "Tous les médecins qui conviennent ont déjà été sollicités.")
    turn.touch()
    return turn.end()


def start_calls(search: Search, around: Around) -> Step:
    """Pass to the calls now; while proposing the proposals stay, and she may phone."""
    turn = Turn(Event.START_CALLS, search, around)
    if turn.kept:
        return turn.end()
    _reconfirmed(turn)
    turn.enter(State.CALLING)
    turn.touch()
    return turn.end()


def widen(search: Search, around: Around) -> Step:
    """The neighbouring zone may be phoned too."""
    turn = Turn(Event.WIDEN, search, around)
    if not search.widened:
        turn.set(widened=True)
        turn.touch()
    return turn.end()


def offer_declared(search: Search, around: Around) -> Step:
    """A doctor declared places beforehand: from now on they are a yes where they fit."""
    turn = Turn(Event.OFFER_DECLARED, search, around)
    if turn.kept:
        return turn.end()
    fitting = _offers(turn)
    if fitting:
        turn.touch()
        if search.state in _PROPOSED:
            open_proposals(turn)
            turn.tell_requester()
            _match_an_offer(turn, fitting)
    return turn.end()


def mail_accepted(search: Search, letter: Letter, doctor: DoctorId, around: Around) -> Step:
    """The relay took a mail to this doctor; only announcements matter to the rules."""
    turn = Turn(Event.MAIL_ACCEPTED, search, around)
    solicitation = search.solicitation(doctor, Channel.MAIL)
    waiting = solicitation is not None and solicitation.delivery is Delivery.QUEUED
    if turn.kept or solicitation is None or not waiting or letter is not Letter.ANNOUNCEMENT:
        return turn.end()
    turn.solicit(replace(solicitation, delivery=Delivery.ASKED, accepted_at=turn.now))
    turn.cancel(TimerKind.NOBODY_REACHED)
    turn.untask(TaskKind.NOBODY_REACHED)
    start_delays(turn)
    return turn.end()


def mail_dropped(search: Search, letter: Letter, doctor: DoctorId, around: Around) -> Step:
    """A mail had become obsolete and was not sent."""
    turn = Turn(Event.MAIL_DROPPED, search, around)
    if not turn.kept and letter is Letter.ANNOUNCEMENT:
        drop_from_wave(turn, doctor, Delivery.DROPPED)
    return turn.end()


def mail_dead(search: Search, letter: Letter, doctor: DoctorId, around: Around) -> Step:
    """A mail died or bounced: the address is flagged and the doctor moves to the calls.

    A dead release mail is a task: it is renewed to another address or handed over otherwise.
    """
    turn = Turn(Event.MAIL_DEAD, search, around)
    turn.emit(FlagMailbox(doctor=doctor))
    if letter in _ANNOUNCING:
        turn.emit(RevokeLinks(doctor=doctor))
        turn.task(TaskKind.MAIL_UNREACHED, doctor)
        drop_from_wave(turn, doctor, Delivery.UNREACHED)
    if search.chosen == doctor and letter in (Letter.CHOSEN, Letter.NOT_OPENED):
        turn.task(TaskKind.RELEASE_UNREACHED, doctor)
    return turn.end()
