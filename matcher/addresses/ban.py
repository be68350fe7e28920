"""Reading the Base Adresse Nationale's CSV, one row at a time: ``;``, 23 columns, WGS 84."""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

#: The columns that are used; the others may be there or not, in any order.
NEEDED = ("numero", "nom_voie", "code_insee", "nom_commune", "lon", "lat")
#: Problems kept with their line; a file that is wrong throughout is said once.
_SHOWN = 20
#: Rows between two calls of ``progress``.
_STRIDE = 5_000


class NotBan(ValueError):
    """The file is not of that form. ``str()`` is a French sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """One row. ``number`` is 0 where the row names a place without one."""

    number: int
    repeat: str
    street: str
    insee: str
    commune: str
    #: The commune before a merger, whose streets may bear the same names.
    former: str
    postcode: str
    lat: float
    lon: float


@dataclass
class Skipped:
    """What was left out of a file: how many rows, and why for the first ones."""

    rows: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, line: int, why: str) -> None:
        """Leave one line out."""
        self.rows += 1
        if len(self.first) < _SHOWN:
            self.first.append(f"ligne {line} : {why}")


def read(file: Path, skipped: Skipped, progress: Callable[[int], None] | None = None) -> Iterator[Address]:
    """The addresses of a file, plain or ``.gz``. ``progress`` is told the bytes read so far.

    Raises NotBan where the header is another's, or where the file is not UTF-8.
    """
    with file.open("rb") as raw:
        packed = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw)
        with io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as text:
            try:
                for count, address in enumerate(_rows(text, skipped)):
                    if progress is not None and count % _STRIDE == 0:
                        progress(raw.tell())
                    yield address
            except UnicodeDecodeError:
                raise NotBan(f"{file.name} n’est pas en UTF-8") from None
            except (gzip.BadGzipFile, EOFError):
                raise NotBan(f"{file.name} n’est pas un fichier gzip entier") from None
            except csv.Error as problem:
                raise NotBan(f"{file.name} n’est pas un CSV : {problem}") from None
            if progress is not None:
                progress(raw.tell())


def _rows(text: IO[str], skipped: Skipped) -> Iterator[Address]:
    reader = csv.reader(text, delimiter=";")
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise NotBan(
            f"ce n’est pas un CSV de la Base Adresse Nationale : colonnes absentes {', '.join(missing)}"
        )
    at = {name: header.index(name) for name in (*NEEDED, *_optional(header))}
    widest = max(at.values())
    for cells in reader:
        if len(cells) <= widest:
            if cells:
                skipped.add(reader.line_num, "colonnes manquantes")
            continue
        address = _address(cells, at)
        if isinstance(address, str):
            skipped.add(reader.line_num, address)
        else:
            yield address


def _optional(header: list[str]) -> Iterator[str]:
    return (name for name in ("rep", "code_postal", "nom_ancienne_commune") if name in header)


def _address(cells: list[str], at: dict[str, int]) -> Address | str:
    """One row, or why it is left out."""
    street, insee = cells[at["nom_voie"]].strip(), cells[at["code_insee"]].strip()
    if not street or len(insee) != 5:
        return "sans voie ou sans code INSEE"
    try:
        lat, lon = float(cells[at["lat"]]), float(cells[at["lon"]])
    except ValueError:
        return "sans coordonnées"
    # Not written the other way round: a NaN is on no side.
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return "coordonnées impossibles"
    number = cells[at["numero"]].strip()
    if number and not (number.isascii() and number.isdigit() and len(number) < 10):
        return f"numéro « {number[:20]} »"

    def cell(name: str) -> str:
        return cells[at[name]].strip() if name in at else ""

    return Address(
        number=int(number or 0),
        repeat=cell("rep").lower(),
        street=street,
        insee=insee,
        commune=cells[at["nom_commune"]].strip(),
        former=cell("nom_ancienne_commune"),
        postcode=cell("code_postal"),
        lat=lat,
        lon=lon,
    )
