"""How people come in: by what, for how long, from where; and what a stranger can do about it: nothing."""

import re
from datetime import timedelta

import pyotp
import pytest

from matcher.service import passwords, people
from matcher.service.actors import Role
from matcher.storage import people as stored
from tests.acceptance.api_world import ELSEWHERE, HERE, World
from tests.acceptance.browsing import EMAIL, PASSWORD, Browser, add_app, demand, everything, journaled, person


@pytest.fixture
async def world(small_world: World) -> World:
    await person(small_world)
    return small_world


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
    rows = await everything(world)
    assert codes[5].replace("-", "") not in rows
    assert codes[5] not in rows


async def test_no_secret_of_an_app_lies_in_the_database(world: World) -> None:
    browser = Browser(world)
    await browser.login()
    app, _ = await add_app(browser)
    rows = await everything(world)
    assert app.secret not in rows
    assert pyotp.TOTP(app.secret).byte_secret().hex() not in rows


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
