"""A hostile reader inside: pages with somebody else's ids, a desk left alone, keys that were narrowed."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from matcher.service import people
from matcher.service.actors import Role
from matcher.storage import people as stored
from matcher.web import routes
from matcher.web.route import ANYONE
from tests.acceptance.api_world import ELSEWHERE, HERE, PEOPLE
from tests.acceptance.house import OFFICE, House, request

NOWHERE = "0" * 32
#: What stands in the record of a patient and in no directory.
TELLING = {"birth_name": "Zinzolin", "first_names": "Percaline", "difficulty": "barégine chronique"}
#: What a form of each page may hold, so that nothing is refused for its fields alone.
FORM = {
    "purpose": "contact", "reason": "left", "level": "high", "outcome": "reached", "state": "planned",
    "on": "2026-12-01", "declaration": "done", "next": "nothing", "by": "patient", "given": "yes",
    "adults": "1", "children": "0", "places": "1", "answer": "nothing", "keep": "1", "called": "1",
    "kind": "refusal_room", "to": "cpam", "agreed": "oui",
    "missing": "record.phone", "place": "Parilly", "do": "draft", "etape": "tout", "last_name": "X",
}  # fmt: skip


async def token_of(house: House) -> str:
    page = await (await house.client.get("/aide")).text()
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def objects(house: House, territory: str) -> Mapping[str, Any]:
    """One of everything that has an id, in a territory."""
    mark = "" if territory == HERE else f"@{territory}"
    search = await house.submitted(f"requester{mark}", origin="Cabinet d’ailleurs")
    draft = (await house.post(f"requester{mark}", "/searches", request(draft=True), 201))["id"]
    doctor = (await house.get(f"{OFFICE}{mark}", "/doctors"))["items"][0]["id"]
    await people.add_user(house.house, territory, f"une@{territory}.example", Role.COORDINATRICE)
    async with house.house.sessions.begin() as session:
        (user,) = await stored.users_by_email(session, f"une@{territory}.example")
    key = (await house.run_sql("SELECT id FROM api_keys WHERE territory_id = :t", t=territory))[0][0]
    origin = (await house.get(f"{OFFICE}{mark}", "/lists"))["items"][0]["id"]
    return {"search": search, "draft": draft, "doctor": doctor, "user": user.id, "key": key, "list": origin}


def addressed(path: str, of: Mapping[str, Any]) -> list[str]:
    """The path with ids of that kind of thing in it."""
    kinds = {
        "/comptes/personnes": ["user"], "/comptes/cles": ["key"], "/comptes/formulaires": ["key"],
        "/listes": ["list"], "/medecins": ["doctor"], "/appels": ["doctor"], "/reponses": ["search"],
        "/mails": ["search"], "/recherches": ["search", "draft"], "/demande": ["search", "draft"],
        "/mes-demandes": ["search", "draft"], "/refus": ["search"],
    }  # fmt: skip
    known = next(ids for begin, ids in kinds.items() if path.startswith(begin))
    return [re.sub(r"{(id|doctor)}", of[one], path) for one in known]


def _id(path: str) -> str:
    return re.findall(r"[0-9a-f]{32}", path)[0]


@pytest.mark.parametrize("role", [*PEOPLE, Role.REQUESTER])
async def test_no_page_knows_an_id_of_another_territory(small_house: House, role: Role) -> None:
    house = small_house
    theirs = await objects(house, ELSEWHERE)
    await house.login(role)
    csrf = await token_of(house)
    before = await house.tables()
    wrong = []
    for route in (r for r in routes.PAGES if r.allowed is not ANYONE and "{" in r.path):
        if role not in route.allowed or route.path in ("/accord/{langue}", "/rapport.{format}"):
            continue
        for path in addressed(route.path, theirs):
            form = FORM | {"csrf": csrf, "doctor": theirs["doctor"], "doctor_id": theirs["doctor"]}
            reply = await house.client.request(
                route.method, path, data=form if route.method == "POST" else None, allow_redirects=False
            )
            if reply.status == 404:
                continue
            # A page that knows nothing of any id may say so, to a made-up one in the same words.
            odd = await house.client.get(path.replace(_id(path), NOWHERE), allow_redirects=False)
            said = (await reply.text()).replace(_id(path), NOWHERE)
            if route.method != "GET" or said != await odd.text():
                wrong.append((route.method, path, reply.status))
    assert not wrong
    after = await house.tables()
    moved = {name for name in before if before[name] != after[name]} - {"sessions"}
    assert not moved


async def test_no_structure_reaches_the_request_of_another(small_house: House) -> None:
    house = small_house
    search = await house.submitted("requester2")
    draft = (await house.post("requester2", "/searches", request(draft=True), 201))["id"]
    await house.login(Role.REQUESTER)
    csrf = await token_of(house)
    for path in ("/demande/{}", "/mes-demandes/{}"):
        for one in (search, draft):
            assert (await house.client.get(path.format(one))).status == 404
    for path in ("/demande/{}", "/mes-demandes/{}/retirer", "/mes-demandes/{}/reconfirmer"):
        for one in (search, draft):
            reply = await house.client.post(path.format(one), data=FORM | {"csrf": csrf})
            assert reply.status == 404
    for q in ("Aubépine", "1958-03-02", "0639981234", "P"):
        found = await house.client.post("/mes-demandes/trouver", data={"csrf": csrf, "q": q})
        assert found.url.path == "/mes-demandes"
        listed = await found.text()
        assert search not in listed


@pytest.mark.parametrize("state", ["submitted", "returned"])
async def test_a_desk_left_alone_shows_no_record(small_house: House, state: str) -> None:
    house = small_house
    search = await house.submitted(record=request()["record"] | TELLING)
    if state == "returned":
        await house.do(search, "return", missing=["record.phone"])
    await house.login(Role.COORDINATRICE)
    csrf = await token_of(house)
    house.clock.at += timedelta(hours=1)
    shown = []
    for route in (r for r in routes.PAGES if r.allowed is not ANYONE and "{id}" in r.path):
        if Role.COORDINATRICE not in route.allowed or not route.path.startswith(("/recherches", "/demande")):
            continue
        for do in ("go:besoin", "go:personne", "next", "draft") if route.path == "/demande/{id}" else ("",):
            form = FORM | {"csrf": csrf, "do": do, "etape": "souhaits"}
            reply = await house.client.request(
                route.method,
                route.path.replace("{id}", search),
                data=form if route.method == "POST" else None,
                allow_redirects=False,
            )
            content = await reply.read()
            if any(word.encode() in content for word in TELLING.values()):
                shown.append((route.method, route.path, do, reply.status))
    assert not shown


@pytest.mark.parametrize("state", ["submitted", "returned", "asking"])
async def test_what_was_handed_in_is_corrected_and_never_emptied(small_house: House, state: str) -> None:
    house = small_house
    search = await (house.launched() if state == "asking" else house.submitted())
    if state == "returned":
        await house.do(search, "return", missing=["record.phone"])
    for name in ("birth_date", "coverage", "birth_name", "referring"):
        patch = {"record": {name: None}}
        reply = await house.call(OFFICE, "POST", f"/searches/{search}/correct", patch)
        assert (reply.status, len(reply.json["fields"])) == (400, 1), reply.content
    await house.do(search, "correct", record={"birth_date": "1957-01-01"})
