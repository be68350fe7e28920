"""Patients are found by name, birth date, telephone or NIR, and twice-sent requests by what they share."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.records.lookup import Term, duplicate_terms, lookup_terms, query_terms

RECORD: dict[str, Any] = {
    "birth_name": "Exemple-Désir",
    "used_name": "Ampoule",
    "first_names": "Zoé, Marie",
    "sex": "F",
    "birth_date": "1984-05-12",
    "phone": "06 39 98 01 02",
    "phone2": "0536490000",
    "nir": "2 84 05 88 321 025 32",
}


@pytest.mark.parametrize(
    "typed",
    [
        "EXEMPLE DESIR",
        "exemple-désir",
        "Ampoule",
        "Zoé Ampoule",
        "ampoule zoe",
        "Exemple Désir Zoé",
        "12/05/1984",
        "12.5.1984",
        "1984-05-12",
        "+33 6 39 98 01 02",
        "05.36.49.00.00",
        "284058832102532",
        "2840588321025",
    ],
)
def test_staff_find_a_patient_by_what_a_caller_says(typed: str) -> None:
    assert set(query_terms(typed)) & set(lookup_terms(RECORD))


@pytest.mark.parametrize(
    "typed", ["", "  ", "Autre", "31/02/1984", "1984-02-30", "06 39 98 01 03", "Zoé", "123456"]
)
def test_other_words_find_nobody(typed: str) -> None:
    assert not set(query_terms(typed)) & set(lookup_terms(RECORD))


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ("1984-05", ("1984-05", "05/1984", "5.1984", "12/05/1984")),
        ("1984", ("1984", "05/1984", "1984-05-12")),
    ],
)
def test_who_knows_no_day_of_birth_is_found_by_the_month_or_the_year(
    known: str, typed: tuple[str, ...]
) -> None:
    terms = lookup_terms({"birth_date": known})
    for text in typed:
        assert set(query_terms(text)) & set(terms), text
    for text in ("13/1984", "1985", "05/1985", "1984-00", "19840"):
        assert not set(query_terms(text)) & set(terms), text


def test_a_corsican_number_is_found_as_it_was_typed() -> None:
    terms = lookup_terms({"nir": "284052A32102552"})
    assert terms == (Term("nir", "284052A321025"),)
    assert set(query_terms("2 84 05 2A 321 025 52")) & set(terms)


def test_an_empty_record_has_no_terms() -> None:
    assert lookup_terms({}) == ()
    assert duplicate_terms({}) == ()
    assert len(lookup_terms({"birth_name": "Exemple"})) == 1
    assert lookup_terms({"nir": "bientôt", "phone": "12", "birth_name": " "}) == ()


@pytest.mark.parametrize(
    "other",
    [
        {"birth_name": "EXEMPLE DESIR", "first_names": "zoe", "birth_date": "1984-05-12"},
        {"birth_name": "Ampoule", "first_names": "Zoé", "birth_date": "1984"},
        {
            "birth_name": "Autre",
            "first_names": "Z",
            "sex": "F",
            "birth_date": "1984",
            "phone": "+33639980102",
        },
        {"nir": "2840588321025"},
    ],
)
def test_two_requests_for_one_patient_share_a_term(other: dict[str, Any]) -> None:
    assert set(duplicate_terms(RECORD)) & set(duplicate_terms(other))


@pytest.mark.parametrize(
    "other",
    [
        {"birth_name": "Exemple-Désir", "first_names": "Paul", "birth_date": "1984-05-12"},
        {"birth_name": "Exemple-Désir", "first_names": "Zoé", "birth_date": "1985-05-12"},
        {"sex": "M", "birth_date": "1984-05-12", "phone": "0639980102"},
        {"birth_date": "1984-05-12", "phone": "0639980102"},
    ],
)
def test_relatives_are_not_taken_for_the_patient(other: dict[str, Any]) -> None:
    assert not set(duplicate_terms(RECORD)) & set(duplicate_terms(other))


@given(st.text(max_size=30))
def test_anything_may_be_typed(text: str) -> None:
    assert len(set(query_terms(text))) == len(query_terms(text))
