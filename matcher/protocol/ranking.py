"""Who may be asked for one search, best first. Plain Python: a territory has hundreds of doctors.

Why each stands where he stands is said by ``reasons``; ``nearest`` finds the first ones among many thousands.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from matcher.protocol.announcement import Condition
from matcher.protocol.doctors import (
    Candidate,
    Candidates,
    Doctor,
    FittingOffer,
    Offer,
    Zone,
    declines,
    meets,
    traits,
)
from matcher.protocol.fairness import Usual, turn, usual
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Place, distance_km, rounded_km
from matcher.protocol.travel import Reach, Travel, best, nearness
from matcher.protocol.wishes import Wish, WishKind


class Fit(NamedTuple):
    """How one doctor fits one search, whatever he carries and whether or not he is there."""

    met: tuple[Wish, ...]
    unmet: tuple[Wish, ...]
    distance_km: float | None
    minutes: int | None
    means: str | None


class Known(NamedTuple):
    """What was made of one doctor for one search: the fit while his traits are the same, the candidate and
    the beginning of his sorting key while he is the same value and as available.
    """

    doctor: Doctor
    fit: Fit | None
    available: bool
    candidate: Candidate | None
    ahead: tuple[object, ...]


NO_TIMES: Mapping[DoctorId, Travel] = {}


def candidates(
    doctors: Iterable[Doctor],
    *,
    wishes: Sequence[Wish],
    conditions: Collection[Condition],
    place: Place | None,
    declined: Collection[DoctorId],
    offers: Iterable[Offer],
    today: date,
    persons: int = 1,
    times: Mapping[DoctorId, Travel] = NO_TIMES,
    common: Usual | None = None,
    known: dict[DoctorId, Known] | None = None,
) -> Candidates:
    """Everybody who satisfies every hard wish and declines no condition, best first (P4).

    ``wishes`` in order of importance; ``place`` is the announced one, never the patient's address, and
    None (not announced yet) leaves every distance unknown; ``declined`` are the doctors the patient does
    not want; ``today`` is the territory's; ``persons`` is how many the search stands for; ``times`` are the
    minutes of a table from that place, where the territory has one; ``common`` is what is usual among its
    doctors, worked out of ``doctors`` unless it is known already. ``known`` keeps what was made of each
    doctor, for whoever ranks one search (the same wishes, conditions and place) again and again.

    The order: doctors named by the patient, those who meet every wish, those who miss the least
    important one, then proximity (minutes of the table, else kilometres as rounded), then fairness
    (``fairness.turn``: load against past answers); the id breaks what ties are left, so that the order is
    the same whoever asks.
    """
    everybody = list(doctors)
    common = common or usual(everybody)
    wished = wished_means(wishes)
    by_id = {doctor.id: doctor for doctor in everybody}
    kept: dict[DoctorId, Known] = {} if known is None else known

    def again(doctor: Doctor) -> Known:
        free, before = available(doctor, today), kept.get(doctor.id)
        if before is not None and before.doctor is doctor and before.available == free:
            return before
        if before is not None and traits(before.doctor) == traits(doctor):
            fit, ahead = before.fit, before.ahead
        else:
            fit = fit_of(doctor, wishes, conditions, place, times)
            ahead = () if fit is None else _ahead(fit, wishes, wished)
        candidate = None if fit is None else _candidate(doctor, fit, free)
        made = kept[doctor.id] = Known(doctor, fit, free, candidate, ahead)
        return made

    ranked = []
    for doctor in everybody:
        if doctor.id not in declined:
            made = again(doctor)
            if made.candidate is not None:
                ranked.append(((*made.ahead, turn(doctor, common), doctor.id), made.candidate))
    ranked.sort(key=itemgetter(0))
    ordered = tuple(candidate for _, candidate in ranked)
    fitting = {candidate.doctor: rank for rank, candidate in enumerate(ordered)}
    standing = [
        offer
        for offer in offers
        if offer.doctor in fitting and _stands(offer, by_id[offer.doctor], conditions, today, persons)
    ]
    standing.sort(key=lambda offer: (fitting[offer.doctor], offer.id))
    return Candidates(
        ordered=ordered,
        offers=tuple(FittingOffer(offer=o.id, doctor=o.doctor, by_link=o.by_link) for o in standing),
        with_mailbox=frozenset(doctor.id for doctor in everybody if doctor.has_mailbox),
    )


def wished_means(wishes: Sequence[Wish]) -> str | None:
    """How the patient travels, where that is a wish."""
    return next((str(wish.value) for wish in wishes if wish.kind is WishKind.TRAVEL), None)


def fit_of(
    doctor: Doctor,
    wishes: Sequence[Wish],
    conditions: Collection[Condition],
    place: Place | None,
    times: Mapping[DoctorId, Travel] = NO_TIMES,
) -> Fit | None:
    """How the doctor fits; None where a hard wish is not met or a condition declined (P4)."""
    exact = None
    if place is not None and doctor.lat is not None and doctor.lon is not None:
        exact = distance_km(place.lat, place.lon, doctor.lat, doctor.lon)
    travel = times.get(doctor.id)
    met = tuple(wish for wish in wishes if meets(doctor, wish, exact, travel))
    unmet = tuple(wish for wish in wishes if wish not in met)
    if any(wish.binding for wish in unmet) or any(declines(doctor, c) for c in conditions):
        return None
    minutes, means = (None, None) if travel is None else best(travel, wished_means(wishes))
    return Fit(met, unmet, None if exact is None else rounded_km(exact), minutes, means)


def candidate_of(
    doctor: Doctor,
    wishes: Sequence[Wish],
    conditions: Collection[Condition],
    place: Place | None,
    today: date,
    times: Mapping[DoctorId, Travel] = NO_TIMES,
) -> Candidate | None:
    """The doctor as a candidate; None where a hard wish is not met or a condition declined."""
    fit = fit_of(doctor, wishes, conditions, place, times)
    return None if fit is None else _candidate(doctor, fit, available(doctor, today))


def _candidate(doctor: Doctor, fit: Fit, free: bool) -> Candidate:
    return Candidate(
        doctor=doctor.id,
        zone=doctor.zone,
        mailable=(
            free
            and doctor.member
            and doctor.zone is Zone.TERRITORY
            and doctor.has_mailbox
            and not _reached(doctor.asked_this_week, doctor.asked_per_week)
        ),
        callable=free and doctor.has_phone and not doctor.do_not_call,
        # Being named is a head start, not a wish that everybody else misses.
        meets_all=all(wish.kind is WishKind.PREFER for wish in fit.unmet),
        met=tuple(wish.kind for wish in fit.met),
        unmet=tuple(wish.kind for wish in fit.unmet),
        distance_km=fit.distance_km,
        preferred=_named(fit),
        met_wishes=fit.met,
        unmet_wishes=fit.unmet,
        minutes=fit.minutes,
        means=fit.means,
        asked_this_week=doctor.asked_this_week,
        asked_per_week=doctor.asked_per_week,
        accepted_this_month=doctor.accepted_this_month,
        asked_before=doctor.asked_before,
        yes_before=doctor.yes_before,
        last_phoned_at=doctor.last_phoned_at,
    )


def _named(fit: Fit) -> bool:
    return any(wish.kind is WishKind.PREFER for wish in fit.met)


def _ahead(fit: Fit, wishes: Sequence[Wish], wished: str | None) -> tuple[object, ...]:
    """The beginning of the sorting key. Missed wishes compare in order of importance: missing the last one
    only is best.
    """
    missed = tuple(wish not in fit.met for wish in wishes if wish.kind is not WishKind.PREFER)
    near = nearness(Reach(km=fit.distance_km, minutes=fit.minutes, means=fit.means), wished)
    return not _named(fit), missed, math.inf if near is None else near


def available(doctor: Doctor, today: date) -> bool:
    """Neither away nor at the end of the patients he takes in a month."""
    away = doctor.away_until is not None and today <= doctor.away_until
    return not away and not _reached(doctor.accepted_this_month, doctor.accepted_per_month)


def _reached(count: int, quota: int | None) -> bool:
    return quota is not None and count >= quota


def _stands(
    offer: Offer, doctor: Doctor, conditions: Collection[Condition], today: date, persons: int
) -> bool:
    """Whether a fitting doctor's offer is a yes for this search today: period, places, conditions."""
    if not offer.from_ <= today or (offer.until is not None and offer.until < today):
        return False
    if offer.left < persons or not available(doctor, today):
        return False
    return not any(condition.kind in offer.declines for condition in conditions)
