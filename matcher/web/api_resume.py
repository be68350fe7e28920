"""The API after a restore: everything waits until the office says "go on"."""

from aiohttp import web
from typing_extensions import TypedDict

from matcher.service import restoring
from matcher.service.actors import COORDINATION
from matcher.web.bodies import Nothing
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import answer, body_of
from matcher.web.route import Doc, Route


class Resumed(TypedDict):
    """How many consents, taken back after the copy was made, were taken back again now."""

    withdrawn: int


async def resume(request: web.Request) -> web.StreamResponse:
    """Steps, mails, answers and releases go on."""
    await body_of(request, Nothing)
    return answer({"withdrawn": await restoring.resume(house_of(request), actor_of(request))})


ROUTE = Route(
    "POST",
    API + "/resume",
    resume,
    allowed=COORDINATION,
    doc=Doc(summary="Go on after a restore", body=Nothing, answers={200: Resumed}),
)
