"""The rule by which replicas are replaced one after the other: a migration only adds what older code can do
without. Read from the files themselves.
"""

import ast
from pathlib import Path

import pytest

from matcher.storage import migrate

VERSIONS = Path(migrate.__file__).with_name("migrations") / "versions"
#: Up to here nobody had deployed anything.
FIRST = 7
#: What only adds. Constraints of a new table are part of ``create_table``.
#: An index that another replaces may go: older code is answered as before.
ADDS = {"add_column", "create_table", "create_index", "drop_index", "execute", "f", "get_bind"}
FILES = [file for file in sorted(VERSIONS.glob("[0-9]*.py")) if int(file.name[:4]) >= FIRST]


def calls(file: Path):
    """Every ``op.something(…)`` of a migration's way up."""
    upgrades = [
        node for node in ast.parse(file.read_text("utf-8")).body if getattr(node, "name", "") == "upgrade"
    ]
    for node in ast.walk(upgrades[0]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func, node


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_migration_only_adds(file: Path) -> None:
    done = {f.attr for f, _ in calls(file) if isinstance(f.value, ast.Name) and f.value.id == "op"}
    assert done <= ADDS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rows_that_older_code_inserts_do_without_a_new_column(file: Path) -> None:
    for function, call in calls(file):
        if function.attr == "add_column":
            column = call.args[1]
            assert isinstance(column, ast.Call)
            given = {word.arg: ast.unparse(word.value) for word in column.keywords}
            assert given.get("nullable") == "True" or "server_default" in given


@pytest.mark.parametrize(("revision", "fits"), [(None, False), ("0001", False), ("9999", True)])
def test_code_works_on_its_own_schema_and_on_newer_ones(revision: str | None, fits: bool) -> None:
    assert migrate.suits(revision) is fits
    assert migrate.suits(migrate.head())
