"""``/recherches/{id}/droits``: handing a person's data over, and erasing them; the same for programs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from matcher.service import erasing, exporting, openings
from matcher.service.actors import COORDINATION
from matcher.service.erasing import AskedBy
from matcher.service.errors import Invalid
from matcher.web import export_files, looked_up, pages, words
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import SEARCH
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route


class ExportIn(Body):
    """Who asked for the data."""

    asked_by: AskedBy


class EraseIn(Body):
    """Who asked for the end of the data; the reference once more, against a slip."""

    asked_by: AskedBy
    reference: Annotated[str, Field(min_length=1, max_length=40)]


class ErasedView(TypedDict):
    """References: what was erased, and what seems to be about the same person and was left alone."""

    erased: list[str]
    same_person: list[str]


async def page(request: web.Request) -> web.Response:
    """What may be done for a person who asks about what is kept."""
    return await _page(request)


async def _page(
    request: web.Request, refusal: pages.Refusal | None = None, given: Mapping[str, str] | None = None
) -> web.Response:
    return await drawn(request, "rights.html", words.ASKED_BY, refusal, given)


async def drawn(
    request: web.Request,
    template: str,
    choices: Mapping[str, str],
    refusal: pages.Refusal | None = None,
    given: Mapping[str, str] | None = None,
) -> web.Response:
    """A page about one person: a form with ``choices``; once refused, with its reason and what was given."""
    search = request.match_info["id"]
    told = await openings.of_patient(house_of(request), actor_of(request), search)
    return pages.render(
        request,
        template,
        refusal=refusal,
        id=search,
        reference=told["reference"],
        choices=choices,
        given=given or {},
    )


async def hand_over(request: web.Request) -> web.StreamResponse:
    """Everything that is held on the person, as one file."""
    try:
        asked_by = _asked_by((await pages.fields_of(request)).get("asked_by", ""))
    except Invalid as error:
        return await _page(request, pages.refusal_of(error))
    return await _archive(request, asked_by)


async def erase(request: web.Request) -> web.StreamResponse:
    """Erase everything that is held on the person; said on a page, since its own is gone."""
    fields, search = await pages.fields_of(request), request.match_info["id"]
    try:
        asked_by = _asked_by(fields.get("asked_by", ""))
        done = await erasing.erase(
            house_of(request), actor_of(request), search, fields.get("reference", ""), asked_by
        )
    except Invalid as error:
        return await _page(request, pages.refusal_of(error), fields)
    others = [(one, await looked_up.address(request, "/recherches", one)) for one in done["same_person"]]
    return pages.render(request, "erased.html", erased=done["erased"], same_person=others)


def _asked_by(text: str) -> AskedBy:
    try:
        return AskedBy(text)
    except ValueError:
        raise Invalid({"asked_by": "Dites qui le demande."}) from None


async def _archive(request: web.Request, asked_by: AskedBy) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    found = await exporting.export(house, actor, request.match_info["id"], asked_by)
    now: datetime = house.now()
    made: bytes = await export_files.archive(found, house.territory(actor.territory), now)
    return web.Response(
        body=made,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="donnees-{found.reference}.zip"'},
    )


async def export_api(request: web.Request) -> web.StreamResponse:
    """Everything that is held on the person, as one file."""
    return await _archive(request, (await body_of(request, ExportIn)).asked_by)


async def erase_api(request: web.Request) -> web.StreamResponse:
    """Erase everything that is held on the person."""
    body = await body_of(request, EraseIn)
    done: dict[str, Any] = await erasing.erase(
        house_of(request), actor_of(request), request.match_info["id"], body.reference, body.asked_by
    )
    return answer(done)


PAGES: Final = (
    Route("GET", "/recherches/{id}/droits", page, allowed=COORDINATION),
    Route("POST", "/recherches/{id}/droits/remettre", hand_over, allowed=COORDINATION, fresh=True),
    Route("POST", "/recherches/{id}/droits/effacer", erase, allowed=COORDINATION, fresh=True),
)
ROUTES: Final = (
    Route(
        "POST",
        SEARCH + "/export",
        export_api,
        allowed=COORDINATION,
        doc=Doc(
            summary="Everything held on the patient, as a ZIP",
            body=ExportIn,
            answers={200: bytes},
            media_type="application/zip",
        ),
    ),
    Route(
        "POST",
        SEARCH + "/erase",
        erase_api,
        allowed=COORDINATION,
        doc=Doc(
            summary="Erase everything held on the patient",
            body=EraseIn,
            answers={200: ErasedView},
        ),
    ),
)
