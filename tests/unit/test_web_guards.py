"""What stands between a request and its handler, where no whole service is needed to show it."""

import pytest
from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from matcher.web import guards


async def test_a_browser_that_leaves_in_the_middle_of_an_answer_is_no_failure_of_ours() -> None:
    async def gone(_request: web.Request) -> web.StreamResponse:
        raise ClientConnectionResetError("Cannot write to closing transport")

    with capture_logs() as logged, pytest.raises(ConnectionResetError):
        await guards.answered(make_mocked_request("GET", "/direct"), gone)
    assert logged == []
