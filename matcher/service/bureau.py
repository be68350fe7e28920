"""The morning screen: what changed, what needs a person now and in which order, what goes on by itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.hours import opening_of
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.protocol.rules import Around
from matcher.protocol.search import State, TaskKind, TimerKind
from matcher.records.priority import Priority, order, waited
from matcher.service import asking, unreached, vaulted
from matcher.service.actors import OFFICE, Actor, require
from matcher.service.house import House
from matcher.storage import doctors, journal, received, searches
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

    #: The last close of the office: « depuis hier 17 h ».
    since: datetime
    yes: int
    no: int
    fresh: tuple[Fresh, ...]
    rows: tuple[Row, ...]
    #: What goes on by itself, soonest first.
    waiting: tuple[Waiting, ...]
    #: What only a person moves on, and no row above names alone; longest first.
    idle: tuple[Waiting, ...]


#: Tasks in the order in which to do them, with their reason and verb. What is not listed comes last.
_TASKS: Mapping[TaskKind, tuple[str, str]] = {
    TaskKind.ANSWER_HELD_OVERDUE: ("Réponse retenue depuis plus d’un jour ouvré", "Trancher"),
    TaskKind.CALL_ME_FOR_THE_CODE: ("Attend votre appel pour le code de la fiche", "Appeler"),
    TaskKind.CALL_BACK: ("Rappel promis", "Rappeler"),
    TaskKind.LAST_YES_GONE: ("Le dernier oui n’est plus là", "Voir"),
    TaskKind.DOCTOR_GAVE_UP: ("Le médecin choisi s’est désisté", "Voir"),
    TaskKind.APPOINTMENT_TO_CHECK: ("Le rendez-vous a-t-il eu lieu ?", "Noter"),
    TaskKind.APPOINTMENT_MISSED: ("Rendez-vous manqué : une nouvelle date est à trouver", "Appeler"),
    TaskKind.APPOINTMENT_DATE_WANTED: ("La date du premier rendez-vous manque", "Noter"),
    TaskKind.CHOICE_WAITED_FOR: ("Un oui attend le choix de la personne", "Appeler"),
    TaskKind.RECORD_NOT_OPENED: ("La fiche n’est pas ouverte", "Appeler"),
    TaskKind.LINK_LOCKED: ("Cinq codes faux : le lien est bloqué", "Renouveler"),
    TaskKind.RELEASE_UNREACHED: ("Le mail de la fiche n’est pas arrivé", "Renouveler"),
    TaskKind.ANSWER_HELD: ("Réponse retenue : est-ce bien le médecin ?", "Trancher"),
    TaskKind.MAIL_UNREACHED: ("Mail impossible à remettre : à appeler", "Appeler"),
    TaskKind.NOBODY_REACHED: ("Aucun mail parti depuis une heure", "Voir"),
    TaskKind.PATIENT_UNREACHABLE: ("Personne injoignable", "Essayer"),
    TaskKind.RECONFIRM: ("Besoin et accord à reconfirmer", "Reconfirmer"),
    TaskKind.RELAUNCH_DUE: ("La date de relance est là", "Relancer"),
    TaskKind.LATE_YES: ("Un oui est arrivé après la fin", "Voir"),
    TaskKind.BOTH_RELEASED: ("Deux fiches pour la même personne", "Voir"),
    TaskKind.UNTOUCHED: ("Sans mouvement depuis 90 jours", "Voir"),
}
#: What came back by mail and waits to be read.
_CAME_BACK = {
    "reply": "Réponse par mail à lire",
    "automatic": "Message automatique à lire",
    "bounce": "Mail non remis : à lire",
}
_ORDER = {kind: place for place, kind in enumerate(_TASKS)}
#: Timers that end or destroy something in months: nobody would say that such a search goes on by itself.
_FAR = frozenset({TimerKind.UNTOUCHED, TimerKind.ABANDONED, TimerKind.RETENTION_OVER})
#: How long a yes is news, and how many are named.
_NEWS, _NAMED = timedelta(hours=1), 3
#: A yes that lapses within this time is shown before urgent requests.
_SOON = timedelta(hours=24)
_ANSWERS = frozenset({Event.ANSWER, Event.CALL})
_MOVING = (State.ASKING, State.CALLING, State.PROPOSING, State.RELEASED, State.RESTING, State.READY)


async def bureau(house: House, actor: Actor) -> Bureau:
    """The morning screen of the actor's territory."""
    require(actor, OFFICE)
    now = house.now()
    async with house.sessions.begin() as session:
        owned = await searches.in_states(session, actor.territory, (State.SUBMITTED, *_MOVING))
        ended = await searches.in_states(session, actor.territory, (State.UNMET,))
        everything = [*owned, *(o for o in ended if o.search.tasks)]
        labels = await _labels(session, house, everything)
        met = {t.doctor for o in everything for t in o.search.tasks if t.doctor}
        met |= {t.doctor for o in everything for t in o.search.timers if t.doctor}
        people = await doctors.cards(session, actor.territory, met)
        to_call = await _to_call(session, house, actor.territory, owned)
        to_read = await _to_read(session, actor.territory, labels)
        dead = await _unreached(session, actor.territory, labels)
        since = _evening_before(house, actor.territory)
        entries = await journal.between(session, actor.territory, since, now)
        answers = Counter(e.purpose for e in entries if e.action in _ANSWERS)
        fresh = await _fresh(session, actor.territory, entries, now)
    rows = [
        *_of_tasks(everything, labels, people, set(list(_TASKS)[:3])),
        *_lapsing(owned, labels, people, now),
        *_requests(owned, labels, now, urgent=True),
        *to_read,
        *to_call,
        *_of_tasks(everything, labels, people, set(list(_TASKS)[3:8])),
        *_requests(owned, labels, now, urgent=False),
        *dead,
        *_ready(owned, labels),
        *_of_tasks(everything, labels, people, set(list(_TASKS)[8:])),
    ]
    under_way = [_waiting(o, labels) for o in owned if o.search.state in _MOVING]
    tasked = {row.search_id for row in rows}
    return Bureau(
        since=since,
        yes=answers["yes"],
        no=answers["no"],
        fresh=fresh,
        rows=tuple(rows),
        waiting=tuple(sorted((w for w in under_way if w.at is not None), key=lambda w: (w.at, w.reference))),
        idle=tuple(
            sorted(
                (w for w in under_way if w.at is None and w.search_id not in tasked),
                key=lambda w: (w.since, w.reference),
            )
        ),
    )


async def news(house: House, actor: Actor) -> tuple[Fresh, ...]:
    """The latest yes, for the pages on which one waits for one."""
    require(actor, OFFICE)
    now = house.now()
    async with house.sessions.begin() as session:
        entries = await journal.between(session, actor.territory, now - _NEWS, now)
        return await _fresh(session, actor.territory, entries, now)


async def _fresh(
    session: AsyncSession, territory: str, entries: Sequence[Entry], now: datetime
) -> tuple[Fresh, ...]:
    """The latest yes that was not taken back since, newest first."""
    said: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.search and entry.doctor and entry.action in _ANSWERS and now - entry.at <= _NEWS:
            said[entry.search, entry.doctor] = entry
    yes = [entry for entry in said.values() if entry.purpose == "yes"]
    yes = sorted(yes, key=lambda entry: entry.at, reverse=True)[:_NAMED]
    people = await doctors.cards(session, territory, {DoctorId(e.doctor) for e in yes if e.doctor})
    found = []
    for entry in yes:
        owned = await searches.get(session, territory, entry.search or "")
        card = people.get(DoctorId(entry.doctor or ""))
        if owned is not None and card is not None:
            found.append(
                Fresh(at=entry.at, doctor=card.name, search_id=owned.search.id, reference=owned.reference)
            )
    return tuple(found)


async def _labels(session: AsyncSession, house: House, owned: list[Owned]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in owned:
        contact = await vaulted.contact(session, house, one.search.territory, one.search.id)
        found[one.search.id] = one.reference if contact is None else contact["label"]
    return found


async def _to_call(session: AsyncSession, house: House, territory: str, owned: list[Owned]) -> list[Row]:
    """« 11 médecins, 17 patients », in one row: the calls have a page of their own."""
    roster = await asking.roster(session, house, territory)
    rules = house.territory(territory).rules
    phones: set[DoctorId] = set()
    waiting = 0
    for one in owned:
        if one.search.state is not State.CALLING:
            continue
        found = await asking.candidates(session, house, one.search, roster)
        left = steps.to_phone(one.search, Around(now=house.now(), rules=rules, candidates=found))
        phones |= {candidate.doctor for candidate in left}
        waiting += bool(left)
    if not phones:
        return []
    said = f"{_count(len(phones), 'médecin')}, {_count(waiting, 'personne')} en attente"
    return [Row(kind="calls", name="Médecins à appeler", reason=said, verb="Appeler", url="/appels")]


async def _unreached(session: AsyncSession, territory: str, labels: Mapping[str, str]) -> list[Row]:
    """Mails that died, and what to do about each."""
    found = await unreached.unreached(session, territory)
    cards = await doctors.cards(session, territory, {mail.doctor for mail in found if mail.doctor})
    owned = await searches.get_all(session, territory, {mail.search for mail in found if mail.search})
    rows = []
    for mail in found:
        one = owned.get(mail.search or "")
        card = cards.get(DoctorId(mail.doctor or ""))
        if one is not None:
            name = f"{labels.get(one.search.id, one.reference)} · {one.reference}"
        else:
            name = "Mail non remis"
        rows.append(
            Row(
                kind="unreached",
                name=name,
                reason=_with(mail.reason, card),
                verb=mail.verb,
                url=f"/recherches/{mail.search}" if one is not None else f"/medecins/{mail.doctor or ''}",
                at=mail.at,
                search_id=mail.search,
                reference=None if one is None else one.reference,
                doctor=mail.doctor,
                done_url=f"/mails/{mail.id}/vu",
            )
        )
    return rows


async def _to_read(session: AsyncSession, territory: str, labels: Mapping[str, str]) -> list[Row]:
    """Mails that came back and that nobody but a person understands."""
    found = await received.waiting(session, territory)
    cards = await doctors.cards(session, territory, {mail.doctor for mail in found if mail.doctor})
    rows = []
    for mail in found:
        owned = await searches.get(session, territory, mail.search)
        assert owned is not None
        card = cards.get(DoctorId(mail.doctor)) if mail.doctor else None
        rows.append(
            Row(
                kind="reply",
                name=f"{labels.get(mail.search, owned.reference)} · {owned.reference}",
                reason=_with(_CAME_BACK[mail.kind], card),
                verb="Lire",
                url=f"/reponses/{mail.id}",
                at=mail.at,
                search_id=mail.search,
                reference=owned.reference,
                doctor=mail.doctor,
            )
        )
    return rows


def _of_tasks(
    owned: list[Owned], labels: Mapping[str, str], people: Mapping[DoctorId, Card], kinds: set[TaskKind]
) -> list[Row]:
    found = [(one, task) for one in owned for task in one.search.tasks if task.kind in kinds]
    found.sort(key=lambda pair: (_ORDER[pair[1].kind], pair[1].since))
    return [
        _row(
            one,
            labels,
            kind=task.kind,
            reason=_with(_TASKS[task.kind][0], people.get(task.doctor) if task.doctor else None),
            verb=_TASKS[task.kind][1],
            at=task.since,
        )
        for one, task in found
    ]


def _lapsing(
    owned: list[Owned], labels: Mapping[str, str], people: Mapping[DoctorId, Card], now: datetime
) -> list[Row]:
    soon = [
        (timer, one)
        for one in owned
        for timer in one.search.timers
        if timer.kind in (TimerKind.YES_HELD, TimerKind.YES_LAPSES) and timer.at - now <= _SOON
    ]
    return [
        _row(
            one,
            labels,
            kind="yes_lapsing",
            reason=_with("Un oui va expirer", people.get(timer.doctor) if timer.doctor else None),
            verb="Proposer",
            at=timer.at,
        )
        for timer, one in sorted(soon, key=lambda pair: pair[0].at)
    ]


def _requests(owned: list[Owned], labels: Mapping[str, str], now: datetime, *, urgent: bool) -> list[Row]:
    new = [o for o in owned if o.search.state is State.SUBMITTED and o.search.urgent is urgent]
    new.sort(key=lambda one: _pressing(one, now))
    reason = "Demande urgente à relire" if urgent else "Nouvelle demande à relire"
    return [
        _row(
            one,
            labels,
            kind="new_request",
            reason=reason if one.structure_name is None else f"{reason} ({one.structure_name})",
            verb="Relire",
            at=one.search.since,
        )
        for one in new
    ]


def _pressing(one: Owned, now: datetime) -> tuple[int, datetime]:
    """A sorting key: the class, raised by the time waited so that nobody starves; then who waited longest."""
    seniority = one.search.seniority or one.search.since
    return order(waited(Priority(level=one.priority), seniority=seniority, now=now).level, seniority)


def _ready(owned: list[Owned], labels: Mapping[str, str]) -> list[Row]:
    return [
        _row(one, labels, kind="ready", reason="Prête à être lancée", verb="Lancer", at=one.search.since)
        for one in owned
        if one.search.state is State.READY
    ]


def _row(
    one: Owned, labels: Mapping[str, str], *, kind: str, reason: str, verb: str, at: datetime | None
) -> Row:
    return Row(
        kind=kind,
        name=f"{labels[one.search.id]} · {one.reference}",
        reason=reason,
        verb=verb,
        url=f"/recherches/{one.search.id}",
        at=at,
        search_id=one.search.id,
        reference=one.reference,
    )


def _waiting(one: Owned, labels: Mapping[str, str]) -> Waiting:
    timer = steps.next_step(one.search)
    if timer is not None and timer.kind in _FAR:
        timer = None
    return Waiting(
        search_id=one.search.id,
        reference=one.reference,
        name=f"{labels[one.search.id]} · {one.reference}",
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
