"""A real OpenID provider on this host, which knows a doctor, a coordinatrice and somebody without a card.

The provider itself lets PKCE be; in front of it stands what checks it, as Pro Santé Connect does (RFC 7636).
"""

import hashlib
import io
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession
from oidc_provider_mock import User, run_server_in_thread

DOCTOR = "810000000001"
PEOPLE = {
    "doctor": {"SubjectNameID": DOCTOR, "acr": "eidas1"},
    "staff": {"SubjectNameID": "510000000/COORD1", "acr": "eidas1"},
    "password": {"SubjectNameID": "810000000002", "acr": "eidas0"},
    "nameless": {"acr": "eidas1"},
}


class Pkce:
    """Remembers the challenge of each code; a code is worth nothing without its verifier."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        #: Code → challenge.
        self.challenges: dict[str, str] = {}
        #: Whether each exchange came with the right verifier.
        self.exchanges: list[bool] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/oauth2/authorize":
            return self._authorize(environ, start_response)
        if environ["PATH_INFO"] == "/oauth2/token" and not self._right(environ):
            start_response("400 Bad Request", [("Content-Type", "application/json")])
            return [b'{"error": "invalid_grant"}']
        answer: Iterable[bytes] = self.inner(environ, start_response)
        return answer

    def _authorize(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = parse_qs(environ["QUERY_STRING"])

        def noted(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            back = parse_qs(urlsplit(dict(headers).get("Location", "")).query)
            if "code" in back and asked.get("code_challenge_method") == ["S256"]:
                self.challenges[back["code"][0]] = asked["code_challenge"][0]
            return start_response(status, headers, *more)

        answer: Iterable[bytes] = self.inner(environ, noted)
        return answer

    def _right(self, environ: dict[str, Any]) -> bool:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        sent = parse_qs(body.decode())
        verifier = sent.get("code_verifier", [""])[0]
        made = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        right = 43 <= len(verifier) <= 128 and made == self.challenges.get(sent.get("code", [""])[0])
        self.exchanges.append(right)
        return right


@contextmanager
def provider() -> Iterator[str]:
    """Its issuer."""
    known = [User(sub=name, claims=claims) for name, claims in PEOPLE.items()]
    with run_server_in_thread(user_claims=known) as server:
        server.app = Pkce(server.app)
        yield f"http://localhost:{server.server_port}"


async def show_card(url: str, who: str) -> tuple[str, str]:
    """Somebody shows a card at the provider: the code and state that the browser comes back with."""
    async with ClientSession() as http, http.post(url, data={"sub": who}, allow_redirects=False) as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return query["code"][0], query["state"][0]
