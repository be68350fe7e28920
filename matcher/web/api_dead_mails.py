"""The API of mails that died: what /bureau shows of them, and the same two verbs."""

from datetime import datetime
from typing import Required

from aiohttp import web
from typing_extensions import TypedDict

from matcher.protocol.effects import Letter
from matcher.service import unreached
from matcher.service.actors import OFFICE
from matcher.web.bodies import Nothing
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import answer, body_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import DoctorName


class SearchReference(TypedDict):
    """Which search a mail was about."""

    id: str
    reference: str


class DeadMailView(TypedDict, total=False):
    """A mail that was given up or refused for good, and that no search keeps a task for. ``may_go_again``:
    false for a mail about several searches, which have gone on without it.
    """

    id: Required[str]
    letter: Required[Letter]
    at: Required[datetime]
    reason: Required[str]
    may_go_again: Required[bool]
    search: SearchReference
    doctor: DoctorName


class DeadMailList(TypedDict):
    """The fifty that died first."""

    items: list[DeadMailView]


DEAD = API + "/dead-mails"


async def listing(request: web.Request) -> web.StreamResponse:
    """Those of which nobody took note yet, oldest first."""
    return answer({"items": await unreached.listed(house_of(request), actor_of(request))})


async def retry(request: web.Request) -> web.StreamResponse:
    """Send one again."""
    await body_of(request, Nothing)
    await unreached.send_again(house_of(request), actor_of(request), request.match_info["id"])
    return answer({"items": await unreached.listed(house_of(request), actor_of(request))})


async def drop(request: web.Request) -> web.StreamResponse:
    """Take note of one."""
    await body_of(request, Nothing)
    await unreached.take_note(house_of(request), actor_of(request), request.match_info["id"])
    return answer({"items": await unreached.listed(house_of(request), actor_of(request))})


ROUTES = (
    Route(
        "GET",
        DEAD,
        listing,
        allowed=OFFICE,
        doc=Doc(summary="Mails that died, with what to do", answers={200: DeadMailList}),
    ),
    Route(
        "POST",
        DEAD + "/{id}/retry",
        retry,
        allowed=OFFICE,
        doc=Doc(
            summary="Send one again under its first Message-ID; the others",
            body=Nothing,
            answers={200: DeadMailList},
        ),
    ),
    Route(
        "POST",
        DEAD + "/{id}/drop",
        drop,
        allowed=OFFICE,
        doc=Doc(summary="Take note of one; the others", body=Nothing, answers={200: DeadMailList}),
    ),
)
