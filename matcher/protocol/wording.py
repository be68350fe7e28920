"""What an announcement says in French (WORDS.md). Built from closed lists: no free text can reach it.

Spaces inside are plain ones, so that the text reads the same in a mail's plain part.
"""

from matcher.protocol.announcement import (
    ADULT,
    MINOR,
    AgeBand,
    Announcement,
    Condition,
    ConditionKind,
)
from matcher.protocol.places import Place, PlaceKind

_CONDITIONS = {
    ConditionKind.HOME_VISITS: "Visites à domicile nécessaires.",
    ConditionKind.EHPAD_VISITS: "Visites en EHPAD nécessaires.",
    ConditionKind.STEP_FREE: "Cabinet accessible de plain-pied nécessaire.",
    ConditionKind.EVENINGS: "Consultations en soirée souhaitées.",
    ConditionKind.SATURDAYS: "Consultations le samedi souhaitées.",
}
_VISITS = frozenset({ConditionKind.HOME_VISITS, ConditionKind.EHPAD_VISITS})
_VOWELS = "aeiouyàâéèêëîïôöùûüœ"


def sentence(announcement: Announcement, *, distance_km: float | None = None) -> str:
    """Write the whole announcement, as a doctor reads it.

    « Une personne de 65 à 69 ans, quartier Parilly (environ 1 km de votre cabinet), cherche un médecin
    traitant. Consultations au cabinet. »
    ``distance_km`` is the doctor's rounded distance from the announced place, in kilometres
    (``places.rounded_km``), None where his place is unknown; from a whole territory none is said.
    """
    near = ""
    if distance_km is not None and announcement.place.kind is not PlaceKind.TERRITORY:
        near = f" ({distance(distance_km)} de votre cabinet)"
    subject = who(announcement)
    subject = subject[0].upper() + subject[1:]
    described = f"{subject}, {where(announcement.place)}{near}, cherche un médecin traitant."
    return " ".join((described, *conditions(announcement.conditions)))


def who(announcement: Announcement) -> str:
    """The person or household: « une personne de 65 à 69 ans », « un foyer de 2 adultes et 3 enfants »."""
    if announcement.age is not None:
        return _person(announcement.age)
    parts = []
    if announcement.adults:
        parts.append(_counted(announcement.adults, "adulte"))
    if announcement.children:
        parts.append(_counted(announcement.children, "enfant"))
    return f"un foyer de {' et '.join(parts)}"


def where(place: Place) -> str:
    """The place in the sentence: « quartier Parilly », « près de la gare », « à Vénissieux »."""
    match place.kind:
        case PlaceKind.QUARTIER:
            return place.name if place.name.lower().startswith("quartier") else f"quartier {place.name}"
        case PlaceKind.LANDMARK:
            return f"près {_contracted('de', place.name)}"
        case PlaceKind.COMMUNE:
            return _contracted("à", place.name)
        case PlaceKind.TERRITORY:
            return "sur le territoire de la CPTS"
        case _:
            return place.name


def conditions(wanted: tuple[Condition, ...]) -> tuple[str, ...]:
    """One short sentence per condition, the consultations first."""
    said = [_condition(condition) for condition in wanted]
    if not any(condition.kind in _VISITS for condition in wanted):
        said.insert(0, "Consultations au cabinet.")
    return tuple(said)


def distance(kilometres: float) -> str:
    """A rounded distance in kilometres: « moins de 500 m », « environ 1,5 km »."""
    if kilometres == 0:
        return "à moins de 500 m"
    return f"environ {kilometres:g}".replace(".", ",") + " km"


def age_band(age: AgeBand) -> str:
    """A band for the office's page: « 65 à 69 ans », « 85 ans ou plus », « adulte », « mineur »."""
    if age in (ADULT, MINOR):
        return "adulte" if age == ADULT else "mineur"
    if age.to is None:
        return f"{age.from_} ans ou plus"
    if age.from_ == age.to:
        return _counted(age.to, "an")
    return f"moins de {age.to + 1} ans" if age.from_ == 0 else f"{age.from_} à {age.to} ans"


def measure(announcement: Announcement) -> str:
    """What the office reads beside an announcement; two significant figures, rounded down.

    « Cette annonce décrit environ 1 900 habitants, dont 200 sans médecin traitant. »
    """
    residents, candidates = _rough(announcement.residents), _rough(announcement.candidates)
    noun = "habitants" if announcement.age is not None else "foyers"
    return f"Cette annonce décrit environ {residents} {noun}, dont {candidates} sans médecin traitant."


def _person(age: AgeBand) -> str:
    if age in (ADULT, MINOR):
        return "une personne majeure" if age == ADULT else "une personne mineure"
    noun = "un enfant" if age.to is not None and age.to < 15 else "une personne"
    return f"{noun} de {age_band(age)}"


def _condition(condition: Condition) -> str:
    if condition.kind is ConditionKind.WITHIN_DAYS:
        return f"Premier rendez-vous souhaité sous {_counted(condition.days or 1, 'jour')}."
    return _CONDITIONS[condition.kind]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _contracted(preposition: str, name: str) -> str:
    """« de » or « à » before a name: du Havre, des Ulis, de la gare, d’Oullins; au Havre, à Vénissieux."""
    article, _, rest = name.partition(" ")
    contracted = {"le": {"de": "du", "à": "au"}, "les": {"de": "des", "à": "aux"}}.get(article.lower())
    if contracted is not None and rest:
        return f"{contracted[preposition]} {rest}"
    if article.lower() == "la" and rest:
        # A commune keeps its capital (à La Mulatière), a landmark reads as a noun (près de la gare).
        return f"{preposition} {name if preposition == 'à' else f'la {rest}'}"
    if preposition == "de" and name[:1].lower() in _VOWELS:
        return f"d’{name}"
    return f"{preposition} {name}"


def _rough(number: int) -> str:
    """Two significant figures, rounded down, thousands apart: 1 947 → 1 900."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return f"{number // unit * unit:,}".replace(",", " ")
