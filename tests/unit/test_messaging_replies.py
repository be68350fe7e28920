"""A plain reply is a yes, a no, or something that a person must read."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.replies import read

TODAY = date(2026, 11, 23)
PHRASES = Path(__file__).resolve().parents[1] / "data" / "replies" / "phrases.csv"


def understand(text):
    return read(text, today=TODAY).says


@pytest.mark.parametrize(
    "text",
    [
        "oui",
        "OUI !",
        "Oui je peux le prendre",
        "Bonjour,\nJe peux la recevoir.\nBien à vous",
        "Oui\n\nLe lun. 23 nov. 2026 à 09:00, CPTS <x@cpts.example> a écrit :\n> Sinon, répondez non",
        "> répondez non\nD’accord, volontiers.",
        "oui\n-- \nDr Non, absente le jeudi",
        "ok\n\nEnvoyé depuis mon téléphone",
    ],
)
def test_a_yes(text):
    assert understand(text) == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "non désolé",
        "Non, désolée, je ne prends plus de patients",
        "Malheureusement je suis complet",
        "Je ne peux pas le prendre.",
        "impossible\n________________________________\nDe : CPTS\noui",
    ],
)
def test_a_no(text):
    assert understand(text) == "no"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "> oui",
        "Oui\nNon",
        "oui mais à partir de mars",
        "Oui, si elle se déplace",
        "oui ?",
        "Je vous rappelle",
        "Réponse automatique : absente, oui je lirai votre message",
        "À condition que ce soit au cabinet, oui",
    ],
)
def test_a_doubt_is_for_a_person(text):
    assert understand(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Oui c'est moi",
        "Elle accepte un rendez-vous",
        "On peut voir",
        "je prends rendez-vous",
        "ok merci",
        "Oui pour une consultation",
        "Je ne suis pas le Dr Martin",
        "Je ne peux pas ouvrir le lien",
        "Oui\nMartin\nNon finalement",
        "je ne peux pas dire non",
        "Je suis d'accord",
        "Oui merci de me retirer",
    ],
)
def test_words_of_a_yes_or_a_no_are_not_yet_one(text):
    assert understand(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Merci de me mettre en pause",
        "En pause jusqu'au 45 janvier",
        "En congés jusqu'au 15 janvier 2031",
        "Oui, mais en congés jusqu'au 15 janvier",
        "Absente jusqu'au 3 brumaire",
        "Pause jusqu'au 12/13/2026 ?",
    ],
)
def test_a_pause_without_a_day_that_can_be_is_for_a_person(text):
    assert understand(text) is None


def test_a_pause_without_year_ends_next_time_that_day_comes():
    assert read("En pause jusqu'au 10 janvier", today=TODAY).until == date(2027, 1, 10)
    assert read("En pause jusqu'au 30/11", today=TODAY).until == date(2026, 11, 30)


def test_short_phrases_are_never_misread_and_mostly_understood():
    rows = [line.split(";", 1) for line in PHRASES.read_text("utf-8").splitlines()[1:]]
    found = [(truth, text, understand(text.replace(r"\n", "\n")) or "read") for truth, text in rows]
    assert [one for one in found if one[2] not in ("read", one[0])] == []
    clear = [one for one in found if one[0] != "read"]
    assert sum(truth == got for truth, _, got in clear) >= 0.9 * len(clear)


@given(text=st.text())
def test_whatever_is_written_is_answered(text):
    assert understand(text) in ("yes", "no", "pause", None)
