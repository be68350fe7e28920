"""``/echeances``: what the service will do by itself, and when; and the same for programs."""

from datetime import datetime
from typing import Annotated, Final, Required

from aiohttp import web
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from matcher.protocol.timers import TimerKind
from matcher.service import coming
from matcher.service.actors import COORDINATION
from matcher.service.errors import Invalid
from matcher.web import pages
from matcher.web.api_replies import SearchName
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Query, answer, query_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import DoctorName


class StepsQuery(Query):
    #: ``next`` of the page before.
    after: Annotated[str, StringConstraints(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class StepView(TypedDict, total=False):
    """A step that waits. ``late``: its hour has passed, and nobody has done it."""

    what: Required[TimerKind]
    at: Required[datetime]
    late: Required[bool]
    search: Required[SearchName]
    label: str
    #: Whom it is about, where it is about one doctor.
    doctor: DoctorName


class MailsView(TypedDict, total=False):
    """Mails that are still to be sent, and since when the first of them waits."""

    waiting: Required[int]
    since: datetime


class StepList(TypedDict, total=False):
    """Steps, soonest first; ``next`` is the ``after`` of the following page. ``late`` counts the late ones of
    all pages; ``stopped``: after a restore, and everything waits for the office.
    """

    items: Required[list[StepView]]
    next: str
    late: Required[int]
    stopped: Required[bool]
    mails: Required[MailsView]


async def page(request: web.Request) -> web.Response:
    """Every step that waits, by day."""
    house, actor = house_of(request), actor_of(request)
    try:
        found = await coming.coming(house, actor, request.query.get("apres") or None)
    except Invalid:
        # An address that somebody has shortened: the list from its beginning.
        found = await coming.coming(house, actor)
    found = pages.lenient(found)
    days: dict[str, list[dict[str, object]]] = {}
    for one in found["items"]:
        days.setdefault("late" if one["late"] else pages.day(one["at"]), []).append(one)
    return pages.render(
        request,
        "coming.html",
        days=days,
        late=found["late"],
        stopped=found["stopped"],
        mails=found["mails"],
        next=found["next"],
        leads=actor.role in COORDINATION,
        first="apres" not in request.query,
    )


async def steps(request: web.Request) -> web.StreamResponse:
    """The same as JSON."""
    query = query_of(request, StepsQuery)
    return answer(await coming.coming(house_of(request), actor_of(request), query.after, query.limit))


PAGES: Final = (Route("GET", "/echeances", page, allowed=coming.READERS),)
ROUTES: Final = (
    Route(
        "GET",
        API + "/steps",
        steps,
        allowed=coming.READERS,
        doc=Doc(summary="What is due, and when", query=StepsQuery, answers={200: StepList}),
    ),
)
