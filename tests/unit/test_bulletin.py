"""What a request may hold, what it must hold, and what is said about it."""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.search import Consent, Given, Household
from matcher.protocol.wishes import Wish, WishKind
from matcher.records.bulletin import (
    MAX_ATTACHMENT_BYTES,
    Record,
    SearchIn,
    TermsIn,
    conditions_of,
    consent_of,
    faults,
    household_of,
    label,
    moment,
    wishes_of,
)
from matcher.records.completeness import impossible, missing, warnings

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def request(**more: Any) -> dict[str, Any]:
    """A complete request, as the API takes it."""
    record = {
        "birth_name": "Exemple",
        "first_names": "Marie Jeanne",
        "sex": "F",
        "birth_date": "1984-05-12",
        "phone": "06 39 98 01 02",
        "address": {"line": "3 rue du Silex", "postcode": "69200", "city": "Vénissieux", "insee": "69259"},
        "interpreter": False,
        "coverage": "regime_general",
        "ald": "no",
        "difficulty": "son médecin part à la retraite",
        "care_needed": "suivi",
        "referring": {"name": "PASS de l’hôpital", "phone": "04 65 71 00 01"},
    }
    record |= more.pop("record", {})
    consent = {
        "given": "yes",
        "at": "2026-11-20T10:00:00+01:00",
        "by": "patient",
        "how": "oral",
        "text_version": "2026-01",
    }
    return {"record": record, "wishes": [], "consent": consent, "conditions": [], "urgent": False, **more}


def without(body: dict[str, Any], *fields: str) -> dict[str, Any]:
    """The same without some dotted fields."""
    for field in fields:
        *path, last = field.split(".")
        part = body
        for name in path:
            part = part[name]
        del part[last]
    return body


def read(body: dict[str, Any]) -> SearchIn:
    return SearchIn.model_validate(body)


def refused(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as error:
        read(body)
    return faults(error.value)


def test_a_complete_request_lacks_nothing_and_is_not_odd() -> None:
    body = read(request())
    assert missing(body) == []
    assert warnings(body, TODAY) == []
    assert impossible(body, NOW, TODAY) == {}


def test_what_is_read_holds_what_was_sent() -> None:
    sent = request(
        place="Parilly",
        wishes=[
            {"kind": "max_distance_km", "value": 3, "hard": True},
            {"kind": "language", "value": "ar", "hard": False},
        ],
        conditions=["home_visits", "within_days:14"],
        choice="first_match",
        speaks_to_patient="requester",
        record={
            "used_name": "Autre",
            "nir": "284058832102532",
            "reach_via": "relative",
            "safe_contact": {"message": False, "sms": True, "who": "sa sœur", "language": "ar"},
            "housing": "hosted",
            "contact": {"name": "Une sœur", "phone": "05 36 49 00 00", "relation": "sœur"},
            "rights_opened_on": "2026-01-01",
            "pregnancy": True,
            "discharge_on": "2026-11-25",
            "treatments": ["un", "deux"],
            "screening": {"emergency_stay": "yes", "access_to_care": "unknown"},
            "household": [{"birth_date": "2015", "relation": "fille"}],
        },
    )
    assert read(sent).model_dump(exclude_unset=True) == sent


def test_a_draft_may_lack_everything() -> None:
    body = read({})
    assert read({"draft": True}).draft
    assert warnings(body, TODAY) == []
    assert set(missing(body)) == {
        *(
            f"record.{name}"
            for name in (
                "birth_name",
                "first_names",
                "sex",
                "birth_date",
                "interpreter",
                "coverage",
                "ald",
                "difficulty",
                "care_needed",
                "referring.name",
                "reach_via",
            )
        ),
        "place",
        "consent",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth_date", "1984-02-30"),
        ("birth_date", "1984-13"),
        ("birth_date", "0000"),
        ("birth_date", "12/05/1984"),
        ("birth_date", 1984),
        ("discharge_on", "2026-11"),
        ("sex", "X"),
        ("interpreter", 0),
        ("interpreter", "non"),
        ("birth_name", 12),
        ("birth_name", "x" * 201),
        ("nickname", "Mimi"),
        ("coverage", "cmu"),
        ("pregnancy", "peut-être"),
        ("contact", {"nom": "x"}),
        ("household", [{"birth_date": "hier"}] * 2),
        ("household", [{}] * 21),
        ("used_name", None),
    ],
)
def test_a_field_of_another_kind_is_refused_by_its_name(field: str, value: object) -> None:
    named = refused(request(record={field: value}))
    assert named
    assert all(name.startswith(f"record.{field}") for name in named)


def test_a_fault_inside_a_list_says_where() -> None:
    assert set(refused(request(record={"household": [{}, {"birth_date": "2015-02-29"}]}))) == {
        "record.household.1.birth_date"
    }
    assert set(refused(request(conditions=["evenings", "gentil"]))) == {"conditions.1"}
    assert set(refused(request(conditions=["within_days:1", "within_days:2"]))) == {"conditions"}
    assert set(refused(request(wishes=[{"kind": "travel", "value": "bike", "hard": True}]))) == {"wishes.0"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"urgent": 0}, "urgent"),
        ({"urgent": None}, "urgent"),
        ({"surprise": 1}, "surprise"),
        ({"choice": "dice"}, "choice"),
        ({"record": []}, "record"),
        ({"record": None}, "record"),
        ({"consent": {"given": "yes", "at": "hier"}}, "consent.at"),
        ({"consent": {"given": "yes", "by": "curator"}}, "consent.by"),
        ({"consent": {}}, "consent.given"),
    ],
)
def test_the_rest_of_a_request_is_as_strict(body: dict[str, Any], field: str) -> None:
    assert set(refused({**request(), **body})) == {field}


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValidationError) as error:
        SearchIn.model_validate([])
    assert set(faults(error.value)) == {"body"}


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["record", "wishes", "consent", "place", "sex", "nir", "kind", "value", "given", "x"]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_read_or_refused_by_name(sent: object) -> None:
    try:
        body = SearchIn.model_validate(sent)
    except ValidationError as error:
        found = faults(error)
    else:
        missing(body)
        warnings(body, TODAY)
        found = {"": "read"}
    assert all(found.values())
    assert found


def test_no_fault_repeats_what_was_sent() -> None:
    secret = "SECRET-CANARY"
    body = request(
        record={"sex": secret, "birth_date": secret, "contact": [secret], "household": secret},
        wishes=[{"kind": "language", "value": secret, "hard": False}],
        conditions=[secret],
        consent={"given": secret, "at": secret},
    )
    with pytest.raises(ValidationError) as error:
        read(body)
    assert secret not in str(faults(error.value))
    assert secret not in str(error.value)


def test_without_a_telephone_somebody_else_reaches_the_person() -> None:
    body = without(request(), "record.phone")
    assert missing(read(body)) == ["record.reach_via"]
    body["record"]["reach_via"] = "patient"
    assert missing(read(body)) == ["record.reach_via"]
    body["record"]["reach_via"] = "requester"
    assert missing(read(body)) == []
    assert missing(read(without(request(record={"phone2": "05 36 49 00 00"}), "record.phone"))) == []


def test_without_an_address_the_place_is_chosen_and_with_a_postal_one_it_is_asked_for() -> None:
    assert missing(read(without(request(), "record.address"))) == ["place"]
    assert missing(read(without(request(place="Parilly"), "record.address"))) == []
    domiciled = request(record={"housing": "domiciled"})
    assert missing(read(domiciled)) == []
    assert [odd["code"] for odd in warnings(read(domiciled), TODAY)] == ["place_unknown"]
    assert warnings(read(domiciled | {"place": "Parilly"}), TODAY) == []


def test_an_address_has_a_city_and_a_household_birth_dates() -> None:
    assert missing(read(request(record={"address": {"city": " "}}))) == ["record.address.city"]
    members = [{"birth_date": "2015"}, {"relation": "fils"}]
    assert missing(read(request(record={"household": members}))) == ["record.household.1.birth_date"]


def test_contact_rules_say_whether_to_leave_a_message_and_to_write() -> None:
    body = read(request(record={"safe_contact": {"who": "sa sœur", "sms": False}}))
    assert missing(body) == ["record.safe_contact.message"]


def test_a_yes_needs_its_proof_and_a_hesitation_does_not() -> None:
    body = request(consent={"given": "yes", "by": "patient"})
    assert missing(read(body)) == ["consent.how", "consent.text_version"]
    for said in ("undecided", "no"):
        assert missing(read(request(consent={"given": said}))) == []


@pytest.mark.parametrize(
    ("born", "named"),
    [("2026-11-24", True), ("2027", True), ("1900", True), ("2026-11", False), ("1901", False)],
)
def test_nobody_is_born_tomorrow_or_before_living_memory(born: str, named: bool) -> None:
    found = impossible(read(request(record={"birth_date": born})), NOW, TODAY)
    assert ("record.birth_date" in found) is named
    members = read(request(record={"household": [{}, {"birth_date": born}]}))
    assert ("record.household.1.birth_date" in impossible(members, NOW, TODAY)) is named


def test_a_consent_is_not_taken_in_the_future() -> None:
    body = request()
    body["consent"]["at"] = (NOW + timedelta(minutes=4)).isoformat()
    assert impossible(read(body), NOW, TODAY) == {}
    body["consent"]["at"] = (NOW + timedelta(minutes=6)).isoformat()
    assert set(impossible(read(body), NOW, TODAY)) == {"consent.at"}
    assert impossible(read({}), NOW, TODAY) == {}


@pytest.mark.parametrize(
    ("record", "field", "code"),
    [
        ({"nir": "284058832102533"}, "record.nir", "nir_key"),
        ({"nir": "bonjour"}, "record.nir", "nir_shape"),
        ({"nir": "284058832102532", "sex": "M"}, "record.nir", "nir_sex"),
        ({"nir": "284058832102532", "birth_date": "1985"}, "record.nir", "nir_birth_year"),
        ({"phone2": "12"}, "record.phone2", "phone_odd"),
        ({"email": "marie chez example.org"}, "record.email", "email_odd"),
        ({"address": {"city": "Bron", "postcode": "6950"}}, "record.address.postcode", "postcode_odd"),
        ({"birth_date": "2016"}, "consent.by", "minor_consents"),
    ],
)
def test_what_is_odd_is_said_and_taken(record: dict[str, Any], field: str, code: str) -> None:
    body = read(request(record=record))
    (odd,) = warnings(body, TODAY)
    assert (odd["field"], odd["code"]) == (field, code)
    assert missing(body) == []


@pytest.mark.parametrize("nir", ["284058832102532", "2 84 05 88 321 025", "3840588321025"])
def test_a_number_that_holds_is_not_odd(nir: str) -> None:
    assert warnings(read(request(record={"nir": nir})), TODAY) == []
    assert warnings(read(request(record={"nir": nir, "sex": "I"})), TODAY) == []
    undated = without(request(record={"nir": nir}), "record.birth_date")
    assert warnings(read(undated), TODAY) == []


def test_first_match_without_agreement_is_pointed_out() -> None:
    assert [w["code"] for w in warnings(read(request(choice="first_match")), TODAY)] == [
        "first_match_not_agreed"
    ]
    body = request(choice="first_match")
    body["consent"]["first_match_agreed"] = True
    assert warnings(read(body), TODAY) == []
    assert [w["field"] for w in warnings(read({"choice": "first_match"}), TODAY)] == ["choice"]


PDF = b"%PDF-1.7 made up"


def attachment(content: bytes = PDF, media_type: str = "application/pdf", **more: str) -> dict[str, str]:
    return {"name": "a.pdf", "media_type": media_type, "content": base64.b64encode(content).decode(), **more}


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\nxx", "image/png"),
        (b"\xff\xd8\xff\xe0xx", "image/jpeg"),
        (PDF + b"x" * (MAX_ATTACHMENT_BYTES - len(PDF)), "application/pdf"),
    ],
)
def test_an_attachment_is_what_it_says_it_is(content: bytes, media_type: str) -> None:
    record = read(request(record={"attachments": [attachment(content, media_type)]})).record
    assert record.attachments is not None
    assert base64.b64decode(record.attachments[0].content) == content


@pytest.mark.parametrize(
    "sent",
    [
        attachment(media_type="image/png"),
        attachment(b""),
        attachment(media_type="text/html"),
        attachment(PDF + b"x" * MAX_ATTACHMENT_BYTES),
        attachment(PDF + b"x" * (MAX_ATTACHMENT_BYTES + 1 - len(PDF))),
        attachment() | {"content": "%%%"},
        attachment() | {"content": "é"},
        {"name": "a.pdf"},
    ],
)
def test_an_attachment_of_another_kind_or_too_large_is_refused(sent: dict[str, str]) -> None:
    assert all(
        name.startswith("record.attachments.0") for name in refused(request(record={"attachments": [sent]}))
    )


def test_ten_attachments_at_most() -> None:
    assert read(request(record={"attachments": [attachment()] * 10}))
    assert set(refused(request(record={"attachments": [attachment()] * 11}))) == {"record.attachments"}


def test_wishes_and_conditions_become_those_of_the_protocol_in_their_order() -> None:
    body = read(
        request(
            wishes=[
                {"kind": "exclude", "value": ["d1", "d2"], "hard": True},
                {"kind": "sector1", "value": True, "hard": False},
            ],
            conditions=["saturdays", "within_days:7"],
        )
    )
    assert wishes_of(body) == (
        Wish(kind=WishKind.EXCLUDE, value=("d1", "d2"), hard=True),
        Wish(kind=WishKind.SECTOR1, value=True, hard=False),
    )
    assert conditions_of(body) == (
        Condition(kind=ConditionKind.SATURDAYS),
        Condition(kind=ConditionKind.WITHIN_DAYS, days=7),
    )


def test_a_consent_without_its_time_was_taken_now() -> None:
    assert consent_of(None, NOW) is None
    body = read(request(consent={"given": "undecided", "outcome_shared": True}))
    assert consent_of(body.consent, NOW) == Consent(given=Given.UNDECIDED, at=NOW, outcome_shared=True)
    kept = consent_of(read(request()).consent, NOW)
    assert kept is not None
    assert kept.at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-11-23T10:00:00") == NOW
    assert moment("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_household_counts_the_patient_among_adults_and_children() -> None:
    mother = {"birth_date": "1984-05-12"}
    others = [
        {"birth_date": "2015", "relation": "fille"},
        {"relation": "père"},
        {"birth_date": "1984", "relation": "Patient"},
    ]
    assert household_of(Record(**mother, household=others), TODAY) == Household(adults=2, children=1)  # type: ignore[arg-type]
    assert household_of(Record(**mother), TODAY) is None
    alone = Record.model_validate({**mother, "household": [{"relation": "patient"}]})
    assert household_of(alone, TODAY) is None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"first_names": "marie jeanne", "birth_name": "exemple", "birth_date": "1958-03-02"}, "M. E. 1958"),
        ({"birth_name": "Exemple"}, "E."),
        ({}, ""),
    ],
)
def test_a_requester_sees_initials_and_birth_year(record: dict[str, str], said: str) -> None:
    assert label(record) == said


def test_a_doctors_terms_are_read_strictly() -> None:
    terms = TermsIn.model_validate({"from": "2026-12-01", "where": "visits", "count": 2})
    assert (terms.from_, terms.count, terms.once) == ("2026-12-01", 2, False)
    with pytest.raises(ValidationError) as error:
        TermsIn.model_validate({"from": "bientôt", "count": 0})
    assert set(faults(error.value)) == {"from", "count"}
