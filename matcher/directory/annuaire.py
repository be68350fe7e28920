"""The Annuaire Santé: ``PS_LibreAcces_Personne_activite`` and the list of MSSanté mailboxes. Pure.

Both are UTF-8, ``|``, of all of France, and read line by line by the names of their columns; older files have
fewer. One row is one doctor at one site: the first site in the territory is taken.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from matcher.addresses import whole_commune
from matcher.directory.doctors import DoctorRow, doctor_of
from matcher.directory.lines import EMAIL, Line, Once, Problem
from matcher.protocol.doctors import Zone
from matcher.protocol.places import normalised
from matcher.records.identifiers import national_rpps

_PHYSICIAN: Final = "10"
#: General practice, by its three qualifications.
_GENERAL: Final = frozenset({"SM26", "SM53", "SM54"})
#: Liberal or salaried; not « bénévole ».
_MODES: Final = frozenset({"L", "S"})
#: Practices, centres and houses of health: where somebody may be a médecin traitant.
_SECTORS: Final = frozenset({"SA05", "SA07", "SA08", "SA09", "SA52"})
_SEX: Final = {"M": "M", "MME": "F"}
_SITE: Final = " (coord. structure)"
_NEEDED: Final = (
    "Identifiant PP", "Nom d'exercice", "Code profession", "Code savoir-faire", "Code mode exercice",
    "Code secteur d'activité", f"Code commune{_SITE}",
)  # fmt: skip
_MAILBOX: Final = ("Type de BAL", "Adresse BAL", "Identifiant PP")


@dataclass
class Practitioners:
    """General practitioners of some communes. Their file knows neither languages, access nor membership."""

    rows: list[DoctorRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def is_annuaire(header: str) -> bool:
    """Whether this first line is that of the extraction."""
    return {"Identifiant PP", "Code savoir-faire"} <= set(_names(header))


def read_annuaire(lines: Iterable[str], communes: Mapping[str, str]) -> Practitioners:
    """The general practitioners of these communes, by INSEE code, with their names where they are known.

    A row without a code is placed by the name of its commune, as other rows write it too. What is left out is
    told by line for the doctors of the territory, and counted for everybody else.
    """
    found = Practitioners()
    towns = {normalised(name): code for code, name in communes.items() if name}
    here: list[tuple[int, dict[str, str]]] = []
    elsewhere = others = 0
    for at, cells in _rows(lines, _NEEDED, found.problems):
        code, town = cells.get(f"Code commune{_SITE}", ""), _town(cells)
        ours = next((one for one in (code, whole_commune(code)) if one in communes), None)
        if code and ours is None:
            elsewhere += 1
        elif cells["Code profession"] != _PHYSICIAN:
            others += 1
        else:
            if ours is not None and town:
                towns.setdefault(town, ours)
            here.append((at, cells | {"insee": code}))
    once = Once()
    for at, cells in here:
        code = cells["insee"] or towns.get(_town(cells), "")
        if not code:
            elsewhere += 1
            continue
        if (why := _left_out(cells)) is not None:
            name = cells["Nom d'exercice"]
            found.problems.append(Problem(line=at, field="", message=f"{name} : {why}"))
            continue
        line = Line(at, _cells(cells, code))
        row = doctor_of(line)
        once.check(line, "rpps", row.rpps)
        if line.refused:
            found.problems += [replace(problem, skipped=True) for problem in line.problems]
        else:
            found.rows.append(row)
            found.problems += line.problems
    for count, whom in ((elsewhere, "d’autres communes"), (others, "d’autres professions")):
        if count:
            message = f"lignes {whom}, non reprises : {count}"
            found.problems.append(Problem(line=1, field="", message=message, skipped=False))
    return found


def read_mssante(lines: Iterable[str], wanted: Collection[str]) -> tuple[dict[str, str], list[Problem]]:
    """The personal MSSanté mailbox of each of the wanted RPPS numbers, the first where there are several."""
    boxes: dict[str, str] = {}
    problems: list[Problem] = []
    for _, cells in _rows(lines, _MAILBOX, problems):
        rpps, box = national_rpps(cells["Identifiant PP"]), cells["Adresse BAL"]
        if cells["Type de BAL"] == "PER" and rpps in wanted and EMAIL.fullmatch(box):
            boxes.setdefault(rpps, box)
    return boxes, problems


def _left_out(cells: Mapping[str, str]) -> str | None:
    """Why this doctor is not one to ask."""
    if cells["Code savoir-faire"] not in _GENERAL:
        return "pas de médecine générale"
    if cells["Code mode exercice"] not in _MODES:
        return "ni libéral ni salarié"
    if cells["Code secteur d'activité"] not in _SECTORS:
        return "ce lieu d’exercice ne prend pas de patients en médecin traitant"
    return None


def _cells(cells: Mapping[str, str], insee: str) -> dict[str, str]:
    """The row under the names of our own CSV."""

    def site(*names: str) -> str:
        return " ".join(part for name in names if (part := cells.get(f"{name}{_SITE}", "")))

    email = site("Adresse e-mail")
    return {
        "rpps": cells["Identifiant PP"],
        "last_name": cells["Nom d'exercice"],
        "first_name": cells.get("Prénom d'exercice", ""),
        "sex": _SEX.get(cells.get("Code civilité", ""), ""),
        "phone": site("Téléphone") or site("Téléphone 2"),
        # Of the practice; one that cannot be written to is as good as none.
        "email": email if EMAIL.fullmatch(email) else "",
        "address": site("Numéro Voie", "Indice répétition voie", "Libellé type de voie", "Libellé Voie"),
        "postcode": site("Code postal"),
        "city": site("Libellé commune") or re.sub(r"^\d{5}\s*", "", site("Bureau cedex")),
        "insee": insee,
        "zone": Zone.TERRITORY,
    }


def _town(cells: Mapping[str, str]) -> str:
    """The commune's name as it is compared: without postcode and « CEDEX »."""
    text = cells.get(f"Libellé commune{_SITE}") or cells.get(f"Bureau cedex{_SITE}") or ""
    return normalised(re.sub(r"^\d{5}\s*|\s+CEDEX.*$", "", text, flags=re.IGNORECASE))


def _rows(
    lines: Iterable[str], needed: Collection[str], problems: list[Problem]
) -> Iterator[tuple[int, dict[str, str]]]:
    header: list[str] | None = None
    for at, raw in enumerate(lines, start=1):
        if header is None:
            header = _names(raw)
            if missing := [name for name in needed if name not in header]:
                message = "colonne absente, rien n’est repris"
                problems.append(Problem(line=at, field=", ".join(missing), message=message))
                return
            continue
        cells = [cell.strip() for cell in raw.rstrip("\r\n").split("|")]
        if len(cells) < len(header) - 1:
            if raw.strip():
                message = f"{len(cells)} valeurs pour {len(header)} colonnes"
                problems.append(Problem(line=at, field="", message=message))
            continue
        yield at, dict(zip(header, cells, strict=False))


def _names(header: str) -> list[str]:
    return [name.strip().replace("’", "'") for name in header.lstrip("\ufeff").rstrip("\r\n").split("|")]
