"""Several patients in one file: each line of a CSV as the fields of a request's form. Pure.

For an EHPAD, or a doctor who retires. A list never holds anybody's consent: that is asked one by one.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from matcher.protocol.places import normalised
from matcher.records.words import CODES

#: Lines of one file.
MOST: Final = 200

#: Column → field of the form. Written without accents or capitals; spaces and underscores are one.
COLUMNS: Final = {
    "nom": "record.birth_name",
    "nom usage": "record.used_name",
    "prenoms": "record.first_names",
    "sexe": "record.sex",
    "naissance": "record.birth_date",
    "telephone": "record.phone",
    "autre telephone": "record.phone2",
    "joindre par": "record.reach_via",
    "adresse": "record.address.line",
    "code postal": "record.address.postcode",
    "commune": "record.address.city",
    "lieu": "place",
    "logement": "record.housing",
    "langue": "record.language",
    "interprete": "record.interpreter",
    "numero de securite sociale": "record.nir",
    "couverture": "record.coverage",
    "ald": "record.ald",
    "soins demandes": "record.care_needed",
    "difficulte": "record.difficulty",
    "traitements": "record.treatments",
}
#: Header and a made-up line of the model that people fill in.
MODEL: Final = (
    "nom;prénoms;sexe;naissance;téléphone;joindre par;adresse;code postal;commune;lieu;logement;langue;"
    "interprète;numéro de sécurité sociale;couverture;ald;soins demandés;difficulté;traitements\r\n"
    "Exemple;Camille;F;02/03/1941;06 39 98 00 00;patient;3 rue des Acacias;69200;Vénissieux;Parilly;own;fr;"
    "non;;regime_general;oui;suivi après le départ de son médecin;médecin à la retraite;\r\n"
)
_YES_NO: Final = {"oui": "yes", "non": "no", "o": "yes", "n": "no", "en cours": "pending"}


def _said(codes: Mapping[str, str]) -> dict[str, str]:
    """What a person may write for each code: the code itself, or its words."""
    return {normalised(code): code for code in codes} | {
        normalised(said): code for code, said in codes.items()
    }


_CODES: Final = {
    "record.sex": {**_said(CODES["sex"]), "h": "M", "masculin": "M", "feminin": "F"},
    "record.reach_via": {**_said(CODES["reach_via"]), "proche": "relative", "tuteur": "tutor"},
    "record.housing": _said(CODES["housing"]),
    "record.coverage": {
        **_said(CODES["coverage"]),
        "general": "regime_general",
        "c2s": "c2s",
        "ame": "ame",
    },
    "record.language": _said(CODES["language"]),
    "record.interpreter": _YES_NO,
    "record.ald": _YES_NO,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the file, with its number there (the header is line 1)."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a file holds. ``unknown`` are columns that nobody asked for, ``fault`` why it cannot be read."""

    rows: tuple[Row, ...] = ()
    unknown: tuple[str, ...] = ()
    fault: str | None = None


def read(content: bytes) -> Read:
    """The lines of a CSV as Excel or LibreOffice write it: UTF-8 or Windows, with ; , or tabs."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        return Read(fault="Ce fichier n’est pas un CSV : enregistrez votre tableau au format CSV.")
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return Read(fault="Ce fichier ne se lit pas comme un CSV : une ligne est trop longue ou mal fermée.")
    if not lines:
        return Read(fault="Ce fichier est vide.")
    header = [normalised(one.replace("_", " ")) for one in lines[0]]
    if "nom" not in header:
        return Read(fault="La première ligne doit nommer les colonnes ; il y faut au moins « nom ».")
    filled = [
        (number, cells) for number, cells in enumerate(lines[1:], start=2) if any(c.strip() for c in cells)
    ]
    if len(filled) > MOST:
        return Read(fault=f"Ce fichier compte {len(filled)} lignes ; il en faut {MOST} au plus.")
    unknown = tuple(
        name for name, known in zip(lines[0], header, strict=True) if known and known not in COLUMNS
    )
    return Read(
        rows=tuple(Row(line=n, fields=_fields(header, cells)) for n, cells in filled), unknown=unknown
    )


def _fields(header: list[str], cells: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        field, value = COLUMNS.get(name), cell.strip()
        if field is not None and value:
            fields[field] = _CODES.get(field, {}).get(normalised(value), value)
    return fields
