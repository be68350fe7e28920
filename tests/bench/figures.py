"""What a benchmark saw: said on the screen, and kept in the README's table, which nobody writes by hand."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
#: Databases, as one says them.
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
#: Each row of the table begins with what it is about.
_TABLE = re.compile(r"<!-- make bench -->\n(?:\|.*\n){2}(?P<rows>(?:\|.*\n)*)<!-- /make bench -->")


def quote(what: str, seen: str, aim: str = "none") -> None:
    """Print a figure beside what it aimed at, and put it in the table in place of the last one."""
    print(f"\n{what}: {seen} (aimed at: {aim})")
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors"
    README.write_text(placed(README.read_text("utf-8"), (what, seen, aim, when)), "utf-8")


def placed(text: str, row: tuple[str, ...]) -> str:
    """A text with a row in its table: where one on the same thing was, or at the end. Raises ValueError where
    it has no table.
    """
    found = _TABLE.search(text)
    if found is None:
        raise ValueError("no table between <!-- make bench --> and <!-- /make bench -->")
    rows = {one.split(" | ", 1)[0].removeprefix("| "): one for one in found["rows"].splitlines()}
    rows[row[0]] = f"| {' | '.join(row)} |"
    table = "".join(f"{one}\n" for one in rows.values())
    return text[: found.start("rows")] + table + text[found.end("rows") :]
