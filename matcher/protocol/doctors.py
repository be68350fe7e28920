"""What the rules know of a doctor, whether he meets a wish, and who may be asked for one search."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.travel import REACH_MINUTES, Travel, told
from matcher.protocol.wishes import REACH_KM, Wish, WishKind


class Zone(StrEnum):
    """Where a doctor practises; neighbours are only phoned once a search was widened to them."""

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
    #: Questions of the last 12 months that had the time to be answered, and how many he said yes to.
    asked_before: int = 0
    yes_before: int = 0
    #: Patients whose médecin traitant he is.
    list_size: int | None = None


def traits(doctor: Doctor) -> tuple[object, ...]:
    """What the answers to wishes and conditions are worked out from: all that his load does not change."""
    return (
        doctor.id,
        doctor.sex,
        doctor.languages,
        doctor.lat,
        doctor.lon,
        doctor.step_free,
        doctor.home_visits,
        doctor.sector,
        doctor.teleconsultation,
        doctor.declines,
    )


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
    #: One of the doctors whom the patient named to be asked first.
    preferred: bool = False
    #: The wishes behind ``met`` and ``unmet``, for saying why.
    met_wishes: tuple[Wish, ...] = ()
    unmet_wishes: tuple[Wish, ...] = ()
    #: Minutes of the territory's table, and by which means (``walk``, ``car``).
    minutes: int | None = None
    means: str | None = None
    #: As the doctor's: for the order of calls and for saying why.
    asked_this_week: int = 0
    asked_per_week: int | None = None
    accepted_this_month: int = 0
    asked_before: int = 0
    yes_before: int = 0
    last_phoned_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Places that a doctor declared beforehand: « 2 par mois, sans visites à domicile »."""

    id: OfferId
    doctor: DoctorId
    #: Places left.
    left: int
    #: First and last day of the period, both included.
    from_: date
    until: date | None = None
    #: Kinds of conditions for which the offer does not hold.
    declines: frozenset[ConditionKind] = field(default_factory=frozenset)
    #: Declared by the doctor himself over his link.
    by_link: bool = False
    #: The list of patients for which it was made; None: for anybody.
    origin: str | None = None


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
    #: Whom this search was given when the doctors were shared out (``sharing``); nobody: not shared.
    shared: frozenset[DoctorId] = frozenset()


def fulfils(
    doctor: Doctor, wish: Wish, distance_km: float | None, travel: Travel | None = None
) -> bool | None:
    """Whether the doctor fulfils the wish; None where it is not known.

    ``distance_km`` is unrounded, from the announced place, None where the doctor's place is unknown;
    ``travel`` are the minutes of the territory's table, which go before the straight line.
    """
    match wish.kind:
        case WishKind.DOCTOR_SEX:
            return None if doctor.sex is None else doctor.sex == wish.value
        case WishKind.LANGUAGE:
            # Every doctor of the territory practises in French, whether or not the directory says so.
            if wish.value == "fr" or wish.value in doctor.languages:
                return True
            return False if doctor.languages else None
        case WishKind.MAX_DISTANCE_KM:
            return None if distance_km is None else distance_km <= float(str(wish.value))
        case WishKind.TRAVEL:
            minutes = told(travel, str(wish.value))
            if minutes is not None:
                return minutes <= REACH_MINUTES
            return None if distance_km is None else distance_km <= REACH_KM[str(wish.value)]
        case WishKind.STEP_FREE:
            return doctor.step_free
        case WishKind.HOME_VISITS:
            return doctor.home_visits
        case WishKind.SECTOR1:
            return None if doctor.sector is None else doctor.sector == 1
        case WishKind.TELECONSULTATION:
            return doctor.teleconsultation
        case WishKind.EXCLUDE:
            return doctor.id not in _ids(wish)
        case WishKind.PREFER:
            return doctor.id in _ids(wish)
        case _:
            assert_never(wish.kind)


def meets(doctor: Doctor, wish: Wish, distance_km: float | None, travel: Travel | None = None) -> bool:
    """Whether the doctor surely fulfils the wish: what is unknown of a doctor is not met (P4)."""
    return fulfils(doctor, wish, distance_km, travel) is True


def declines(doctor: Doctor, condition: Condition) -> bool:
    """Whether the doctor declines that condition; then he is never asked, as for a hard wish.

    He declined it in so many words, or the directory says that he makes no home visits or that his
    practice has steps. Where the directory says nothing the announcement asks him.
    """
    if condition.kind in doctor.declines:
        return True
    if condition.kind is ConditionKind.HOME_VISITS:
        return doctor.home_visits is False
    return condition.kind is ConditionKind.STEP_FREE and doctor.step_free is False


def _ids(wish: Wish) -> tuple[str, ...]:
    return wish.value if isinstance(wish.value, tuple) else (str(wish.value),)
