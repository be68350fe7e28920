"""What comes back by mail takes effect: bounces flag an address, plain replies count or go to the office.

One mail is one transaction, committed before it is acknowledged; a second copy changes nothing more. What is
not understood for certain is never counted. Texts lie sealed and are read by staff only; no log has them.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import date

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.effects import Effect, FlagMailbox, Letter, SendToDoctor
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event, Refused
from matcher.protocol.search import Says, Search, Stand, State
from matcher.service import post, replies, returned_many, turn, vaulted
from matcher.service.actors import Actor, Role, system
from matcher.service.house import House
from matcher.storage import doctors, journal, received, searches
from matcher.storage.doctors import Card
from messaging import bounces, incoming, outbox
from messaging import replies as plain
from messaging.bounces import Fate
from messaging.inbox import Received
from messaging.incoming import Incoming
from messaging.links import Purpose
from messaging.outbox import Sent
from messaging.replies import Reading

#: Phrases of our own mails: from the first on, a reply quotes, whether or not it says so.
OURS = (
    "cherche un médecin traitant",
    "« oui » ou « non » à ce message",
    ", même dans quelques semaines",
    "votre oui compte dès que vous l’avez confirmé",
)
#: Letters to a doctor by which he asks for a yes once more: a plain one is then for a person.
_ASKED_AGAIN = frozenset({Letter.CONFIRM_ANSWER, Letter.STILL_AVAILABLE})
#: Of a text, as much as a person would read.
_LONGEST_TEXT = 4000
_ROW = 32
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A mail, taken apart and read, before anything is looked up."""

    message_id: str
    sender: str
    subject: str
    text: str
    automatic: bool
    fate: Fate | None
    reading: Reading

    @property
    def kind(self) -> str:
        if self.fate is not None:
            return "bounce"
        return "automatic" if self.automatic else "reply"


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A mail and what it is about, under the lock of its search."""

    sent: Sent
    letter: Letter
    search: Search
    id: str
    read: _Read
    #: The mark of the address that the mail was sent to; empty where the mail does not tell.
    mark: str
    card: Card | None

    @property
    def doctor(self) -> DoctorId:
        return DoctorId(self.sent.ids["doctor"])

    @property
    def this_run(self) -> bool:
        return str(self.search.run) == self.sent.ids["run"]


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of a mail: whether it took effect, and whether a person must read it."""

    counted: bool = False
    to_read: bool = False


_NOTED, _TO_READ, _COUNTED = _Outcome(), _Outcome(to_read=True), _Outcome(counted=True)


def is_ours(house: House, address: str) -> bool:
    """Whether we made this address. Forged, altered and foreign ones are not told apart."""
    return house.links.returned(address) is not None or house.links.answered(address) is not None


async def take(house: House, mail: Received) -> None:
    """Let one mail take effect, once."""
    came_back = house.links.returned(mail.recipient) or house.links.answered(mail.recipient)
    if came_back is None:
        return
    domain = mail.recipient.rpartition("@")[2].lower()
    here = [t.id for t in house.territories.values() if t.settings.return_domain == domain]
    # In a thread: what people send may be long and strange, and others wait for the loop.
    read = await asyncio.to_thread(_read, mail, house.now().date())
    async with house.sessions.begin() as session:
        sent = await outbox.sent(session, here, came_back[:_ROW])
        if sent is not None and sent.letter in returned_many.SEVERAL:
            if not await returned_many.take(session, house, sent, read.fate, came_back[_ROW:]):
                house.at_the_door["forgotten"] += 1
            return
        about = None if sent is None else sent.ids.get("search")
        owned = None if sent is None or about is None else await searches.lock(session, sent.territory, about)
        if sent is None or owned is None:
            house.at_the_door["forgotten"] += 1
            return
        case = await _note(session, house, sent, owned.search, read, came_back[_ROW:])
        if case is None:
            house.at_the_door["repeated"] += 1
            return
        outcome = await _effect(session, house, case)
        waiting = outcome.to_read and await _keep(session, house, case)
        await received.mark(session, sent.territory, case.id, counted=outcome.counted, waiting=waiting)
    house.bell.ring(sent.territory)


def _read(mail: Received, today: date) -> _Read:
    """Take a mail apart; one that cannot be is for a person to know of."""
    key = hashlib.sha256(mail.raw).hexdigest()
    try:
        parsed = incoming.parse(mail.raw, no_sender=mail.no_sender)
        fate = bounces.fate(parsed)
        reading = plain.read(parsed.text, subject=parsed.subject, ours=OURS, today=today)
    except Exception as problem:  # noqa: BLE001
        # Mails are made by strangers: one that breaks the reading must not come again for five days.
        _log.error("mail_unreadable", problem=type(problem).__name__)
        return _Read(
            message_id=key,
            sender="",
            subject="",
            text="",
            automatic=mail.no_sender,
            fate=None,
            reading=Reading(),
        )
    return _Read(
        message_id=parsed.message_id or key,
        sender=parsed.sender,
        subject=parsed.subject,
        text=_shown(parsed),
        automatic=parsed.automatic,
        fate=fate,
        reading=reading,
    )


def _shown(parsed: Incoming) -> str:
    """What a person is shown: the writer's own words, else all of it."""
    return (plain.own_words(parsed.text, OURS) or parsed.text.strip())[:_LONGEST_TEXT].replace("\0", "")


async def _note(
    session: AsyncSession, house: House, sent: Sent, search: Search, read: _Read, mark: str
) -> _Case | None:
    """Note that it came; None where it had come before."""
    doctor, run = sent.ids.get("doctor"), sent.ids.get("run")
    card = None if doctor is None else await doctors.get(session, sent.territory, doctor)
    reading: str = read.fate or read.reading.says or "unclear"
    if read.kind == "automatic":
        reading = "noted"
    id = await received.add(
        session,
        sent.territory,
        house.vault.hmac_term(sent.territory, f"received:{sent.id}:{read.message_id}"),
        at=house.now(),
        letter=sent.letter,
        search=search.id,
        run=None if run is None else int(run),
        doctor=doctor,
        kind=read.kind,
        reading=reading,
        sender=_who(read, card),
    )
    if id is None:
        return None
    return _Case(sent=sent, letter=Letter(sent.letter), search=search, id=id, read=read, mark=mark, card=card)


def _who(read: _Read, card: Card | None) -> str:
    if read.fate is not None:
        return "server"
    if card is not None and read.sender:
        if read.sender == (card.email or "").lower():
            return "doctor"
        if read.sender == (card.delegate_email or "").lower():
            return "delegate"
    return "other"


async def _effect(session: AsyncSession, house: House, case: _Case) -> _Outcome:
    """Carry out what the mail means."""
    read = case.read
    if read.fate is not None:
        return await _returned(session, house, case, read.fate)
    if read.automatic:
        return _TO_READ if plain.tells(read.text) else _NOTED
    who = _who(read, case.card)
    says = read.reading.says
    if says is None or who == "other" or case.card is None or not case.this_run:
        return _TO_READ
    return await _answered(session, house, case, Says(says), who)


async def _answered(session: AsyncSession, house: House, case: _Case, says: Says, who: str) -> _Outcome:
    """An answer that was understood counts as one by plain mail."""
    territory = case.sent.territory
    actor = Actor(territory=territory, id=case.doctor, role=Role.DOCTOR)
    around = await turn.around(session, house, case.search, territory)
    try:
        step = replies.by_mail(case.doctor, says, house.now(), case.read.reading.until)(case.search, around)
    except Refused:
        # The chosen doctor who writes no, a search that takes no answer now: a person decides.
        return _TO_READ
    confirming = [e for e in step.effects if _asks_to_confirm(e)] if who == "delegate" else []
    if confirming:
        step = replace(step, effects=tuple(e for e in step.effects if e not in confirming))
    await turn.carry_out(
        session, house, actor, case.search, step, Event.ANSWER, doctor=case.doctor, purpose=says
    )
    for effect in confirming:
        assert isinstance(effect, SendToDoctor)
        # She who wrote gets the link, not the doctor who did not.
        await post.to_delegate(session, house, step.search, effect)
    position = step.search.position(case.doctor)
    unconfirmed = position is not None and position.stand is Stand.UNCONFIRMED
    again = says is Says.YES and unconfirmed and case.letter in _ASKED_AGAIN
    return _Outcome(counted=True, to_read=case.read.reading.more or again)


def _asks_to_confirm(effect: Effect) -> bool:
    return isinstance(effect, SendToDoctor) and effect.letter is Letter.CONFIRM_ANSWER


async def _returned(session: AsyncSession, house: House, case: _Case, fate: Fate) -> _Outcome:
    """A mail that did not arrive: the doctor is phoned; his address is flagged where it is at fault."""
    if fate is Fate.NOTED:
        return _NOTED
    if "doctor" not in case.sent.ids or fate is Fate.UNCLEAR or case.card is None:
        return _TO_READ
    delegate = case.sent.ids["purpose"] == Purpose.DELEGATE
    now_at = case.card.delegate_email if delegate else case.card.email
    if not case.mark:
        # It came to the reply address: which of his addresses failed cannot be told.
        return _TO_READ
    if now_at is None or house.links.address_mark(now_at) != case.mark:
        # Corrected since: what is known now is not at fault.
        return _NOTED
    if delegate:
        return _TO_READ
    await _unreached(session, house, case, at_fault=fate is Fate.PERMANENT)
    return _COUNTED


async def _unreached(session: AsyncSession, house: House, case: _Case, *, at_fault: bool) -> None:
    territory = case.sent.territory
    if case.this_run:
        around = await turn.around(session, house, case.search, territory)
        try:
            step = steps.mail_dead(case.search, case.letter, case.doctor, around)
        except Refused:
            step = None
        if step is not None:
            if not at_fault:
                kept = tuple(e for e in step.effects if not isinstance(e, FlagMailbox))
                step = replace(step, effects=kept)
            await turn.carry_out(
                session,
                house,
                system(territory),
                case.search,
                step,
                Event.MAIL_DEAD,
                doctor=case.doctor,
                purpose=case.letter,
            )
            return
    if at_fault:
        # Whatever became of the search: the next one must not write to this address.
        await journal.append(
            session,
            house.entry(system(territory), "mailbox_flagged", search=case.search.id, doctor=case.doctor),
        )
        await doctors.flag_mailbox(session, territory, case.doctor)


async def _keep(session: AsyncSession, house: House, case: _Case) -> bool:
    """Seal what a person shall read; False where the search is over and nobody needs to."""
    search = case.search
    if search.state is State.WITHDRAWN or search.record_destroyed:
        return False
    read = case.read
    words = {"subject": read.subject, "text": read.text}
    if _who(read, case.card) == "other" and read.sender:
        words["from"] = read.sender
    if case.read.reading.until is not None:
        words["until"] = case.read.reading.until.isoformat()
    await vaulted.put_reply(session, house, search, case.id, words)
    await journal.append(
        session,
        house.entry(
            system(case.sent.territory),
            "reply_to_read",
            search=search.id,
            doctor=case.sent.ids.get("doctor"),
            purpose=case.read.kind,
        ),
    )
    return True
