"""What the codes and dates of a record say in French. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from matcher.protocol.languages import NAMES
from matcher.records import dates

MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
#: Where a doctor sees the person, as the yes says it.
WHERE: Final = {
    "practice": "au cabinet",
    "visits": "en visite à domicile",
    "teleconsultation": "en téléconsultation",
}
TERNARY: Final = {"yes": "oui", "no": "non", "unknown": "ne sait pas"}

#: The six questions of the HAS, in its order; the names are those of the bulletin.
SCREENING: Final = {
    "emergency_stay": "Hospitalisation en urgence dans les 6 derniers mois",
    "severe_conditions": "Trois maladies chroniques, défaillance d’organe sévère ou dix médicaments, ou plus",
    "restricted_mobility": "Mobilité réduite",
    "cognitive_mood": "Troubles cognitifs, de l’humeur ou du comportement (addictions comprises)",
    "social_economic": "Difficultés sociales ou économiques (isolement, logement, ressources)",
    "access_to_care": "Difficultés d’accès aux soins ou d’organisation des soins",
}

#: Field → code → words: what a form offers, and what a page or a document says.
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"F": "femme", "M": "homme", "I": "indéterminé"},
    "reach_via": {
        "patient": "directement",
        "requester": "par la structure qui adresse",
        "relative": "par un proche",
        "tutor": "par le tuteur ou la tutrice",
    },
    "housing": {
        "own": "logement personnel",
        "hosted": "hébergement chez un tiers",
        "hotel": "hôtel",
        "shelter": "foyer ou centre d’hébergement",
        "domiciled": "domiciliation postale",
        "none": "sans logement",
    },
    "coverage": {
        "regime_general": "régime général",
        "msa": "MSA",
        "other": "autre régime",
        "puma": "PUMa",
        "c2s": "complémentaire santé solidaire (C2S)",
        "ame": "aide médicale de l’État (AME)",
        "pending": "droits en cours d’ouverture",
        "none": "aucune couverture",
    },
    "ald": {"yes": "oui", "no": "non", "pending": "demande en cours"},
    "pregnancy": TERNARY,
    "language": NAMES,
    **dict.fromkeys(SCREENING, TERNARY),
}


def say(field: str, value: object) -> str:
    """A value in French, whatever its JSON type; empty where there is nothing to say."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if field == "address" and isinstance(value, Mapping):
        town = " ".join(clean(value[part]) for part in ("postcode", "city") if value.get(part))
        return "\n".join(part for part in (clean(value.get("line")), town) if part)
    if isinstance(value, Mapping):
        return ", ".join(text for text in (say("", part) for part in value.values()) if text)
    if isinstance(value, list):
        return "\n".join(text for text in (say(field, part) for part in value) if text)
    text = clean(value)
    if field.endswith("_on"):
        return written(text)
    return CODES.get(field, {}).get(text, text)


def clean(value: object) -> str:
    """Text without the control characters that no font can draw; its line breaks stay."""
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        sign for sign in text if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs")
    ).strip()


def written(text: str) -> str:
    """« 12 mars 1958 », « mars 1958 », « 1958 » from the forms of the record; anything else as it is."""
    try:
        first, last = dates.earliest_and_latest(text)
    except ValueError:
        return text
    if first == last:
        return day_in_words(first)
    return str(first.year) if len(text) == 4 else f"{MONTHS[first.month - 1]} {first.year}"


def day_in_words(day: date) -> str:
    """« 1er mars 1958 »."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"
