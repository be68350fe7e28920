"""The streets of a territory in one SQLite file, searched as people type. Nothing leaves the machine.

One file per territory; importing writes a new one beside it and puts it in its place, so that whoever
reads meanwhile reads the old one to the end.
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from matcher.addresses import near, scoring, words
from matcher.addresses.ban import Address
from matcher.addresses.scoring import Candidate, Query, Term

_SCHEMA = """
CREATE TABLE streets (
    id INTEGER PRIMARY KEY, insee TEXT NOT NULL, former TEXT NOT NULL, name TEXT NOT NULL,
    commune TEXT NOT NULL, postcode TEXT NOT NULL, lat REAL, lon REAL, numbers INTEGER NOT NULL DEFAULT 0,
    UNIQUE (insee, former, name)
);
CREATE TABLE numbers (
    street INTEGER NOT NULL, number INTEGER NOT NULL, repeat TEXT NOT NULL, lat REAL NOT NULL,
    lon REAL NOT NULL, PRIMARY KEY (street, number, repeat)
) WITHOUT ROWID;
CREATE TABLE words (word TEXT PRIMARY KEY, streets INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE near (key TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (key, word)) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (
    name, place, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
"""
#: Streets remembered while importing; the file is sorted by street, so that one would nearly do.
_REMEMBERED = 10_000
#: Streets looked at closely for one address.
_LOOKED_AT = 60
_CODE = re.compile(r"[0-9AB]{5}")
#: A word that more streets than this bear is no way into the index, unless there is no other.
_FREQUENT = 1_500


@dataclass(frozen=True, kw_only=True)
class Found:
    """A street, and the house where the number is known. WGS 84 degrees."""

    street: str
    commune: str
    insee: str
    postcode: str
    lat: float
    lon: float
    #: Whether ``lat`` and ``lon`` are the house's; else the middle of the street's numbers.
    house: bool
    #: How well it fits what was typed, 0 to a little over 1.
    score: float


class Book:
    """The streets that can be found. May be used from several threads, one search at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The book of that file, None where there is none."""
        if not path.is_file():
            return None
        uri = f"{path.resolve().as_uri()}?mode=ro"
        return cls(sqlite3.connect(uri, uri=True, check_same_thread=False))

    @classmethod
    def of(cls, addresses: Iterable[Address]) -> Self:
        """A book in memory, for a territory that imported none."""
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        _fill(connection, addresses)
        return cls(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find(
        self,
        text: str,
        postcode: str | None = None,
        city: str | None = None,
        insee: str | None = None,
        *,
        home: frozenset[str] = frozenset(),
    ) -> Found | None:
        """The street that was most likely meant, None for none. ``home``: communes to prefer."""
        found = self.all(text, postcode, city, insee, home=home)
        return found[0] if found else None

    def all(
        self,
        text: str,
        postcode: str | None = None,
        city: str | None = None,
        insee: str | None = None,
        *,
        home: frozenset[str] = frozenset(),
    ) -> tuple[Found, ...]:
        """Every street that may have been meant, the likeliest first; at most a dozen."""
        address = words.typed(text)
        town = words.typed(city or "")
        with self._lock:
            query = Query(
                terms=tuple(self._terms(address.words)),
                before=tuple(self._terms(address.before)),
                town=tuple(self._terms(town.words)),
                number=address.number,
                postcodes=_codes(postcode, address.postcode, town.postcode),
                insees=_codes(insee, address.insee, town.insee),
                home=home,
            )
            if not query.terms:
                return ()
            ranked = scoring.ranked(query, self._candidates(query))
            return tuple(self._found(address, candidate, score) for candidate, score in ranked[:12])

    def _terms(self, typed: Iterable[tuple[str, ...]]) -> Iterator[Term]:
        spelled = list(typed)
        for at, readings in enumerate(spelled):
            known: dict[str, tuple[float, int]] = {}
            for rank, reading in enumerate(readings):
                for word, likeness, streets in self._known(reading):
                    known.setdefault(word, (likeness - 0.05 * rank, streets))
            # « la fayette » is Lafayette, « bel air » Belair.
            if at + 1 < len(spelled):
                both = readings[0] + spelled[at + 1][0]
                known |= {word: (0.95, streets) for word, _, streets in self._exactly(both)}
            yield Term(word=readings[0], known=known)

    def _known(self, word: str) -> Iterator[tuple[str, float, int]]:
        """The words of the index that this one may be: itself, else those near, else those it begins."""
        exact = list(self._exactly(word))
        yield from exact
        if exact:
            return
        for glued in ("l", "d", "la", "le", "de", "du", "des", "les"):
            if word.startswith(glued) and len(word) - len(glued) >= 4:
                yield from ((w, 0.9, n) for w, _, n in self._exactly(word.removeprefix(glued)))
        sought = list(near.keys(word))
        marks = ",".join("?" * len(sought))
        rows = self._connection.execute(
            "SELECT DISTINCT n.word, w.streets FROM near n JOIN words w USING (word)"  # noqa: S608 - marks
            f" WHERE n.key IN ({marks})",
            sought,
        )
        alike = sorted(((near.likeness(word, w), w, n) for w, n in rows), reverse=True)
        yield from ((w, likeness, n) for likeness, w, n in alike[:6] if likeness > 0)
        if len(word) >= 3:
            begun = self._connection.execute(
                "SELECT word, streets FROM words WHERE word > ? AND word < ? ORDER BY streets DESC LIMIT 4",
                (word, word + "\U0010ffff"),
            )
            yield from ((w, 0.8, n) for w, n in begun)

    def _exactly(self, word: str) -> Iterator[tuple[str, float, int]]:
        for (streets,) in self._connection.execute("SELECT streets FROM words WHERE word = ?", (word,)):
            yield word, 1.0, streets

    def _candidates(self, query: Query) -> list[Candidate]:
        """Streets that share a telling word with what was typed; first where it says they are."""
        wanted: dict[str, int] = {}
        for term in query.terms:
            wanted |= {word: streets for word, (_, streets) in term.known.items()}
        telling = [word for word, n in wanted.items() if word not in words.WAYS and n <= _FREQUENT]
        names = " OR ".join(f'"{word}"' for word in (telling or wanted))
        if not names:
            return []
        places = " OR ".join(f'"{place}"' for place in query.places())
        found: dict[int, Candidate] = {}
        if places:
            # There even a frequent word leads somewhere.
            every = " OR ".join(f'"{word}"' for word in wanted)
            found |= {c.id: c for c in self._match(f"name : ({every}) AND place : ({places})")}
        found |= {c.id: c for c in self._match(f"name : ({names})")}
        return list(found.values())

    def _match(self, expression: str) -> Iterator[Candidate]:
        rows = self._connection.execute(
            "SELECT id, name, commune, insee, former, postcode, lat, lon, numbers FROM streets WHERE id IN"
            " (SELECT rowid FROM search WHERE search MATCH ? ORDER BY rank LIMIT ?)",
            (expression, _LOOKED_AT),
        )
        for row in rows.fetchall():
            spelled = words.words(row[1])
            weights = {word: scoring.weight(word, self._frequency(word)) for word in spelled}
            yield Candidate(spelled, weights, *row)

    def _frequency(self, word: str) -> int:
        row = self._connection.execute("SELECT streets FROM words WHERE word = ?", (word,)).fetchone()
        return row[0] if row else 0

    def _found(self, address: words.Typed, candidate: Candidate, score: float) -> Found:
        house = self._connection.execute(
            "SELECT lat, lon FROM numbers WHERE street = ? AND number = ? ORDER BY repeat <> ?, repeat",
            (candidate.id, address.number or -1, address.repeat),
        ).fetchone()
        lat, lon = house or (candidate.lat, candidate.lon)
        return Found(
            street=candidate.name,
            commune=candidate.commune,
            insee=candidate.insee,
            postcode=candidate.postcode,
            lat=lat,
            lon=lon,
            house=house is not None,
            score=score,
        )


def _codes(*given: str | None) -> frozenset[str]:
    """The codes among what was given; what is no code must not reach the index's expressions."""
    return frozenset(code for code in given if code and _CODE.fullmatch(code))


def write(path: Path, addresses: Iterable[Address], *, said: Callable[[str], None] | None = None) -> int:
    """Write a book in the place of the one there; the number of streets. Memory stays what it is.

    ``said`` is told when the reading is over and the index begins. An error leaves the old book.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(new)) as connection:
            streets = _fill(connection, addresses, said)
        with new.open("rb") as written:
            os.fsync(written.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return streets


def _fill(
    connection: sqlite3.Connection, addresses: Iterable[Address], said: Callable[[str], None] | None = None
) -> int:
    # Nobody reads the file before it is whole, and a broken one is thrown away.
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
    remembered: dict[tuple[str, str, str], int] = {}

    def street(address: Address) -> int:
        named = (address.insee, address.former, address.street)
        if named not in remembered:
            if len(remembered) >= _REMEMBERED:
                remembered.clear()
            connection.execute(
                "INSERT OR IGNORE INTO streets (insee, former, name, commune, postcode)"
                " VALUES (?, ?, ?, ?, ?)",
                (*named, address.commune, address.postcode),
            )
            remembered[named] = connection.execute(
                "SELECT id FROM streets WHERE insee = ? AND former = ? AND name = ?", named
            ).fetchone()[0]
        return remembered[named]

    connection.executemany(
        "INSERT OR IGNORE INTO numbers VALUES (?, ?, ?, ?, ?)",
        ((street(row), row.number, row.repeat, row.lat, row.lon) for row in addresses),
    )
    if said is not None:
        said("index des voies…")
    connection.execute(
        "UPDATE streets SET (lat, lon, numbers) ="
        " (SELECT avg(lat), avg(lon), count(*) FROM numbers WHERE street = streets.id)"
    )
    _index(connection)
    connection.commit()
    return int(connection.execute("SELECT count(*) FROM streets").fetchone()[0])


def _index(connection: sqlite3.Connection) -> None:
    reading = connection.execute("SELECT id, name, commune, insee, postcode FROM streets")
    for id, name, commune, insee, postcode in reading:
        spelled = words.words(name)
        place = " ".join(scoring.place_tokens(insee, postcode, commune))
        connection.execute(
            "INSERT INTO search (rowid, name, place) VALUES (?, ?, ?)", (id, " ".join(spelled), place)
        )
        connection.executemany(
            "INSERT INTO words VALUES (?, 1) ON CONFLICT (word) DO UPDATE SET streets = streets + 1",
            ((word,) for word in set(spelled)),
        )
    # The communes' names are typed too, with the same slips.
    for (commune,) in connection.execute("SELECT DISTINCT commune FROM streets").fetchall():
        connection.executemany(
            "INSERT OR IGNORE INTO words VALUES (?, 0)", ((word,) for word in words.words(commune))
        )
    for (word,) in connection.execute("SELECT word FROM words"):
        connection.executemany(
            "INSERT OR IGNORE INTO near VALUES (?, ?)", ((k, word) for k in near.keys(word))
        )
    connection.execute("INSERT INTO search (search) VALUES ('optimize')")
