"""Streets of a département: how fast they are imported and found, beside bare SQLite in the same run."""

import contextlib
import csv
import resource
import sqlite3
import time
from pathlib import Path
from statistics import median

import pytest

from matcher.addresses import Book, Skipped, write
from matcher.addresses.ban import read
from tests.bench.figures import quote
from tests.unit import made_addresses as made
from tests.unit.test_addresses_found import HOME, TYPED

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

#: Rows of a département: so many towns of 43 streets, with so many houses each.
TOWNS, HOUSES = 590, 20


def _memory() -> float:
    """The most this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_department_is_imported_in_constant_memory_and_searched_in_milliseconds(tmp_path: Path) -> None:
    file = made.write(tmp_path / "ban.csv", more_towns=TOWNS, numbers=HOUSES)
    before, skipped, rows = _memory(), Skipped(), 0

    def counted():
        nonlocal rows
        for rows, address in enumerate(read(file, skipped), start=1):  # noqa: B007 - read after the loop
            yield address

    start = time.perf_counter()
    streets = write(tmp_path / "book.sqlite3", counted())
    ours = time.perf_counter() - start
    grown = _memory() - before
    raw = _raw_import(file, tmp_path / "raw.sqlite3")
    assert (streets > 0, rows >= 500_000, skipped.rows) == (True, True, 0)
    quote(
        "importing the addresses of a département",
        f"{ours / raw:.2f} of the time of bare SQLite FTS5, {rows:,} rows, {grown:.0f} MiB of memory",
    )
    assert grown < 60

    with TYPED.open(encoding="utf-8") as typed:
        lines = list(csv.DictReader(typed, delimiter=";"))
    book = Book.open(tmp_path / "book.sqlite3")
    assert book is not None
    took, right = [], 0
    with book:
        for line in lines:
            start = time.perf_counter()
            found = book.find(line["typed"], line["postcode"] or None, line["city"] or None, home=HOME)
            took.append(time.perf_counter() - start)
            right += found is not None and (found.street, found.insee) == (line["street"], line["commune"])
    bare = _raw_search(tmp_path / "raw.sqlite3", [line["street"] for line in lines])
    quote(
        "finding an address as it was typed",
        f"{median(took) * 1000:.1f} ms, {median(took) / bare:.2f} of one exact FTS5 query; {right} right of"
        f" {len(lines)}",
        "190 right of 200",
    )
    assert right >= 190 * len(lines) / 200


def _raw_import(file: Path, into: Path) -> float:
    """Every row into one FTS5 table, as one would without thinking; the seconds it took."""
    start = time.perf_counter()
    with contextlib.closing(sqlite3.connect(into)) as connection, file.open(encoding="utf-8") as text:
        connection.execute("CREATE VIRTUAL TABLE rows USING fts5 (street, commune, postcode)")
        reader = csv.reader(text, delimiter=";")
        next(reader)
        connection.executemany(
            "INSERT INTO rows VALUES (?, ?, ?)", ((cells[4], cells[7], cells[5]) for cells in reader)
        )
        connection.commit()
    return time.perf_counter() - start


def _raw_search(file: Path, streets: list[str]) -> float:
    """The median seconds of one exact query, spelled right, for the words of the street."""
    took = []
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for street in streets:
            words = " ".join(f'"{word}"' for word in street.replace("’", " ").replace("-", " ").split())
            start = time.perf_counter()
            connection.execute(
                "SELECT * FROM rows WHERE rows MATCH ? ORDER BY rank LIMIT 10", (words,)
            ).fetchall()
            took.append(time.perf_counter() - start)
    return median(took)
