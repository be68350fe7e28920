"""What the page of a search says of the tries to reach a person."""

from datetime import date, datetime
from typing import Any

import pytest

from matcher.protocol.outcomes import ContactAttempt, PatientContact
from matcher.protocol.reaching import wanted
from matcher.web import reaching_words
from matcher.web.pages import PARIS, lenient

TODAY = date(2026, 6, 3)


def _said(*tries: tuple[int, int, PatientContact]) -> tuple[list[str], str]:
    """The words on 3 June for tries given by day, hour and outcome."""
    made = [
        ContactAttempt(at=datetime(2026, 6, day, hour, tzinfo=PARIS), outcome=outcome)
        for day, hour, outcome in tries
    ]
    still = wanted(made, 3, PARIS)
    view: dict[str, Any] = lenient(vars(still))
    told = [{"at": one.at, "outcome": one.outcome} for one in made]
    return reaching_words.tries(told, TODAY), reaching_words.advice(view, TODAY)


VAIN, THROUGH, LEFT = (
    PatientContact.NO_ANSWER,
    PatientContact.THROUGH_REQUESTER,
    PatientContact.MESSAGE_LEFT,
)
RESTS = " ; ensuite la recherche se met en pause d’elle-même."


@pytest.mark.parametrize(
    ("tries", "advice"),
    [
        ([(2, 9, VAIN)], "Essayez l’après-midi, puis par le service demandeur"),
        (
            [(3, 9, VAIN)],
            "Essayez l’après-midi, un autre jour qu’aujourd’hui, puis par le service demandeur",
        ),
        ([(2, 16, VAIN)], "Essayez le matin, puis par le service demandeur"),
        ([(2, 16, THROUGH)], "Essayez encore 2 fois"),
        ([(2, 9, VAIN), (2, 16, VAIN)], "Essayez, puis par le service demandeur"),
        ([(1, 9, VAIN), (2, 16, VAIN)], "Essayez maintenant par le service demandeur"),
    ],
)
def test_the_page_asks_for_what_was_not_tried(
    tries: list[tuple[int, int, PatientContact]], advice: str
) -> None:
    assert _said(*tries)[1] == advice + RESTS


def test_the_tries_are_told_as_people_say_them() -> None:
    told, advice = _said((1, 9, VAIN), (2, 8, VAIN), (2, 15, THROUGH), (3, 8, VAIN), (3, 17, LEFT))
    assert told == [
        "lundi 1er juin 2026, le matin : pas de réponse",
        "hier matin : pas de réponse",
        "hier après-midi : par le demandeur",
        "ce matin : pas de réponse",
        "cet après-midi : message laissé",
    ]
    assert advice.startswith("Tout a été essayé")
