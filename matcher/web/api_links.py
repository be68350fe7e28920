"""What the links of the mails do, for the pages ``/r`` and ``/dossier`` and for one-click unsubscribe.

Nobody logs in here: a token is the capability, and it travels in a body, never in an address, but for
``/u/TOKEN``, whose purpose is a pause only.
"""

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from matcher.protocol.search import RefusalReason, Says
from matcher.records.bulletin import TermsIn
from matcher.service import doctor_history, doctor_links, list_links
from matcher.service.errors import Invalid
from matcher.service.second_factor import CardAnswer
from matcher.web.bodies import Day, Token, terms_of
from matcher.web.keys import house_of
from matcher.web.moves import API
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import ANYONE, Doc, Handler, Route
from matcher.web.schemas import AnswerTaken, Anything, LinkView, Opened

LINKS = API + "/links"
ONE_CLICK_PAUSE = timedelta(days=30)


class LinkIn(Body):
    token: Token


class AnswerIn(LinkIn):
    answer: Says
    conditions: TermsIn | None = None
    reason: RefusalReason | None = None
    #: The end of a pause.
    until: Day | None = None


class CardIn(Body):
    """What Pro Santé Connect sent the browser back with."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    state: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CodeIn(LinkIn):
    """The second factor: one of the two."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    card: CardIn | None = None


class SessionIn(LinkIn):
    session: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AppointmentIn(SessionIn):
    #: The day of the first appointment.
    on: Day


class GiveUpIn(LinkIn):
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


async def open_link(request: web.Request) -> web.StreamResponse:
    """What a link is about, and where its doctor stands. Moves nothing."""
    body = await body_of(request, LinkIn)
    if await list_links.is_list(house_of(request), body.token):
        return answer(await list_links.open_link(house_of(request), body.token))
    return answer(await doctor_links.open_link(house_of(request), body.token))


async def answer_link(request: web.Request) -> web.StreamResponse:
    """A doctor's answer; 202 where a person has to settle it first."""
    body = await body_of(request, AnswerIn)
    taken = await doctor_links.answer(
        house_of(request),
        body.token,
        body.answer,
        conditions=terms_of(body.conditions),
        reason=body.reason,
        until=body.until,
    )
    return answer(taken, 202 if taken.get("held") else 200)


async def open_record(request: web.Request) -> web.StreamResponse:
    """The record, against link and second factor."""
    body = await body_of(request, CodeIn)
    if (body.code is None) == (body.card is None):
        raise Invalid({"code": "Donnez le code, ou ce que Pro Santé Connect a rendu."})
    card = None if body.card is None else _card_answer(request, body.card)
    return answer(await doctor_links.open_record(house_of(request), body.token, body.code, card))


def card_cookie(*, secure: bool) -> str:
    """The name of the cookie that ties an answer of Pro Santé Connect to the browser that left for it."""
    return "__Host-card" if secure else "card"


def _card_answer(request: web.Request, sent: CardIn) -> CardAnswer:
    secure = house_of(request).public_url.startswith("https://")
    seed = request.cookies.get(card_cookie(secure=secure), "")
    return CardAnswer(seed=seed, code=sent.code, state=sent.state)


async def document(request: web.Request) -> web.StreamResponse:
    """The record as a PDF, within the session that the code opened."""
    body = await body_of(request, SessionIn)
    pdf = await doctor_links.document(house_of(request), body.token, body.session)
    return web.Response(
        body=pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": 'attachment; filename="fiche.pdf"'},
    )


async def data(request: web.Request) -> web.StreamResponse:
    """What is kept of the doctor whose link it is."""
    body = await body_of(request, LinkIn)
    return answer(await doctor_history.for_the_doctor(house_of(request), body.token))


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """The doctor has read the record."""
    body = await body_of(request, SessionIn)
    return answer(await doctor_links.acknowledge(house_of(request), body.token, body.session))


async def appointment(request: web.Request) -> web.StreamResponse:
    """The doctor has given the first appointment."""
    body = await body_of(request, AppointmentIn)
    return answer(await doctor_links.appointment(house_of(request), body.token, body.session, body.on))


async def desist(request: web.Request) -> web.StreamResponse:
    """The chosen doctor gives up."""
    body = await body_of(request, GiveUpIn)
    return answer(await doctor_links.desist(house_of(request), body.token, body.reason))


async def call_me(request: web.Request) -> web.StreamResponse:
    """The doctor asks to be called for the code."""
    body = await body_of(request, LinkIn)
    return answer(await doctor_links.call_me(house_of(request), body.token))


async def pause(request: web.Request) -> web.StreamResponse:
    """One-click unsubscribe (RFC 8058): a pause of 30 days. The body says nothing more than the address."""
    house = house_of(request)
    until = (house.now() + ONE_CLICK_PAUSE).date()
    await doctor_links.one_click_pause(house, request.match_info["token"], until)
    return web.Response(text="Vous ne recevrez plus d’annonce pendant 30 jours.")


async def about_pause(_request: web.Request) -> web.StreamResponse:
    """What the address is for. A GET pauses nobody: scanners open every link."""
    return web.Response(
        text="Pour suspendre ces messages pendant 30 jours, utilisez le bouton « Se désabonner » de votre "
        "messagerie, ou « Faire une pause » dans le message."
    )


def _link(path: str, handler: Handler, doc: Doc) -> Route:
    return Route("POST", LINKS + path, handler, allowed=ANYONE, doc=doc)


ROUTES = (
    _link("/open", open_link, Doc(summary="Open a link", body=LinkIn, answers={200: LinkView})),
    _link(
        "/answer",
        answer_link,
        Doc(summary="Answer", body=AnswerIn, answers={200: AnswerTaken, 202: AnswerTaken}),
    ),
    _link("/record", open_record, Doc(summary="Open the record", body=CodeIn, answers={200: Opened})),
    _link(
        "/document",
        document,
        Doc(
            summary="The record as a PDF",
            body=SessionIn,
            answers={200: bytes},
            media_type="application/pdf",
        ),
    ),
    _link("/data", data, Doc(summary="What is kept of the doctor", body=LinkIn, answers={200: Anything})),
    _link(
        "/acknowledge",
        acknowledge,
        Doc(summary="Acknowledge the record", body=SessionIn, answers={200: Anything}),
    ),
    _link(
        "/appointment",
        appointment,
        Doc(summary="Say when the first appointment is", body=AppointmentIn, answers={200: Anything}),
    ),
    _link("/desist", desist, Doc(summary="Give up", body=GiveUpIn, answers={200: Anything})),
    _link("/call-me", call_me, Doc(summary="Ask to be called", body=LinkIn, answers={200: Anything})),
    Route("POST", "/u/{token}", pause, allowed=ANYONE, csrf=False),
    Route("GET", "/u/{token}", about_pause, allowed=ANYONE),
)
