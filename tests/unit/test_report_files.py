"""The report to take along says the same in every form, and no cell of it is calculated."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest

from matcher.web import report_files, report_picture

FIGURES: dict[str, Any] = {
    "from": date(2026, 1, 1),
    "to": date(2026, 12, 31),
    "requests": 1234,
    "by_requester": {"pass": 7, "cpts": 2},
    "by_state": {"attached": 5},
    "attached": 5,
    "days_to_attached_median": 3.5,
    "days_to_attached_ninth": 9.0,
    "found_within_30_days": {"of": 9, "found": 4},
    "groups": {"quartier": {"Parilly": 6, "other": 5}, "coverage": {"c2s": 5}},
}


def test_the_csv_holds_every_line_with_its_heading() -> None:
    text = report_files.as_csv(FIGURES).decode("utf-8-sig")
    rows = {(part, line): value for part, line, value in csv.reader(io.StringIO(text), delimiter=";")}
    assert rows["Activité", "Demandes transmises"] == "1234"
    assert rows["Délais", "Jusqu’au médecin traitant, en jours (médiane)"] == "3.5"
    assert rows["Délais", "Trouvés dans les 30 jours"] == "4 sur 9"
    assert rows["Par quartier", "Parilly"] == "6"
    assert rows["Par demandeur", "PASS"] == "7"


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2", "\t=3"])
def test_what_a_spreadsheet_would_calculate_is_text(name: str) -> None:
    figures = FIGURES | {"groups": {"quartier": {name: 6}}}
    rows = list(csv.reader(io.StringIO(report_files.as_csv(figures).decode("utf-8-sig")), delimiter=";"))
    assert [f"'{name}"] == [line for part, line, _ in rows if part == "Par quartier"]
    with zipfile.ZipFile(io.BytesIO(report_files.as_workbook(figures))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_the_workbook_holds_figures_as_numbers() -> None:
    with zipfile.ZipFile(io.BytesIO(report_files.as_workbook(FIGURES))) as book:
        assert b"<v>1234</v>" in book.read("xl/worksheets/sheet1.xml")


def test_the_pdf_is_made() -> None:
    made = report_files.made("pdf", FIGURES, "CPTS de Vénissieux", datetime(2026, 12, 1, tzinfo=UTC))
    assert made[:5] == b"%PDF-"


def test_the_months_of_a_year_stand_side_by_side_in_proportion() -> None:
    december = {"month": "2025-12", "requests": 4, "attached": 0}
    january = {"month": "2026-01", "requests": 8, "attached": 2}
    nothing = {"month": "2025-11", "requests": 0, "attached": 0}
    first, second = report_picture.months([nothing, december, january])
    assert (first.name, first.year, second.name, second.year) == ("déc.", "2025", "janv.", "2026")
    assert (first.asked, first.found) == (report_picture.HIGH / 2, 0)
    assert (second.asked, second.found) == (report_picture.HIGH, report_picture.HIGH / 4)


def test_three_years_of_months_fit_a_desks_screen() -> None:
    three = [
        {"month": f"{year}-{month:02}", "requests": 8, "attached": 2}
        for year in (2024, 2025, 2026)
        for month in range(1, 13)
    ]
    drawn = report_picture.months(three)
    assert drawn[-1].second + drawn[-1].wide <= report_picture.ALL
    assert [one.year for one in drawn if one.year] == ["2024", "2025", "2026"]
    assert "".join(one.name for one in drawn[:12]) == "JFMAMJJASOND"


@pytest.mark.parametrize("number", [0, 1, report_picture.MOST + 1])
def test_no_month_one_month_and_too_many_are_no_picture(number: int) -> None:
    assert report_picture.months([{"month": "2026-01", "requests": 8, "attached": 2}] * number) == []


def test_only_counts_of_one_thing_have_bars() -> None:
    shown = dict(report_picture.with_bars(report_files.sections(FIGURES)))
    assert [line.bar for line in shown["Par demandeur"]] == [round(100 * 2 / 7), 100]
    assert {line.bar for title in ("Activité", "Délais") for line in shown[title]} == {None}
