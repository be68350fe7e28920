"""The searches that are ready share the doctors, so that they do not all ask the same ones."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import sharing, steps
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.nearest import Nearest
from matcher.protocol.needs import Need
from matcher.protocol.rules import Around
from matcher.protocol.search import Search, State
from matcher.service import asking
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.asking import Roster
from matcher.service.house import House
from matcher.storage import searches

#: A search's list is as long as so many waves, and at least so many doctors: nobody farther is ever given.
_WAVES, _AT_LEAST = 4, 100
#: So many of the longest waiting are thought of beside the ones that are launched.
_TOGETHER = 60


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Whom each search is given in its first wave, and of which list."""

    needs: Mapping[SearchId, Need]
    given: Mapping[SearchId, tuple[DoctorId, ...]]

    def shared(self, search: SearchId) -> frozenset[DoctorId]:
        """Whom this search may mail."""
        return frozenset(self.given.get(search, ()))

    def said(self, search: SearchId) -> str | None:
        """Why these doctors, in French; None where nothing was shared out for it."""
        need = self.needs.get(search)
        return None if need is None or not need.wanted else sharing.said(need, self.given[search])


def with_share(around: Around, shared: frozenset[DoctorId]) -> Around:
    """The same surroundings, of which this search may mail those doctors."""
    return replace(around, candidates=replace(around.candidates, shared=shared))


async def plan(session: AsyncSession, house: House, territory: str, about: Sequence[Search]) -> Plan:
    """Share the doctors between these searches and all others of the territory that are ready, the longest
    waiting first where two have the same claim.
    """
    ready = await searches.in_states(session, territory, [State.READY], most=_TOGETHER)
    every = {owned.search.id: owned.search for owned in ready} | {search.id: search for search in about}
    roster = await asking.roster(session, house, territory)
    index = Nearest(roster.doctors)
    needs = [
        need
        for search in sorted(every.values(), key=lambda s: (s.seniority or s.since, s.id))
        if (need := await _need(session, house, search, roster, index)) is not None
    ]
    room = sharing.room(roster.doctors)
    carried = {doctor.id: doctor.asked_this_week for doctor in roster.doctors}
    given = await asyncio.to_thread(sharing.share, needs, room, carried)
    return Plan(needs={need.search: need for need in needs}, given=given)


async def _need(
    session: AsyncSession, house: House, search: Search, roster: Roster, index: Nearest
) -> Need | None:
    """What a search would like; None for one that cannot be launched now."""
    if search.announcement is None or search.state is not State.READY:
        return None
    rules = house.territory(search.territory).rules
    most = max(_AT_LEAST, _WAVES * rules.wave_size)
    candidates = await asking.candidates(session, house, search, roster, index=index, most=most)
    return steps.wave_need(search, Around(now=house.now(), rules=rules, candidates=candidates))


async def explained(house: House, actor: Actor, search_id: str) -> str | None:
    """Why a launch would ask these doctors now; None where nothing is shared out for the search."""
    require(actor, OFFICE)
    async with house.sessions.begin() as session:
        owned = await searches.get(session, actor.territory, search_id)
        if owned is None or owned.search.state is not State.READY:
            return None
        return (await plan(session, house, actor.territory, [owned.search])).said(owned.search.id)
