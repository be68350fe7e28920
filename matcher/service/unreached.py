"""Mails that died and of which no search keeps a task: each is told on /bureau until somebody took note.

What became of announcements, reminders and the mails of a release moves their search, which keeps tasks of
its own (``service.telling``). The others change nothing in a search, but somebody waits for what they said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import Letter
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.service.telling import is_followed
from matcher.storage import journal
from messaging import dead_letters

#: What did not arrive, and what to do about it.
WORDS: Mapping[Letter, tuple[str, str]] = {
    Letter.ANNOUNCEMENT: ("L’annonce n’est pas arrivée au secrétariat : adresse à corriger", "Voir"),
    Letter.REMINDER: ("La relance n’est pas arrivée au secrétariat : adresse à corriger", "Voir"),
    Letter.CONFIRM_ANSWER: ("Un oui attend sa confirmation : le mail n’est pas arrivé", "Appeler"),
    Letter.STILL_AVAILABLE: ("Un oui est à redemander : le mail n’est pas arrivé", "Appeler"),
    Letter.KEPT_IN_RESERVE: ("Un oui reste en réserve : le mail qui le dit n’est pas arrivé", "Appeler"),
    Letter.THANKED: ("Le mail de remerciement n’est pas arrivé : adresse à corriger", "Voir"),
    Letter.PLEASE_DELETE: ("La fiche est à effacer : le mail qui le demande n’est pas arrivé", "Appeler"),
    Letter.SECOND_FACTOR: ("Le mail du second facteur n’est pas arrivé", "Appeler"),
    Letter.DIGEST: ("Les annonces réunies ne sont pas arrivées : adresse à corriger", "Voir"),
    Letter.LIST: ("La liste de patients n’est pas arrivée : adresse à corriger", "Voir"),
    Letter.REQUESTER_NEWS: ("Les nouvelles ne sont pas arrivées à la structure", "Prévenir"),
    Letter.CHOICE_CHASED: ("Un choix est attendu : le mail à la structure n’est pas arrivé", "Prévenir"),
}


@dataclass(frozen=True, kw_only=True)
class Unreached:
    """One mail that died."""

    id: str
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
        if not is_followed(row.letter, row.ids):
            reason, verb = WORDS.get(letter, ("Un mail n’est pas arrivé", "Voir"))
            found.append(
                Unreached(
                    id=row.id,
                    search=row.ids.get("search"),
                    doctor=row.ids.get("doctor"),
                    reason=reason,
                    verb=verb,
                    at=at,
                )
            )
    return found


async def take_note(house: House, actor: Actor, mail: str) -> None:
    """Somebody saw to it that what the mail said is known. Raises NotFound where no such mail waits."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        dead = await dead_letters.take_note(session, actor.territory, mail, now=house.now())
        if dead is None:
            raise NotFound
        noted = house.entry(
            actor,
            "mail_noted",
            search=dead.ids.get("search"),
            doctor=dead.ids.get("doctor"),
            purpose=dead.letter,
        )
        await journal.append(session, noted)
    house.bell.ring(actor.territory)
