"""How a search went is told in words, never in the journal's keys."""

from datetime import UTC, datetime

import pytest

from matcher.protocol.search import CallOutcome, Says
from matcher.service import stories, views
from matcher.storage.journal import Entry

KEYS = sorted({*views.PURPOSES, "other", *(one.value for one in CallOutcome), *(one.value for one in Says)})


@pytest.mark.parametrize("purpose", KEYS)
def test_each_reason_outcome_and_answer_is_told_in_french(purpose: str) -> None:
    entry = Entry(
        territory="venissieux",
        at=datetime(2026, 11, 26, 9, tzinfo=UTC),
        actor_kind="user",
        actor_id="salima",
        action="open_record_staff",
        search="one",
        purpose=purpose,
    )
    (told,) = stories.timeline([entry], {})
    # « pause » is French as it is.
    assert purpose == "pause" or not told["text"].endswith(f", {purpose}")
