"""The second factor over links: a code by SMS, a card, an authenticator that is set up; and what the office
does for it. Nobody logs in for the links: the token is the capability, and it travels in a body.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Required

from aiohttp import web
from pydantic import StringConstraints
from typing_extensions import TypedDict

from matcher.service import factor_setup, second_factor
from matcher.service.actors import COORDINATION
from matcher.web.api_directory import DOCTORS
from matcher.web.api_links import LINKS, LinkIn, card_cookie
from matcher.web.keys import actor_of, house_of
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import ANYONE, Doc, Route
from matcher.web.schemas import Anything

#: Ten minutes: what a person needs for a card and its PIN.
_CARD_AGE: Final = 600
Code = Annotated[str, StringConstraints(min_length=1, max_length=20)]


class SmsSent(TypedDict):
    """Whether the gateway took it; else the office is asked to call."""

    sent: bool
    mobile: str


class CardStarted(TypedDict):
    """Where the browser goes to show a card."""

    url: str


class Authenticator(TypedDict):
    """What an authenticator has to be told, as text, as an address and as a picture of modules."""

    doctor: dict[str, Any]
    territory: dict[str, Any]
    secret: str
    uri: str
    picture: dict[str, Any]


class FactorView(TypedDict, total=False):
    """What is set up for a doctor; ``kind`` is the territory's."""

    kind: Required[str]
    rpps: Required[bool]
    mobile: str
    totp_since: datetime


class FactorChanged(TypedDict, total=False):
    """The end of the number noted, or the code to read out with the end of its link."""

    mobile: str
    code: str
    until: datetime


class SetUpIn(LinkIn):
    #: The code that the office reads out.
    code: Code


class ConfirmIn(SetUpIn):
    #: The first code of the authenticator.
    shown: Code


class FactorIn(Body):
    """What the office sets up, with the practice on the phone."""

    #: The practice was called, at the directory's number.
    called: bool
    #: Where codes go by SMS; empty for nowhere. Absent: the link of an authenticator is mailed.
    mobile: Annotated[str, StringConstraints(max_length=40)] | None = None


async def send_sms(request: web.Request) -> web.StreamResponse:
    """A code by SMS to the chosen doctor."""
    body = await body_of(request, LinkIn)
    return answer(await second_factor.send_code(house_of(request), body.token))


async def start_card(request: web.Request) -> web.StreamResponse:
    """Where to show a card. What ties its answer to this browser goes into a cookie."""
    body = await body_of(request, LinkIn)
    url, seed = await second_factor.start_card(house_of(request), body.token)
    response = answer({"url": url})
    secure = house_of(request).public_url.startswith("https://")
    response.set_cookie(
        card_cookie(secure=secure), seed, max_age=_CARD_AGE, secure=secure, httponly=True, samesite="Strict"
    )
    return response


async def set_up(request: web.Request) -> web.StreamResponse:
    """What an authenticator has to be told."""
    body = await body_of(request, SetUpIn)
    return answer(await factor_setup.open_link(house_of(request), body.token, body.code))


async def confirm(request: web.Request) -> web.StreamResponse:
    """The authenticator's first code."""
    body = await body_of(request, ConfirmIn)
    return answer(await factor_setup.confirm(house_of(request), body.token, body.code, body.shown))


async def shown(request: web.Request) -> web.StreamResponse:
    """What is set up for a doctor."""
    return answer(await factor_setup.shown(house_of(request), actor_of(request), request.match_info["id"]))


async def change(request: web.Request) -> web.StreamResponse:
    """Note a mobile number, or have the link of an authenticator mailed."""
    body = await body_of(request, FactorIn)
    house, actor, doctor = house_of(request), actor_of(request), request.match_info["id"]
    if body.mobile is not None:
        return answer(await factor_setup.set_mobile(house, actor, doctor, body.mobile, called=body.called))
    return answer(await factor_setup.send_link(house, actor, doctor, called=body.called))


ROUTES: Final = (
    Route(
        "POST",
        LINKS + "/sms",
        send_sms,
        allowed=ANYONE,
        doc=Doc(summary="Ask for a code by SMS", body=LinkIn, answers={200: SmsSent}),
    ),
    Route(
        "POST",
        LINKS + "/card",
        start_card,
        allowed=ANYONE,
        doc=Doc(summary="Begin with Pro Santé Connect", body=LinkIn, answers={200: CardStarted}),
    ),
    Route(
        "POST",
        LINKS + "/factor",
        set_up,
        allowed=ANYONE,
        doc=Doc(summary="Set an authenticator up", body=SetUpIn, answers={200: Authenticator}),
    ),
    Route(
        "POST",
        LINKS + "/factor/confirm",
        confirm,
        allowed=ANYONE,
        doc=Doc(summary="Confirm an authenticator", body=ConfirmIn, answers={200: Anything}),
    ),
    Route(
        "GET",
        DOCTORS + "/{id}/second-factor",
        shown,
        allowed=COORDINATION,
        doc=Doc(summary="A doctor's second factor", answers={200: FactorView}),
    ),
    Route(
        "POST",
        DOCTORS + "/{id}/second-factor",
        change,
        allowed=COORDINATION,
        doc=Doc(summary="Set a doctor's second factor up", body=FactorIn, answers={200: FactorChanged}),
    ),
)
