"""Launching: one search, which leaves the others that are ready their share of the doctors, or many."""

from collections.abc import Collection
from typing import Any

from matcher.protocol import steps
from matcher.protocol.moves import Event, Refused
from matcher.protocol.search import State
from matcher.service import announcing, sharing, turn, views
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.house import House
from matcher.service.sharing import Plan
from matcher.storage import searches


async def launch(house: House, actor: Actor, search_id: str) -> dict[str, Any]:
    """Ask the doctors. Raises Refused(``too_few_residents``) where nothing may be announced."""
    require(actor, COORDINATION)
    await _launch(house, actor, search_id)
    house.bell.ring(actor.territory)
    return await views.search(house, actor, search_id)


async def launch_all(
    house: House, actor: Actor, ids: Collection[str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Launch every search that is ready, or those of ``ids``: ``{launched: [{id, reference, doctors, why?}],
    refused: [{id, reference, code, detail}]}``. Each is a transaction of its own.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        waiting = await searches.in_states(session, actor.territory, [State.READY])
        chosen = [owned for owned in waiting if ids is None or owned.search.id in ids]
        found = await sharing.plan(session, house, actor.territory, [owned.search for owned in chosen])
    launched, refused = [], []
    for owned in chosen:
        named = {"id": owned.search.id, "reference": owned.reference}
        try:
            doctors = await _launch(house, actor, owned.search.id, found)
        except Refused as no:
            refused.append({**named, "code": no.code, "detail": no.reason})
            continue
        why = found.said(owned.search.id)
        launched.append({**named, "doctors": doctors} | ({} if why is None else {"why": why}))
    house.bell.ring(actor.territory)
    return {"launched": launched, "refused": refused}


async def _launch(house: House, actor: Actor, search_id: str, found: Plan | None = None) -> int:
    """Launch with the share of a plan, made now where there is none; how many doctors are mailed."""
    async with house.sessions.begin() as session:
        before = await turn.locked(session, actor, search_id)
        steps.taken(Event.LAUNCH, before)
        if before.announcement is None:
            await announcing.refuse_unannounceable(session, house, before)
        around = await turn.around(session, house, before, actor.territory)
        found = found or await sharing.plan(session, house, actor.territory, [before])
        step = steps.launch(before, sharing.with_share(around, found.shared(before.id)))
        await turn.carry_out(session, house, actor, before, step, Event.LAUNCH)
    return len(step.search.solicitations) - len(before.solicitations)
