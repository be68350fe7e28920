"""The rest of a split household: a search of its own, ready, with the seniority of the first."""

from dataclasses import replace
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.doctors import Candidates
from matcher.protocol.ids import SearchId
from matcher.protocol.moves import Event
from matcher.protocol.rules import Around
from matcher.protocol.search import Household, Search, State
from matcher.service import announcing, asking, vaulted
from matcher.service.actors import system
from matcher.service.house import House
from matcher.storage import journal, references, searches


async def split_off(session: AsyncSession, house: House, search: Search, rest: Household) -> None:
    """Open the search of those whom the chosen doctor does not take.

    Its announcement is measured anew: a smaller household describes other households.
    """
    owned = await searches.get(session, search.territory, search.id)
    assert owned is not None
    request = await vaulted.request(session, house, search)
    territory = house.territory(search.territory)
    empty = Around(now=house.now(), rules=territory.rules, candidates=Candidates())
    twin = steps.new(
        SearchId(uuid4().hex),
        search.territory,
        empty,
        consent=search.consent,
        wishes=search.wishes,
        conditions=search.conditions,
        urgent=search.urgent,
        choice=search.choice,
        speaks_to_patient=search.speaks_to_patient,
        household=None if rest.adults + rest.children == 1 else rest,
    )
    twin = replace(
        twin,
        state=State.READY,
        seniority=search.seniority,
        confirmed_at=search.confirmed_at,
        declined=search.declined,
        timers=(),
    )
    year = asking.today(house, search.territory).year
    await searches.insert(
        session,
        twin,
        reference=await references.next_one(session, search.territory, year),
        structure=owned.structure,
        created_by=owned.created_by,
        priority=owned.priority,
        # One record, one consent: whoever takes it back stops every part (P9).
        split_from=owned.split_from or owned.search.id,
    )
    await vaulted.put_record(session, house, twin, request, [])
    measured = await announcing.measured(session, house, twin)
    if measured is not None:
        await searches.save(session, twin, replace(twin, announcement=measured))
    await journal.append(
        session, house.entry(system(search.territory), Event.SPLIT, search=twin.id, state=State.READY)
    )
