"""The API of a search up to its launch, and what each role may see of it."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from matcher.protocol.search import State, WithdrawalReason
from matcher.records.bulletin import ConsentIn, SearchIn, consent_of
from matcher.service import launching, requests, searches, views
from matcher.service.actors import COORDINATION, OFFICE, Actor, Role
from matcher.service.house import House
from matcher.service.searches import OWNERS
from matcher.web.bodies import Id
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API, does, does_with
from matcher.web.reading import Body, Query, answer, body_of, idempotency_key, patch_of, query_of, raw_of
from matcher.web.route import Doc, Handler, Route
from matcher.web.schemas import AnnouncementList, Created, LaunchList, RecordView, SearchList, SearchView

View = dict[str, Any]
SEARCHES = API + "/searches"
#: Who may see searches; what each sees is decided by the views.
READERS = OFFICE | {Role.REQUESTER}


class ListQuery(Query):
    state: State | None = None
    #: A reference, a name, a birth date or a phone number.
    q: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    after: Annotated[str, StringConstraints(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class RecordQuery(Query):
    purpose: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200),
        Field(
            description="Why the record is opened, for the journal. Any other word is kept there as “other”, "
            "so that nothing of a patient gets in.",
            examples=sorted(views.PURPOSES),
        ),
    ]


class ReturnIn(Body):
    #: The names of the fields that are missing, or what to complete in a few words.
    missing: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=200)]],
        Field(min_length=1, max_length=50),
    ]


class AnnouncementIn(Body):
    """How fine the announcement is; what is left out stays as the ladder has it."""

    #: A band like ``65-69``, ``80+`` or an exact age.
    age: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    #: A name of the territory's places.
    place: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class LaunchIn(Body):
    """Which searches to launch together; every one that is ready where none is named."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None


class WithdrawIn(Body):
    reason: WithdrawalReason


async def create(request: web.Request) -> web.StreamResponse:
    """Take a request in. The same Idempotency-Key answers the same search."""
    body = await body_of(request, SearchIn)
    made = await requests.create(
        house_of(request), actor_of(request), body, await raw_of(request), idempotency_key(request)
    )
    return answer(made, 201, {"Location": f"{SEARCHES}/{made['id']}"})


async def listing(request: web.Request) -> web.StreamResponse:
    """One page of the searches that the actor may see."""
    query = query_of(request, ListQuery)
    return answer(
        await views.listing(
            house_of(request), actor_of(request), query.state, query.q, query.after, query.limit
        )
    )


async def one(request: web.Request) -> web.StreamResponse:
    """One search, as the actor's role sees it."""
    return answer(await views.search(house_of(request), actor_of(request), request.match_info["id"]))


async def launch_all(request: web.Request) -> web.StreamResponse:
    """Launch several searches, the doctors shared out between them."""
    body = await body_of(request, LaunchIn)
    return answer(await launching.launch_all(house_of(request), actor_of(request), body.ids))


async def amend(request: web.Request) -> web.StreamResponse:
    """Complete a draft or a returned request."""
    patch = await patch_of(request, SearchIn)
    return answer(await requests.amend(house_of(request), actor_of(request), request.match_info["id"], patch))


async def correct(request: web.Request) -> web.StreamResponse:
    """The office corrects record, contact, wishes or conditions of a search under way."""
    patch = await patch_of(request, SearchIn)
    return answer(
        await requests.correct(house_of(request), actor_of(request), request.match_info["id"], patch)
    )


async def choices(request: web.Request) -> web.StreamResponse:
    """What the announcement may say, with the residents that each wording describes."""
    found = await views.announcement_choices(house_of(request), actor_of(request), request.match_info["id"])
    return answer({"items": found})


async def record(request: web.Request) -> web.StreamResponse:
    """The request exactly as submitted; journaled with its purpose."""
    query = query_of(request, RecordQuery)
    return answer(
        await views.record(house_of(request), actor_of(request), request.match_info["id"], query.purpose)
    )


async def _give_back(house: House, actor: Actor, search: str, body: ReturnIn) -> View:
    return await searches.give_back(house, actor, search, body.missing)


async def _announce(house: House, actor: Actor, search: str, body: AnnouncementIn) -> View:
    return await searches.announce(house, actor, search, body.age, body.place)


async def _withdraw(house: House, actor: Actor, search: str, body: WithdrawIn) -> View:
    return await searches.withdraw(house, actor, search, body.reason)


async def consent(request: web.Request) -> web.StreamResponse:
    """Consent given, undecided or taken back."""
    body = await body_of(request, ConsentIn)
    house = house_of(request)
    given = consent_of(body, house.now())
    assert given is not None  # only an absent consent has no value
    told = await raw_of(request)
    return answer(
        await searches.take_consent(house, actor_of(request), request.match_info["id"], given, told)
    )


def _seen(
    method: Literal["GET", "PATCH", "POST"], path: str, handler: Handler, allowed: frozenset[Role], doc: Doc
) -> Route:
    return Route(method, SEARCHES + path, handler, allowed=allowed, doc=doc)


ROUTES = (
    _seen(
        "POST",
        "",
        create,
        OWNERS,
        Doc(summary="Submit a request, or keep a draft", body=SearchIn, answers={201: Created}, creates=True),
    ),
    _seen("GET", "", listing, READERS, Doc(summary="List", query=ListQuery, answers={200: SearchList})),
    _seen("GET", "/{id}", one, READERS, Doc(summary="See one search", answers={200: SearchView})),
    _seen(
        "PATCH",
        "/{id}",
        amend,
        OWNERS,
        Doc(summary="Complete a draft or a returned request", body=SearchIn, answers={200: SearchView}),
    ),
    does("/submit", "Hand a draft or a returned request in", OWNERS, requests.submit),
    does("/validate", "The request is complete and consented", COORDINATION, searches.validate),
    does_with("/return", "Send back with what is missing", COORDINATION, ReturnIn, _give_back),
    _seen(
        "GET",
        "/{id}/announcement",
        choices,
        COORDINATION,
        Doc(summary="What may be announced", answers={200: AnnouncementList}),
    ),
    does_with("/announcement", "Choose the announcement", COORDINATION, AnnouncementIn, _announce),
    does("/launch", "Ask the doctors", COORDINATION, launching.launch),
    _seen(
        "POST",
        "/launch",
        launch_all,
        COORDINATION,
        Doc(summary="Launch those that are ready together", body=LaunchIn, answers={200: LaunchList}),
    ),
    does("/wave", "Send one more wave now", COORDINATION, searches.send_wave),
    does("/calls/start", "Pass to the calls", COORDINATION, searches.start_calls),
    does("/widen", "Phone the neighbouring zone too", COORDINATION, searches.widen),
    _seen(
        "POST",
        "/{id}/correct",
        correct,
        COORDINATION,
        Doc(summary="Correct a search under way", body=SearchIn, answers={200: SearchView}),
    ),
    _seen(
        "POST",
        "/{id}/consent",
        consent,
        OWNERS,
        Doc(summary="Note what the patient says to sharing", body=ConsentIn, answers={200: SearchView}),
    ),
    does("/reconfirm", "Need and consent hold still", OWNERS, searches.reconfirm),
    does_with("/withdraw", "Withdraw the search", OWNERS, WithdrawIn, _withdraw),
    does("/withdraw/undo", "Undo a withdrawal within 7 days", OWNERS, searches.undo_withdrawal),
    _seen(
        "GET",
        "/{id}/record",
        record,
        COORDINATION,
        Doc(summary="Open the record; journaled", query=RecordQuery, answers={200: RecordView}),
    ),
)
