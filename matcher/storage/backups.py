"""Sealed sections out of a backup that is restored nowhere: a copy of a SQLite file, or what pg_dump wrote.

Read only: no server is started, nothing is written, and a file of another kind is refused.
"""

import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from matcher.protocol.ids import SearchId
from matcher.storage.sealed import Section
from messaging.vault import Sealed

_COLUMNS = (
    "territory_id", "search_id", "section", "key_name", "version", "sealed_key", "commitment", "nonce",
    "ciphertext",
)  # fmt: skip
_DUMPED = b"COPY public.sealed ("


class NotABackup(Exception):
    """Neither a SQLite database nor a dump of PostgreSQL with a table of sealed sections."""


def sections(backup: Path) -> Iterator[Section]:
    """Every section of the backup, but for what was destroyed before it was made. Raises NotABackup."""
    try:
        with backup.open("rb") as file:
            head = file.read(16)
            file.seek(0)
            if head.startswith(b"SQLite format 3"):
                yield from _of_sqlite(backup)
            elif head.startswith(b"PGDMP"):
                yield from _of_archive(backup)
            else:
                yield from _of_text(file)
    except (OSError, sqlite3.DatabaseError) as problem:
        raise NotABackup(str(problem)) from None


def _of_sqlite(backup: Path) -> Iterator[Section]:
    # Immutable: SQLite then looks for no journal beside the file and leaves none.
    database = sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        wanted = f"SELECT {', '.join(_COLUMNS)} FROM sealed WHERE ciphertext IS NOT NULL"  # noqa: S608
        for row in database.execute(wanted):
            yield _section(dict(zip(_COLUMNS, row, strict=True)))
    finally:
        database.close()


def _of_archive(backup: Path) -> Iterator[Section]:
    """pg_dump's own format, through the program that reads it."""
    reading = ["pg_restore", "--data-only", "--table=sealed", "--file=-", str(backup)]
    with subprocess.Popen(reading, stdout=subprocess.PIPE) as program:  # noqa: S603 - the operator's own file
        assert program.stdout is not None
        yield from _of_text(program.stdout)


def _of_text(file: IO[bytes]) -> Iterator[Section]:
    lines = iter(file)
    for line in lines:
        if line.startswith(_DUMPED):
            names = line.removeprefix(_DUMPED).partition(b")")[0].decode("ascii").split(", ")
            yield from _copied(names, lines)
            return
    raise NotABackup("no table of sealed sections in it")


def _copied(names: list[str], lines: Iterable[bytes]) -> Iterator[Section]:
    """The rows of a COPY: tab-separated, bytes in hexadecimal; none of our texts needs an escape."""
    for line in lines:
        if line.startswith(b"\\."):
            return
        row: dict[str, Any] = dict(zip(names, line.rstrip(b"\n").decode().split("\t"), strict=True))
        if row["ciphertext"] == "\\N":
            continue
        hexadecimal = {name: row[name].removeprefix("\\\\x") for name in _COLUMNS[5:]}
        yield _section(row | {name: bytes.fromhex(text) for name, text in hexadecimal.items()})


def _section(row: Mapping[str, Any]) -> Section:
    return Section(
        territory=row["territory_id"],
        search=SearchId(row["search_id"]),
        section=row["section"],
        sealed=Sealed(
            key=row["key_name"],
            version=int(row["version"]),
            wrapped=row["sealed_key"],
            commitment=row["commitment"],
            nonce=row["nonce"],
            ciphertext=row["ciphertext"],
        ),
    )
