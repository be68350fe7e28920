"""Everything held on one person as one file to hand over: a text to read, the data, the attachments."""

import asyncio
import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from matcher import printed
from matcher.service.exporting import Export
from matcher.service.house import Territory
from matcher.service.phrases import duration
from matcher.web import pages, record_words, words
from matcher.web.openings_page import access_line

_WHAT: Final = (
    "Vous avez demandé ce que la CPTS sait de vous. Tout est ici : ce texte, les mêmes informations dans un "
    "format que d’autres logiciels savent lire (donnees.json), et les pièces jointes à la demande."
)
_HASHES: Final = (
    "Vos nom, date de naissance, téléphone et numéro de sécurité sociale servent aussi à retrouver votre "
    "dossier : il en est gardé des empreintes chiffrées, d’où l’on ne peut pas les relire."
)
_RIGHTS: Final = (
    "Vous pouvez faire corriger ou effacer ces informations : adressez-vous à la CPTS. Si elle ne vous "
    "répond pas, ou mal, vous pouvez saisir la CNIL (cnil.fr)."
)
_NOT_IN_NAMES: Final = re.compile(r"[^\w .()-]+")
#: A name in the archive is no longer than this.
_LONGEST: Final = 100


async def archive(export: Export, territory: Territory, now: datetime) -> bytes:
    """A ZIP: ``lisez-moi.pdf``, ``donnees.json`` and ``pieces/…``."""
    made = await printed.pdf(_document(export, territory, now), now)
    return await asyncio.to_thread(_zipped, export, made)


def _zipped(export: Export, readable: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("lisez-moi.pdf", readable)
        files.writestr(
            "donnees.json", json.dumps(_data(export), ensure_ascii=False, indent=1, default=_plain)
        )
        for name, attached in _attachments(export):
            files.writestr(name, attached)
    return content.getvalue()


def _data(export: Export) -> dict[str, Any]:
    """The data without the content of the attachments, which lies beside."""
    requests = []
    for one in export.requests:
        request = one["request"]
        if request is not None:
            record = dict(request.get("record", {}))
            if "attachments" in record:
                record["attachments"] = [
                    {name: value for name, value in attached.items() if name != "content"}
                    for attached in record["attachments"]
                ]
            request = {**request, "record": record}
        requests.append({**one, "request": request})
    return {
        "reference": export.reference,
        "requests": requests,
        "accesses": export.accesses,
    }


def _attachments(export: Export) -> Iterator[tuple[str, bytes]]:
    for one in export.requests:
        attached = (one["request"] or {}).get("record", {}).get("attachments", [])
        for number, file in enumerate(attached, start=1):
            name = _NOT_IN_NAMES.sub("_", file["name"])[-_LONGEST:]
            yield f"pieces/{one['reference']}/{number:02d} {name}", base64.b64decode(file["content"])


def _document(export: Export, territory: Territory, now: datetime) -> printed.Document:
    tables = [table for one in export.requests for table in _tables(one)]
    tables.append(
        printed.Table(
            title="Qui a vu la fiche",
            head=("Quand", "Qui", "Quoi", "Pourquoi"),
            rows=[access_line(one) for one in export.accesses],
            empty="Personne n’a ouvert la fiche.",
        )
    )
    return printed.Document(
        title=f"Ce que la CPTS sait de vous – {export.reference}",
        sender=f"{territory.name} – {territory.phone} – {territory.mail}",
        heading="Ce que nous savons de vous",
        subtitle=f"Recherche {export.reference} – état au {pages.day(now)}",
        sentences=(_WHAT, _HASHES, _kept(territory)),
        tables=tables,
        footer=_RIGHTS,
    )


def _kept(territory: Territory) -> str:
    kept = territory.settings.retention
    record, contact = duration(kept.record, weekdays=False), duration(kept.contact, weekdays=False)
    return (
        f"Votre fiche est effacée {record} après la fin de la recherche, et tout de suite si vous retirez "
        f"votre accord ; la liste des médecins sollicités, après {contact}. Le journal, qui dit qui a fait "
        "quoi, ne contient pas votre nom."
    )


def _tables(one: Mapping[str, Any]) -> Iterator[printed.Table]:
    reference, search = one["reference"], one["search"]
    if one["request"] is None:
        yield printed.Table(
            title=f"La fiche ({reference})", head=("", ""), rows=(), empty="Elle a été effacée ou fermée."
        )
    else:
        for group in record_words.laid_out(one["request"].get("record", {})):
            yield printed.Table(
                title=f"{group.title} ({reference})",
                head=("Information", "Ce qui est noté"),
                rows=[(line.label, line.value) for line in group.lines],
            )
    announcement = search.get("announcement")
    yield printed.Table(
        title=f"L’annonce que les médecins ont lue ({reference})",
        head=("Annonce",),
        rows=[] if announcement is None else [(announcement["text"],)],
        empty="Aucune annonce n’a été faite.",
    )
    asked = [
        (pages.moment(ask["at"]), ask["doctor"]["name"], words.SOLICITATIONS.get(ask["state"], ask["state"]))
        for ask in search.get("solicitations", ())
    ]
    yield printed.Table(
        title=f"Les médecins sollicités ({reference})",
        head=("Quand", "Médecin", "Où cela en est"),
        rows=asked,
        empty="Aucun médecin n’a été sollicité dans la recherche en cours.",
    )
    yield printed.Table(
        title=f"Ce qui s’est passé ({reference})",
        head=("Quand", "Quoi"),
        rows=[(pages.moment(entry["at"]), entry["text"]) for entry in search.get("timeline", ())],
        empty="Rien.",
    )


def _plain(value: Any) -> str:
    """Days and moments as ISO 8601 says them."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
