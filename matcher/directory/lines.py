"""Reading a CSV of ours line by line: UTF-8 with or without a byte order mark, ``;``. Pure.

A line is taken as a whole or not at all, and what is wrong with it is said with its number and its
field, so that a person can mend the file and import it again.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from matcher.records.identifiers import read_phone

T = TypeVar("T")

#: A commune's code, Corsica's 2A and 2B included.
INSEE = re.compile(r"[0-9][0-9AB][0-9]{3}")

#: A mail address.
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_NUMBER = re.compile(r"-?[0-9]{1,9}([.,][0-9]{1,9})?")
_LONGEST_CELL = 200


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong in a file. ``line`` counts from 1, the header's; ``field`` is a column or empty."""

    line: int
    field: str
    #: A French sentence.
    message: str
    #: Whether the whole line was left out; else it was taken without this.
    skipped: bool = True

    def __str__(self) -> str:
        """One line of a report."""
        where = f"ligne {self.line}" + (f", {self.field}" if self.field else "")
        fate = " (ligne non reprise)" if self.skipped and self.line > 1 else ""
        return f"{where} : {self.message}{fate}"


class NotUtf8(ValueError):
    """The file is in another encoding. ``str()`` is a French sentence."""


def decode(data: bytes) -> str:
    """A file's text. Raises NotUtf8: reading it as something else would quietly spoil the accents."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise NotUtf8(
            f"le fichier n’est pas en UTF-8 (ligne {line}) : enregistrez-le en « CSV UTF-8 »"
        ) from None


class Line:
    """One line being read: its cells, and what was found wrong with them."""

    def __init__(self, number: int, cells: dict[str, str]) -> None:
        self.at = number
        self.problems: list[Problem] = []
        self._cells = {name: unicodedata.normalize("NFC", cell.strip()) for name, cell in cells.items()}
        for name, cell in self._cells.items():
            if len(cell) > _LONGEST_CELL:
                self.refuse(name, f"plus de {_LONGEST_CELL} caractères")
            # Names go into mails: nothing that ends a header or turns the direction of a text.
            elif any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in cell):
                self.refuse(name, "un caractère invisible s’y trouve")

    def refuse(self, field: str, message: str) -> None:
        """Leave the line out."""
        self.problems.append(Problem(line=self.at, field=field, message=message))

    def note(self, field: str, message: str) -> None:
        """Take the line, and say something about it."""
        self.problems.append(Problem(line=self.at, field=field, message=message, skipped=False))

    @property
    def refused(self) -> bool:
        """Whether the line is left out."""
        return any(problem.skipped for problem in self.problems)

    def text(self, field: str) -> str | None:
        """What the cell says, None where it is empty."""
        return self._cells.get(field) or None

    def needed(self, field: str) -> str:
        """What the cell must say."""
        value = self.text(field)
        if value is None:
            self.refuse(field, "manque")
        return value or ""

    def matching(self, field: str, pattern: re.Pattern[str], expected: str) -> str | None:
        """A cell of one form."""
        value = self.text(field)
        if value is not None and not pattern.fullmatch(value):
            self.refuse(field, f"« {value} » n’est pas {expected}")
            return None
        return value

    def email(self, field: str) -> str | None:
        """A mail address."""
        value = self.matching(field, EMAIL, "une adresse e-mail")
        if value is not None and ".." in value:
            self.refuse(field, f"« {value} » n’est pas une adresse e-mail")
        return value

    def phone(self, field: str) -> str | None:
        """A telephone number as written; one that nobody could dial is left out, its line is not."""
        value = self.text(field)
        if value is not None and read_phone(value).odd:
            self.note(field, f"« {value} » n’est pas un numéro de téléphone : laissé vide")
            return None
        return value

    def one_of(self, field: str, choices: Sequence[str]) -> str:
        """One of some words, needed."""
        value = self.needed(field)
        if value and value not in choices:
            self.refuse(field, f"« {value} » n’est pas parmi {', '.join(choices)}")
        return value

    def yes_no(self, field: str) -> bool | None:
        """Read « oui » or « non »; None where it is empty."""
        value = (self.text(field) or "").lower()
        if value not in ("", "oui", "non"):
            self.refuse(field, f"« {value} » : écrivez oui, non ou rien")
        return value == "oui" if value else None

    def number(self, field: str, low: float, high: float) -> float | None:
        """A number between two bounds; a decimal comma is read too."""
        value = self.text(field)
        if value is None:
            return None
        found = float(value.replace(",", ".")) if _NUMBER.fullmatch(value) else None
        if found is None or not low <= found <= high:
            self.refuse(field, f"« {value} » n’est pas un nombre de {low:g} à {high:g}")
            return None
        return found

    def whole(self, field: str, low: int, high: int) -> int | None:
        """A whole number between two bounds."""
        found = self.number(field, low, high)
        if found is not None and not found.is_integer():
            self.refuse(field, "un nombre entier est attendu")
            return None
        return None if found is None else int(found)

    def count(self, field: str, high: int = 10_000_000) -> int:
        """A whole number that is needed."""
        self.needed(field)
        return self.whole(field, 0, high) or 0


class Once:
    """What may stand only once in a file, with the line where it was first met."""

    def __init__(self) -> None:
        self._first: dict[object, int] = {}

    def check(self, line: Line, field: str, key: object) -> None:
        """Refuse a line whose key was taken by an earlier one; a refused line takes nothing."""
        earlier = self._first.get(key)
        if earlier is not None:
            line.refuse(field, f"déjà à la ligne {earlier}")
        elif not line.refused:
            self._first[key] = line.at


def read(
    text: str,
    columns: Sequence[str],
    needed: Sequence[str],
    build: Callable[[Line], T],
    *,
    rare: Sequence[str] = (),
) -> tuple[list[T], list[Problem]]:
    """Every line that ``build`` did not refuse, and every problem, in the file's order.

    ``rare`` are further columns that most files do not have: nothing is said where one is absent.
    """
    rows: list[T] = []
    problems: list[Problem] = []
    for line in _lines(text, columns, needed, rare, problems):
        row = build(line)
        if line.refused:
            problems.extend(replace(problem, skipped=True) for problem in line.problems)
        else:
            rows.append(row)
            problems.extend(line.problems)
    return rows, problems


def _lines(
    text: str, columns: Sequence[str], needed: Sequence[str], rare: Sequence[str], problems: list[Problem]
) -> Iterator[Line]:
    """The lines under the header. Each is read by itself, so that a stray quote spoils no other."""
    header: list[str] | None = None
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        if not raw.strip(" \t;"):
            continue
        try:
            cells = next(csv.reader([raw], delimiter=";", strict=True))
        except csv.Error:
            problems.append(Problem(line=number, field="", message="des guillemets sont mal placés"))
            continue
        if header is None:
            header = [cell.strip().lower() for cell in cells]
            usual = [name for name in header if name not in rare]
            if not _usable(usual, number, columns, needed, problems):
                return
        elif len(cells) > len(header):
            message = f"{len(cells)} valeurs pour {len(header)} colonnes"
            problems.append(Problem(line=number, field="", message=message))
        else:
            named = zip(header, cells, strict=False)
            yield Line(number, {name: cell for name, cell in named if name in columns or name in rare})
    if header is None:
        problems.append(Problem(line=1, field="", message="le fichier est vide"))


def _usable(
    header: Sequence[str], number: int, columns: Sequence[str], needed: Sequence[str], problems: list[Problem]
) -> bool:
    """Whether the needed columns are there; what is odd about the header is said."""
    missing = [name for name in needed if name not in header]
    absent = [name for name in columns if name not in header and name not in needed]
    strange = [name for name in header if name and name not in columns]
    twice = sorted({name for name in header if name and header.count(name) > 1})

    def say(names: Sequence[str], message: str, *, skipped: bool = True) -> None:
        if names:
            field = ", ".join(names)
            problems.append(Problem(line=number, field=field, message=message, skipped=skipped))

    hint = " ; les colonnes sont séparées par « ; »" if len(header) == 1 else ""
    say(missing, f"colonne absente, rien n’est repris{hint}")
    say(twice, "colonne en double, rien n’est repris")
    if not missing:
        say(absent, "colonne absente, tenue pour inconnue", skipped=False)
        say(strange, "colonne inconnue, ignorée", skipped=False)
    return not missing and not twice
