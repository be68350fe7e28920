"""A plain reply is a yes, a no, or something that a person must read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.replies import understand


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


@given(text=st.text())
def test_whatever_is_written_is_answered(text):
    assert understand(text) in ("yes", "no", None)
