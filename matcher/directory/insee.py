"""INSEE's population by IRIS, ``base-ic-evol-struct-pop``: ``;``, one row per IRIS of France. Pure.

Estimates, hence decimals; the prefix P20, P21, P22 … says the year.
"""

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from matcher.addresses import same_commune
from matcher.directory.lines import Problem
from matcher.protocol.population import Residents

_BANDS: Final[dict[str, tuple[int, int | None]]] = {
    "0002": (0, 2),
    "0305": (3, 5),
    "0610": (6, 10),
    "1117": (11, 17),
    "1824": (18, 24),
    "2539": (25, 39),
    "4054": (40, 54),
    "5564": (55, 64),
    "6579": (65, 79),
    "80P": (80, None),
}
_COLUMN: Final = re.compile(r"(P[0-9]{2})_POP(" + "|".join(_BANDS) + ")")


@dataclass
class IrisCount:
    """What the file counts in some communes."""

    residents: list[Residents] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: IRIS taken, with a quartier or under their own label.
    taken: int = 0
    #: Labels of those that no quartier was given for; they count for their commune only.
    unplaced: list[str] = field(default_factory=list)


def is_insee(header: str) -> bool:
    """Whether this first line is that of INSEE's table."""
    names = header.lstrip("\ufeff").upper().replace('"', "").split(";")
    return "IRIS" in names and any(_COLUMN.fullmatch(name.strip()) for name in names)


def read_insee(lines: Iterable[str], communes: Collection[str], quartiers: Mapping[str, str]) -> IrisCount:
    """Residents by quartier and age band of these communes.

    ``communes`` are INSEE codes, Lyon's whole one standing for its arrondissements too; ``quartiers`` maps
    IRIS to quartier. A quartier is the sum of its IRIS, before any rounding.
    """
    found = IrisCount()
    reader = csv.reader(lines, delimiter=";")
    header = [name.strip().upper().lstrip("\ufeff") for name in next(reader, [])]
    columns = _columns(header)
    if not {"IRIS", "COM"} <= set(header) or len(columns) < len(_BANDS):
        message = "ce n’est pas une table base-ic-evol-struct-pop de l’INSEE, rien n’est repris"
        found.problems.append(Problem(line=1, field="", message=message))
        return found
    iris_at, commune_at = header.index("IRIS"), header.index("COM")
    label_at = header.index("LAB_IRIS") if "LAB_IRIS" in header else iris_at
    widest = max(iris_at, commune_at, label_at, *columns.values())
    sums: dict[tuple[str, str, int, int | None], float] = {}
    for cells in reader:
        if len(cells) <= widest:
            if cells:
                found.problems.append(_problem(reader.line_num, "", "colonnes manquantes"))
            continue
        commune = next((code for code in communes if same_commune(code, cells[commune_at].strip())), None)
        if commune is None:
            continue
        counts = _counts(cells, columns)
        if isinstance(counts, str):
            found.problems.append(_problem(reader.line_num, counts, "pas un nombre d’habitants"))
            continue
        iris = cells[iris_at].strip()
        if iris not in quartiers:
            found.unplaced.append(f"{iris} {cells[label_at].strip()}")
        quartier = quartiers.get(iris) or f"IRIS {iris}"
        found.taken += 1
        for (start, end), count in counts.items():
            cell = (commune, quartier, start, end)
            sums[cell] = sums.get(cell, 0.0) + count
    found.residents = [
        Residents(insee=insee, quartier=quartier, age_from=start, age_to=end, residents=count)
        for (insee, quartier, start, end), count in sums.items()
    ]
    return found


def _columns(header: list[str]) -> dict[tuple[int, int | None], int]:
    """Where each band stands; of several years the latest."""
    matches = [(at, match) for at, name in enumerate(header) if (match := _COLUMN.fullmatch(name))]
    latest = max((match[1] for _, match in matches), default="")
    return {_BANDS[match[2]]: at for at, match in matches if match[1] == latest}


def _counts(
    cells: list[str], columns: Mapping[tuple[int, int | None], int]
) -> dict[tuple[int, int | None], float] | str:
    """The residents by band, or the cell that is no number."""
    counts = {}
    for band, at in columns.items():
        text = cells[at].strip().replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?(E-[0-9]+)?", text.upper()):
            return text[:20] or "vide"
        counts[band] = float(text)
    return counts


def _problem(line: int, field: str, message: str) -> Problem:
    return Problem(line=line, field=field, message=message)
