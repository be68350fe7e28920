"""A real OpenID provider on this host, which knows a doctor, a coordinatrice and somebody without a card."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def provider() -> Iterator[str]:
    """Its issuer."""
    known = [User(sub=name, claims=claims) for name, claims in PEOPLE.items()]
    with run_server_in_thread(user_claims=known) as server:
        yield f"http://localhost:{server.server_port}"


async def show_card(url: str, who: str) -> tuple[str, str]:
    """Somebody shows a card at the provider: the code and state that the browser comes back with."""
    async with ClientSession() as http, http.post(url, data={"sub": who}, allow_redirects=False) as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return query["code"][0], query["state"][0]
