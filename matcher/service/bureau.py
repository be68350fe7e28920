"""The morning screen: what changed, what needs a person now and in which order, what goes on by itself."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.hours import opening_of
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.protocol.search import State, TaskKind, Timer, TimerKind
from matcher.service import board as boards
from matcher.service import desk, refusals, to_do, unreached, vaulted
from matcher.service.actors import COORDINATION, OFFICE, Actor, require
from matcher.service.board import Board
from matcher.service.house import House
from matcher.service.sheets import Sheet
from matcher.service.to_do import Thing
from matcher.storage import journal, received, searches, territories
from matcher.storage.doctors import Card
from matcher.storage.journal import Entry
from matcher.storage.searches import Owned


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing to do: name, reason, one verb."""

    kind: str
    #: The patient's label, or the doctor's name.
    name: str
    reason: str
    verb: str
    url: str
    at: datetime | None = None
    search_id: str | None = None
    reference: str | None = None
    doctor: str | None = None
    #: Where to say that it was done; None where it goes by itself once it is.
    done_url: str | None = None
    #: Where to have a mail that died sent again.
    again_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A search under way, with its next automatic step; without one it waits for a person."""

    search_id: str
    reference: str
    name: str
    state: State
    what: TimerKind | None
    at: datetime | None
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A yes that has just come."""

    at: datetime
    doctor: str
    search_id: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class Bureau:
    """The whole screen."""

    #: After a restore everything waits for the office.
    stopped: bool
    #: The last close of the office: « depuis hier 17 h ».
    since: datetime
    yes: int
    no: int
    fresh: tuple[Fresh, ...]
    #: Refusals after release that nobody has read, for whom may read them.
    refused: int
    #: Some of what needs a person, and how much there is of it.
    rows: tuple[Row, ...]
    rows_in_all: int
    #: What goes on by itself, soonest first: the next ones, and how many there are.
    waiting: tuple[Waiting, ...]
    waiting_in_all: int
    #: What only a person moves on, and no row above names alone; longest first, and how many there are.
    idle: tuple[Waiting, ...]
    idle_in_all: int


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """The lists of the screen in full, as of a moment."""

    at: datetime
    #: What comes before the mails to read, and after them.
    pressing: tuple[Thing, ...]
    rest: tuple[Thing | Row, ...]
    going: tuple[tuple[Owned, Timer], ...]
    idle: tuple[Owned, ...]


@dataclass(frozen=True, kw_only=True)
class _Lately:
    """What doctors said lately, as of a moment."""

    at: datetime
    since: datetime
    answers: Counter[str | None]
    fresh: tuple[Fresh, ...]


#: What came back by mail and waits to be read.
_CAME_BACK = {
    "reply": "Réponse par mail à lire",
    "automatic": "Message automatique à lire",
    "bounce": "Mail non remis : à lire",
}
#: Timers that end or destroy something in months: nobody would say that such a search goes on by itself.
_FAR = frozenset({TimerKind.UNTOUCHED, TimerKind.ABANDONED, TimerKind.RETENTION_OVER})
#: How long a yes is news, and how many are named.
_NEWS, _NAMED = timedelta(hours=1), 3
#: Kinds of rows that only the coordination acts on: the person herself, whose number nobody else sees, and
#: what moves a search on.
_LEADING = frozenset(
    {
        *("new_request", "ready", "yes_lapsing", "yes_to_propose", TaskKind.CHOICE_WAITED_FOR),
        *(TaskKind.PATIENT_UNREACHABLE, TaskKind.RECONFIRM, TaskKind.RELAUNCH_DUE),
        *(TaskKind.LINK_LOCKED, TaskKind.RELEASE_UNREACHED),
    }
)
_ANSWERS = frozenset({Event.ANSWER, Event.CALL})
#: What lapses soon, or has waited long enough to go before others, is looked at anew after so long.
_MINUTE = timedelta(minutes=1)
#: Rows shown at once, and searches of each list below them.
ROWS, BELOW = 25, 15


async def bureau(house: House, actor: Actor, start: int = 0) -> Bureau:
    """The morning screen of the actor's territory; of what needs a person, the part from ``start`` on."""
    require(actor, OFFICE)
    now, territory = house.now(), actor.territory
    async with house.sessions.begin() as session:
        sheet = await desk.sheet(session, house, territory)
        drawn = _drawn(sheet, now)
        mails = [*await _to_read(session, territory), *await _unreached(session, territory, sheet.cards)]
        told = {thing.search for thing in mails if isinstance(thing, Thing)}
        listed = (*drawn.pressing, *mails, *drawn.rest)
        idle = [one for one in drawn.idle if one.search.id not in told]
        part, soon, still = listed[start : start + ROWS], drawn.going[:BELOW], idle[:BELOW]
        named = [thing for thing in part if isinstance(thing, Thing)]
        shown = {thing.search for thing in named}
        shown |= {one.search.id for one in (*(one for one, _ in soon), *still)}
        labels = await vaulted.labels(session, house, territory, shown)
        stopped = await territories.is_stopped(session, territory)
        lately = await _lately(session, house, territory, sheet)
        refused = await _refused(session, territory, sheet) if actor.role in COORDINATION else 0
    return Bureau(
        stopped=stopped,
        since=lately.since,
        yes=lately.answers["yes"],
        no=lately.answers["no"],
        fresh=lately.fresh,
        refused=refused,
        rows=tuple(_offered(t if isinstance(t, Row) else _row(t, labels, sheet.cards), actor) for t in part),
        rows_in_all=len(listed),
        waiting=tuple(_waiting(one, labels, timer) for one, timer in soon),
        waiting_in_all=len(drawn.going),
        idle=tuple(_waiting(one, labels, None) for one in still),
        idle_in_all=len(idle),
    )


def _drawn(sheet: Sheet, now: datetime) -> _Drawn:
    """The lists of the screen, worked out once for a sheet and a minute."""
    known: _Drawn | None = sheet.drawn.get("bureau")
    if known is not None and known.at <= now < known.at + _MINUTE:
        return known
    everything = list(sheet.searches.values())
    pressing, rest = to_do.things(everything, now)
    moving = [(one, _next(one)) for one in everything if one.search.state in desk.MOVING]
    tasked = {thing.search for thing in (*pressing, *rest)}
    going = [(one, timer) for one, timer in moving if timer is not None]
    idle = [one for one, timer in moving if timer is None and one.search.id not in tasked]
    made = _Drawn(
        at=now,
        pressing=tuple(pressing),
        rest=(*_to_call(boards.of_sheet(sheet)), *rest),
        going=tuple(sorted(going, key=lambda pair: (pair[1].at, pair[0].reference))),
        idle=tuple(sorted(idle, key=lambda one: (one.search.since, one.reference))),
    )
    sheet.drawn["bureau"] = made
    return made


async def _refused(session: AsyncSession, territory: str, sheet: Sheet) -> int:
    """How many refusals wait to be read, looked up once for a sheet: each is an entry of the journal."""
    if "refused" not in sheet.drawn:
        sheet.drawn["refused"] = await refusals.how_many(session, territory)
    known: int = sheet.drawn["refused"]
    return known


async def news(session: AsyncSession, house: House, territory: str) -> tuple[Fresh, ...]:
    """The latest yes, for the pages on which one waits for one."""
    return (await _lately(session, house, territory, await desk.sheet(session, house, territory))).fresh


async def _lately(session: AsyncSession, house: House, territory: str, sheet: Sheet) -> _Lately:
    """The answers since yesterday evening and the latest yes, looked up once for a sheet and a minute."""
    now = house.now()
    known: _Lately | None = sheet.drawn.get("lately")
    if known is not None and known.at <= now < known.at + _MINUTE:
        return known
    since = _evening_before(house, territory)
    answers: Counter[str | None] = Counter()
    told = await journal.counts(session, territory, since, now, _ANSWERS)
    for (_, purpose), number in told.items():
        answers[purpose] += number
    fresh = await _fresh(session, territory, now, sheet.cards)
    made = _Lately(at=now, since=since, answers=answers, fresh=fresh)
    sheet.drawn["lately"] = made
    return made


async def _fresh(
    session: AsyncSession, territory: str, now: datetime, people: Mapping[DoctorId, Card]
) -> tuple[Fresh, ...]:
    """The latest yes that was not taken back since, newest first."""
    said: dict[tuple[str, str], Entry] = {}
    for entry in await journal.between(session, territory, now - _NEWS, now, _ANSWERS):
        if entry.search and entry.doctor:
            said[entry.search, entry.doctor] = entry
    yes = [(search, DoctorId(doctor), e.at) for (search, doctor), e in said.items() if e.purpose == "yes"]
    yes = sorted(yes, key=lambda one: one[2], reverse=True)[:_NAMED]
    names = await searches.references(session, territory, {search for search, _, _ in yes})
    return tuple(
        Fresh(at=at, doctor=people[doctor].name, search_id=search, reference=names[search])
        for search, doctor, at in yes
        if search in names and doctor in people
    )


def _to_call(board: Board) -> list[Row]:
    """« 11 médecins, 17 patients », in one row: the calls have a page of their own."""
    found = 0
    for _, those in board.sets:
        found |= those
    if not found:
        return []
    said = f"{_count(found.bit_count(), 'médecin')}, {_count(board.waiting, 'personne')} en attente"
    return [Row(kind="calls", name="Médecins à appeler", reason=said, verb="Appeler", url="/appels")]


async def _unreached(
    session: AsyncSession, territory: str, cards: Mapping[DoctorId, Card]
) -> list[Thing | Row]:
    """Mails that died, and what to do about each."""
    found = await unreached.unreached(session, territory)
    names = await searches.references(session, territory, {mail.search for mail in found if mail.search})
    rows: list[Thing | Row] = []
    for mail in found:
        doctor, done = mail.doctor and DoctorId(mail.doctor), f"/mails/{mail.id}/vu"
        again = None if mail.letter in unreached.GATHERED else f"/mails/{mail.id}/renvoyer"
        if mail.search in names:
            rows.append(
                Thing(
                    search=mail.search,
                    reference=names[mail.search],
                    kind="unreached",
                    reason=mail.reason,
                    verb=mail.verb,
                    at=mail.at,
                    doctor=doctor or None,
                    done_url=done,
                    again_url=again,
                )
            )
            continue
        rows.append(
            Row(
                kind="unreached",
                name="Mail non remis",
                reason=_with(mail.reason, cards.get(DoctorId(mail.doctor or ""))),
                verb=mail.verb,
                url=f"/medecins/{mail.doctor or ''}",
                at=mail.at,
                doctor=mail.doctor,
                done_url=done,
                again_url=again,
            )
        )
    return rows


async def _to_read(session: AsyncSession, territory: str) -> list[Thing]:
    """Mails that came back and that nobody but a person understands."""
    found = await received.waiting(session, territory)
    names = await searches.references(session, territory, {mail.search for mail in found})
    return [
        Thing(
            search=mail.search,
            reference=names[mail.search],
            kind="reply",
            reason=_CAME_BACK[mail.kind],
            verb="Lire",
            at=mail.at,
            doctor=None if mail.doctor is None else DoctorId(mail.doctor),
            url=f"/reponses/{mail.id}",
        )
        for mail in found
    ]


def _row(thing: Thing, labels: Mapping[str, str], people: Mapping[DoctorId, Card]) -> Row:
    return Row(
        kind=thing.kind,
        name=_name(thing.search, thing.reference, labels),
        reason=_with(thing.reason, people.get(thing.doctor) if thing.doctor else None),
        verb=thing.verb,
        url=thing.url or f"/recherches/{thing.search}",
        at=thing.at,
        search_id=thing.search,
        reference=thing.reference,
        doctor=thing.doctor if thing.url or thing.done_url else None,
        done_url=thing.done_url,
        again_url=thing.again_url,
    )


def _offered(row: Row, actor: Actor) -> Row:
    """A secretaire may look at what only the coordination does."""
    return row if actor.role in COORDINATION or row.kind not in _LEADING else replace(row, verb="Voir")


def _name(search: str, reference: str, labels: Mapping[str, str]) -> str:
    return f"{labels.get(search, reference)} · {reference}"


def _next(one: Owned) -> Timer | None:
    """The next step that comes by itself, soon enough for saying so."""
    timer = steps.next_step(one.search)
    return None if timer is None or timer.kind in _FAR else timer


def _waiting(one: Owned, labels: Mapping[str, str], timer: Timer | None) -> Waiting:
    return Waiting(
        search_id=one.search.id,
        reference=one.reference,
        name=_name(one.search.id, one.reference, labels),
        state=one.search.state,
        what=None if timer is None else timer.kind,
        at=None if timer is None else timer.at,
        since=one.search.since,
    )


def _evening_before(house: House, territory: str) -> datetime:
    """The close of the office on the last day on which it was open."""
    calendar = house.territory(territory).rules.office_calendar
    day = house.now().astimezone(calendar.zone).date() - timedelta(days=1)
    while day.weekday() not in calendar.opening or day in calendar.holidays:
        day -= timedelta(days=1)
    closes = calendar.opening[day.weekday()][1]
    return opening_of(day, calendar).astimezone(calendar.zone).replace(hour=closes.hour, minute=closes.minute)


def _with(reason: str, card: Card | None) -> str:
    return reason if card is None else f"{reason} – {card.name}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"
