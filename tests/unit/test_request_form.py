"""Between what is typed in the form of a request and its JSON: both ways, and nothing said twice."""

from datetime import UTC, datetime
from typing import Any

import pytest

from matcher.web import request_form

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
FIRST = {"choice": "first_match", "consent.given": "yes"}


def test_what_the_form_shows_of_a_request_reads_back_as_that_request() -> None:
    raw: dict[str, Any] = {
        "record": {
            "birth_name": "Lin",
            "birth_date": "1958-03",
            "safe_contact": {"sms": False},
            "interpreter": False,
        },
        "wishes": [
            {"kind": "sector1", "value": True, "hard": True},
            {"kind": "max_distance_km", "value": 2.5, "hard": False},
            {"kind": "prefer", "value": ["a", "b"], "hard": False},
        ],
        "conditions": ["home_visits", "within_days:14"],
        "urgent": True,
        "place": "Parilly",
    }
    fields, many = request_form.shown(raw)
    assert request_form.read(fields, many, NOW) == raw


def test_taking_the_first_doctor_is_asked_once_and_is_her_agreement_to_it() -> None:
    raw = request_form.read(FIRST, {}, NOW)
    assert (raw["choice"], raw["consent"]["first_match_agreed"]) == ("first_match", True)
    raw = request_form.read(FIRST | {"choice": "patient_chooses"}, {}, NOW)
    assert (raw["choice"], raw["consent"]["first_match_agreed"]) == ("patient_chooses", False)


@pytest.mark.parametrize(("agreed", "shown"), [(True, "first_match"), (False, "patient_chooses")])
def test_the_first_doctor_is_shown_as_wanted_only_where_the_person_agreed(agreed: bool, shown: str) -> None:
    held = {"choice": "first_match", "consent": {"given": "yes", "first_match_agreed": agreed}}
    fields, many = request_form.shown(held)
    assert fields["choice"] == shown
    # Opened and saved, it stays as it was sent; once she agrees, both are changed.
    assert request_form.changes(held, request_form.read(fields, many, NOW), NOW) == {}
    patch = request_form.changes(held, request_form.read({**fields, "choice": "first_match"}, many, NOW), NOW)
    wanted = {} if agreed else {"choice": "first_match", "consent": {"first_match_agreed": True}}
    assert patch == wanted
