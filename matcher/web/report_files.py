"""The activity report as people take it along: CSV, a workbook, a PDF. One list of lines serves all three."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import xlsxwriter

from matcher import printed
from matcher.records.words import CODES
from matcher.web import pages, words

FORMATS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

#: A figure's name and what it is called, in the order in which they are read.
_ACTIVITY: Final = (
    ("requests", "Demandes transmises"),
    ("attached", "Médecins traitants trouvés"),
    ("launches", "Recherches lancées"),
    ("mails", "Mails aux médecins"),
    ("calls", "Appels"),
    ("doctors_asked", "Médecins sollicités"),
    ("doctors_yes", "Médecins ayant dit oui au moins une fois"),
    ("records_opened", "Fiches ouvertes par un médecin"),
)
_DELAYS: Final = (
    ("days_to_first_yes", "Jusqu’au premier oui"),
    ("days_to_attached", "Jusqu’au médecin traitant"),
    ("days_to_attached_reachable", "Le même sans les pauses de la personne"),
)
_GROUPS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "age": ("Par âge", words.AGES),
    "coverage": ("Par couverture", CODES["coverage"]),
    "ald": ("Par affection de longue durée", CODES["ald"]),
    "quartier": ("Par quartier", {}),
}
#: A spreadsheet would calculate what begins so.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

#: What it is called, and the figure.
Line = tuple[str, str | float]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Lines under one heading."""

    title: str
    lines: list[Line]
    #: Whether the figures count one thing by its values, and so may be compared.
    counted: bool = False


def sections(figures: Mapping[str, Any]) -> list[Section]:
    """The report's lines under their headings."""
    acts: list[Line] = [(said, figures[name]) for name, said in _ACTIVITY if name in figures]
    delays: list[Line] = []
    for name, said in _DELAYS:
        if f"{name}_median" in figures:
            delays.append((f"{said}, en jours (médiane)", figures[f"{name}_median"]))
            delays.append((f"{said}, en jours (neuf fois sur dix, au plus)", figures[f"{name}_ninth"]))
    within = figures.get("found_within_30_days")
    if within:
        delays.append(("Trouvés dans les 30 jours", f"{within['found']} sur {within['of']}"))
    groups = figures.get("groups", {})
    found = (
        Section(title="Activité", lines=acts),
        Section(title="Délais", lines=delays),
        _counted("Par demandeur", figures["by_requester"], words.STRUCTURES),
        _counted("État aujourd’hui", figures["by_state"], words.STATES),
        *(_counted(title, groups.get(measure, {}), named) for measure, (title, named) in _GROUPS.items()),
    )
    return [section for section in found if section.lines]


def _counted(title: str, counts: Mapping[str, int], said: Mapping[str, str]) -> Section:
    named = {**said, "other": "autres, ou trop peu pour être dits", "unknown": "non renseigné"}
    lines: list[Line] = [(named.get(value, value), count) for value, count in sorted(counts.items())]
    return Section(title=title, lines=lines, counted=True)


def period(figures: Mapping[str, Any]) -> str:
    """« Du jeudi 1er janvier 2026 au jeudi 31 décembre 2026 »."""
    first, last = (_date(figures[name]) for name in ("from", "to"))
    return f"Du {pages.day(first)} au {pages.day(last)}"


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def as_csv(figures: Mapping[str, Any]) -> bytes:
    """Heading, line, figure; with a mark by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(("Partie", "Ligne", "Valeur"))
    writer.writerow(("Période", period(figures), ""))
    for section in sections(figures):
        for said, value in section.lines:
            writer.writerow([_harmless(cell) for cell in (section.title, said, value)])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: str | float) -> str | float:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def as_workbook(figures: Mapping[str, Any]) -> bytes:
    """One sheet, figures as numbers."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold, page = book.add_format({"bold": True}), book.add_worksheet("Rapport")
        page.set_column(0, 0, 64)
        page.set_column(1, 1, 18)
        page.write_string(0, 0, period(figures), bold)
        row = 1
        for section in sections(figures):
            row += 1
            page.write_string(row, 0, section.title, bold)
            for said, value in section.lines:
                row += 1
                page.write_string(row, 0, said)
                page.write(row, 1, value)
            row += 1
    return out.getvalue()


def as_pdf(figures: Mapping[str, Any], sender: str, at: datetime) -> bytes:
    """A page to hand over. Takes some 30 ms: call it in a thread."""
    tables = [
        printed.Table(
            title=section.title,
            head=("", "Valeur"),
            rows=[(said, pages.written(value)) for said, value in section.lines],
        )
        for section in sections(figures)
    ]
    document = printed.Document(
        title="Rapport d’activité",
        sender=sender,
        heading="Rapport d’activité",
        subtitle=period(figures),
        tables=tables,
        footer="Aucune donnée de patient n’y figure ; les groupes de moins de cinq ne sont pas dits.",
    )
    return printed.render(document, at)


def made(format_: str, figures: Mapping[str, Any], sender: str, at: datetime) -> bytes:
    """The report in one of ``FORMATS``."""
    match format_:
        case "csv":
            return as_csv(figures)
        case "xlsx":
            return as_workbook(figures)
        case _:
            return as_pdf(figures, sender, at)
