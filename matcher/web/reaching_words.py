"""The tries to reach a person, and what is still to be tried, in words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from matcher.web import pages, words

_HALVES: Final = {"morning": "le matin", "afternoon": "l’après-midi"}


def when(at: datetime, today: date) -> str:
    """« ce matin », « hier après-midi », « lundi 23 novembre 2026, le matin »."""
    there = at.astimezone(pages.PARIS)
    morning = there.hour < 13
    if there.date() == today:
        return "ce matin" if morning else "cet après-midi"
    if there.date() == today - timedelta(days=1):
        return "hier matin" if morning else "hier après-midi"
    return f"{pages.day(there.date())}, {_HALVES['morning' if morning else 'afternoon']}"


def tries(attempts: Sequence[Mapping[str, Any]], today: date) -> list[str]:
    """« hier matin : pas de réponse », one a try."""
    return [f"{when(one['at'], today)} : {_lower(words.CONTACTS[one['outcome']])}" for one in attempts]


def advice(wanted: Mapping[str, Any], today: date) -> str:
    """What to do next, as « Essayez l’après-midi, puis par le service demandeur »."""
    steps = []
    if wanted["calls"]:
        said = "Essayez"
        if wanted["calls"] > 1:
            said += f" encore {wanted['calls']} fois"
        if wanted["half"]:
            said += f" {_HALVES[wanted['half']]}"
        if wanted["other_than"] == today:
            said += ", un autre jour qu’aujourd’hui"
        steps.append(said)
    if wanted["requester"]:
        steps.append(
            "puis par le service demandeur" if steps else "Essayez maintenant par le service demandeur"
        )
    if not steps:
        return "Tout a été essayé : la recherche attend que la personne soit joignable."
    return f"{', '.join(steps)} ; ensuite la recherche se met en pause d’elle-même."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
