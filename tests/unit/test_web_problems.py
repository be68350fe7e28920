"""What is said when something cannot be done."""

import json
from datetime import UTC, date, datetime

import pytest
from aiohttp import web
from pydantic import ValidationError

from matcher.protocol.announcement import ConditionKind
from matcher.protocol.moves import Refused
from matcher.protocol.search import State
from matcher.records.bulletin import SearchIn
from matcher.service.errors import BadLink, Forbidden, Invalid, Locked, NotFound, Over, TooMany, WrongCode
from matcher.web import problems
from matcher.web.api_calls import CallIn
from matcher.web.api_directory import OfferIn
from matcher.web.api_following import RestIn, SettleIn


def faults(model: type, sent: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(sent))
    return problems.fields_of(caught.value, model)


def body(problem: problems.Problem) -> dict[str, object]:
    response = problem.response()
    assert response.content_type == "application/problem+json"
    assert isinstance(response.body, bytes)
    read: dict[str, object] = json.loads(response.body)
    return read


def test_a_problem_has_the_members_of_rfc_9457_and_omits_what_is_absent() -> None:
    assert body(problems.plain(404)) == {
        "type": "about:blank",
        "title": "Introuvable",
        "status": 404,
        "detail": "Il n’y a rien à cette adresse, ou vous n’y avez pas accès.",
    }


def test_a_refused_move_is_409_with_its_code_its_reason_and_the_state() -> None:
    said = body(problems.of_refused(Refused("consent", "Le consentement manque.", State.SUBMITTED)))
    assert said["status"] == 409
    assert (said["code"], said["detail"], said["state"]) == (
        "consent",
        "Le consentement manque.",
        "submitted",
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid({"a": "b"}), 400),
        (Forbidden(), 403),
        (NotFound(), 404),
        (BadLink(), 404),
        (Over(), 410),
        (WrongCode(), 403),
        (Locked(), 423),
        (TooMany(7), 429),
    ],
)
def test_every_refusal_of_a_use_case_has_its_status(error: Exception, status: int) -> None:
    assert problems.of_service(error).status == status  # type: ignore[arg-type]


def test_too_many_says_when_to_come_back() -> None:
    assert problems.of_service(TooMany(7)).response().headers["Retry-After"] == "7"


def test_a_method_that_is_not_allowed_names_those_that_are() -> None:
    assert problems.of_http(web.HTTPMethodNotAllowed("PUT", ["GET"])).headers["Allow"] == "GET"


def test_each_field_at_fault_is_named_with_a_french_sentence() -> None:
    assert faults(SettleIn, {"keep": "yes", "more": 1}) == {
        "keep": "« true » ou « false » est attendu.",
        "more": "Ce champ n’existe pas.",
    }
    assert faults(SettleIn, {}) == {"keep": "Ce champ est obligatoire."}


def test_a_field_of_a_part_is_named_with_its_way() -> None:
    found = faults(CallIn, {"doctor_id": "d", "outcome": "yes", "conditions": {"where": "moon"}})
    assert list(found) == ["conditions.where"]
    assert "practice" in found["conditions.where"]


def test_the_branches_of_a_union_are_one_field() -> None:
    assert list(faults(RestIn, {"until": "soon"})) == ["until"]


def test_a_null_is_refused_by_name() -> None:
    assert list(faults(RestIn, {"until": None})) == ["until"]


def test_a_day_that_no_calendar_holds_is_refused() -> None:
    assert list(faults(RestIn, {"until": "9999-12-31"})) == ["until"]


def test_no_value_of_an_input_is_ever_repeated() -> None:
    planted = "Zz-Plante-1958"
    sent = {
        "record": {
            "birth_date": planted,
            "nir": [planted],
            "sex": planted,
            "address": planted,
            "coverage": planted,
        },
        "conditions": [planted],
        "wishes": [{"kind": planted, "value": planted, "hard": planted}],
        "consent": {"given": planted, "at": planted},
        "choice": planted,
    }
    found = faults(SearchIn, sent)
    assert {"record.birth_date", "record.nir", "record.sex", "record.address", "choice"} <= set(found)
    assert planted not in repr(found)


def test_days_and_moments_are_read_and_a_wrong_one_is_not_repeated() -> None:
    read = RestIn.model_validate_json('{"until": "2026-11-23T10:00:00Z"}')
    assert read.until == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert RestIn.model_validate_json('{"until": "2026-11-23"}').until == date(2026, 11, 23)
    for wrong in ("2026-13-45", "9999-99-9999", "2026-11-23T10:00:00", "2026-11-23T99:00:00Z"):
        assert wrong not in repr(faults(RestIn, {"until": wrong}))


def test_lists_of_words_are_read() -> None:
    read = OfferIn.model_validate_json('{"places": 2, "from": "2026-12-01", "declines": ["home_visits"]}')
    assert read.declines == [ConditionKind.HOME_VISITS]
    assert OfferIn.model_validate_json('{"places": 2}').declines == []
