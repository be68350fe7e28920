"""Who may be asked for one search, best first, and why. Plain Python: a territory has hundreds of doctors."""

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import date

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
)
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Place, distance_km, rounded_km
from matcher.protocol.wishes import Wish, WishKind
from matcher.protocol.wording import distance

#: Names of the languages most met in consultations; another is said by its code.
LANGUAGES = {
    "am": "amharique",
    "ar": "arabe",
    "bn": "bengali",
    "de": "allemand",
    "en": "anglais",
    "es": "espagnol",
    "fa": "persan",
    "fr": "français",
    "hy": "arménien",
    "it": "italien",
    "ka": "géorgien",
    "ku": "kurde",
    "pl": "polonais",
    "ps": "pachto",
    "pt": "portugais",
    "ro": "roumain",
    "ru": "russe",
    "so": "somali",
    "sq": "albanais",
    "sr": "serbe",
    "ta": "tamoul",
    "ti": "tigrigna",
    "tr": "turc",
    "uk": "ukrainien",
    "ur": "ourdou",
    "vi": "vietnamien",
    "wo": "wolof",
    "zh": "chinois",
}
_MET = {
    WishKind.STEP_FREE: "accessible de plain-pied",
    WishKind.HOME_VISITS: "visites à domicile",
    WishKind.SECTOR1: "secteur 1",
    WishKind.TELECONSULTATION: "téléconsultation",
}


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
) -> Candidates:
    """Everybody who satisfies every hard wish and declines no condition, best first (P4).

    ``wishes`` in order of importance; ``place`` is the announced one, never the patient's address, and
    None (not announced yet) leaves every distance unknown; ``declined`` are the doctors the patient does
    not want; ``today`` is the territory's; ``persons`` is how many the search stands for.

    The order: doctors named by the patient, those who meet every wish, those who miss the least
    important one, then proximity (as rounded), then fairness: least asked this week, least chosen this
    month; the id breaks what ties are left, so that the order is the same whoever asks.
    """
    everybody = list(doctors)
    by_id = {doctor.id: doctor for doctor in everybody}
    ranked = sorted(
        (
            (_order(doctor, candidate, wishes), candidate)
            for doctor in everybody
            if doctor.id not in declined
            and (candidate := _candidate(doctor, wishes, conditions, place, today)) is not None
        ),
        key=lambda pair: pair[0],
    )
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


def why(candidate: Candidate) -> str:
    """Say why this doctor stands where he stands: « parle arabe, à 1 km »."""
    reasons = ["demandé·e par la personne"] if candidate.preferred else []
    reasons += [said for wish in candidate.met_wishes if (said := _met(wish)) is not None]
    if candidate.distance_km is not None:
        near = distance(candidate.distance_km)
        reasons.append(near.replace("environ", "à"))
    if candidate.asked_this_week:
        reasons.append(f"déjà sollicité·e {candidate.asked_this_week} fois cette semaine")
    else:
        reasons.append("pas sollicité·e cette semaine")
    if candidate.zone is Zone.NEIGHBOUR:
        reasons.append("zone voisine")
    return ", ".join(reasons)


def _candidate(
    doctor: Doctor,
    wishes: Sequence[Wish],
    conditions: Collection[Condition],
    place: Place | None,
    today: date,
) -> Candidate | None:
    """The doctor as a candidate; None where a hard wish is not met or a condition declined."""
    exact = None
    if place is not None and doctor.lat is not None and doctor.lon is not None:
        exact = distance_km(place.lat, place.lon, doctor.lat, doctor.lon)
    met = tuple(wish for wish in wishes if meets(doctor, wish, exact))
    unmet = tuple(wish for wish in wishes if wish not in met)
    if any(wish.binding for wish in unmet) or any(declines(doctor, c) for c in conditions):
        return None
    available = _available(doctor, today)
    return Candidate(
        doctor=doctor.id,
        zone=doctor.zone,
        mailable=(
            available
            and doctor.member
            and doctor.zone is Zone.TERRITORY
            and doctor.has_mailbox
            and not _reached(doctor.asked_this_week, doctor.asked_per_week)
        ),
        callable=available and doctor.has_phone and not doctor.do_not_call,
        # Being named is a head start, not a wish that everybody else misses.
        meets_all=all(wish.kind is WishKind.PREFER for wish in unmet),
        met=tuple(wish.kind for wish in met),
        unmet=tuple(wish.kind for wish in unmet),
        distance_km=None if exact is None else rounded_km(exact),
        preferred=any(wish.kind is WishKind.PREFER for wish in met),
        met_wishes=met,
        asked_this_week=doctor.asked_this_week,
        last_phoned_at=doctor.last_phoned_at,
    )


def _order(doctor: Doctor, candidate: Candidate, wishes: Sequence[Wish]) -> tuple[object, ...]:
    """The sorting key. Missed wishes compare in order of importance: missing the last one only is best."""
    missed = tuple(wish not in candidate.met_wishes for wish in wishes if wish.kind is not WishKind.PREFER)
    return (
        not candidate.preferred,
        missed,
        math.inf if candidate.distance_km is None else candidate.distance_km,
        doctor.asked_this_week,
        doctor.accepted_this_month,
        doctor.id,
    )


def _available(doctor: Doctor, today: date) -> bool:
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
    if offer.left < persons or not _available(doctor, today):
        return False
    return not any(condition.kind in offer.declines for condition in conditions)


def _met(wish: Wish) -> str | None:
    """One met wish in French; None for what goes without saying (distance is said in kilometres)."""
    if wish.kind is WishKind.LANGUAGE:
        return f"parle {LANGUAGES.get(str(wish.value), wish.value)}"
    if wish.kind is WishKind.DOCTOR_SEX:
        return "une femme" if wish.value == "F" else "un homme"
    return _MET.get(wish.kind)
