"""``/comptes``: who may come in (people, structures, shared forms, keys); and a structure's own team."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web

from matcher.service import access, people
from matcher.service.actors import SCOPES, STAFF, Actor, Role
from matcher.service.errors import Invalid, TooMany, WrongCode
from matcher.service.house import House
from matcher.service.logins import Step
from matcher.storage.people import KINDS
from matcher.web import pages, sessions, words
from matcher.web.callers import address_of
from matcher.web.entering import TOO_MANY
from matcher.web.keys import actor_of, house_of
from matcher.web.route import ANYONE, Handler, Route

_Made = TypeVar("_Made")
_DIRECTION: Final = frozenset({Role.DIRECTRICE})
_HERE: Final = "/comptes"
_ROLES: Final = {
    role.value: words.ROLES[role.value] for role in Role if role in STAFF or role is Role.REQUESTER
}


async def show(request: web.Request) -> web.Response:
    """Everything by which somebody may come in."""
    return await _show(request)


async def _show(
    request: web.Request, refusal: pages.Refusal | None = None, typed: dict[str, str] | None = None
) -> web.Response:
    house = house_of(request)
    doors = await access.doors(house, actor_of(request))
    return pages.render(
        request,
        "doors.html",
        refusal=refusal,
        typed=typed or {},
        doors=doors,
        names={one.id: one.name for one in doors.structures},
        roles=_ROLES,
        kinds={kind: words.STRUCTURES[kind] for kind in KINDS},
        now=house.now(),
    )


def _secret(request: web.Request, title: str, said: str, *secrets: tuple[str, str]) -> web.Response:
    return pages.render(request, "secret.html", title=title, said=said, secrets=secrets)


def _explained(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    """A refusal shows the page again, with its reason and what was typed."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except pages.EXPLAINED as error:
            return await _show(request, pages.refusal_of(error), await pages.fields_of(request))

    return answer


async def add_person(request: web.Request) -> web.StreamResponse:
    """A new person; the link to choose a password is shown this once."""
    actor, fields = actor_of(request), await pages.fields_of(request)
    role = fields.get("role", "")
    if role not in _ROLES:
        raise Invalid({"role": "Choisissez un rôle."})
    link = await people.add_user(
        house_of(request),
        actor.territory,
        fields.get("email", ""),
        Role(role),
        name=fields.get("name", ""),
        structure=fields.get("structure") or None,
        by=actor,
        only_new=True,
    )
    return _link(request, link)


def _link(request: web.Request, link: str) -> web.Response:
    said = "À remettre à cette personne seule, par un moyen sûr. Il sert une fois, dans les 7 jours."
    return _secret(request, "Lien d’inscription", said, ("Le lien", link))


async def put_structure(request: web.Request) -> web.StreamResponse:
    """A structure that submits requests."""
    fields = await pages.fields_of(request)
    await access.put_structure(
        house_of(request),
        actor_of(request),
        fields.get("name", ""),
        fields.get("kind", ""),
        fields.get("email"),
        fields.get("phone"),
    )
    return pages.see_other(_HERE, fait="saved")


async def add_form(request: web.Request) -> web.StreamResponse:
    """A form that a structure shares."""
    structure = (await pages.fields_of(request)).get("structure", "")
    return _form(request, await access.add_form(house_of(request), actor_of(request), structure))


def _form(request: web.Request, made: tuple[str, str]) -> web.Response:
    said = "L’adresse peut être affichée dans le service ; le code se donne à part. Il vaut 90 jours."
    return _secret(request, "Formulaire partagé", said, ("L’adresse", made[0]), ("Le code", made[1]))


async def add_key(request: web.Request) -> web.StreamResponse:
    """A key for a structure's own software; shown this once."""
    actor, fields = actor_of(request), await pages.fields_of(request)
    chosen = frozenset(await pages.many_of(request, "scopes"))
    doors = await access.doors(house_of(request), actor)
    structure = next((one for one in doors.structures if one.id == fields.get("structure")), None)
    if structure is None:
        raise Invalid({"structure": "Choisissez la structure dont le logiciel aura la clé."})
    key = await people.add_key(
        house_of(request),
        actor.territory,
        structure.name,
        Role.REQUESTER,
        kind=structure.kind,
        scopes=None if chosen == SCOPES else chosen,
        by=actor,
    )
    return _key(request, key)


def _key(request: web.Request, key: str) -> web.Response:
    said = "À donner à qui règle le logiciel, et à personne d’autre. Elle ne sera plus montrée."
    return _secret(request, "Clé de l’API", said, ("La clé", key))


async def team(request: web.Request) -> web.Response:
    """The colleagues of one's own structure."""
    return await _team(request)


async def _team(request: web.Request, refusal: pages.Refusal | None = None) -> web.Response:
    actor = actor_of(request)
    return pages.render(
        request,
        "team.html",
        refusal=refusal,
        members=await access.team(house_of(request), actor),
        shared=actor.id.startswith("form:"),
    )


async def invite(request: web.Request) -> web.StreamResponse:
    """A colleague of the same structure; the link is shown this once."""
    fields = await pages.fields_of(request)
    try:
        link = await access.invite(
            house_of(request), actor_of(request), fields.get("email", ""), fields.get("name", "")
        )
    except pages.EXPLAINED as error:
        return await _team(request, pages.refusal_of(error))
    return _link(request, link)


async def form(request: web.Request) -> web.Response:
    """A shared form asks for its code."""
    return pages.render(request, "shared_form.html")


async def open_form(request: web.Request) -> web.StreamResponse:
    """The code was typed: on to the request itself."""
    code = (await pages.fields_of(request)).get("code", "")
    try:
        actor, mark = await access.open_form(
            house_of(request), request.match_info["id"], code, address_of(request)
        )
    except WrongCode:
        said = (
            "Ce code ne convient pas, ou ce formulaire n’est plus ouvert. Demandez le code à votre service."
        )
        return pages.render(request, "shared_form.html", status=403, error=said)
    except TooMany as error:
        said = TOO_MANY.format(max(1, error.retry_after // 60))
        return pages.render(request, "shared_form.html", status=429, error=said)
    await sessions.sign_in(request, actor, Step.FULL, how="form", form=mark)
    return pages.see_other("/demande")


def _on(
    use_case: Callable[[House, Actor, str], Awaitable[_Made]],
    shown: Callable[[web.Request, _Made], web.Response],
) -> Handler:
    """What is done to one of the list, and how what comes of it is shown."""

    async def handler(request: web.Request) -> web.Response:
        return shown(request, await use_case(house_of(request), actor_of(request), request.match_info["id"]))

    return handler


def _noted(done: str) -> Callable[[web.Request, None], web.Response]:
    return lambda _request, _made: pages.see_other(_HERE, fait=done)


def _act(path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Route:
    return Route("POST", f"{_HERE}/{path}", _explained(handler), allowed=_DIRECTION, fresh=True)


ROUTES: Final = (
    Route("GET", _HERE, show, allowed=_DIRECTION),
    _act("personnes", add_person),
    _act("personnes/{id}/lien", _on(access.renew_user, _link)),
    _act("personnes/{id}/fermer", _on(access.disable_user, _noted("disabled"))),
    _act("personnes/{id}/facteur", _on(access.reset_factors, _noted("reset"))),
    _act("structures", put_structure),
    _act("formulaires", add_form),
    _act("formulaires/{id}/code", _on(access.renew_form, _form)),
    _act("formulaires/{id}/fermer", _on(access.revoke_form, _noted("revoked"))),
    _act("cles", add_key),
    _act("cles/{id}/remplacer", _on(access.rotate_key, _key)),
    _act("cles/{id}/fermer", _on(access.revoke_key, _noted("revoked"))),
    Route("GET", "/equipe", team, allowed=frozenset({Role.REQUESTER})),
    Route("POST", "/equipe", invite, allowed=frozenset({Role.REQUESTER}), fresh=True),
    Route("GET", "/formulaire/{id}", form, allowed=ANYONE),
    Route("POST", "/formulaire/{id}", open_form, allowed=ANYONE),
)
