"""One URL: its method, its handler and who may call it.

A route cannot be written without saying who may call it, so the matrix of routes and roles is
drawn from the routes themselves. Modules of pages and of the API each expose ``ROUTES``;
``matcher.web.routes`` puts them on one page.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import BaseModel

from matcher.service.actors import Role

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What an operator's tools ask.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class Anyone(Enum):
    """The type of ``ANYONE``."""

    ANYONE = "anyone"


#: Needs no login and no key: the doctors' links, the login page, the probes.
ANYONE: Final = Anyone.ANYONE

Allowed: TypeAlias = frozenset[Role] | Literal[Anyone.ANYONE]


@dataclass(frozen=True, kw_only=True)
class Doc:
    """What the OpenAPI document says of an API route; pages have none."""

    #: What it does, in a short sentence.
    summary: str
    #: The JSON body, where there is one.
    body: type[BaseModel] | None = None
    #: The query parameters, where there are any.
    query: type[BaseModel] | None = None
    #: Status → the type of the answer (anything pydantic can describe); None for no content.
    answers: Mapping[int, Any] = field(default_factory=dict)
    #: Takes an Idempotency-Key.
    creates: bool = False
    #: Media type of the answers.
    media_type: str = "application/json"


@dataclass(frozen=True, eq=False)
class Route:
    """One method of one URL. Two are the same only where they are one.

    ``path`` is aiohttp's (``/recherches/{id}``). ``allowed`` is a set of roles, or ``ANYONE``.
    A page's POST carries a CSRF token bound to the session, unless ``csrf`` is off because no
    session is used at all. Handlers of GET change nothing (P6).
    """

    method: Literal["GET", "POST", "PATCH"]
    path: str
    handler: Handler
    allowed: Allowed = field(kw_only=True)
    doc: Doc | None = field(default=None, kw_only=True)
    csrf: bool = field(default=True, kw_only=True)
    #: Also for somebody whose territory demands a second factor and who has none yet.
    enrolling: bool = field(default=False, kw_only=True)
    #: Shows a record or lets it out: whoever is logged in for long confirms first who they are. A set: only
    #: these roles, where the others see nothing but what they write themselves.
    fresh: bool | frozenset[Role] = field(default=False, kw_only=True)
    #: Bytes of its body, where it is not what its callers may send elsewhere.
    largest: int | None = field(default=None, kw_only=True)

    @property
    def machine(self) -> bool:
        """Whether programs call it: a key instead of a session, problems instead of pages."""
        return self.path.startswith(("/api/", "/u/")) or self.path in PROBES

    @property
    def scope(self) -> str:
        """What a key must not have been narrowed out of to call this (``actors.SCOPES``)."""
        if self.method == "GET":
            return "read"
        handing_in = self.path == "/api/v1/searches" or self.path.endswith("/submit")
        return "create" if handing_in or self.method == "PATCH" else "act"
