"""Telling searches what became of their mails, in the transaction that settles them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.effects import FlagMailbox, Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event, Refused, Step
from matcher.protocol.rules import Around
from matcher.protocol.search import Search
from matcher.service import gathering, list_mails, turn
from matcher.service.actors import system
from matcher.service.house import House
from matcher.service.turn import Taken
from matcher.storage import searches
from messaging import dead_letters
from messaging.bounces import blames_address
from messaging.claims import Kind, Outcome, Row
from messaging.links import Purpose

#: Letters about which the protocol wants to know how they fared.
_FOLLOWED = frozenset({Letter.ANNOUNCEMENT, Letter.REMINDER, Letter.CHOSEN, Letter.NOT_OPENED})
_Move = Callable[[Search, Letter, DoctorId, Around], Step]
_MOVES: dict[Kind, tuple[Event, _Move]] = {
    Kind.ACCEPTED: (Event.MAIL_ACCEPTED, steps.mail_accepted),
    # It may have arrived: an ambiguous attempt counts as asked.
    Kind.AMBIGUOUS: (Event.MAIL_ACCEPTED, steps.mail_accepted),
    Kind.DROPPED: (Event.MAIL_DROPPED, steps.mail_dropped),
    Kind.DEAD: (Event.MAIL_DEAD, steps.mail_dead),
}


@dataclass(frozen=True)
class Telling:
    """What the dispatcher calls to say what became of attempts."""

    house: House

    async def on_settled(
        self, session: AsyncSession, settled: Sequence[tuple[Row, Outcome]], at: datetime
    ) -> None:
        """Tell each search of its mails. All are locked first, in the order of their ids."""
        for row, outcome in settled:
            if outcome.kind is Kind.DEAD and _followed(row, outcome):
                # Its search is told below, and keeps a task: nobody need take note of the mail itself.
                await dead_letters.take_note(session, row.territory, row.id, now=at)
        singly = await gathering.apart(session, [one for one in settled if one[0].letter != Letter.LIST])
        told = sorted(
            ((row, outcome) for row, outcome in singly if _followed(row, outcome)),
            key=lambda one: (one[0].territory, one[0].ids["search"]),
        )
        for territory, of_territory in groupby(told, key=lambda one: one[0].territory):
            of_searches = groupby(of_territory, key=lambda one: one[0].ids["search"])
            mails = {search: list(group) for search, group in of_searches}
            owned = await searches.lock_all(session, territory, mails)
            for search in sorted(owned):
                await self._tell(session, owned[search].search, mails[search])
        for row, outcome in settled:
            # Last: a step of a search locks the search first, then the doctor whose address is at fault.
            if row.letter == Letter.LIST:
                await list_mails.settled(session, row, outcome)

    async def _tell(
        self, session: AsyncSession, before: Search, mails: Sequence[tuple[Row, Outcome]]
    ) -> None:
        search, taken = before, list[Taken]()
        for row, outcome in mails:
            if str(search.run) != row.ids["run"]:
                continue
            letter, doctor = Letter(row.letter), DoctorId(row.ids["doctor"])
            event, move = _MOVES[outcome.kind]
            try:
                step = await turn.stepped(session, self.house, search, partial(_moved, move, letter, doctor))
            except Refused:
                # The search has ended meanwhile: what became of the mail changes nothing any more.
                continue
            if not blames_address(outcome.detail):
                # The relay was away for too long, or has rules; it never said that this address is at fault.
                kept = tuple(effect for effect in step.effects if not isinstance(effect, FlagMailbox))
                step = replace(step, effects=kept)
            search = step.search
            taken.append(Taken(step=step, action=event, doctor=doctor, purpose=letter))
        if taken:
            await turn.carry_out_all(session, self.house, system(before.territory), before, taken)


def _moved(move: _Move, letter: Letter, doctor: DoctorId, search: Search, around: Around) -> Step:
    return move(search, letter, doctor, around)


def is_followed(letter: str, ids: Mapping[str, str]) -> bool:
    """Whether a search wants to know how such a mail fared."""
    return letter in _FOLLOWED and ids.get("purpose") != Purpose.DELEGATE


def _followed(row: Row, outcome: Outcome) -> bool:
    return outcome.kind in _MOVES and is_followed(row.letter, row.ids)
