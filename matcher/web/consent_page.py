"""``/accord/{langue}``: the sheet that a patient takes home, to print, in plain words."""

from typing import Final

from aiohttp import web

from matcher.service.actors import STAFF, Role
from matcher.web import consent_text, pages
from matcher.web.route import Route


async def sheet(request: web.Request) -> web.Response:
    """The text of the consent in one language, as it is read out today."""
    held = consent_text.sheets()
    language = request.match_info["langue"]
    if language not in held:
        raise web.HTTPNotFound
    return pages.render(request, "consent.html", sheet=held[language], sheets=held)


ROUTES: Final = (Route("GET", "/accord/{langue}", sheet, allowed=STAFF | {Role.REQUESTER}),)
