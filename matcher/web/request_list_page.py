"""``/demande/liste``: a list of patients becomes drafts, one by line; consent is asked one by one."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from aiohttp import web
from aiohttp.web_request import FileField

from matcher.records import completeness
from matcher.records.bulletin import label
from matcher.service import requests
from matcher.service.actors import Actor
from matcher.service.house import House
from matcher.web import pages, request_form, request_list, words
from matcher.web.keys import actor_of, house_of
from matcher.web.request_page import WRITERS
from matcher.web.route import Route

#: What is the same for everybody on the list, and fills the gaps of its lines.
_COMMON: Final = (
    "record.referring.name", "record.referring.service", "record.referring.phone", "record.care_needed",
    "record.difficulty", "place", "origin",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a line."""

    line: int
    label: str
    reference: str | None = None
    id: str | None = None
    #: Names of the fields that the draft still lacks, beside the consent.
    missing: tuple[str, ...] = ()
    #: Why there is no draft: field → a sentence.
    faults: dict[str, str] | None = None


async def form(request: web.Request) -> web.Response:
    """Where the file is chosen."""
    return await _form(request, {"key": uuid4().hex}, [])


async def model(_request: web.Request) -> web.Response:
    """An empty list with its columns, to fill in."""
    # The mark at the start tells Excel that this is UTF-8.
    return web.Response(
        body=("\ufeff" + request_list.MODEL).encode(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="liste.csv"'},
    )


async def take(request: web.Request) -> web.Response:
    """A draft for each line that can be read, and a report that names every line."""
    house, actor = house_of(request), actor_of(request)
    fields, conditions = await pages.fields_of(request), await pages.many_of(request, "conditions")
    file = (await request.post()).get("file")
    if not isinstance(file, FileField) or not file.filename:
        return await _form(request, fields, conditions, {"file": "Choisissez un fichier."})
    read = request_list.read(pages.bytes_of(file))
    if read.fault is not None or not read.rows:
        return await _form(
            request, fields, conditions, {"file": read.fault or "Ce fichier n’a aucune ligne."}
        )
    common = pages.given(fields, *_COMMON)
    outcomes = [
        await _draft(house, actor, row, common, conditions, f"{fields.get('key', '')}-{row.line}")
        for row in read.rows
    ]
    return pages.render(
        request,
        "request_list_taken.html",
        outcomes=outcomes,
        unknown=read.unknown,
        taken=sum(one.id is not None for one in outcomes),
    )


async def _draft(
    house: House, actor: Actor, row: request_list.Row, common: dict[str, str], conditions: list[str], key: str
) -> Outcome:
    raw: dict[str, Any] = request_form.read({**common, **row.fields}, {"conditions": conditions}, house.now())
    raw["draft"] = True
    if name := common.get("origin"):
        raw["origin"] = name
    named = label(raw["record"])
    try:
        body = requests.checked(raw)
        made = await requests.create(house, actor, body, raw, key)
    except pages.EXPLAINED as error:
        _, said, faults = pages.refusal_of(error)
        return Outcome(line=row.line, label=named, faults=faults or {"": said})
    missing = tuple(name for name in completeness.missing(body) if name != "consent")
    return Outcome(line=row.line, label=named, reference=made["reference"], id=made["id"], missing=missing)


async def _form(
    request: web.Request, fields: dict[str, str], conditions: list[str], faults: dict[str, str] | None = None
) -> web.Response:
    places = house_of(request).territories[actor_of(request).territory].places
    return pages.render(
        request,
        "request_list.html",
        status=400 if faults else 200,
        error="Le fichier n’a pas été pris." if faults else None,
        faults=faults or {},
        typed=fields,
        conditions={code: words.CONDITIONS[code] for code in request_form.CONDITIONS},
        ticked=conditions,
        columns=request_list.MODEL.splitlines()[0].split(";"),
        most=request_list.MOST,
        places=sorted({place.name: place.name for place in places.places}.items()),
    )


ROUTES: Final = (
    Route("GET", "/demande/liste", form, allowed=WRITERS),
    Route("POST", "/demande/liste", take, allowed=WRITERS),
    Route("GET", "/demande/liste/modele.csv", model, allowed=WRITERS),
)
