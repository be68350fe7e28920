"""The open searches and the doctors of a territory, as the screens of the office need them at every look.

Reading two thousand searches takes a second, and at a look nearly all are as they were at the look before.
The journal says which are not: whatever moves a search or corrects a doctor writes an entry in the same
transaction. So each process keeps what it read with the number of the last entry, and reads anew only what
later entries name. Use cases that move a search never look here: they lock its row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.doctors import Candidates, Doctor
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.moves import Event
from matcher.protocol.places import normalised
from matcher.protocol.search import Search, State
from matcher.protocol.switchboard import Switchboard, Times
from matcher.service import asking
from matcher.service.house import House
from matcher.service.sheets import Sheet
from matcher.storage import journal, searches, travel
from matcher.storage.doctors import Card
from matcher.storage.searches import Owned

#: Under way: the office or the clock moves them on.
MOVING: Final = (
    State.ASKING,
    State.CALLING,
    State.PROPOSING,
    State.RELEASED,
    State.RESTING,
    State.READY,
)
#: What is kept, besides what wants something of the office.
OPEN: Final = (State.SUBMITTED, *MOVING)
#: Entries that name a doctor and change nothing of him but his load.
_OF_THE_SEARCH: Final = frozenset({Event.MAIL_ACCEPTED, Event.MAIL_DROPPED})
#: What one did who has not touched a search or a doctor: logins, accounts, keys, shared forms.
_OF_A_PERSON: Final = frozenset(
    [
        "login",
        "login_failed",
        "confirm_failed",
        "enrolled",
        "password_changed",
        "user_added",
        "user_disabled",
        "factor_added",
        "factor_failed",
        "factor_removed",
        "factors_reset",
        "recovery_made",
        "recovery_used",
        "key_added",
        "key_rotated",
        "key_revoked",
        "form_added",
        "form_renewed",
        "form_revoked",
    ]
)
#: After so long every doctor is read anew: what they were asked within the last seven days moves on.
_MINUTE: Final = timedelta(minutes=1)
#: Where a session keeps the sheet that it looked up.
_SHEET: Final = "sheet"
#: Searches whose candidates are kept with one sheet.
_RANKED: Final = 100


async def sheet(session: AsyncSession, house: House, territory: str) -> Sheet:
    """The territory as it is now; looked up once in a transaction."""
    found: Sheet | None = session.info.get((_SHEET, territory))
    if found is None:
        found = session.info[_SHEET, territory] = await _sheet(session, house, territory)
    return found


async def _sheet(session: AsyncSession, house: House, territory: str) -> Sheet:
    seq = await journal.head(session, territory)
    before = house.sheets.get(territory)
    if before is None or seq < before.seq:
        made = await _read(session, house, territory, seq)
    elif seq > before.seq:
        made = await _brought_up_to_date(session, house, territory, before, seq)
    else:
        made = before
    if not _recent(house, territory, made):
        made = await _with_doctors(session, house, territory, made)
    if made is not before:
        house.sheets.keep(territory, made)
    return made


def _recent(house: House, territory: str, made: Sheet) -> bool:
    """Whether its doctors may still be used: read within the minute, on the same day."""
    now = house.now()
    same_day = made.switchboard.today == asking.today(house, territory)
    return same_day and made.read_at <= now < made.read_at + _MINUTE


async def _read(session: AsyncSession, house: House, territory: str, seq: int) -> Sheet:
    found = await searches.these(session, territory, await searches.open_ids(session, territory, OPEN))
    everybody = await asking.directory(session, house, territory)
    times = await _times(session, territory, found, {})
    return Sheet(
        seq=seq,
        searches=_sorted(found),
        switchboard=_switchboard(house, territory, everybody.doctors, times),
        cards=everybody.cards,
        read_at=house.now(),
    )


async def _brought_up_to_date(
    session: AsyncSession, house: House, territory: str, before: Sheet, seq: int
) -> Sheet:
    entries = await journal.touched(session, territory, before.seq)
    if any(_of_all(*entry) for entry in entries):
        return await _read(session, house, territory, seq)
    moved = {search for _, search, _ in entries if search is not None}
    named = {
        DoctorId(doctor)
        for action, _, doctor in entries
        if doctor is not None and action not in _OF_THE_SEARCH
    }
    known = {id: one for id, one in before.searches.items() if id not in moved}
    read = await searches.these(session, territory, moved)
    for one in read:
        named |= _asked_or_answered(before.searches.get(one.search.id), one)
    anew = [one for one in read if _belongs(one)]
    made = replace(before, seq=seq, searches=_sorted([*known.values(), *anew]) if anew else known)
    times = await _times(session, territory, anew, before.switchboard.times)
    if named:
        directory = await asking.directory(session, house, territory, named)
        changed, made = directory.doctors, replace(made, cards={**before.cards, **directory.cards})
    else:
        changed = ()
    everybody = before.switchboard.doctors | {doctor.id: doctor for doctor in changed}
    if changed or times is not before.switchboard.times:
        switchboard = _switchboard(house, territory, everybody.values(), times, before.switchboard)
        made = replace(made, switchboard=switchboard)
    return made


async def _with_doctors(session: AsyncSession, house: House, territory: str, before: Sheet) -> Sheet:
    """With every doctor read anew."""
    everybody = await asking.directory(session, house, territory)
    known = before.switchboard
    switchboard = _switchboard(house, territory, everybody.doctors, known.times, known)
    return replace(before, switchboard=switchboard, cards=everybody.cards, read_at=house.now())


def _switchboard(
    house: House,
    territory: str,
    everybody: Iterable[Doctor],
    times: Times,
    before: Switchboard | None = None,
) -> Switchboard:
    rounds = house.territory(territory).rules.rounds
    today = asking.today(house, territory)
    return Switchboard(everybody, today=today, rounds=rounds, times=times, before=before)


async def _times(session: AsyncSession, territory: str, found: Iterable[Owned], known: Times) -> Times:
    """``known``, with the minutes from every place that is announced."""
    places = {one.search.announcement.place.name for one in found if one.search.announcement is not None}
    missing = sorted(places - known.keys())
    if not missing:
        return known
    return {
        **known,
        **{place: await travel.from_place(session, territory, normalised(place)) for place in missing},
    }


def _asked_or_answered(before: Owned | None, after: Owned) -> set[DoctorId]:
    """The doctors whose loads of the week and the month a move of this search has changed."""
    old, new = None if before is None else before.search, after.search
    solicitations = set(new.solicitations) ^ set(() if old is None else old.solicitations)
    positions = {(p.doctor, p.stand) for p in new.positions}
    positions ^= {(p.doctor, p.stand) for p in (() if old is None else old.positions)}
    return {s.doctor for s in solicitations} | {doctor for doctor, _ in positions}


def _of_all(action: str, search: str | None, doctor: str | None) -> bool:
    """Whether an entry may have changed anything: an import, say."""
    return search is None and doctor is None and action not in _OF_A_PERSON


def _belongs(one: Owned) -> bool:
    return one.search.state in OPEN or bool(one.search.tasks)


def _sorted(found: Iterable[Owned]) -> dict[str, Owned]:
    return {one.search.id: one for one in sorted(found, key=lambda o: (o.search.created_at, o.search.id))}


async def one(session: AsyncSession, house: House, territory: str, id: str) -> Owned | None:
    """The search of this id, as a screen shows it; None where the territory has none."""
    known = (await sheet(session, house, territory)).searches.get(id)
    return known or await searches.get(session, territory, id)


async def cards(session: AsyncSession, house: House, territory: str) -> Mapping[DoctorId, Card]:
    """The doctors of the directory as a screen names them."""
    return (await sheet(session, house, territory)).cards


async def these(session: AsyncSession, house: House, territory: str, ids: Sequence[str]) -> list[Owned]:
    """The searches of these ids, in their order; those that are not kept are read."""
    known = (await sheet(session, house, territory)).searches
    others = [id for id in ids if id not in known]
    read = {one.search.id: one for one in await searches.these(session, territory, others)} if others else {}
    return [known[id] if id in known else read[SearchId(id)] for id in ids]


async def candidates(session: AsyncSession, house: House, search: Search) -> Candidates:
    """Who may be asked for a search, as a screen shows it; worked out once for a sheet."""
    made = await sheet(session, house, search.territory)
    ranked: dict[SearchId, tuple[Search, Candidates]] = made.drawn.setdefault("candidates", {})
    known = ranked.get(search.id)
    if known is None or known[0] != search:
        everybody = tuple(made.switchboard.doctors.values())
        roster = await asking.roster_of(session, house, search.territory, everybody)
        known = search, await asking.candidates(session, house, search, roster)
        if len(ranked) >= _RANKED:
            ranked.clear()
        ranked[search.id] = known
    return known[1]
