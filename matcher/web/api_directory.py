"""The API of the directory: the territory's doctors, and the places that they offer."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from matcher.protocol.announcement import ConditionKind
from matcher.protocol.doctors import Zone
from matcher.service import directory
from matcher.service.actors import COORDINATION
from matcher.web.bodies import Day, Email
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import Body, answer, body_of, idempotency_key, patch_of, raw_of
from matcher.web.route import Doc, Route
from matcher.web.schemas import Anything, DoctorList

DOCTORS = API + "/doctors"
_Line = Annotated[str, StringConstraints(max_length=200)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class DoctorPatch(Body):
    """The doctors' CSV, column by column; null in a PATCH forgets what was known."""

    rpps: Annotated[str, StringConstraints(pattern=r"^\d{11}$")] | None = None
    last_name: _Name | None = None
    first_name: _Line | None = None
    sex: Literal["F", "M"] | None = None
    phone: _Line | None = None
    email: Email | None = None
    mssante: Email | None = None
    delegate_email: Email | None = None
    address: _Line | None = None
    postcode: _Line | None = None
    city: _Line | None = None
    insee: _Line | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    languages: Annotated[list[_Language], Field(max_length=30)] | None = None
    step_free: bool | None = None
    home_visits: bool | None = None
    sector: Annotated[int, Field(ge=1, le=3)] | None = None
    teleconsultation: bool | None = None
    member: bool | None = None
    zone: Zone | None = None
    asked_per_week: Annotated[int, Field(ge=0, le=1000)] | None = None
    accepted_per_month: Annotated[int, Field(ge=0, le=1000)] | None = None
    #: Patients whose médecin traitant he is.
    list_size: Annotated[int, Field(ge=0, le=10_000)] | None = None
    #: Kinds of conditions that he declines in general.
    declines: Annotated[list[ConditionKind], Field(max_length=10)] | None = None
    #: Away until and including this day.
    away_until: Day | None = None
    do_not_call: bool | None = None


class DoctorCorrection(DoctorPatch):
    """What is known of a doctor, corrected."""

    #: The practice says that the address is right as it is: it is mailed again.
    email_checked: bool | None = None
    #: The same of the number: it is phoned again.
    phone_checked: bool | None = None


class DoctorIn(DoctorPatch):
    last_name: _Name
    first_name: _Line


class OfferIn(Body):
    """Places declared beforehand: a yes given before the question."""

    places: Annotated[int, Field(ge=1, le=1000)]
    from_: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None
    #: Kinds of conditions that the offer does not cover.
    declines: Annotated[list[ConditionKind], Field(max_length=10, default_factory=list)]


async def listing(request: web.Request) -> web.StreamResponse:
    """Every doctor of the directory, on one page."""
    return answer(await directory.listing(house_of(request), actor_of(request)))


async def add(request: web.Request) -> web.StreamResponse:
    """A new doctor."""
    await body_of(request, DoctorIn)
    made = await directory.add(
        house_of(request), actor_of(request), await raw_of(request), idempotency_key(request)
    )
    return answer(made, 201, {"Location": f"{DOCTORS}/{made['id']}"})


async def change(request: web.Request) -> web.StreamResponse:
    """Correct what is known of a doctor."""
    patch = await patch_of(request, DoctorCorrection)
    return answer(
        await directory.patch(house_of(request), actor_of(request), request.match_info["id"], patch)
    )


async def offer(request: web.Request) -> web.StreamResponse:
    """Note places that a doctor offers."""
    body = await body_of(request, OfferIn)
    made = await directory.offer(
        house_of(request),
        actor_of(request),
        request.match_info["id"],
        body.places,
        body.from_,
        body.until,
        body.declines,
        idempotency_key(request),
    )
    return answer(made, 201)


ROUTES = (
    Route(
        "GET",
        DOCTORS,
        listing,
        allowed=COORDINATION,
        doc=Doc(summary="Every doctor", answers={200: DoctorList}),
    ),
    Route(
        "POST",
        DOCTORS,
        add,
        allowed=COORDINATION,
        doc=Doc(summary="Add a doctor", body=DoctorIn, answers={201: Anything}, creates=True),
    ),
    Route(
        "PATCH",
        DOCTORS + "/{id}",
        change,
        allowed=COORDINATION,
        doc=Doc(summary="Correct a doctor", body=DoctorCorrection, answers={200: Anything}),
    ),
    Route(
        "POST",
        DOCTORS + "/{id}/offers",
        offer,
        allowed=COORDINATION,
        doc=Doc(summary="Note a standing offer", body=OfferIn, answers={201: Anything}, creates=True),
    ),
)
