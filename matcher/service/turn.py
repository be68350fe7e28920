"""One event of one search: lock, step, save, journal, enqueue, in one transaction.

Every use case that moves a search goes through here, so that none can forget the journal or an effect.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.doctors import Candidates
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.moves import Event, Refused, Step
from matcher.protocol.rules import Around, CandidatesWanted, Unranked
from matcher.protocol.search import Search
from matcher.service import asking, effects, vaulted
from matcher.service.actors import Actor, Role
from matcher.service.errors import NotFound
from matcher.service.house import House
from matcher.storage import doctors, journal, links, searches, territories
from messaging.links import Purpose

#: What waits after a restore; requests and withdrawals do not.
_AFTER_A_RESTORE = frozenset(
    {
        Event.LAUNCH,
        Event.WAVE,
        Event.START_CALLS,
        Event.ANSWER,
        Event.SETTLE_HELD,
        Event.CALL,
        Event.CHOOSE,
        Event.DECLINE,
        Event.RENEW_RELEASE,
        Event.OPEN_RECORD,
        Event.ACKNOWLEDGE,
        Event.DESIST,
    }
)
STOPPED = (
    "Le service vient d’être restauré d’une sauvegarde : la CPTS doit d’abord le faire reprendre. "
    "Réessayez un peu plus tard."
)
Move = Callable[[Search, Around], Step]


async def locked(session: AsyncSession, actor: Actor, search_id: str) -> Search:
    """The search, its row locked until the transaction ends.

    Raises NotFound where it is another territory's, or another structure's for a requester:
    the same answer as for one that never existed.
    """
    owned = await searches.lock(session, actor.territory, SearchId(search_id))
    if owned is None or (actor.role is Role.REQUESTER and owned.structure != actor.structure):
        raise NotFound
    return owned.search


async def around(session: AsyncSession, house: House, search: Search | None, territory: str) -> Around:
    """What surrounds the search now: the hour, the territory's rules, who may be asked."""
    found = Candidates() if search is None else await asking.candidates(session, house, search)
    return Around(now=house.now(), rules=house.territory(territory).rules, candidates=found)


async def stepped(session: AsyncSession, house: House, search: Search, move: Move) -> Step:
    """The step that ``move`` makes of the search. The doctors are read and ranked only where it looks at
    them: then it is taken a second time, with them.
    """
    territory = house.territory(search.territory)
    try:
        return move(search, Unranked(house.now(), territory.rules))
    except CandidatesWanted:
        return move(search, await around(session, house, search, search.territory))


async def carry_out(
    session: AsyncSession,
    house: House,
    actor: Actor,
    before: Search,
    step: Step,
    action: str,
    *,
    doctor: str | None = None,
    purpose: str | None = None,
    reason: Mapping[str, str] | None = None,
) -> None:
    """Save what changed, write the journal, seal the ``reason`` a person gave, carry out the effects."""
    taken = Taken(step=step, action=action, doctor=doctor, purpose=purpose, reason=reason)
    await carry_out_all(session, house, actor, before, [taken])


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step that was taken, and what the journal says of it."""

    step: Step
    action: str
    doctor: str | None = None
    purpose: str | None = None
    reason: Mapping[str, str] | None = None


async def carry_out_all(
    session: AsyncSession, house: House, actor: Actor, before: Search, taken: Sequence[Taken]
) -> None:
    """The same for steps that follow each other on one search: saved once, journaled and done one by one."""
    await _not_stopped(session, before, taken)
    after = taken[-1].step.search
    if after != before:
        await searches.save(session, before, after)
    for one in taken:
        entry = house.entry(
            actor,
            one.action,
            search=before.id,
            doctor=one.doctor,
            purpose=one.purpose,
            state=one.step.search.state,
        )
        await journal.append(session, entry)
        if one.reason is not None:
            said = {"what": one.action, **one.reason}
            await vaulted.note_reason(session, house, one.step.search, said)
        await effects.carry_out(session, house, before, one.step)


async def _not_stopped(session: AsyncSession, search: Search, taken: Sequence[Taken]) -> None:
    """After a restore no mail, answer or release takes effect until the office resumes."""
    waits = any(one.action in _AFTER_A_RESTORE for one in taken)
    if waits and await territories.is_stopped(session, search.territory):
        raise Refused("stopped", STOPPED, search.state)


async def take(
    house: House,
    actor: Actor,
    search_id: str,
    action: str,
    move: Move,
    *,
    doctor: DoctorId | str | None = None,
    purpose: str | None = None,
    reason: Mapping[str, str] | None = None,
) -> Search:
    """Lock the search, apply ``move``, carry it out; returns the search as it now stands."""
    async with house.sessions.begin() as session:
        before = await locked(session, actor, search_id)
        step = await stepped(session, house, before, move)
        await carry_out(
            session, house, actor, before, step, action, doctor=doctor, purpose=purpose, reason=reason
        )
    house.bell.ring(actor.territory)
    return step.search


async def correct_doctor(
    session: AsyncSession,
    house: House,
    actor: Actor,
    doctor: DoctorId,
    changes: Mapping[str, Any],
    *,
    checked: Collection[str] = (),
) -> None:
    """Correct what is known of a doctor, with its journal entry; what was ``checked`` (email, phone) is right
    as it is. What was sent to a former address of his,
    or of his delegate, opens nothing any more: the next mail carries a new link.
    """
    await journal.append(session, house.entry(actor, "doctor_corrected", doctor=doctor))
    before = await doctors.get(session, actor.territory, doctor)
    await doctors.patch(session, actor.territory, doctor, changes, house.now(), checked=checked)
    after = await doctors.get(session, actor.territory, doctor)
    if before is None or after is None:
        return
    if before.email is not None and before.email != after.email:
        await links.revoke_of_doctor(session, actor.territory, doctor)
    elif before.delegate_email is not None and before.delegate_email != after.delegate_email:
        await links.revoke_of_doctor(session, actor.territory, doctor, Purpose.DELEGATE)
