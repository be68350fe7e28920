"""A territory: its counters, its places and residents, its doctors and what they offered."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.protocol.doctors import Zone
from matcher.protocol.places import PlaceKind
from matcher.storage.tables.columns import Key, Number, OfTerritory, Structured, of_doctor, one_of


class TerritoryRow(Base):
    """One CPTS: what the others point to, and its settings as ``init`` read them."""

    __tablename__ = "territories"

    id: Mapped[Key]
    name: Mapped[str]
    #: The text of its ``territory.toml``. The one in the folder of territories goes before it.
    settings: Mapped[str]
    created_at: Mapped[datetime]
    #: After a restore everything is stopped until the office resumes.
    stopped_at: Mapped[datetime | None]


class CounterRow(Base):
    """The last number given, by year: what the references that people read are made of."""

    __tablename__ = "counters"

    territory_id: Mapped[OfTerritory]
    name: Mapped[Key]
    year: Mapped[Number]
    value: Mapped[int]


class PlaceRow(Base):
    """A place that an announcement may name (places.csv)."""

    __tablename__ = "places"
    __table_args__ = (one_of("kind", PlaceKind),)

    territory_id: Mapped[OfTerritory]
    name: Mapped[Key]
    kind: Mapped[str]
    lat: Mapped[float]
    lon: Mapped[float]
    insee: Mapped[str | None]
    quartier: Mapped[str | None]
    residents: Mapped[int | None]


class PopulationRow(Base):
    """Residents of a quartier in an age band, both ends included (population.csv)."""

    __tablename__ = "population"
    __table_args__ = (CheckConstraint("residents >= 0", name="residents"),)

    territory_id: Mapped[OfTerritory]
    insee: Mapped[Key]
    quartier: Mapped[Key]
    age_from: Mapped[Number]
    age_to: Mapped[int | None]
    residents: Mapped[float]


class HouseholdsRow(Base):
    """Households of a commune by composition (households.csv)."""

    __tablename__ = "households"
    __table_args__ = (CheckConstraint("households >= 0", name="households"),)

    territory_id: Mapped[OfTerritory]
    insee: Mapped[Key]
    adults: Mapped[Number]
    children: Mapped[Number]
    households: Mapped[int]


class DoctorRow(Base):
    """One doctor of the directory, with what he told us of himself. None is unknown."""

    __tablename__ = "doctors"
    __table_args__ = (
        one_of("zone", Zone),
        CheckConstraint("sex IN ('F', 'M')", name="sex"),
        Index(
            "uq_doctors_rpps",
            "territory_id",
            "rpps",
            unique=True,
            sqlite_where=text("rpps IS NOT NULL"),
            postgresql_where=text("rpps IS NOT NULL"),
        ),
        Index(None, "territory_id", "last_name"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    rpps: Mapped[str | None]
    last_name: Mapped[str]
    first_name: Mapped[str]
    sex: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    mssante: Mapped[str | None]
    #: A secretary or replacement whom the doctor named.
    delegate_email: Mapped[str | None]
    address: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    insee: Mapped[str | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    languages: Mapped[Structured]
    step_free: Mapped[bool | None]
    home_visits: Mapped[bool | None]
    sector: Mapped[int | None]
    teleconsultation: Mapped[bool | None]
    member: Mapped[bool]
    zone: Mapped[str]
    asked_per_week: Mapped[int | None]
    accepted_per_month: Mapped[int | None]
    #: Patients whose médecin traitant he is.
    list_size: Mapped[int | None]
    declines: Mapped[Structured]
    #: Paused, absent or not taking, until and including this day.
    away_until: Mapped[date | None]
    do_not_call: Mapped[bool]
    last_phoned_at: Mapped[datetime | None]
    #: The address bounced; nothing is mailed until it is corrected.
    mailbox_flagged: Mapped[bool]
    #: The number was wrong.
    phone_flagged: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TravelRow(Base):
    """Minutes from a place that may be announced to a practice (travel.csv)."""

    __tablename__ = "travel"
    __table_args__ = (of_doctor(),)

    territory_id: Mapped[OfTerritory]
    #: Its name without accents and capitals.
    place: Mapped[Key]
    doctor_id: Mapped[Key]
    walk: Mapped[int | None]
    drive: Mapped[int | None]


class OfferRow(Base):
    """A standing offer: places that a doctor declared beforehand."""

    __tablename__ = "offers"
    __table_args__ = (
        of_doctor(),
        CheckConstraint("remaining >= 0", name="remaining"),
        Index(None, "territory_id", "doctor_id"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    doctor_id: Mapped[str]
    places: Mapped[int]
    remaining: Mapped[int]
    from_: Mapped[date] = mapped_column("starts_on")
    until: Mapped[date | None] = mapped_column("ends_on")
    #: Kinds of conditions that the offer does not cover ("no home visits").
    declines: Mapped[Structured]
    #: Declared by the doctor himself over his link: only such an offer may trigger ``first_match``.
    by_link: Mapped[bool]
    #: The list of patients for which it was made.
    origin: Mapped[str | None]
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
