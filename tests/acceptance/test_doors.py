"""Who lets others in: a form that a structure shares, colleagues, the directrice's page of accounts, keys."""

import re
from typing import Any

import pytest

from matcher.service import access, people
from matcher.service.actors import Role, operator
from matcher.service.errors import Conflict
from matcher.storage import people as stored
from tests.acceptance.api_world import ELSEWHERE, HERE, World, request
from tests.acceptance.browsing import EMAIL, Browser, everything, journaled, person


@pytest.fixture
async def world(small_world: World) -> World:
    await person(small_world)
    return small_world


async def shared_form(world: World) -> tuple[str, str, str]:
    """Path, code and id of a form that a structure shares."""
    async with world.house.sessions.begin() as session:
        structure = await stored.structure_by_name(session, HERE, "Structure requester ")
    assert structure is not None
    address, code = await access.add_form(world.house, operator(HERE), structure)
    path = address.removeprefix(world.house.public_url)
    return path, code, path.rsplit("/", 1)[1]


async def test_a_shared_form_submits_and_reads_its_own_and_nothing_else(world: World) -> None:
    path, code, _ = await shared_form(world)
    theirs = await world.submitted("requester2")
    browser = Browser(world)
    await browser.go(path)
    await browser.post(path, code="aaaaa-bbbbb")
    assert browser.status == 403
    await browser.post(path, code=code.upper())
    assert browser.location == "/demande"
    for page, status in (("/demande", 200), ("/mes-demandes", 200), ("/compte", 200), ("/bureau", 403)):
        await browser.go(page)
        assert (page, browser.status) == (page, status)
    mine = await world.submitted("requester")
    await browser.go(f"/mes-demandes/{mine}")
    assert browser.status == 200
    await browser.go(f"/mes-demandes/{theirs}")
    assert browser.status == 404
    await browser.post("/equipe", email="autre@cpts.example")
    assert browser.status == 404
    assert code.replace("-", "") not in await everything(world)


async def test_a_form_whose_code_was_made_anew_or_that_was_closed_ends_at_once(world: World) -> None:
    path, code, link = await shared_form(world)
    browser = Browser(world)
    await browser.go(path)
    await browser.post(path, code=code)
    await browser.go("/mes-demandes")
    assert browser.status == 200
    world.clock.at += world.clock.at.resolution
    _, fresh = await access.renew_form(world.house, operator(HERE), link)
    await browser.go("/mes-demandes")
    assert browser.location.startswith("/connexion")
    for given, right in ((code, False), (fresh, True)):
        again = Browser(world)
        await again.post(path, code=given)
        assert (again.location == "/demande") is right
    await access.revoke_form(world.house, operator(HERE), link)
    await again.go("/mes-demandes")
    assert again.location.startswith("/connexion")
    closed, made_up = Browser(world), Browser(world)
    await closed.post(path, code=fresh)
    await made_up.post("/formulaire/" + "0" * 32, code=fresh)
    assert (closed.status, made_up.status) == (403, 403)
    await world.later(days=91)
    other, code, _ = await shared_form(world)
    await world.later(days=91)
    await closed.post(other, code=code)
    assert closed.status == 403


async def test_a_member_invites_colleagues_and_never_touches_an_account(world: World) -> None:
    async with world.house.sessions.begin() as session:
        structure = (await stored.structures(session, HERE))[0]
    await person(world, Role.REQUESTER, "membre@pass.example", structure=structure.name)
    browser = Browser(world)
    await browser.login("membre@pass.example")
    await browser.go("/equipe")
    page = await browser.post("/equipe", email="collegue@pass.example", name="Collègue")
    link = re.search(r"/bienvenue#([\w-]+)", page)
    assert link is not None
    await browser.go("/equipe")
    await browser.post("/equipe", email=EMAIL)
    assert browser.status == 409
    assert await Browser(world).login() == "/bureau"
    newcomer = Browser(world)
    await newcomer.go("/bienvenue")
    weak = "collegue-collegue"
    await newcomer.post("/bienvenue", token=link[1], password=weak, again=weak)
    assert newcomer.status == 400
    good = "des tuiles rouges au soleil"
    await newcomer.post("/bienvenue", token=link[1], password=good, again=good)
    assert await newcomer.login("collegue@pass.example", good) == "/mes-demandes"


async def test_the_directrice_lets_people_in_and_out_and_sees_each_secret_once(world: World) -> None:
    await person(world, Role.DIRECTRICE, "direction@cpts.example")
    browser = Browser(world)
    await browser.login("direction@cpts.example")
    await browser.go("/comptes")
    page = await browser.post("/comptes/personnes", email="nouvelle@cpts.example", role="secretaire")
    assert "/bienvenue#" in page
    await browser.go("/comptes")
    await browser.post("/comptes/personnes", email=EMAIL, role="secretaire")
    assert browser.status == 409
    page = await browser.go("/comptes")
    for secret in ("/bienvenue#", "tu_"):
        assert secret not in page
    user = await _id(world, EMAIL)
    await browser.post(f"/comptes/personnes/{user}/fermer")
    assert await Browser(world).login() == ""
    await browser.login("direction@cpts.example")
    await browser.go("/comptes")
    await browser.post(f"/comptes/personnes/{await _id(world, 'direction@cpts.example')}/fermer")
    assert browser.status == 409
    actions = [action for action, _ in await journaled(world)]
    assert {"user_added", "user_disabled"} <= set(actions)


async def _id(world: World, email: str) -> str:
    async with world.house.sessions.begin() as session:
        return (await stored.users_by_email(session, email))[0].id


async def test_a_key_is_narrowed_replaced_and_closed(world: World) -> None:
    house = world.house
    key = await people.add_key(
        house, HERE, "Lecture", Role.REQUESTER, kind="pass", scopes=frozenset({"read"})
    )
    assert (await world.call(key, "GET", "/searches")).status == 200
    refused = await world.call(key, "POST", "/searches", request())
    assert (refused.status, refused.json["code"]) == (403, "scope")
    key = await people.add_key(
        house, HERE, "Dépôt", Role.REQUESTER, kind="pass", scopes=frozenset({"read", "create"})
    )
    made = (await world.call(key, "POST", "/searches", request())).json["id"]
    assert (await world.call(key, "POST", f"/searches/{made}/withdraw", {"reason": "left"})).status == 403
    former = await _key(world, "Dépôt")
    assert former.used_at == world.clock.at
    fresh = await access.rotate_key(house, operator(HERE), former.id)
    for days, old in ((6, 200), (1, 401)):
        await world.later(days=days)
        assert (await world.call(key, "GET", "/searches")).status == old
        assert (await world.call(fresh, "GET", f"/searches/{made}")).status == 200
    await access.revoke_key(house, operator(HERE), (await _key(world, "Dépôt")).id)
    assert (await world.call(fresh, "GET", "/searches")).status == 401


async def _key(world: World, name: str) -> Any:
    doors = await access.doors(world.house, operator(HERE))
    return next(one for one in doors.keys if one.name == name and one.opens(world.clock.at))


async def test_an_invitation_does_not_reset_an_account(world: World) -> None:
    with pytest.raises(Conflict):
        await people.add_user(world.house, HERE, EMAIL, Role.SECRETAIRE, only_new=True)
    assert await Browser(world).login() == "/bureau"


async def test_the_pages_of_accounts_find_nothing_of_another_territory(world: World) -> None:
    await person(world, Role.DIRECTRICE, "direction@cpts.example")
    user = await person(world, Role.SECRETAIRE, "la-bas@cpts.example", territory=ELSEWHERE)
    async with world.house.sessions.begin() as session:
        structure = (await stored.structures(session, ELSEWHERE))[0]
    address, code = await access.add_form(world.house, operator(ELSEWHERE), structure.id)
    before = await access.doors(world.house, operator(ELSEWHERE))
    browser = Browser(world)
    await browser.login("direction@cpts.example")
    page = await browser.go("/comptes")
    for theirs in ("la-bas@cpts.example", ELSEWHERE, structure.id):
        assert theirs not in page
    form, key = address.rsplit("/", 1)[1], before.keys[0].id
    for act in (
        f"personnes/{user}/lien",
        f"personnes/{user}/fermer",
        f"personnes/{user}/facteur",
        f"formulaires/{form}/code",
        f"formulaires/{form}/fermer",
        f"cles/{key}/remplacer",
        f"cles/{key}/fermer",
    ):
        await browser.post(f"/comptes/{act}")
        assert (act, browser.status) == (act, 404)
    await browser.post("/comptes/formulaires", structure=structure.id)
    assert browser.status == 404
    assert await access.doors(world.house, operator(ELSEWHERE)) == before
    assert code
