"""``/bureau``: what changed, what needs a person now, what goes on by itself."""

from typing import Final

from aiohttp import web

from matcher.service import bureau
from matcher.service.actors import OFFICE
from matcher.web import pages, words
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route


async def show(request: web.Request) -> web.Response:
    """The morning screen."""
    house = house_of(request)
    screen = await bureau.bureau(house, actor_of(request))
    waiting = [
        {
            "search_id": one.search_id,
            "name": one.name,
            "state": words.STATES[one.state],
            "what": "vous" if one.what is None else words.NEXT_STEPS[one.what],
            "at": one.at,
        }
        for one in screen.waiting
    ]
    yesterday = (
        house.now().astimezone(pages.PARIS).date() - screen.since.astimezone(pages.PARIS).date()
    ).days
    since = f"hier {pages.clock(screen.since)}" if yesterday == 1 else pages.moment(screen.since)
    no = f"{screen.no} non"
    said = f"Depuis {since} : {screen.yes} oui, {no}."
    return pages.render(request, "bureau.html", since=said, rows=screen.rows, waiting=waiting)


ROUTES: Final = (Route("GET", "/bureau", show, allowed=OFFICE),)
