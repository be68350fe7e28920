"""A search, and all that hangs under it. The vital rules are repeated here as constraints."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.protocol.search import (
    CallOutcome,
    Channel,
    Choice,
    Declaration,
    Delivery,
    ReleaseKind,
    SpeaksToPatient,
    SpokeWith,
    Stand,
    State,
    TaskKind,
    TimerKind,
)
from matcher.records.priority import Level
from matcher.storage.tables.columns import (
    Key,
    Number,
    OfTerritory,
    Structured,
    TerritoryId,
    of_doctor,
    of_search,
    one_of,
)


class SearchRow(Base):
    """One search. Every column is a field of the protocol's value, but those of ``storage.searches.Owned``.

    Nothing here tells who the patient is: the label is sealed, like the rest of the record.
    """

    __tablename__ = "searches"
    __table_args__ = (
        one_of("state", State),
        one_of("priority", Level),
        one_of("choice", Choice),
        one_of("speaks_to_patient", SpeaksToPatient),
        one_of("declaration", Declaration),
        CheckConstraint("state <> 'released' OR release IS NOT NULL", name="released_has_release"),
        CheckConstraint("state <> 'resting' OR rest IS NOT NULL", name="resting_has_rest"),
        CheckConstraint("state <> 'withdrawn' OR withdrawal IS NOT NULL", name="withdrawn_has_withdrawal"),
        CheckConstraint("state <> 'unmet' OR ending IS NOT NULL", name="unmet_has_ending"),
        CheckConstraint(
            "state NOT IN ('asking', 'calling', 'proposing', 'released') OR (announcement IS NOT NULL"
            " AND consent IS NOT NULL)",
            name="asked_has_announcement_and_consent",
        ),
        CheckConstraint("run >= 1", name="run"),
        ForeignKeyConstraint(["territory_id", "structure_id"], ["structures.territory_id", "structures.id"]),
        ForeignKeyConstraint(["territory_id", "joined_to"], ["searches.territory_id", "searches.id"]),
        UniqueConstraint("territory_id", "reference"),
        Index(None, "territory_id", "state"),
        Index(None, "territory_id", "structure_id", "created_at"),
        Index(None, "territory_id", "created_at"),
        Index(None, "territory_id", "joined_to"),
        Index(None, "territory_id", "origin"),
        Index(None, "territory_id", "split_from"),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    #: What people read and say: "VEN-26-0042".
    reference: Mapped[str]
    #: The requester that submitted it; None when the office did.
    structure_id: Mapped[str | None]
    #: The user or key that submitted it.
    created_by: Mapped[str | None]
    #: The search that this one was joined to as a duplicate.
    joined_to: Mapped[str | None]
    #: The first search of a household that was split; kept when that one is forgotten, so no foreign key.
    split_from: Mapped[str | None]
    #: Priority class; its reasons are health data and stay in the record.
    priority: Mapped[str]
    #: Set by a person: the class worked out from the record no longer replaces it.
    priority_set: Mapped[bool]

    state: Mapped[str]
    since: Mapped[datetime]
    created_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    run: Mapped[int]
    seniority: Mapped[datetime | None]
    urgent: Mapped[bool]
    choice: Mapped[str]
    speaks_to_patient: Mapped[str]
    consent: Mapped[Structured | None]
    confirmed_at: Mapped[datetime | None]
    missing: Mapped[Structured]
    household: Mapped[Structured | None]
    #: The list that it came with.
    origin: Mapped[str | None]
    announcement: Mapped[Structured | None]
    announcement_frozen: Mapped[bool]
    wishes: Mapped[Structured]
    conditions: Mapped[Structured]
    wave: Mapped[int]
    widened: Mapped[bool]
    first_match_done: Mapped[bool]
    declined: Mapped[Structured]
    releases: Mapped[int]
    release: Mapped[Structured | None]
    appointment: Mapped[Structured | None]
    declaration: Mapped[str | None]
    rest: Mapped[Structured | None]
    contact_attempts: Mapped[Structured]
    withdrawal: Mapped[Structured | None]
    ending: Mapped[Structured | None]
    record_destroyed: Mapped[bool]
    letters: Mapped[int]


class SolicitationRow(Base):
    """One doctor asked in one run by one channel. Earlier runs stay, as history."""

    __tablename__ = "solicitations"
    __table_args__ = (
        one_of("channel", Channel),
        one_of("delivery", Delivery),
        of_search(),
        of_doctor(),
        Index(None, "territory_id", "doctor_id", "at"),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    run: Mapped[Number]
    doctor_id: Mapped[Key]
    channel: Mapped[Key]
    delivery: Mapped[str]
    at: Mapped[datetime]
    wave: Mapped[int]
    accepted_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]


class CallAttemptRow(Base):
    """One call, under the solicitation by phone."""

    __tablename__ = "call_attempts"
    __table_args__ = (
        one_of("outcome", CallOutcome),
        one_of("spoke_with", SpokeWith),
        ForeignKeyConstraint(
            ["territory_id", "search_id", "run", "doctor_id", "channel"],
            [
                f"solicitations.{column}"
                for column in ("territory_id", "search_id", "run", "doctor_id", "channel")
            ],
            ondelete="CASCADE",
        ),
        Index(None, "territory_id", "doctor_id", "at"),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    run: Mapped[Number]
    doctor_id: Mapped[Key]
    channel: Mapped[Key]
    number: Mapped[Number]
    at: Mapped[datetime]
    outcome: Mapped[str]
    spoke_with: Mapped[str | None]
    call_back_at: Mapped[datetime | None]


class PositionRow(Base):
    """What one doctor answered in one run. Earlier runs stay, as history."""

    __tablename__ = "positions"
    __table_args__ = (
        one_of("stand", Stand),
        of_search(),
        of_doctor(),
        # P2. The word is a literal: as a parameter under a generic plan the index would be lost.
        Index(
            "uq_positions_chosen",
            "territory_id",
            "search_id",
            "run",
            unique=True,
            sqlite_where=text("stand = 'chosen'"),
            postgresql_where=text("stand = 'chosen'"),
        ),
        Index(None, "territory_id", "doctor_id", "stand", "at"),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    run: Mapped[Number]
    doctor_id: Mapped[Key]
    stand: Mapped[str]
    at: Mapped[datetime]
    answer: Mapped[Structured | None]
    settling: Mapped[Structured | None]
    held: Mapped[Structured]


class TimerRow(Base):
    """A step that is due. ``doctor_id`` is empty for the steps that concern no doctor."""

    __tablename__ = "timers"
    __table_args__ = (
        one_of("kind", TimerKind),
        of_search(),
        Index(None, "territory_id", "due_at"),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    kind: Mapped[Key]
    doctor_id: Mapped[Key]
    due_at: Mapped[datetime]
    #: Until then a worker does it; past it any other may.
    lease_until: Mapped[datetime | None]
    #: Raised by each claim: a worker that slept past its lease comes back with an old one.
    fence: Mapped[int] = mapped_column(default=0)


class TaskRow(Base):
    """One thing for the office to do."""

    __tablename__ = "tasks"
    __table_args__ = (one_of("kind", TaskKind), of_search(), Index(None, "territory_id", "since"))

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    kind: Mapped[Key]
    doctor_id: Mapped[Key]
    since: Mapped[datetime]


class CallClaimRow(Base):
    """Who is phoning a doctor now: one doctor, one person."""

    __tablename__ = "call_claims"
    __table_args__ = (of_doctor(),)

    territory_id: Mapped[TerritoryId]
    doctor_id: Mapped[Key]
    person: Mapped[str]
    #: The person's name, for the others' page.
    name: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime]


class LinkRow(Base):
    """A capability link. The token is derived from it under a key that is not here."""

    __tablename__ = "links"
    __table_args__ = (
        of_search(),
        of_doctor(),
        # One link per solicitation and purpose: announcement, reminder and digest carry the same token.
        UniqueConstraint("territory_id", "search_id", "run", "doctor_id", "purpose"),
        Index(
            "uq_links_of_doctor",
            "territory_id",
            "doctor_id",
            "purpose",
            unique=True,
            sqlite_where=text("search_id IS NULL"),
            postgresql_where=text("search_id IS NULL"),
        ),
    )

    territory_id: Mapped[OfTerritory]
    id: Mapped[Key]
    purpose: Mapped[str]
    #: Changes only to revoke: what was derived from the former one dies.
    nonce: Mapped[str]
    search_id: Mapped[str | None]
    run: Mapped[int | None]
    doctor_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_opened_at: Mapped[datetime | None]


class GatheredRow(Base):
    """One search of a digest: the mail stands for the announcement or reminder that it would have had."""

    __tablename__ = "gathered"
    __table_args__ = (of_search(), of_doctor(), Index(None, "territory_id", "doctor_id", "purpose", "letter"))

    territory_id: Mapped[TerritoryId]
    #: The digest's row in the outbox.
    mail_id: Mapped[Key]
    search_id: Mapped[Key]
    run: Mapped[Number]
    number: Mapped[int]
    doctor_id: Mapped[str]
    purpose: Mapped[str]
    letter: Mapped[str]


class ReleaseRow(Base):
    """The giving of a record and its codes. Codes are derived; none is here."""

    __tablename__ = "releases"
    __table_args__ = (
        one_of("kind", ReleaseKind),
        CheckConstraint("code_number >= 0 AND failures >= 0", name="counts"),
        of_search(),
        of_doctor(),
        # One release in force per search: a renewal ends the one before.
        Index(
            "uq_releases_in_force",
            "territory_id",
            "search_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    territory_id: Mapped[TerritoryId]
    search_id: Mapped[Key]
    number: Mapped[Number]
    doctor_id: Mapped[str]
    run: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime]
    #: Which code is valid now; 0 before the first.
    code_number: Mapped[int] = mapped_column(default=0)
    code_expires_at: Mapped[datetime | None]
    code_used_at: Mapped[datetime | None]
    #: Wrong codes in a row.
    failures: Mapped[int] = mapped_column(default=0)
    locked: Mapped[bool]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
