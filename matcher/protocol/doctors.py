"""What the rules know of a doctor, and who may be asked for one search."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from matcher.protocol.announcement import ConditionKind
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.wishes import WishKind


class Zone(StrEnum):
    TERRITORY = "territoire"
    NEIGHBOUR = "voisine"


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """One doctor as the rules see him. None means unknown, and what is unknown is not met (P4)."""

    id: DoctorId
    sex: str | None
    languages: frozenset[str]
    lat: float | None
    lon: float | None
    step_free: bool | None
    home_visits: bool | None
    sector: int | None
    teleconsultation: bool | None
    member: bool
    zone: Zone
    #: An address that has not been flagged by a bounce.
    has_mailbox: bool
    has_phone: bool
    do_not_call: bool = False
    #: Paused, absent or "not taking" until and including this day.
    away_until: date | None = None
    #: Kinds of conditions he has declined in general.
    declines: frozenset[ConditionKind] = frozenset()
    asked_per_week: int | None = None
    accepted_per_month: int | None = None
    #: Announcements mailed to him in the last 7 days, all searches.
    asked_this_week: int = 0
    #: Times chosen in the last 30 days.
    accepted_this_month: int = 0
    last_phoned_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One doctor who satisfies every hard wish and condition, at his place in the order."""

    doctor: DoctorId
    zone: Zone
    #: May be mailed now: member of the territory with a mailbox, not away, quotas not used up.
    mailable: bool
    #: May be phoned now.
    callable: bool
    #: Meets every wish, soft ones too.
    meets_all: bool
    met: tuple[WishKind, ...]
    unmet: tuple[WishKind, ...]
    #: Rounded kilometres from the announced place.
    distance_km: float | None


@dataclass(frozen=True, kw_only=True)
class FittingOffer:
    """A standing offer that fits this search: a yes given beforehand."""

    offer: OfferId
    doctor: DoctorId
    #: Declared by the doctor himself over his link.
    by_link: bool


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Who may be asked for one search, best first, and the offers that fit it.

    ``ordered`` holds every fitting doctor of the territory and of the neighbouring zone; a doctor
    who is not in it does not satisfy a hard wish, or is excluded.
    """

    ordered: tuple[Candidate, ...] = ()
    offers: tuple[FittingOffer, ...] = ()
    #: Of every doctor that the search has met: those with a usable mailbox now.
    with_mailbox: frozenset[DoctorId] = frozenset()
