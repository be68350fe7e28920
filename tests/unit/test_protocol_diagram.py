"""The page about the protocol and the table of moves say the same."""

import runpy
from pathlib import Path

import pytest

from matcher.protocol import diagram
from matcher.protocol.moves import MOVES, Event, Moved
from matcher.protocol.search import State

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_page_shows_the_diagram_and_the_table_that_the_code_obeys() -> None:
    page = PAGE.read_text(encoding="utf-8")
    again = "run `python -m matcher.protocol.diagram` and paste what it prints into docs/protocol.md"
    assert f"```mermaid\n{diagram.mermaid()}\n```" in page, again
    assert diagram.table() in page, again


def test_the_diagram_draws_every_move() -> None:
    drawn = diagram.mermaid()
    for (before, event), cell in MOVES.items():
        if isinstance(cell, Moved) and event in (Event.SUBMIT, Event.LAUNCH, Event.CHOOSE, Event.DESIST):
            for after in cell.to:
                assert any(
                    line.strip().startswith(f"{before} --> {after}:") and event in line
                    for line in drawn.splitlines()
                )
    assert all(state in drawn for state in State)


def test_the_diagram_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(diagram.__file__)), run_name="__main__")
    assert capsys.readouterr().out == f"{diagram.mermaid()}\n\n{diagram.table()}\n"
