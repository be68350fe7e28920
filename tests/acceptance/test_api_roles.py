"""Who may call what: every route of the service, for every role, for nobody, and for another territory.

The table below is written by hand from CONTRACT.md; the routes are read from the service. A new route
fails the first test until somebody has placed it here.
"""

import re
from typing import Any

import pytest

from matcher.service import people
from matcher.service.actors import Role
from matcher.storage import people as stored
from matcher.web import mailbox, routes
from matcher.web.route import ANYONE, Route
from tests.acceptance.api_world import ELSEWHERE, HERE, METRICS, PEOPLE, World, request

EVERY_ROUTE = (*routes.PAGES, *mailbox.ROUTES, *routes.API, *routes.PROBES)
NOWHERE = "0" * 32

COORDINATION = {Role.COORDINATRICE, Role.COORDINATRICE_SOCIALE}
OFFICE = COORDINATION | {Role.SECRETAIRE}
STAFF = OFFICE | {Role.DIRECTRICE}
OWNERS = COORDINATION | {Role.REQUESTER}

PLACED: list[tuple[set[Role] | None, str]] = [
    (
        None,  # anyone
        """
        GET / GET /connexion POST /connexion GET /bienvenue POST /bienvenue GET /r GET /dossier
        GET /dossier/pro-sante-connect GET /double-verification GET /places GET /mes-reponses
        GET /boite GET /boite/{id} GET /boite/{id}/html
        GET /api/openapi.json GET /healthz GET /readyz GET /metrics GET /u/{token} POST /u/{token}
        POST /api/v1/links/open POST /api/v1/links/answer POST /api/v1/links/record
        POST /api/v1/links/document POST /api/v1/links/acknowledge POST /api/v1/links/desist
        GET /connexion/territoire POST /connexion/territoire GET /connexion/facteur POST /connexion/facteur
        POST /connexion/cle/question POST /connexion/cle GET /connexion/pro-sante-connect
        GET /connexion/pro-sante-connect/retour POST /connexion/pro-sante-connect/retour
        GET /formulaire/{id} POST /formulaire/{id}
        POST /api/v1/links/sms POST /api/v1/links/card POST /api/v1/links/factor
        POST /api/v1/links/factor/confirm POST /api/v1/links/places POST /api/v1/links/data
        POST /api/v1/links/call-me POST /api/v1/links/appointment
        """,
    ),
    (
        STAFF | {Role.REQUESTER},
        """
        POST /deconnexion GET /aide POST /territoire GET /confirmer POST /confirmer POST /confirmer/question
        GET /compte POST /compte/mot-de-passe POST /compte/sessions/fermer GET /compte/second-facteur
        POST /compte/second-facteur/application POST /compte/second-facteur/application/code
        POST /compte/second-facteur/cle/question POST /compte/second-facteur/cle
        POST /compte/second-facteur/secours POST /compte/second-facteur/retirer GET /compte/pro-sante-connect
        """,
    ),
    (
        {Role.DIRECTRICE},
        """
        GET /comptes POST /comptes/personnes POST /comptes/personnes/{id}/lien
        POST /comptes/personnes/{id}/fermer POST /comptes/personnes/{id}/facteur POST /comptes/structures
        POST /comptes/formulaires POST /comptes/formulaires/{id}/code POST /comptes/formulaires/{id}/fermer
        POST /comptes/cles POST /comptes/cles/{id}/remplacer POST /comptes/cles/{id}/fermer
        """,
    ),
    ({Role.REQUESTER}, "GET /equipe POST /equipe POST /mes-demandes/trouver"),
    (STAFF, "GET /reglages"),
    (
        OFFICE,
        """
        GET /bureau GET /direct GET /recherches POST /recherches/trouver GET /recherches/{id}
        POST /recherches/{id}/trancher POST /recherches/{id}/rendez-vous POST /recherches/{id}/reponse
        POST /api/v1/searches/{id}/replies
        GET /reponses/{id} POST /reponses/{id} POST /mails/{id}/vu
        POST /mails/{id}/renvoyer GET /api/v1/dead-mails
        POST /api/v1/dead-mails/{id}/retry POST /api/v1/dead-mails/{id}/drop
        GET /api/v1/replies GET /api/v1/replies/{id} POST /api/v1/replies/{id}/settle
        GET /appels POST /appels/suivant GET /appels/{doctor} POST /appels/{doctor}
        POST /appels/{doctor}/prendre
        GET /api/v1/calls POST /api/v1/calls/claim
        GET /api/v1/searches/{id}/calls POST /api/v1/searches/{id}/calls
        GET /api/v1/searches/{id}/doctors
        """,
    ),
    (
        COORDINATION,
        """
        POST /recherches/lancer POST /api/v1/searches/launch
        GET /listes GET /listes/{id} POST /listes/{id}/demander POST /listes/{id}/repartir
        POST /listes/{id}/trancher GET /api/v1/lists GET /api/v1/lists/{id} POST /api/v1/lists/{id}/ask
        POST /api/v1/lists/{id}/fill POST /api/v1/lists/{id}/doctors/{doctor}/settle
        POST /recherches/{id}/identite POST /recherches/{id}/fiche POST /recherches/{id}/contact
        POST /recherches/{id}/transmettre POST /recherches/{id}/valider
        POST /recherches/{id}/renvoyer POST /recherches/{id}/annonce POST /recherches/{id}/lancer
        POST /recherches/{id}/vague POST /recherches/{id}/appels POST /recherches/{id}/elargir
        POST /recherches/{id}/accord POST /recherches/{id}/reconfirmer POST /recherches/{id}/retirer
        POST /recherches/{id}/annuler-retrait POST /recherches/{id}/pause POST /recherches/{id}/reprendre
        POST /recherches/{id}/priorite POST /recherches/{id}/reunir POST /recherches/{id}/partager
        POST /recherches/{id}/choisir POST /recherches/{id}/ecarter POST /recherches/{id}/code
        POST /recherches/{id}/nouvel-acces POST /recherches/{id}/confirmer POST /recherches/{id}/renoncer
        POST /recherches/{id}/clore POST /recherches/{id}/relancer POST /recherches/{id}/rouvrir
        GET /refus POST /refus/{id} GET /recherches/{id}/recours POST /recherches/{id}/recours
        GET /api/v1/refusals POST /api/v1/searches/{id}/refusal/read POST /api/v1/searches/{id}/recourse
        GET /recherches/{id}/droits POST /recherches/{id}/droits/remettre
        POST /recherches/{id}/droits/effacer POST /api/v1/searches/{id}/export
        POST /api/v1/searches/{id}/erase
        POST /demande/{id}/ouvrir POST /bureau/reprendre POST /api/v1/resume
        GET /medecins GET /medecins/nouveau POST /medecins/nouveau GET /medecins/{id} POST /medecins/{id}
        POST /medecins/{id}/places POST /medecins/{id}/double-verification
        POST /api/v1/searches/{id}/validate POST /api/v1/searches/{id}/return
        GET /api/v1/searches/{id}/announcement POST /api/v1/searches/{id}/announcement
        POST /api/v1/searches/{id}/launch POST /api/v1/searches/{id}/wave
        POST /api/v1/searches/{id}/calls/start POST /api/v1/searches/{id}/widen
        POST /api/v1/searches/{id}/correct GET /api/v1/searches/{id}/record
        POST /api/v1/searches/{id}/attempts POST /api/v1/searches/{id}/rest POST /api/v1/searches/{id}/wake
        POST /api/v1/searches/{id}/priority POST /api/v1/searches/{id}/join POST /api/v1/searches/{id}/split
        POST /api/v1/searches/{id}/choose POST /api/v1/searches/{id}/decline-proposals
        POST /api/v1/searches/{id}/release/code POST /api/v1/searches/{id}/release/renew
        POST /api/v1/searches/{id}/answers/{answer}/settle
        POST /api/v1/searches/{id}/appointment POST /api/v1/searches/{id}/confirm
        POST /api/v1/searches/{id}/desist POST /api/v1/searches/{id}/close
        POST /api/v1/searches/{id}/relaunch POST /api/v1/searches/{id}/reopen
        GET /api/v1/doctors POST /api/v1/doctors PATCH /api/v1/doctors/{id}
        POST /api/v1/doctors/{id}/offers
        GET /api/v1/doctors/{id}/second-factor POST /api/v1/doctors/{id}/second-factor
        """,
    ),
    (
        OWNERS,
        """
        GET /demande POST /demande GET /demande/{id} POST /demande/{id}
        GET /demande/liste POST /demande/liste GET /demande/liste/modele.csv
        POST /api/v1/searches PATCH /api/v1/searches/{id} POST /api/v1/searches/{id}/submit
        POST /api/v1/searches/{id}/consent POST /api/v1/searches/{id}/reconfirm
        POST /api/v1/searches/{id}/withdraw POST /api/v1/searches/{id}/withdraw/undo
        """,
    ),
    (STAFF | {Role.REQUESTER}, "GET /accord/{langue}"),
    (OFFICE | {Role.REQUESTER}, "GET /api/v1/searches GET /api/v1/searches/{id}"),
    (
        {Role.REQUESTER},
        """
        GET /mes-demandes GET /mes-demandes/{id} POST /mes-demandes/{id}/reconfirmer
        POST /mes-demandes/{id}/retirer POST /mes-demandes/{id}/annuler-retrait
        """,
    ),
    (
        {Role.DIRECTRICE},
        """
        GET /journal GET /journal/fiches GET /rapport GET /api/v1/journal GET /api/v1/report
        GET /rapport/equite GET /rapport.{format} GET /api/v1/equity
        GET /reglages/essai POST /reglages/essai POST /reglages/essai/arreter
        """,
    ),
    (
        COORDINATION | {Role.DIRECTRICE},
        """
        GET /recherches/{id}/acces GET /recherches/{id}/acces.pdf GET /api/v1/searches/{id}/accesses
        GET /echeances GET /api/v1/steps
        """,
    ),
]

#: A correct body or query of each API route that names a search or a doctor and needs one.
SENT: dict[str, Any] = {
    "PATCH /searches/{id}": {"urgent": True},
    "POST /searches/{id}/return": {"missing": ["record.phone"]},
    "POST /searches/{id}/correct": {"urgent": True},
    "POST /searches/{id}/consent": {"given": "yes"},
    "POST /searches/{id}/withdraw": {"reason": "left"},
    "POST /searches/{id}/calls": {"doctor_id": NOWHERE, "outcome": "no_answer"},
    "POST /searches/{id}/replies": {"doctor_id": "nobody", "answer": "no"},
    "POST /replies/{id}/settle": {"answer": "nothing"},
    "POST /searches/{id}/attempts": {"outcome": "reached"},
    "POST /searches/{id}/priority": {"level": "high", "reason": "essai"},
    "POST /searches/{id}/join": {"search": NOWHERE},
    "POST /searches/{id}/split": {"adults": 1, "children": 0},
    "POST /searches/{id}/choose": {"doctor_id": NOWHERE},
    "POST /searches/{id}/decline-proposals": {"doctor_ids": [NOWHERE]},
    "POST /searches/{id}/answers/{answer}/settle": {"keep": True},
    "POST /searches/{id}/appointment": {"on": "2026-12-01", "state": "planned"},
    "POST /searches/{id}/confirm": {"declaration": "done"},
    "POST /searches/{id}/desist": {"by": "patient", "reason": "essai"},
    "POST /searches/{id}/close": {"next": "nothing"},
    "POST /searches/{id}/export": {"asked_by": "asked_by_patient"},
    "POST /searches/{id}/erase": {"asked_by": "asked_by_patient", "reference": "VEN-26-0001"},
    "POST /searches/{id}/refusal/read": {"kind": "refusal_room"},
    "POST /searches/{id}/recourse": {"to": "cpam", "agreed": True},
    "POST /searches/{id}/reopen": {"reason": "essai"},
    "POST /lists/{id}/doctors/{doctor}/settle": {"keep": True},
    "PATCH /doctors/{id}": {"city": "Ailleurs"},
    "POST /doctors/{id}/offers": {"places": 1},
    "POST /doctors/{id}/second-factor": {"called": True},
}


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def filled(path: str, **ids: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], NOWHERE), path)


def test_every_route_is_placed_and_allows_exactly_whom_it_should() -> None:
    expected = {
        " ".join(pair): who
        for who, text in PLACED
        for pair in zip(text.split()[::2], text.split()[1::2], strict=True)
    }
    found = {name(r): None if r.allowed is ANYONE else set(r.allowed) for r in EVERY_ROUTE}
    assert found == expected


def test_no_route_stands_twice() -> None:
    assert len({name(r) for r in EVERY_ROUTE}) == len(EVERY_ROUTE)


async def test_no_role_gets_past_a_route_of_the_api_that_is_not_for_it(small_world: World) -> None:
    world = small_world
    wrong = []
    for route in (r for r in routes.API if r.allowed is not ANYONE):
        address = "/" + filled(route.path)
        for who in (*PEOPLE, Role.REQUESTER, None, "made-up"):
            reply = await world.call(who, route.method, address, {} if route.method != "GET" else None)
            if who not in (*PEOPLE, Role.REQUESTER):
                right = reply.status == 401 and reply.json["code"] == "unauthenticated"
            elif who in route.allowed:
                # 409: let in, and told that nothing is stopped.
                right = reply.status in (200, 400, 404) or reply.json.get("code") == "not_stopped"
            else:
                right = reply.status == 403 and reply.json["code"] == "forbidden"
            if not right:
                wrong.append((name(route), who, reply.status, reply.content[:200]))
    assert not wrong


async def test_what_is_another_territorys_or_structures_does_not_exist(small_world: World) -> None:
    world = small_world
    search = await world.submitted(f"requester@{ELSEWHERE}")
    doctor = (await world.get(f"coordinatrice@{ELSEWHERE}", "/doctors"))["items"][0]["id"]
    before = await world.get(f"coordinatrice@{ELSEWHERE}", f"/searches/{search}")
    wrong = []
    for route in (r for r in routes.API if "{id}" in r.path):
        short = route.path.removeprefix("/api/v1")
        path = filled(short, id=doctor if short.startswith("/doctors") else search)
        path += "?purpose=essai" if path.endswith("/record") else ""
        body = SENT.get(f"{route.method} {short}", {}) if route.method != "GET" else None
        strangers = [role.value for role in PEOPLE if role in route.allowed]
        if Role.REQUESTER in route.allowed:
            strangers += ["requester", f"requester2@{ELSEWHERE}"]
        for who in strangers:
            reply = await world.call(who, route.method, path, body)
            if reply.status != 404:
                wrong.append((name(route), who, reply.status, reply.content[:200]))
    assert not wrong
    assert await world.get(f"coordinatrice@{ELSEWHERE}", f"/searches/{search}") == before
    assert (await world.get("coordinatrice", "/searches"))["items"] == []
    mine = await world.submitted()
    join = {"search": search}
    await world.post("coordinatrice", f"/searches/{mine}/join", join, 404)
    claimed = await world.call("coordinatrice", "POST", "/calls/claim", {"doctor_id": doctor})
    assert claimed.status == 404


async def login(world: World, role: Role) -> str:
    """A session for a person of that role; the CSRF token of its forms."""
    email, structure = f"{role}@cpts.example", None
    if role is Role.REQUESTER:
        structure = "PASS d’essai"
        async with world.house.sessions.begin() as session:
            await stored.put_structure(
                session, HERE, structure_id="s1", name=structure, kind="pass", now=world.clock()
            )
    await people.add_user(world.house, HERE, email, role, name="Essai", structure=structure)
    await people.set_password(world.house, HERE, email, "une phrase assez longue")
    world.client.session.cookie_jar.clear()
    form = {"email": email, "password": "une phrase assez longue"}
    reply = await world.client.post("/connexion", data=form, allow_redirects=False)
    assert reply.status == 303
    page = await (await world.client.get("/aide")).text()
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("role", [*PEOPLE, Role.REQUESTER])
async def test_no_role_gets_past_a_page_that_is_not_for_it(small_world: World, role: Role) -> None:
    world, wrong = small_world, []
    token = await login(world, role)
    for route in (r for r in routes.PAGES if r.allowed is not ANYONE and r.path != "/deconnexion"):
        allowed = role in route.allowed
        for form in ({}, {"csrf": token}):
            if route.method == "GET" and form:
                continue
            reply = await world.client.request(
                route.method, filled(route.path), data=form or None, allow_redirects=False
            )
            csrf_missing = route.method == "POST" and not form
            if (reply.status == 403) != (not allowed or csrf_missing) or reply.status >= 500:
                wrong.append((name(route), role, bool(form), reply.status, (await reply.text())[:200]))
    assert not wrong


async def test_nobody_is_sent_to_the_login_by_every_page(small_world: World) -> None:
    wrong = []
    for route in (r for r in routes.PAGES if r.allowed is not ANYONE):
        path = filled(route.path)
        reply = await small_world.client.request(route.method, path, allow_redirects=False)
        if reply.status != 303 or not reply.headers["Location"].startswith("/connexion"):
            wrong.append((name(route), reply.status))
    assert not wrong


async def test_the_metrics_are_for_the_operators_key_alone(small_world: World) -> None:
    world = small_world
    assert (await world.call(None, "GET", "//metrics")).status == 401
    assert (await world.call("coordinatrice", "GET", "//metrics")).status == 401
    reply = await world.call(METRICS, "GET", "//metrics")
    assert reply.status == 200
    assert b"trait_union_outbox_waiting 0.0" in reply.content


async def test_a_session_ends_at_the_logout_and_a_disabled_person_is_out_at_once(small_world: World) -> None:
    world = small_world
    token = await login(world, Role.COORDINATRICE)
    cookies = {c.key: c.value for c in world.client.session.cookie_jar}
    reply = await world.client.post("/deconnexion", data={"csrf": token}, allow_redirects=False)
    assert reply.status == 303
    world.client.session.cookie_jar.clear()
    again = await world.client.get("/bureau", cookies=cookies, allow_redirects=False)
    assert again.headers["Location"].startswith("/connexion")
    await login(world, Role.SECRETAIRE)
    async with world.house.sessions.begin() as session:
        found = await stored.users_by_email(session, f"{Role.SECRETAIRE}@cpts.example")
        await stored.disable_user(session, HERE, found[0].id, world.clock())
    out = await world.client.get("/bureau", allow_redirects=False)
    assert out.headers["Location"].startswith("/connexion")


async def test_a_session_lives_for_a_working_day(small_world: World) -> None:
    await login(small_world, Role.COORDINATRICE)
    assert (await small_world.client.get("/bureau", allow_redirects=False)).status == 200
    await small_world.later(hours=13)
    assert (await small_world.client.get("/bureau", allow_redirects=False)).status == 303


async def test_a_secretary_sees_no_code_and_opens_no_record(small_world: World) -> None:
    world = small_world
    search = await world.submitted(urgent=request()["urgent"])
    await world.get("secretaire", f"/searches/{search}/record?purpose=voir", 403)
