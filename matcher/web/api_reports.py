"""The API of the directrice: the journal and the activity report."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from matcher.service import reports
from matcher.service.actors import Role
from matcher.web.bodies import Day
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Query, answer, query_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import Anything, JournalList

DIRECTION = frozenset({Role.DIRECTRICE})


class JournalQuery(Query):
    #: ``next`` of the page before.
    after: Annotated[int, Field(ge=0, le=2**53)] | None = None


class ReportQuery(Query):
    #: Both days included.
    from_: Annotated[Day, Field(alias="from")]
    to: Day


async def journal(request: web.Request) -> web.StreamResponse:
    """One page of the journal, newest first."""
    query = query_of(request, JournalQuery)
    return answer(await reports.journal(house_of(request), actor_of(request), query.after))


async def report(request: web.Request) -> web.StreamResponse:
    """The activity report of a period."""
    query = query_of(request, ReportQuery)
    return answer(await reports.report(house_of(request), actor_of(request), query.from_, query.to))


ROUTES = (
    Route(
        "GET",
        API + "/journal",
        journal,
        allowed=DIRECTION,
        doc=Doc(summary="Read the journal", query=JournalQuery, answers={200: JournalList}),
    ),
    Route(
        "GET",
        API + "/report",
        report,
        allowed=DIRECTION,
        doc=Doc(summary="The activity report", query=ReportQuery, answers={200: Anything}),
    ),
)
