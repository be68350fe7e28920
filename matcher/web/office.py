"""``/bureau``: what changed, what needs a person now, what goes on by itself."""

from typing import Any, Final

from aiohttp import web

from matcher.service import bureau, restoring, unreached
from matcher.service.actors import COORDINATION, OFFICE
from matcher.web import pages, words
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route


async def show(request: web.Request) -> web.Response:
    """The morning screen."""
    house, actor = house_of(request), actor_of(request)
    start = pages.start_of(request)
    screen = await bureau.bureau(house, actor, start)
    yesterday = (
        house.now().astimezone(pages.PARIS).date() - screen.since.astimezone(pages.PARIS).date()
    ).days
    since = f"hier {pages.clock(screen.since)}" if yesterday == 1 else pages.moment(screen.since)
    return pages.render(
        request,
        "bureau.html",
        since=f"Depuis {since}\N{NO-BREAK SPACE}: {screen.yes}\N{NO-BREAK SPACE}oui, "
        f"{screen.no}\N{NO-BREAK SPACE}non.",
        stopped=screen.stopped,
        refused=screen.refused,
        fresh=screen.fresh,
        rows=screen.rows,
        start=start,
        count=screen.rows_in_all,
        following=start + len(screen.rows) if start + len(screen.rows) < screen.rows_in_all else None,
        going=screen.waiting_in_all,
        still=screen.idle_in_all,
        waiting=[_told(one) for one in screen.waiting],
        idle=[_told(one) for one in screen.idle],
    )


def _told(one: bureau.Waiting) -> dict[str, Any]:
    """A search under way in words."""
    return {
        "search_id": one.search_id,
        "name": one.name,
        "state": words.STATES[one.state],
        "what": None if one.what is None else words.NEXT_STEPS[one.what],
        "at": one.at,
        "since": one.since,
    }


async def take_note(request: web.Request) -> web.StreamResponse:
    """What a mail that died would have said is known: its row goes."""
    await unreached.take_note(house_of(request), actor_of(request), request.match_info["id"])
    return pages.see_other("/bureau")


@pages.or_error_page
async def send_again(request: web.Request) -> web.Response:
    """A mail that died goes again, its cause mended."""
    await unreached.send_again(house_of(request), actor_of(request), request.match_info["id"])
    return pages.see_other("/bureau", fait="again")


@pages.or_error_page
async def resume(request: web.Request) -> web.Response:
    """After a restore: go on."""
    await restoring.resume(house_of(request), actor_of(request))
    return pages.see_other("/bureau", fait="resume")


ROUTES: Final = (
    Route("GET", "/bureau", show, allowed=OFFICE),
    Route("POST", "/mails/{id}/vu", take_note, allowed=OFFICE),
    Route("POST", "/mails/{id}/renvoyer", send_again, allowed=OFFICE),
    Route("POST", "/bureau/reprendre", resume, allowed=COORDINATION),
)
