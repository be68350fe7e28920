"""Plain documents to print or send: a heading, a few sentences, tables. The record has a layout of its own.

The layout is ``templates/documents/printed.typ``. It receives text as data and never as markup: nothing typed
anywhere can act on the document. The PDF is tagged, for screen readers (PDF/UA-1) and for archives
(PDF/A-2a).
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import typst

from matcher.documents import TEMPLATES


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table under its title; every row has as many cells as ``head``."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: Said in place of a table without rows.
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a document says, as plain texts."""

    #: Stands in a reader's window and in the file's properties: no name of a patient.
    title: str
    #: Who says it, above the heading and among the file's properties.
    sender: str
    heading: str
    subtitle: str = ""
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    footer: str = ""


def render(document: Document, at: datetime) -> bytes:
    """The document as a PDF, dated ``at`` (aware). Takes some 30 ms: call it in a thread, or ``pdf``."""
    data = json.dumps(asdict(document), ensure_ascii=False)
    standards: list[typst.PDFStandard] = ["ua-1", "a-2a"]
    made = typst.compile(
        TEMPLATES / "printed.typ",
        root=TEMPLATES,
        format="pdf",
        sys_inputs={"data": data},
        pdf_standards=standards,
        ignore_system_fonts=True,
        # Typst takes whole seconds only.
        timestamp=at.replace(microsecond=0),
    )
    assert isinstance(made, bytes)
    return made


async def pdf(document: Document, at: datetime) -> bytes:
    """``render`` beside the event loop."""
    return await asyncio.to_thread(render, document, at)
