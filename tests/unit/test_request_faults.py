"""All the mistakes of a request's form at once, each under the name of the field that it is beside."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from matcher.service.errors import Invalid
from matcher.service.requests import checked
from matcher.web import request_faults, request_form
from matcher.web.record_words import label_of
from matcher.web.request_steps import PARTS, step_of

NOW, TODAY = datetime(2026, 11, 26, 9, tzinfo=UTC), date(2026, 11, 26)
PDF = json.dumps(request_form.attachment("bilan.pdf", b"%PDF-1.7"))
TEXT = json.dumps(request_form.attachment("ordonnance.txt", b"du texte"))
TYPED = {
    "record.birth_date": "31/02/1961",
    "record.household.0.birth_date": "32/13/2000",
    "record.household.0.relation": "fille",
    "record.household.1.relation": "fils",
    "record.household.2.birth_date": "2031",
    "record.discharge_on": "hier",
    "record.care_needed": "Un suivi",
    "record.safe_contact.sms": "no",
    "record.address.postcode": "69200",
    "wish.sector1.value": "on",
    "wish.max_distance_km.value": "loin",
    "within_days": "bientôt",
    "consent.given": "yes",
}


def _faults(typed: dict[str, str], *files: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Every fault of what was typed, by the use case's names, and the request."""
    raw = request_form.read(typed, {"attachment": files}, NOW)
    try:
        checked(raw)
    except Invalid as error:
        found = error.fields
    else:
        found = {}
    return request_faults.every(raw, found, NOW, TODAY), raw


def test_what_cannot_be_read_hides_nothing_of_what_cannot_be_and_of_what_is_missing() -> None:
    shown = request_faults.folded(*_faults(TYPED, PDF, TEXT))
    assert set(shown) == {
        "record.birth_name", "record.first_names", "record.sex", "record.birth_date",
        "record.household.0.birth_date", "record.household.1.birth_date", "record.household.2.birth_date",
        "record.reach_via", "record.interpreter", "record.safe_contact.message", "record.address.city",
        "record.difficulty", "record.ald", "record.coverage", "record.discharge_on",
        "wish.max_distance_km.value", "within_days",
        "consent.by", "consent.how", "record.referring.name", "record.attachments",
    }  # fmt: skip
    # In the order of the steps, and each with a name that the page shows.
    order = [part.key for part in PARTS]
    steps = [order.index(step_of(name)) for name in shown]
    assert steps == sorted(steps)
    assert all(label_of(name) != name.rpartition(".")[2] for name in shown)
    assert label_of("record.household.1.birth_date") == "Date de naissance, personne 3"


def test_a_file_that_cannot_be_taken_takes_no_other_with_it() -> None:
    found, _ = _faults({}, PDF, TEXT, PDF)
    assert request_faults.refused_files(found) == {1}


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("within_days", "200", "within_days"),
        ("wish.max_distance_km.value", "-3", "wish.max_distance_km.value"),
        ("record.birth_name", "x" * 5000, "record.birth_name"),
        ("record.birth_date", "2031", "record.birth_date"),
    ],
)
def test_one_mistake_alone_is_named_in_its_place(field: str, value: str, name: str) -> None:
    assert name in request_faults.folded(*_faults({field: value}))


def test_a_consent_of_another_time_is_said_beside_the_consent() -> None:
    shown = request_faults.folded(
        *_faults({"consent.given": "no", "consent.at": "2031-01-01T00:00:00+00:00"})
    )
    assert "avenir" in shown["consent"]
