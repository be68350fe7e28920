"""PROTOCOL.md's waves and delays, for the tests that are about them.

The territory that is shipped has those that the simulator recommends (ADR 12); a test has its own.
"""

import re
import shutil
from pathlib import Path

#: What is shipped.
SHIPPED = Path(__file__).resolve().parents[1] / "config" / "territories" / "venissieux"

#: PROTOCOL.md, "Time", as ``territory.toml`` writes it.
DEFAULTS = {"reminder": '"P2D"', "next_wave": '"P2D"', "calls": '"P4D"', "size": "20"}


def _write(territory: Path) -> None:
    """Set them in the ``territory.toml`` of this folder; an urgent search keeps its own."""
    path = territory / "territory.toml"
    text = path.read_text("utf-8")
    for name, value in DEFAULTS.items():
        # The first of each name: [delays] stands before [urgent].
        text, found = re.subn(rf"^{name} = \S+", f"{name} = {value}", text, count=1, flags=re.MULTILINE)
        assert found, name
    path.write_text(text, "utf-8")


def territories(folder: Path) -> Path:
    """A new folder of territories under ``folder``: the one that is shipped, with these delays."""
    made = folder / "territories"
    shutil.copytree(SHIPPED, made / SHIPPED.name)
    _write(made / SHIPPED.name)
    return made
