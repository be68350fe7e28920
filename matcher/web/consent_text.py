"""The text of the consent, by version and language: what is read out, and the sheet for the patient.

One file per version in ``templates/documents/consent``, named by it (``2026-11.toml``) and never changed once
used: what somebody agreed to must stay readable. Each language has ``name``, ``direction``, ``title``,
``read_out`` (word for word), ``points``, ``signature`` and ``reach``.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "templates" / "documents" / "consent"
#: The version that is read out today.
NEWEST: Final = max(path.stem for path in FOLDER.glob("*.toml"))


@dataclass(frozen=True, kw_only=True)
class Point:
    """One question of a patient, and its answer in plain words."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The consent in one language."""

    version: str
    language: str
    #: The language's own name.
    name: str
    #: ``ltr`` or ``rtl``.
    direction: str
    title: str
    read_out: str
    points: tuple[Point, ...]
    #: Labels under the text: name, date, signature.
    signature: tuple[str, ...]
    #: « To reach us: »
    reach: str


@cache
def sheets(version: str = NEWEST) -> dict[str, Sheet]:
    """Language → its sheet. Raises FileNotFoundError for a version that never was."""
    held: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / f"{version}.toml").read_text("utf-8"))
    return {
        language: Sheet(
            version=version,
            language=language,
            name=one["name"],
            direction=one["direction"],
            title=one["title"],
            read_out=one["read_out"],
            points=tuple(Point(question=q, answer=a) for q, a in one["points"]),
            signature=tuple(one["signature"]),
            reach=one["reach"],
        )
        for language, one in held.items()
    }
