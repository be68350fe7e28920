"""The stream that tells open pages of news, where no whole service is needed to show it."""

from types import SimpleNamespace
from unittest.mock import AsyncMock, Mock

from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import make_mocked_request

from matcher.service.actors import Actor, Role
from matcher.service.live import Bell
from matcher.web import live
from matcher.web.keys import ACTOR, HOUSE


async def test_a_page_that_was_closed_before_its_first_line_is_no_failure() -> None:
    app = web.Application()
    app[HOUSE] = SimpleNamespace(bell=Bell())
    live.install(app)
    gone = Mock(write_headers=AsyncMock(side_effect=ClientConnectionResetError("closed")))
    request = make_mocked_request("GET", "/direct", app=app, writer=gone)
    request[ACTOR] = Actor(territory="ici", id="salima", role=Role.COORDINATRICE)
    await live.direct(request)
    assert gone.write_headers.await_count == 1
