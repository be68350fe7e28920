"""The normalised terms by which a patient is found again, and by which two requests for one are.

They are hashed under a secret key before they are stored (the space of names and dates is small);
this module only says which terms there are. A term of one kind is only ever compared with its kind.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from matcher.protocol.places import normalised
from matcher.records.identifiers import NirKind, read_nir, read_phone


class Term(NamedTuple):
    """One term and its kind: ``name``, ``birth_date``, ``phone``, ``nir``, or a combination."""

    kind: str
    value: str


def lookup_terms(record: Mapping[str, Any]) -> tuple[Term, ...]:
    """What staff may search for: birth and used name (with and without first name), birth date, both
    telephones, NIR. ``record`` is the part ``record`` of a request as sent.
    """
    terms: list[Term] = []
    first = _first_name(record)
    for name in _names(record):
        terms.append(Term("name", name))
        if first:
            terms.append(Term("name", " ".join(sorted((name, first)))))
    if record.get("birth_date"):
        terms.append(Term("birth_date", record["birth_date"]))
    terms += [Term("phone", phone) for phone in _phones(record)]
    terms += [Term("nir", number) for number in _nir(record)]
    return tuple(dict.fromkeys(terms))


def query_terms(text: str) -> tuple[Term, ...]:
    """The terms that what somebody typed may stand for: a date, a telephone, a NIR, a name or name and
    first name in either order. A search is found where any of them is among its own; a date finds also those
    of whom only its month or its year is known.
    """
    typed = text.strip()
    terms: list[Term] = []
    born = _date(typed)
    if born:
        return tuple(Term("birth_date", born[:length]) for length in (10, 7, 4) if len(born) >= length)
    if re.fullmatch(r"[+\d][\d\s.()\-]{5,}[\dABab\s]*", typed):
        phone = read_phone(typed)
        if phone.e164 is not None:
            terms.append(Term("phone", phone.e164))
        number = read_nir(typed)
        if number.kind is not NirKind.OTHER:
            terms.append(Term("nir", number.digits[:13]))
    words = normalised(typed).split()
    if words and not terms:
        terms.append(Term("name", " ".join(words)))
        # "Marie Dupont Leroy": every cut between name and first name.
        for cut in range(1, len(words)):
            pair = sorted((" ".join(words[:cut]), " ".join(words[cut:])))
            terms.append(Term("name", " ".join(pair)))
    return tuple(dict.fromkeys(terms))


def duplicate_terms(record: Mapping[str, Any]) -> tuple[Term, ...]:
    """What two requests for one patient are likely to share; one shared term is a likely duplicate.

    Name, first name and birth date; the same with the year alone, since one of the two may know no
    more; telephone with sex and birth year (a family shares a telephone); NIR.
    """
    terms: list[Term] = []
    born = str(record.get("birth_date") or "")
    first = _first_name(record)
    if born and first:
        for name in _names(record):
            terms.append(Term("name+birth_year", f"{name}|{first}|{born[:4]}"))
            if len(born) == 10:
                terms.append(Term("name+birth_date", f"{name}|{first}|{born}"))
    if born:
        sex = record.get("sex") or "I"
        terms += [Term("phone+sex+birth_year", f"{phone}|{sex}|{born[:4]}") for phone in _phones(record)]
    terms += [Term("nir", number) for number in _nir(record)]
    return tuple(dict.fromkeys(terms))


def _names(record: Mapping[str, Any]) -> list[str]:
    names = (normalised(str(record.get(field) or "")) for field in ("birth_name", "used_name"))
    return [name for name in names if name]


def _first_name(record: Mapping[str, Any]) -> str:
    """The first of the first names; a hyphen joins, a space or a comma parts."""
    first = re.split(r"[\s,]+", str(record.get("first_names") or "").strip())[0]
    return normalised(first)


def _phones(record: Mapping[str, Any]) -> list[str]:
    given = (record.get(field) for field in ("phone", "phone2"))
    read = (read_phone(str(text)).e164 for text in given if text)
    return [phone for phone in read if phone is not None]


def _nir(record: Mapping[str, Any]) -> list[str]:
    """The 13 digits, without the key, so that a mistyped key still finds; nothing for an odd number."""
    number = read_nir(record.get("nir"))
    return [] if number.kind in (NirKind.NONE, NirKind.OTHER) else [number.digits[:13]]


def _date(text: str) -> str | None:
    """An ISO date from 02/03/1958, 2.3.1958 or 1958-03-02, its month or its year from what leaves the rest
    out (03/1958, 1958-03, 1958); None where it is none.
    """
    found = re.fullmatch(r"(?:(?:(\d{1,2})[/.\- ])?(\d{1,2})[/.\- ])?(\d{4})", text)
    parts = found.group(3, 2, 1) if found else None
    if parts is None and (found := re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text)):
        parts = found.group(1, 2, 3)
    if parts is None:
        return None
    year, month, day = parts
    try:
        whole = date(int(year), int(month or 1), int(day or 1)).isoformat()
    except ValueError:
        return None
    return whole[: 10 if day else 7 if month else 4]
