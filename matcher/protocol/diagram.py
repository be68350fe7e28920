"""The state diagram and the table of ``docs/protocol.md``, drawn from the moves.

``python -m matcher.protocol.diagram`` prints both; a test holds the page to them.
"""

import sys

from matcher.protocol.moves import MOVES, TIMES, Cell, Event, Kept, Moved
from matcher.protocol.states import State

#: Possible from nearly everywhere; drawn as one note, or nothing else could be read.
_EVERYWHERE = (Event.WITHDRAW, Event.CONSENT, Event.JOIN, Event.UNDO_WITHDRAWAL)


def mermaid() -> str:
    """The states and what moves a search from one to another, as a Mermaid state diagram."""
    roads: dict[tuple[State, State], list[str]] = {}
    for (before, event), cell in MOVES.items():
        if isinstance(cell, Moved) and event not in (*_EVERYWHERE, Event.TIME):
            for after in cell.to - {before}:
                roads.setdefault((before, after), []).append(event.value)
    for kind, cells in TIMES.items():
        for before, afters in cells.items():
            for after in afters - {before}:
                roads.setdefault((before, after), []).append(f"⏱ {kind.value}")
    order = list(State)
    lines = [
        f"    {before} --> {after}: {', '.join(sorted(labels, key=_people_first))}"
        for (before, after), labels in sorted(
            roads.items(), key=lambda road: (order.index(road[0][0]), order.index(road[0][1]))
        )
    ]
    return "\n".join(
        [
            "stateDiagram-v2",
            f"    [*] --> {State.DRAFT}",
            *lines,
            f"    note right of {State.WITHDRAWN}",
            "        From every state: withdraw, consent taken back, joined as duplicate.",
            "        Within 7 days undo_withdrawal leads back to the state it left.",
            "    end note",
        ]
    )


def table() -> str:
    """Every event × state as a Markdown table."""
    states = list(State)
    rows = [
        f"| {event} | " + " | ".join(_cell(state, MOVES[state, event]) for state in states) + " |"
        for event in Event
    ]
    head = "| event | " + " | ".join(states) + " |"
    return "\n".join([head, "|" + " --- |" * (len(states) + 1), *rows])


def _people_first(label: str) -> tuple[bool, str]:
    return label.startswith("⏱"), label


def _cell(state: State, cell: Cell) -> str:
    """``→`` may move, ``•`` taken without moving, ``–`` changes nothing, else the code of the refusal."""
    if isinstance(cell, Moved):
        return "•" if cell.to == {state} else "→"
    if isinstance(cell, Kept):
        return "–"
    return f"`{cell.code}`"


if __name__ == "__main__":
    sys.stdout.write(f"{mermaid()}\n\n{table()}\n")
