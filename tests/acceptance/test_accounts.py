"""How people come in: by what, for how long, from where; and what a stranger can do about it: nothing."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from matcher.service import access, passwords, people
from matcher.service.actors import Role, operator
from matcher.service.errors import Conflict
from matcher.service.house import Territory
from matcher.storage import journal
from matcher.storage import people as stored
from tests.acceptance.api_world import ELSEWHERE, HERE, World, request

PASSWORD = "une phrase assez longue"
EMAIL = "salima@cpts.example"


class Browser:
    """Somebody at the pages: keeps cookies, finds the CSRF token, follows nothing by itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.client.session.cookie_jar.clear()
        self.csrf = ""
        self.text = ""
        self.status = 0
        self.location = ""

    async def go(self, path: str) -> str:
        return await self._seen("GET", path, None, {})

    async def post(self, path: str, /, place: str = "", **fields: str) -> str:
        """Post a form of the page that was last seen; ``place`` is the caller's address."""
        headers = {"X-Forwarded-For": place} if place else {}
        return await self._seen("POST", path, {"csrf": self.csrf, **fields}, headers)

    async def _seen(self, method: str, path: str, form: Any, headers: dict[str, str]) -> str:
        async with self.world.client.request(
            method, path, data=form, headers=headers, allow_redirects=False
        ) as reply:
            self.text, self.status = await reply.text(), reply.status
            self.location = reply.headers.get("Location", "")
        found = re.search(r'name="csrf" value="([^"]*)"', self.text)
        self.csrf = found[1] if found else self.csrf
        return self.text

    async def login(
        self, email: str = EMAIL, password: str = PASSWORD, place: str = "", suite: str = ""
    ) -> str:
        self.csrf = ""
        self.world.client.session.cookie_jar.clear()
        await self.post("/connexion", email=email, password=password, place=place, suite=suite)
        return self.location


@pytest.fixture
async def world(small_world: World) -> World:
    await person(small_world)
    return small_world


async def person(
    world: World, role: Role = Role.COORDINATRICE, email: str = EMAIL, territory: str = HERE, **more: Any
) -> str:
    await people.add_user(world.house, territory, email, role, name="Salima", **more)
    await people.set_password(world.house, territory, email, PASSWORD)
    async with world.house.sessions.begin() as session:
        found = await stored.users_by_email(session, email)
    return next(one.id for one in found if one.territory == territory)


def demand(world: World, second_factor: str = "required", territory: str = HERE, **more: str) -> None:
    """What a territory's file says of accounts, changed."""
    held: Territory = world.house.territories[territory]
    accounts = held.settings.accounts.model_copy(update={"second_factor": second_factor, **more})
    settings = held.settings.model_copy(update={"accounts": accounts})
    world.house.territories[territory] = replace(held, settings=settings)  # type: ignore[index]


def secret_of(page: str) -> str:
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


async def add_app(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator app for who is logged in, and the recovery codes that come with it."""
    await browser.go("/compte/second-facteur")
    await browser.post("/compte/second-facteur/application", name="Téléphone")
    assert browser.location == "/compte/second-facteur"
    app = pyotp.TOTP(secret_of(await browser.go("/compte/second-facteur")))
    page = await browser.post("/compte/second-facteur/application/code", code=app.at(browser.world.clock.at))
    return app, re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", page)


async def journaled(world: World, territory: str = HERE) -> list[tuple[str, str | None]]:
    async with world.house.sessions.begin() as session:
        entries = await journal.list_(session, territory, limit=100)
    return [(one.action, one.purpose) for one in entries]


async def test_where_a_second_factor_is_demanded_staff_choose_one_before_they_see_anything(
    world: World,
) -> None:
    demand(world)
    browser = Browser(world)
    assert await browser.login() == "/compte/second-facteur"
    await browser.go("/bureau")
    assert browser.location.startswith("/connexion")
    await browser.go("/connexion?suite=/appels")
    assert browser.location.startswith("/compte/second-facteur")
    _, codes = await add_app(browser)
    assert len(set(codes)) == 10
    await browser.go("/bureau")
    assert browser.status == 200
    await browser.go("/compte")
    await browser.post("/compte/second-facteur/retirer", factor=_factor(browser.text))
    assert browser.status == 409
    assert "ajoutez-en un autre" in browser.text


def _factor(page: str) -> str:
    found = re.search(r'name="factor" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def test_who_only_submits_and_a_rehearsal_over_http_are_not_asked_for_one(world: World) -> None:
    demand(world, "over_https")
    browser = Browser(world)
    assert await browser.login() == "/bureau"
    demand(world)
    async with world.house.sessions.begin() as session:
        await stored.put_structure(
            session, HERE, structure_id="s", name="CCAS", kind="ccas", now=world.clock.at
        )
    await person(world, Role.REQUESTER, "ccas@cpts.example", structure="CCAS")
    assert await Browser(world).login("ccas@cpts.example") == "/mes-demandes"


async def test_a_code_of_an_app_opens_once_and_a_password_alone_no_more(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    app, _ = await add_app(browser)
    browser = Browser(world)
    assert await browser.login(suite="/appels") == "/connexion/facteur?suite=%2Fappels"
    await browser.go("/connexion/facteur?suite=/appels")
    # The step that enrolled the app was used by that.
    await browser.post("/connexion/facteur", code=app.at(world.clock.at), suite="/appels")
    assert browser.status == 401
    await world.later(seconds=30)
    code = app.at(world.clock.at)
    await browser.post("/connexion/facteur", code=f"{code[:3]} {code[3:]}", suite="/appels")
    assert browser.location == "/appels"
    again = Browser(world)
    await again.login()
    await again.go("/connexion/facteur")
    await again.post("/connexion/facteur", code=code)
    assert again.status == 401
    # Nor does one of an earlier step, although it would still be in time.
    await again.post("/connexion/facteur", code=app.at(world.clock.at - timedelta(seconds=30)))
    assert again.status == 401
    seen = await journaled(world)
    assert ("login", "totp") in seen
    assert seen.count(("factor_failed", None)) == 3


async def test_a_recovery_code_stands_in_once(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    _, codes = await add_app(browser)
    for code, right in ((codes[3].upper(), True), (codes[3], False), (codes[4], True)):
        browser = Browser(world)
        await browser.login()
        await browser.go("/connexion/facteur")
        await browser.post("/connexion/facteur", code=code)
        assert (browser.location == "/bureau") is right
    page = await browser.go("/compte")
    assert "8\N{NO-BREAK SPACE}codes" in page
    rows = await _everything(world)
    assert codes[5].replace("-", "") not in rows
    assert codes[5] not in rows


async def test_no_secret_of_an_app_lies_in_the_database(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    app, _ = await add_app(browser)
    rows = await _everything(world)
    assert app.secret not in rows
    assert pyotp.TOTP(app.secret).byte_secret().hex() not in rows


async def _everything(world: World) -> str:
    from sqlalchemy import text

    async with world.house.engine.connect() as connection:
        found = []
        for name in ("users", "factors", "sessions", "journal", "failures", "form_links", "api_keys"):
            found += [repr(row) for row in await connection.execute(text(f'SELECT * FROM "{name}"'))]
    return "\n".join(found)


async def test_codes_are_not_guessed_at_leisure(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    app, _ = await add_app(browser)
    await world.later(seconds=60)
    browser = Browser(world)
    await browser.login()
    await browser.go("/connexion/facteur")
    for _ in range(10):
        await browser.post("/connexion/facteur", code="000000")
    await browser.post("/connexion/facteur", code=app.at(world.clock.at))
    assert browser.status == 429
    await world.later(minutes=16)
    await browser.post("/connexion/facteur", code=app.at(world.clock.at))
    assert browser.location == "/bureau"


async def test_before_a_record_is_shown_who_came_in_long_ago_says_again_who_they_are(world: World) -> None:
    search = await world.submitted()
    browser = Browser(world)
    await browser.login()
    await browser.go("/bureau")
    page = await browser.post(f"/recherches/{search}/fiche", purpose="contact")
    assert "Aubépine" in page
    await world.later(minutes=31)
    page = await browser.post(f"/recherches/{search}/fiche", purpose="contact")
    assert browser.status == 401
    assert "Aubépine" not in page
    assert "C’est bien vous" in page
    carried = {"suite": f"/recherches/{search}/fiche", "garde.purpose": "contact"}
    page = await browser.post("/confirmer", password="une autre phrase", **carried)
    assert browser.status == 401
    page = await browser.post("/confirmer", password=PASSWORD, **carried)
    assert f'action="/recherches/{search}/fiche"' in page
    assert 'name="purpose" value="contact"' in page
    assert "Aubépine" in await browser.post(f"/recherches/{search}/fiche", purpose="contact")
    assert ("confirm_failed", None) in await journaled(world)


async def test_who_it_is_opens_at_one_press_and_the_rest_only_with_a_reason(world: World) -> None:
    search = await world.submitted()
    browser = Browser(world)
    await browser.login()
    await browser.go("/bureau")
    page = await browser.post(f"/recherches/{search}/identite")
    assert "Aubépine" in page
    for hidden in ("complémentaire santé solidaire", "française", "258036938200178", "Suivi."):
        assert hidden not in page
    await browser.post(f"/recherches/{search}/fiche")
    assert browser.status == 400
    page = await browser.post(f"/recherches/{search}/fiche", purpose="proposal")
    assert "258036938200178" in page
    seen = await journaled(world)
    assert ("open_contact_staff", None) in seen
    assert ("open_record_staff", "proposal") in seen


async def test_a_session_left_alone_ends_and_one_in_use_ends_all_the_same(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    for _ in range(11):
        await world.later(minutes=65)
        await browser.go("/aide")
        assert browser.status == 200
    await world.later(minutes=65)
    await browser.go("/aide")
    assert browser.location.startswith("/connexion")
    await browser.login()
    await world.later(hours=2)
    await browser.go("/aide")
    assert browser.location.startswith("/connexion")


async def test_one_sees_ones_sessions_and_ends_the_others(world: World) -> None:
    first = Browser(world)
    await first.login()
    cookies = {one.key: one.value for one in world.client.session.cookie_jar}
    second = Browser(world)
    await second.login()
    page = await second.go("/compte")
    assert page.count('name="session"') == 2
    assert page.count("(celle-ci)") == 1
    await second.post("/compte/sessions/fermer")
    page = await second.go("/compte")
    assert page.count('name="session"') == 1
    world.client.session.cookie_jar.clear()
    async with world.client.get("/bureau", cookies=cookies, allow_redirects=False) as reply:
        assert reply.status == 303


async def test_another_password_ends_every_other_session_and_wants_the_present_one(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    await browser.go("/compte")
    fresh = "trois chevaux traversent Lyon"
    await browser.post("/compte/mot-de-passe", current="pas celui-là", password=fresh, again=fresh)
    assert browser.status == 400
    for weak, why in (
        ("trop court", "au moins 12"),
        ("motdepasse2026", "Beaucoup de gens"),
        ("salima-cpts-12", "fait de votre nom"),
        ("lundilundilundi", "se répète"),
    ):
        page = await browser.post("/compte/mot-de-passe", current=PASSWORD, password=weak, again=weak)
        assert browser.status == 400
        assert why in page
    await browser.post("/compte/mot-de-passe", current=PASSWORD, password=fresh, again=fresh)
    assert browser.location == "/compte?fait=password"
    assert await Browser(world).login() == ""
    assert await Browser(world).login(password=fresh) == "/bureau"


async def test_one_person_of_two_territories_chooses_and_goes_over_and_nothing_crosses(world: World) -> None:
    await person(world, Role.DIRECTRICE, territory=ELSEWHERE)
    search = await world.submitted()
    browser = Browser(world)
    assert await browser.login() == "/connexion/territoire"
    await browser.go("/bureau")
    assert browser.location.startswith("/connexion")
    await browser.go("/connexion/territoire")
    await browser.post("/connexion/territoire", territory=HERE)
    assert browser.location == "/bureau"
    page = await browser.go("/recherches")
    assert search in page
    assert "Passer à" in page
    await browser.post("/territoire", territory=ELSEWHERE)
    assert browser.location == "/rapport"
    await browser.go(f"/recherches/{search}")
    assert browser.status == 403
    await browser.go("/rapport")
    await browser.post("/territoire", territory="nulle-part")
    assert browser.status == 404
    # Another password there: then the two have nothing to do with each other.
    await people.set_password(world.house, ELSEWHERE, EMAIL, "une tout autre phrase")
    browser = Browser(world)
    assert await browser.login() == "/bureau"
    await browser.go("/bureau")
    assert "Passer à" not in browser.text
    await browser.post("/territoire", territory=ELSEWHERE)
    assert browser.status == 404


async def test_going_over_asks_for_the_second_factor_of_the_other_account(world: World) -> None:
    await person(world, territory=ELSEWHERE)
    demand(world, territory=ELSEWHERE)
    browser = Browser(world)
    await browser.login()
    await browser.go("/connexion/territoire")
    await browser.post("/connexion/territoire", territory=HERE)
    await browser.go("/bureau")
    await browser.post("/territoire", territory=ELSEWHERE)
    assert browser.location == "/compte/second-facteur"
    await browser.go("/bureau")
    assert browser.location.startswith("/connexion")


async def test_a_flood_of_wrong_passwords_from_elsewhere_keeps_nobody_out_who_is_where_they_always_are(
    world: World,
) -> None:
    hospital, attacker = "192.0.2.10", "198.51.100.7"
    browser = Browser(world)
    assert await browser.login(place=hospital) == "/bureau"
    stranger = Browser(world)
    for number in range(60):
        await stranger.login(password="faux", place=f"203.0.113.{number % 6}")
    await stranger.login(place="203.0.113.200")
    assert stranger.status == 429
    assert await Browser(world).login(place=hospital) == "/bureau"
    # Ten from one place are enough for that place, and say nothing of whether the account exists.
    for email in (EMAIL, "personne@cpts.example"):
        for _ in range(10):
            await stranger.login(email, "faux", place=attacker)
        await stranger.login(email, "faux", place=attacker)
        assert stranger.status == 429
    await world.later(minutes=16)
    assert await Browser(world).login(place=attacker) == "/bureau"


async def test_an_address_is_read_from_the_proxies_that_are_ours_alone(world: World) -> None:
    browser = Browser(world)
    for number in range(11):
        # What the caller wrote in front does not count; what our proxy added does.
        await browser.login(password="faux", place=f"10.9.8.{number}, 198.51.100.7")
    assert browser.status == 429


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
    assert code.replace("-", "") not in await _everything(world)


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


async def test_an_unknown_address_does_the_same_work_as_a_wrong_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real = passwords.verify

    async def counted(hashed: str, password: str) -> bool:
        done.append(hashed[:20])
        return await real(hashed, password)

    monkeypatch.setattr(passwords, "verify", counted)
    answers = set()
    for email in (EMAIL, "personne@cpts.example"):
        page = await Browser(world).login(email, "ce n’est pas celui-là")
        answers.add(page)
    assert len(done) == 2
    assert len(set(done)) == 1
    assert answers == {""}
    assert ("login_failed", None) in await journaled(world)
