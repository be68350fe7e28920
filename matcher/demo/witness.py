"""Looks for planted values in everything that somebody else could read."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import quote

from matcher.demo.patient import Canary


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A planted value found where it must not be. The value itself is not repeated."""

    field: str
    where: str


def search(canaries: Iterable[Canary], where: str, content: bytes) -> list[Leak]:
    """Every field whose canary is in ``content``, plain or in one of the encodings that would hide it."""
    folded = content.lower()
    return [
        Leak(field=canary.field, where=where)
        for canary in canaries
        if any(_occurs(form, content, folded) for form in canary.forms)
    ]


def search_words(canaries: Iterable[Canary], where: str, text: str) -> list[Leak]:
    """Every field of which a whole word (or phrase) is in ``text``, whatever its case."""
    return [
        Leak(field=canary.field, where=where)
        for canary in canaries
        if any(re.search(rf"\b{re.escape(form)}\b", text, re.IGNORECASE) for form in canary.forms)
    ]


def readable(raw: bytes) -> bytes:
    """A mail as a relay reads it: the bytes, then headers and parts with their transfer encoding undone."""
    mail = message_from_bytes(raw.partition(b"\n")[2].partition(b"\n")[2], policy=policy.default)
    parts = [f"{name}: {value}" for name, value in mail.items()]
    parts += [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    return raw + b"\n" + "\n".join(parts).encode()


def files(folder: Path) -> Iterable[tuple[str, bytes]]:
    """Every file of a folder with its content: the database, its journal, whatever lies beside it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def _occurs(form: str, content: bytes, folded: bytes) -> bool:
    plain = form.encode()
    as_written = (
        plain,
        json.dumps(form)[1:-1].encode(),
        quote(form).encode(),
        plain.hex().encode(),
        form.encode("utf-16-le"),
    )
    return any(needle.lower() in folded for needle in as_written) or any(
        needle in content for needle in _base64_cores(plain)
    )


def _base64_cores(plain: bytes) -> tuple[bytes, ...]:
    """What of ``plain`` is the same in base64 whatever stands around it, at each of the three alignments."""
    if len(plain) < 9:
        return ()  # the core of a short word is short enough to occur by chance
    cores = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + plain)
        first = 0 if before == 0 else 4
        last = (before + len(plain)) // 3 * 4
        cores.append(encoded[first:last])
    return tuple(cores)
