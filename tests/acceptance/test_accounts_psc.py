"""Coming in by Pro Santé Connect, over the pages and a real provider on this host."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from config.access import ProSanteConnect
from matcher.service.actors import Role
from tests.acceptance.api_world import World
from tests.acceptance.browsing import Browser, demand, journaled, person
from tests.integration.oidc import provider, show_card

BACK = "/connexion/pro-sante-connect/retour"


@pytest.fixture(scope="module")
def issuer():
    with provider() as listening:
        yield listening


@pytest.fixture
def world(small_world: World, issuer: str) -> World:
    known = ProSanteConnect(issuer=issuer, client_id="trait-union", client_secret="un-secret")
    object.__setattr__(small_world.house.settings, "psc", known)
    # The provider has a clock of its own.
    small_world.clock.at = datetime.now(UTC)
    return small_world


async def card(browser: Browser, path: str, who: str) -> tuple[str, str]:
    await browser.go(path)
    assert browser.status == 303
    assert parse_qs(urlsplit(browser.location).query)["acr_values"] == ["eidas1"]
    code, state = await show_card(browser.location, who)
    page = await browser.go(f"{BACK}?code={code}&state={state}")
    assert f'value="{code}"' in page
    return code, state


async def test_a_card_that_was_tied_to_an_account_opens_it_and_is_two_factors_by_itself(world: World) -> None:
    await person(world)
    browser = Browser(world)
    assert "Pro Santé Connect" in await browser.go("/connexion")
    code, state = await card(browser, "/connexion/pro-sante-connect", "doctor")
    page = await browser.post(BACK, code=code, state=state)
    assert browser.status == 403
    assert "Aucun compte n’est relié" in page
    await browser.login()
    code, state = await card(browser, "/compte/pro-sante-connect", "doctor")
    await browser.post(BACK, code=code, state=state)
    assert browser.location == "/compte?fait=factor"
    demand(world)
    again = Browser(world)
    code, state = await card(again, "/connexion/pro-sante-connect", "doctor")
    await again.post(BACK, code=code, state=state)
    assert again.location == "/bureau"
    await again.go("/bureau")
    assert again.status == 200
    assert ("login", "psc") in await journaled(world)


async def test_a_card_opens_one_account_of_a_territory_and_an_answer_only_its_own_browser(
    world: World,
) -> None:
    await person(world)
    await person(world, Role.DIRECTRICE, "direction@cpts.example")
    first = Browser(world)
    await first.login()
    code, state = await card(first, "/compte/pro-sante-connect", "staff")
    # Somebody else, to whose browser the address of the answer was sent.
    other = Browser(world)
    await other.login("direction@cpts.example")
    await other.go("/compte")
    await other.post(BACK, code=code, state=state)
    assert other.status == 403
    code, state = await card(other, "/compte/pro-sante-connect", "staff")
    await other.post(BACK, code=code, state=state)
    assert other.location == "/compte?fait=factor"
    await first.login()
    code, state = await card(first, "/compte/pro-sante-connect", "staff")
    page = await first.post(BACK, code=code, state=state)
    assert "ouvre déjà un compte" in page


async def test_a_provider_that_denies_lets_nobody_in(world: World) -> None:
    await person(world)
    browser = Browser(world)
    page = await browser.go(f"{BACK}?error=access_denied&state=x")
    assert browser.status == 403
    assert "n’a pas confirmé" in page
    code, state = await card(browser, "/connexion/pro-sante-connect", "password")
    await browser.post(BACK, code=code, state=state)
    assert browser.status == 403
