"""``/boite``: the mails that the demo caught. There is no such page where mail really leaves."""

from typing import Final

from aiohttp import web

from matcher.service.house import CaughtMail, Mailbox
from matcher.web import pages
from matcher.web.keys import house_of
from matcher.web.route import ANYONE, Route

#: A mail's own styles are wanted, nothing else of it: no script, no remote content, no form, in a sandbox.
MAIL_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
#: The page around it may frame it.
FRAMING: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def _mailbox(request: web.Request) -> Mailbox:
    mailbox = house_of(request).mailbox
    if mailbox is None:
        raise web.HTTPNotFound
    return mailbox


def _mail(request: web.Request) -> CaughtMail:
    for mail in _mailbox(request).messages():
        if mail.id == request.match_info["id"]:
            return mail
    raise web.HTTPNotFound


async def listing(request: web.Request) -> web.Response:
    """Every mail caught, newest first; ``?a=`` keeps those to one address."""
    to = request.query.get("a", "").strip().lower()
    mails = [mail for mail in reversed(_mailbox(request).messages()) if to in mail.to.lower()]
    return pages.render(request, "mailbox.html", mails=mails, to=to)


async def mail(request: web.Request) -> web.Response:
    """One mail, as text and as it looks."""
    response = pages.render(request, "mail.html", mail=_mail(request))
    response.headers["Content-Security-Policy"] = FRAMING
    return response


async def body(request: web.Request) -> web.Response:
    """The HTML of a mail, for the frame."""
    response = web.Response(text=_mail(request).html, content_type="text/html")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


ROUTES: Final = (
    Route("GET", "/boite", listing, allowed=ANYONE),
    Route("GET", "/boite/{id}", mail, allowed=ANYONE),
    Route("GET", "/boite/{id}/html", body, allowed=ANYONE),
)
