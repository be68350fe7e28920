"""Where a typed address is: its street, its quartier, its coordinates. Nothing is asked outside.

The streets are those of the Base Adresse Nationale where it was imported (``addresses import``), and those
of the territory's ``places.csv`` and ``streets.csv``, which alone say the quartier.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from matcher.addresses import Address, Book, Found, key, same_commune
from matcher.directory import StreetRow
from matcher.protocol.places import Gazetteer, Place, PlaceKind

#: Under this a street may be another than the one meant; the commune is announced then, a doctor is left
#: to be placed by hand.
SURE = 0.7
#: Streets that fit this nearly as well as the best may have been meant too.
_RIVALS = 0.03


@dataclass(frozen=True, kw_only=True)
class Located:
    """An address that was found. WGS 84 degrees."""

    street: str
    #: None where nobody said in which it lies, or where several streets of several quartiers fit.
    quartier: str | None
    commune: str
    insee: str
    lat: float
    lon: float


class _Quartier(NamedTuple):
    insee: str
    quartier: str


class Finder:
    """The streets of one territory. May be used from several threads."""

    def __init__(self, file: Path, gazetteer: Gazetteer, streets: Iterable[StreetRow] = ()) -> None:
        listed = (
            StreetRow(street=place.name, insee=place.insee, quartier=place.quartier)
            for place in gazetteer.places
            if place.kind is PlaceKind.STREET and place.insee and place.quartier
        )
        self._file = file
        self._home = frozenset(gazetteer.insee_codes)
        self._quartiers: dict[str, list[_Quartier]] = {}
        rows = {(row.insee, key(row.street)): row for row in (*listed, *streets)}
        for (_, street), row in rows.items():
            self._quartiers.setdefault(street, []).append(_Quartier(row.insee, row.quartier))
        self._own = Book.of(_addresses(gazetteer, rows.values()))

    def find(
        self, text: str, postcode: str | None = None, city: str | None = None, insee: str | None = None
    ) -> Located | None:
        """The street meant, None where it is not sure enough. Reads the disk: call it in a thread."""
        asked = (text, postcode, city, insee)
        own = self._sure(self._own.all(*asked, home=self._home))
        imported: Sequence[Found] = ()
        if (book := Book.open(self._file)) is not None:
            with book:
                imported = self._sure(book.all(*asked, home=self._home))
        if not imported and not own:
            return None
        best = imported[0] if imported else own[0]
        # A street that is newer than the file, or is called otherwise here.
        if own and own[0].score > best.score + _RIVALS:
            best, imported = own[0], ()
        where = self._where(imported)
        if own and not where and own[0].score > best.score - _RIVALS:
            where = self._where(own)
        row = where.pop() if len(where) == 1 else None
        return Located(
            street=best.street,
            quartier=row.quartier if row is not None else None,
            commune=best.commune,
            insee=row.insee if row is not None else best.insee,
            lat=best.lat,
            lon=best.lon,
        )

    def _where(self, found: Sequence[Found]) -> set[_Quartier]:
        """The quartiers of the streets that may be meant; empty where nothing is known of any."""
        rivals = [each for each in found if each.score > found[0].score - _RIVALS]
        where = [self._quartier(each) for each in rivals]
        known = {quartier for quartier in where if quartier is not None}
        # One of two possible streets lies nobody knows where: so does the address.
        return known | {_Quartier("", "")} if known and None in where else known

    def _sure(self, found: Sequence[Found]) -> Sequence[Found]:
        return [each for each in found if each.score >= SURE]

    def _quartier(self, found: Found) -> _Quartier | None:
        rows = self._quartiers.get(key(found.street), ())
        return next((row for row in rows if same_commune(row.insee, found.insee)), None)


def announceable(places: Iterable[Place], streets: Iterable[StreetRow]) -> tuple[Place, ...]:
    """The places without the streets that are one foyer or residence."""
    excluded = {(row.insee, key(row.street)) for row in streets if row.excluded}
    return tuple(
        place
        for place in places
        if place.kind not in (PlaceKind.STREET, PlaceKind.LANDMARK)
        or (place.insee, key(place.name)) not in excluded
    )


def _addresses(gazetteer: Gazetteer, rows: Iterable[StreetRow]) -> Iterator[Address]:
    """The territory's own streets as rows of a book; those without coordinates have their quartier's."""
    placed = {(p.insee, key(p.name)): p for p in gazetteer.places if p.kind is PlaceKind.STREET}
    blank = Address(
        number=0, repeat="", street="", insee="", commune="", former="", postcode="", lat=0.0, lon=0.0
    )
    for row in rows:
        commune = gazetteer.commune(row.insee)
        at = (
            placed.get((row.insee, key(row.street))) or gazetteer.quartier(row.quartier, row.insee) or commune
        )
        if at is not None:
            yield replace(
                blank,
                street=row.street,
                insee=row.insee,
                commune=commune.name if commune is not None else "",
                lat=at.lat,
                lon=at.lon,
            )
