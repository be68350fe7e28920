"""What the rehearsal prints: each step as it happens and, beside it, what each party could see."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

NOTHING = "rien"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the three parties who are not the office could see of a step, in French."""

    doctor: str = NOTHING
    requester: str = NOTHING
    relay: str = NOTHING


class NotSeen(AssertionError):
    """A step did not happen as it should have; the rehearsal ends with exit status 1."""


class Transcript:
    """Prints to a console and counts what was seen to happen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0
        #: Checks that held so far.
        self.checks = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._number += 1
        self._console.print()
        self._console.print(Text(f"{self._number:2d}. {title}", style="bold"))

    def say(self, text: str, *, style: str = "") -> None:
        """One line of what happens."""
        self._print(text, style)

    def quote(self, lines: Sequence[str]) -> None:
        """Words as somebody reads them."""
        for line in lines:
            self._print(line, "italic", "│ ")

    def check(self, holds: bool, text: str) -> None:
        """State something and raise NotSeen unless it holds."""
        if not holds:
            self._print(text, "bold red", "✗ ")
            raise NotSeen(text)
        self.checks += 1
        self._print(text, "green", "✓ ")

    def seen(self, seen: Seen) -> None:
        """Who could see what of the step."""
        table = Table(show_header=True, header_style="dim", box=None, padding=(0, 2, 0, 4), expand=True)
        for heading in ("vu d’un médecin", "vu de la PASS", "vu du relais de mail"):
            table.add_column(heading, ratio=1)
        table.add_row(*(Text(part, style="dim") for part in (seen.doctor, seen.requester, seen.relay)))
        self._console.print(table)

    def _print(self, text: str, style: str, mark: str = "") -> None:
        """One paragraph under the step's title; its further lines stand under the first."""
        line = Table(show_header=False, box=None, padding=0, pad_edge=False)
        line.add_column(width=4 + len(mark))
        line.add_column()
        line.add_row(Text(f"    {mark}", style=style), Text(text, style=style))
        self._console.print(line)
