"""``/reponses/{id}``: a reply or a bounce that only a person understands, and what to make of it."""

from datetime import date
from typing import Any, Final

from aiohttp import web

from matcher.service import replies
from matcher.service.actors import OFFICE
from matcher.service.errors import Invalid
from matcher.service.replies import Settled
from matcher.web import pages
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route


async def show(request: web.Request) -> web.Response:
    """The text, with who sent it about which search."""
    return await _page(request, {})


async def _page(
    request: web.Request, typed: dict[str, str], refused: pages.Refusal | None = None
) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    reply = await replies.read(house, actor, request.match_info["id"])
    return pages.render(
        request,
        "reply.html",
        refusal=refused,
        r=pages.lenient(reply),
        why=_why(reply),
        typed=pages.lenient(typed),
    )


def _why(reply: dict[str, Any]) -> str:
    """Why a person must read it: a key of ``words.REPLY_WHY``."""
    if reply["kind"] != "reply":
        return str(reply["kind"])
    if reply["sender"] == "other":
        return "other"
    return "counted" if reply["counted"] else "unclear"


async def settle(request: web.Request) -> web.Response:
    """One button: yes, no, a pause, nothing."""
    fields = await pages.fields_of(request)
    try:
        await replies.settle(
            house_of(request), actor_of(request), request.match_info["id"], _made(fields), _until(fields)
        )
    except pages.EXPLAINED as error:
        return await _page(request, fields, pages.refusal_of(error))
    return pages.see_other("/bureau", fait="settle")


def _made(fields: dict[str, str]) -> Settled:
    try:
        return Settled(fields.get("answer", ""))
    except ValueError:
        raise Invalid({"answer": "Choisissez une réponse."}) from None


def _until(fields: dict[str, str]) -> date | None:
    typed = fields.get("until", "")
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise Invalid({"until": "Cette date ne se lit pas : jour, mois, année."}) from None


ROUTES: Final = (
    Route("GET", "/reponses/{id}", show, allowed=OFFICE),
    Route("POST", "/reponses/{id}", settle, allowed=OFFICE),
)
