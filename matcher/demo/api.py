"""A client of the service's own API, as another system would write it: a key, JSON, nothing from inside."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession


class Unexpected(AssertionError):
    """The API answered with another status than the one expected."""


class Api:
    """One key of one structure or person; ``key`` None for what needs nobody."""

    def __init__(self, session: ClientSession, base: str, key: str | None = None) -> None:
        self._session = session
        self._base = base
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def get(self, path: str, *, expect: int = 200) -> Any:
        """The JSON at ``/api/v1{path}``."""
        return await self._call("GET", path, None, expect)

    async def post(self, path: str, body: Mapping[str, Any] | None = None, *, expect: int = 200) -> Any:
        """What the API answers to a POST."""
        return await self._call("POST", path, body or {}, expect)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None, expect: int) -> Any:
        url = f"{self._base}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=self._headers) as answer:
            if answer.status != expect:
                # The body may name fields, never values: the problem document is safe to print.
                raise Unexpected(f"{method} {path}: {answer.status}, {(await answer.text())[:400]}")
            content = await answer.read()
            return content if answer.content_type == "application/pdf" else json.loads(content or b"{}")
