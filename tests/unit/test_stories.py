"""How a search went is told in words, never in the journal's keys."""

import re
from datetime import UTC, datetime

import pytest

from matcher.protocol.ids import DoctorId
from matcher.protocol.search import CallOutcome, Says
from matcher.service import stories, views
from matcher.storage.doctors import Card
from matcher.storage.journal import Entry

KEYS = sorted({*views.PURPOSES, "other", *(one.value for one in CallOutcome), *(one.value for one in Says)})


#: What is told of a doctor by name.
OF_A_DOCTOR = sorted(key for key, sentence in stories._TOLD.items() if "{doctor}" in sentence)


def _entry(action: str, purpose: str, doctor: str | None = None) -> Entry:
    return Entry(
        territory="venissieux",
        at=datetime(2026, 11, 26, 9, tzinfo=UTC),
        actor_kind="user",
        actor_id="salima",
        action=action,
        search="one",
        doctor=doctor,
        purpose=purpose,
    )


@pytest.mark.parametrize("purpose", KEYS)
def test_each_reason_outcome_and_answer_is_told_in_french(purpose: str) -> None:
    (told,) = stories.timeline([_entry("open_record_staff", purpose)], {})
    # « pause » is French as it is.
    assert purpose == "pause" or not told["text"].endswith(f", {purpose}")


@pytest.mark.parametrize("action", OF_A_DOCTOR)
def test_a_doctor_reads_of_himself_as_you(action: str) -> None:
    entry = _entry(action, "yes", "one")
    said = stories.to_the_doctor(entry)
    assert "{" not in said
    assert said != stories.timeline([entry], {}, silent=frozenset())[0]["text"]


@pytest.mark.parametrize("action", OF_A_DOCTOR)
def test_a_title_stands_with_its_article_after_a_preposition(action: str) -> None:
    card = Card(id=DoctorId("one"), last_name="Opale", first_name="Myrtille")
    entry = _entry(action, "yes", card.id)
    said = stories.timeline([entry], {card.id: card}, silent=frozenset())[0]["text"]
    assert not re.search(r"\b(à|de|par|pour) Dr\b", said)
