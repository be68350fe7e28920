"""What pages tell of a request: the course of a search, what is missing, the names of fields."""

from matcher.service.phrases import duration
from matcher.web import journal_words, request_steps, timeline
from matcher.web.record_words import label_of


def test_a_request_typed_in_steps_is_told_in_one_line() -> None:
    typed = [
        {"at": "2026-11-26T14:14:00+00:00", "what": "create", "text": "Demande ouverte"},
        *(
            {"at": f"2026-11-26T14:{minute}:00+00:00", "what": what, "text": what}
            for minute in range(15, 25)
            for what in ("open_record_staff", "amend")
        ),
    ]
    course = timeline.course(typed)
    assert [one["what"] for one in course] == ["create", "amend"]
    assert course[-1]["at"] == "2026-11-26T14:24:00+00:00"


def test_what_is_missing_is_named_in_the_order_of_the_form() -> None:
    assert request_steps.in_order(
        ["consent.how", "record.coverage", "place", "record.care_needed", "record.birth_date", "consent.by"]
    ) == ["record.birth_date", "place", "record.care_needed", "record.coverage", "consent.how", "consent.by"]


def test_a_field_at_fault_has_a_name_and_what_the_office_asks_in_a_sentence_stays_one() -> None:
    assert label_of("at") == "Rappeler le"
    assert label_of("Une copie de la carte. Lisible.") == "Une copie de la carte. Lisible."


def test_years_are_said_as_years_and_working_days_as_days() -> None:
    assert [duration(one, weekdays=False) for one in ("P365D", "P1095D", "P90D")] == [
        "un an",
        "3 ans",
        "90 jours",
    ]
    assert duration("P365D") == "365 jours ouvrés"


def test_the_journal_says_why_a_doctor_opened_the_record() -> None:
    assert journal_words.detail("care") == "suivre la personne"
