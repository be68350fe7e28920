"""Why a doctor stands where he stands, in plain French. The office reads it; a doctor never does.

« parle arabe, à 1 km, pas sollicité·e cette semaine, a dit oui à 3 demandes sur 9 depuis un an ».
"""

from matcher.protocol.doctors import Candidate, Zone
from matcher.protocol.languages import named
from matcher.protocol.wishes import Wish, WishKind
from matcher.protocol.wording import distance

_SAID = {
    WishKind.STEP_FREE: "accessible de plain-pied",
    WishKind.HOME_VISITS: "visites à domicile",
    WishKind.SECTOR1: "secteur 1",
    WishKind.TELECONSULTATION: "téléconsultation",
}
_FAR = {WishKind.MAX_DISTANCE_KM: "la distance souhaitée", WishKind.TRAVEL: "le trajet souhaité"}
_MEANS = {"walk": "à pied", "car": "en voiture"}
#: Fewer questions than this say nothing of a doctor yet.
_ENOUGH = 3


def why(candidate: Candidate) -> str:
    """What is met, what is not, how far, what he carries, and what he answered before."""
    reasons = ["demandé·e par la personne"] if candidate.preferred else []
    reasons += [said for wish in candidate.met_wishes if (said := wish_said(wish)) is not None]
    if candidate.minutes is not None and candidate.means is not None:
        reasons.append(f"à {candidate.minutes} minutes {_MEANS[candidate.means]}")
    elif candidate.distance_km is not None:
        reasons.append(distance(candidate.distance_km).replace("environ", "à"))
    reasons.append(_asked(candidate))
    if candidate.accepted_this_month:
        reasons.append(f"choisi·e {candidate.accepted_this_month} fois depuis un mois")
    if candidate.asked_before >= _ENOUGH:
        reasons.append(
            f"a dit oui à {candidate.yes_before} demandes sur {candidate.asked_before} depuis un an"
        )
    if candidate.zone is Zone.NEIGHBOUR:
        reasons.append("zone voisine")
    missed = [_FAR.get(wish.kind) or wish_said(wish) for wish in candidate.unmet_wishes]
    if said := ", ".join(filter(None, missed)):
        reasons.append(f"non rempli ou inconnu : {said}")
    return ", ".join(reasons)


def _asked(candidate: Candidate) -> str:
    """How often he was asked lately, and whether his own limit keeps mails from him."""
    asked, limit = candidate.asked_this_week, candidate.asked_per_week
    if limit is not None and asked >= limit:
        return f"sa limite de {limit} sollicitations par semaine est atteinte"
    if not asked:
        return "pas sollicité·e cette semaine"
    return f"déjà sollicité·e {asked} fois cette semaine"


def wish_said(wish: Wish) -> str | None:
    """One wish in French; None for what goes without saying (distance is said in kilometres)."""
    if wish.kind is WishKind.LANGUAGE:
        return f"parle {named(str(wish.value))}"
    if wish.kind is WishKind.DOCTOR_SEX:
        return "une femme" if wish.value == "F" else "un homme"
    return _SAID.get(wish.kind)
