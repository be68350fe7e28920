"""Mails that died and of which no search keeps a task: each is told on /bureau until somebody took note.

What became of announcements, reminders and the mails of a release moves their search, which keeps tasks of
its own (``service.telling``). The others change nothing in a search, but somebody waits for what they said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import Conflict, NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, searches
from messaging import dead_letters
from messaging.outbox import Sent

#: What did not arrive, and what to do about it.
WORDS: Mapping[Letter, tuple[str, str]] = {
    Letter.ANNOUNCEMENT: ("L’annonce n’est pas arrivée au secrétariat : adresse à corriger", "Voir"),
    Letter.REMINDER: ("La relance n’est pas arrivée au secrétariat : adresse à corriger", "Voir"),
    Letter.CONFIRM_ANSWER: ("Un oui attend sa confirmation : le mail n’est pas arrivé", "Appeler"),
    Letter.STILL_AVAILABLE: ("Un oui est à redemander : le mail n’est pas arrivé", "Appeler"),
    Letter.KEPT_IN_RESERVE: ("Un oui reste en réserve : le mail qui le dit n’est pas arrivé", "Appeler"),
    Letter.THANKED: ("Le mail de remerciement n’est pas arrivé : adresse à corriger", "Voir"),
    Letter.PLEASE_DELETE: ("La fiche est à effacer : le mail qui le demande n’est pas arrivé", "Appeler"),
    Letter.SECOND_FACTOR: ("Le mail du second facteur n’est pas arrivé", "Appeler"),
    Letter.DIGEST: ("Les annonces réunies ne sont pas arrivées : adresse à corriger", "Voir"),
    Letter.LIST: ("La liste de patients n’est pas arrivée : adresse à corriger", "Voir"),
    Letter.REQUESTER_NEWS: ("Les nouvelles ne sont pas arrivées à la structure", "Prévenir"),
    Letter.CHOICE_CHASED: ("Un choix est attendu : le mail à la structure n’est pas arrivé", "Prévenir"),
}
#: About several searches at once; each was told when the mail died, and has gone on.
GATHERED: Final = frozenset({Letter.DIGEST, Letter.LIST})


@dataclass(frozen=True, kw_only=True)
class Unreached:
    """One mail that died."""

    id: str
    letter: Letter
    #: None for a mail about several, or about none.
    search: str | None
    doctor: str | None
    reason: str
    verb: str
    at: datetime


async def unreached(session: AsyncSession, territory: str) -> list[Unreached]:
    """Those of which nobody took note yet, oldest first."""
    found = []
    for row, at in await dead_letters.dead(session, territory):
        letter = Letter(row.letter)
        reason, verb = WORDS.get(letter, ("Un mail n’est pas arrivé", "Voir"))
        found.append(
            Unreached(
                id=row.id,
                letter=letter,
                search=row.ids.get("search"),
                doctor=row.ids.get("doctor"),
                reason=reason,
                verb=verb,
                at=at,
            )
        )
    return found


async def listed(house: House, actor: Actor) -> list[dict[str, Any]]:
    """The same for a program: ``[{id, letter, at, reason, may_go_again, search? {id, reference}, doctor? {id,
    name}}]``.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        found = await unreached(session, actor.territory)
        names = await searches.references(session, actor.territory, {m.search for m in found if m.search})
        known = await doctors.cards(session, actor.territory, {m.doctor for m in found if m.doctor})
    items = []
    for mail in found:
        item: dict[str, Any] = {
            "id": mail.id,
            "letter": mail.letter.value,
            "at": mail.at,
            "reason": mail.reason,
            "may_go_again": mail.letter not in GATHERED,
        }
        if mail.search in names:
            item["search"] = {"id": mail.search, "reference": names[mail.search]}
        if mail.doctor in known:
            item["doctor"] = {"id": mail.doctor, "name": known[DoctorId(mail.doctor)].name}
        items.append(item)
    return items


async def take_note(house: House, actor: Actor, mail: str) -> None:
    """Somebody saw to it that what the mail said is known. Raises NotFound where no such mail waits."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        dead = await dead_letters.take_note(session, actor.territory, mail, now=house.now())
        await _journaled(session, house, actor, "mail_noted", dead)
    house.bell.ring(actor.territory)


async def send_again(house: House, actor: Actor, mail: str) -> None:
    """The cause is mended: the mail goes again, to the address that the directory has now, under its first
    Message-ID. Raises NotFound, and Conflict ``moved_on`` for a mail about several searches: each of them
    has gone on without it.
    """
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        dead = await dead_letters.get(session, actor.territory, mail)
        if dead is not None and dead.letter in GATHERED:
            raise Conflict("moved_on", "Les recherches dont parlait ce mail ont continué sans lui.")
        dead = await dead_letters.send_again(session, actor.territory, mail, now=house.now())
        await _journaled(session, house, actor, "mail_sent_again", dead)
    house.bell.ring(actor.territory)


async def _journaled(
    session: AsyncSession, house: House, actor: Actor, action: str, dead: Sent | None
) -> None:
    if dead is None:
        raise NotFound
    ids = dead.ids
    entry = house.entry(
        actor, action, search=ids.get("search"), doctor=ids.get("doctor"), purpose=dead.letter
    )
    await journal.append(session, entry)
