"""The directory: doctors as people know them, and as the rules rank them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, RowMapping, and_, case, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.protocol.announcement import ConditionKind
from matcher.protocol.doctors import Doctor, Zone
from matcher.protocol.ids import DoctorId
from matcher.storage.sql import changed, upsert
from matcher.storage.tables import DoctorRow, PositionRow, SolicitationRow, table

WEEK = timedelta(days=7)
MONTH = timedelta(days=30)

_DOCTORS = table(DoctorRow)
_SOLICITATIONS = table(SolicitationRow)
_POSITIONS = table(PositionRow)


class Quota(Protocol):
    """How often a doctor who set no limit is asked and chosen at most."""

    @property
    def asked_per_week(self) -> int: ...

    @property
    def accepted_per_month(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Card:
    """One doctor of the directory, with the names of the CSV. None is unknown."""

    id: DoctorId
    last_name: str
    first_name: str
    rpps: str | None = None
    sex: str | None = None
    phone: str | None = None
    email: str | None = None
    mssante: str | None = None
    delegate_email: str | None = None
    address: str | None = None
    postcode: str | None = None
    city: str | None = None
    insee: str | None = None
    lat: float | None = None
    lon: float | None = None
    languages: frozenset[str] = frozenset()
    step_free: bool | None = None
    home_visits: bool | None = None
    sector: int | None = None
    teleconsultation: bool | None = None
    member: bool = False
    zone: Zone = Zone.TERRITORY
    asked_per_week: int | None = None
    accepted_per_month: int | None = None
    list_size: int | None = None
    declines: frozenset[ConditionKind] = frozenset()
    away_until: date | None = None
    do_not_call: bool = False
    last_phoned_at: datetime | None = None
    #: The address bounced.
    mailbox_flagged: bool = False
    #: The number was wrong.
    phone_flagged: bool = False

    @property
    def name(self) -> str:
        """As lists show it."""
        return f"Dr {self.first_name} {self.last_name}"

    @property
    def title_name(self) -> str:
        """As mails address him."""
        return f"Dr {self.last_name}"

    @property
    def mailbox(self) -> str | None:
        """The address that mails go to, unless it bounced."""
        return None if self.mailbox_flagged else self.email

    @property
    def has_mailbox(self) -> bool:
        """Whether mails can be sent."""
        return self.mailbox is not None


#: What a person may correct; the rest is set by the functions below.
EDITABLE = frozenset(f.name for f in fields(Card)) - {
    "id",
    "last_phoned_at",
    "mailbox_flagged",
    "phone_flagged",
}
#: What was found to be wrong, and where that is noted.
_FLAGS = {"email": "mailbox_flagged", "phone": "phone_flagged"}
_CARD = tuple(f.name for f in fields(Card))
_SAID_SINCE = ("created_at", "away_until", "declines", "do_not_call", "last_phoned_at")


async def put(session: AsyncSession, territory: str, cards: Iterable[Card], now: datetime) -> None:
    """Add doctors, or correct those of the same id as a repeated import does: what they said of themselves
    since (pauses, refusals) stays, and a flag stays unless the address or number is another one.

    An ``rpps`` that another doctor of the territory has is an IntegrityError.
    """
    require_transaction(session)
    rows = [
        {"territory_id": territory, **_columns(card), "created_at": now, "updated_at": now} for card in cards
    ]
    kept: dict[str, Any] = {name: _DOCTORS.c[name] for name in _SAID_SINCE}
    for field, flag in _FLAGS.items():
        same = _DOCTORS.c[field] == literal_column(f"excluded.{field}")
        kept[flag] = case((same, _DOCTORS.c[flag]), else_=False)
    await upsert(session, _DOCTORS, rows, besides=kept)


async def patch(
    session: AsyncSession,
    territory: str,
    doctor: str,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    checked: Collection[str] = (),
) -> bool:
    """Correct fields of ``EDITABLE``, as Card has them. A new address or number is no longer flagged, nor is
    the same ``email`` or ``phone`` once it was ``checked``.

    False where there is no such doctor. ValueError for a field that is not editable.
    """
    require_transaction(session)
    unknown = changes.keys() - EDITABLE
    if unknown:
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    before = await get(session, territory, doctor)
    if before is None:
        return False
    values = {name: _stored(value) for name, value in changes.items()}
    for name, flag in _FLAGS.items():
        if name in checked or changes.get(name, getattr(before, name)) != getattr(before, name):
            values[flag] = False
    await _set(session, territory, doctor, **values, updated_at=now)
    return True


async def get(session: AsyncSession, territory: str, doctor: str) -> Card | None:
    """One doctor."""
    return (await cards(session, territory, [doctor])).get(DoctorId(doctor))


async def exists(session: AsyncSession, territory: str, doctor: str) -> bool:
    """Whether the territory has a doctor of that id."""
    return await session.scalar(select(_DOCTORS.c.id).where(_is(territory, doctor))) is not None


async def cards(session: AsyncSession, territory: str, ids: Collection[str]) -> dict[DoctorId, Card]:
    """These doctors, by id."""
    if not ids:
        return {}
    found = await _cards(session, and_(_DOCTORS.c.territory_id == territory, _DOCTORS.c.id.in_(set(ids))))
    return {card.id: card for card in found}


async def corrected(
    session: AsyncSession, territory: str, ids: Collection[str], since: datetime
) -> dict[DoctorId, datetime]:
    """When each of these doctors was last corrected, by a person or an import; those only that were so after
    ``since``.
    """
    found = await session.execute(
        select(_DOCTORS.c.id, _DOCTORS.c.updated_at).where(
            _DOCTORS.c.territory_id == territory,
            _DOCTORS.c.id.in_(set(ids)),
            _DOCTORS.c.updated_at > since,
        )
    )
    return {DoctorId(row.id): row.updated_at for row in found}


async def list_(session: AsyncSession, territory: str, q: str | None = None) -> list[Card]:
    """Every doctor of the territory and around, by name; ``q`` is a part of a name."""
    return await _cards(session, _named(territory, q))


async def part(
    session: AsyncSession, territory: str, q: str | None, start: int, limit: int, *, to_place: bool = False
) -> tuple[list[Card], int, int]:
    """The part of that list from ``start`` on, the length of the whole, and how many have no place on the
    map; ``to_place``: of these only.
    """
    unplaced = _DOCTORS.c.lat.is_(None)
    wanted = _named(territory, q)
    counted = select(func.count(), func.count().filter(unplaced)).select_from(_DOCTORS).where(wanted)
    everybody, lost = (await session.execute(counted)).one()
    if to_place:
        wanted, everybody = and_(wanted, unplaced), lost
    return await _cards(session, wanted, start, limit), everybody, lost


def _named(territory: str, q: str | None) -> ColumnElement[bool]:
    wanted = _DOCTORS.c.territory_id == territory
    for word in (q or "").lower().split():
        wanted = and_(
            wanted,
            or_(
                func.lower(_DOCTORS.c.last_name).contains(word, autoescape=True),
                func.lower(_DOCTORS.c.first_name).contains(word, autoescape=True),
            ),
        )
    return wanted


async def by_rpps(session: AsyncSession, territory: str) -> dict[str, DoctorId]:
    """Ids by RPPS number: an import that is repeated finds its doctors again."""
    rows = await session.execute(
        select(_DOCTORS.c.rpps, _DOCTORS.c.id).where(
            _DOCTORS.c.territory_id == territory, _DOCTORS.c.rpps.is_not(None)
        )
    )
    return {rpps: DoctorId(id) for rpps, id in rows}


async def everybody(
    session: AsyncSession,
    territory: str,
    now: datetime,
    quota: Quota | None = None,
    only: Collection[str] | None = None,
) -> list[tuple[Card, Doctor]]:
    """Every doctor as people and as the rules see him, with what he was asked and how often chosen lately.

    ``quota`` is for those who set none; ``only``: those of these ids. One statement, whatever the number of
    doctors.
    """
    among = [] if only is None else sorted(only)
    asked_among = () if only is None else (_SOLICITATIONS.c.doctor_id.in_(among),)
    chosen_among = () if only is None else (_POSITIONS.c.doctor_id.in_(among),)
    listed = () if only is None else (_DOCTORS.c.id.in_(among),)
    asked = (
        select(_SOLICITATIONS.c.doctor_id, func.count().label("count"))
        .where(
            _SOLICITATIONS.c.territory_id == territory,
            _SOLICITATIONS.c.channel == "mail",
            _SOLICITATIONS.c.delivery.in_(("queued", "asked")),
            _SOLICITATIONS.c.at > now - WEEK,
            *asked_among,
        )
        .group_by(_SOLICITATIONS.c.doctor_id)
        .subquery("asked")
    )
    accepted = (
        select(_POSITIONS.c.doctor_id, func.count().label("count"))
        .where(
            _POSITIONS.c.territory_id == territory,
            _POSITIONS.c.stand == "chosen",
            _POSITIONS.c.at > now - MONTH,
            *chosen_among,
        )
        .group_by(_POSITIONS.c.doctor_id)
        .subquery("accepted")
    )
    rows = await session.execute(
        select(
            *_DOCTORS.c,
            func.coalesce(asked.c.count, 0).label("asked_this_week"),
            func.coalesce(accepted.c.count, 0).label("accepted_this_month"),
        )
        .outerjoin(asked, asked.c.doctor_id == _DOCTORS.c.id)
        .outerjoin(accepted, accepted.c.doctor_id == _DOCTORS.c.id)
        .where(_DOCTORS.c.territory_id == territory, *listed)
        .order_by(_DOCTORS.c.id)
    )
    return [(card, _ranked(card, row, quota)) for row in rows.mappings() for card in (_card(row),)]


async def pause(session: AsyncSession, territory: str, doctor: str, until: date | None) -> None:
    """He is away until and including that day; None: he is back."""
    await _set(session, territory, doctor, away_until=until)


async def never_call(session: AsyncSession, territory: str, doctor: str) -> None:
    """He asked not to be phoned."""
    await _set(session, territory, doctor, do_not_call=True)


async def phoned(session: AsyncSession, territory: str, doctor: str, now: datetime) -> None:
    """He was just phoned, whatever the call was about."""
    await _set(session, territory, doctor, last_phoned_at=now)


async def flag_mailbox(session: AsyncSession, territory: str, doctor: str) -> None:
    """His address bounced: nothing is mailed until it is corrected."""
    await _set(session, territory, doctor, mailbox_flagged=True)


async def flag_number(session: AsyncSession, territory: str, doctor: str) -> None:
    """His number was wrong."""
    await _set(session, territory, doctor, phone_flagged=True)


async def correct_mailbox(
    session: AsyncSession, territory: str, doctor: str, email: str | None, mssante: str | None = None
) -> bool:
    """Keep an address that the doctor gave; None leaves the known one. It is no longer flagged.

    False, and nothing is written, where the e-mail address is another doctor's of the territory.
    """
    require_transaction(session)
    if email is not None:
        other = await session.scalar(
            select(_DOCTORS.c.id).where(
                _DOCTORS.c.territory_id == territory,
                _DOCTORS.c.id != doctor,
                func.lower(_DOCTORS.c.email) == email.lower(),
            )
        )
        if other is not None:
            return False
        await _set(session, territory, doctor, email=email, mailbox_flagged=False)
    if mssante is not None:
        await _set(session, territory, doctor, mssante=mssante)
    return True


def _is(territory: str, doctor: str) -> ColumnElement[bool]:
    return and_(_DOCTORS.c.territory_id == territory, _DOCTORS.c.id == doctor)


async def _set(session: AsyncSession, territory: str, doctor: str, **values: object) -> None:
    await changed(session, update(_DOCTORS).where(_is(territory, doctor)).values(values))


async def _cards(
    session: AsyncSession, wanted: ColumnElement[bool], start: int = 0, limit: int | None = None
) -> list[Card]:
    by_name = (_DOCTORS.c.last_name, _DOCTORS.c.first_name, _DOCTORS.c.id)
    rows = await session.execute(
        select(*_DOCTORS.c).where(wanted).order_by(*by_name).offset(start).limit(limit)
    )
    return [_card(row) for row in rows.mappings()]


def _stored(value: Any) -> Any:
    if isinstance(value, Zone):
        return value.value
    return sorted(value) if isinstance(value, set | frozenset | tuple | list) else value


def _columns(card: Card) -> dict[str, Any]:
    return {f.name: _stored(getattr(card, f.name)) for f in fields(Card)}


def _card(row: RowMapping) -> Card:
    plain = {name: row[name] for name in _CARD}
    plain["zone"] = Zone(row["zone"])
    plain["languages"] = frozenset(row["languages"])
    plain["declines"] = frozenset(ConditionKind(kind) for kind in row["declines"])
    return Card(**plain)


def _ranked(card: Card, row: RowMapping, quota: Quota | None) -> Doctor:
    weekly, monthly = card.asked_per_week, card.accepted_per_month
    if quota is not None:
        weekly = quota.asked_per_week if weekly is None else weekly
        monthly = quota.accepted_per_month if monthly is None else monthly
    return Doctor(
        id=card.id,
        sex=card.sex,
        languages=card.languages,
        lat=card.lat,
        lon=card.lon,
        step_free=card.step_free,
        home_visits=card.home_visits,
        sector=card.sector,
        teleconsultation=card.teleconsultation,
        member=card.member,
        zone=card.zone,
        has_mailbox=card.has_mailbox,
        has_phone=card.phone is not None and not card.phone_flagged,
        do_not_call=card.do_not_call,
        away_until=card.away_until,
        declines=card.declines,
        asked_per_week=weekly,
        accepted_per_month=monthly,
        asked_this_week=row["asked_this_week"],
        accepted_this_month=row["accepted_this_month"],
        last_phoned_at=card.last_phoned_at,
        list_size=card.list_size,
    )
