"""Every page, in every state, on a phone and on a desk: no violation that axe knows of."""

import pytest
from axe_playwright_python.async_playwright import Axe

pytestmark = pytest.mark.browser

PAGES = (
    (None, "/connexion"),
    (None, "/bienvenue#un-code"),
    (None, "/r"),
    (None, "/dossier"),
    (None, "/boite"),
    (None, "/rien-ici"),
    ("coordinatrice", "/bureau"),
    ("coordinatrice", "/recherches"),
    ("coordinatrice", "/recherches?q=personne-de-ce-nom"),
    ("coordinatrice", "/appels"),
    ("coordinatrice", "/demande"),
    ("coordinatrice", "/medecins"),
    ("coordinatrice", "/medecins/nouveau"),
    ("coordinatrice", "/reglages"),
    ("coordinatrice", "/aide"),
    ("secretaire", "/bureau"),
    ("secretaire", "/appels"),
    ("directrice", "/rapport"),
    ("directrice", "/journal"),
    ("requester", "/mes-demandes"),
    ("requester", "/demande"),
    ("requester", "/aide"),
    ("requester", "/demande?etape=tout"),
    ("requester", "/demande/liste"),
    ("secretaire", "/aide"),
    ("directrice", "/aide"),
    ("coordinatrice", "/reglages?urgente=1"),
)
STATES = (
    "draft", "submitted", "returned", "ready", "asking", "calling", "proposing", "released", "resting",
    "attached", "unmet", "withdrawn",
)  # fmt: skip


async def seen_well(page) -> None:
    """Raise where axe finds a violation, or where the page is wider than the screen."""
    found = (await Axe().run(page)).response["violations"]
    said = [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]
    assert not said, said
    wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0, f"{page.url} is {wider} pixels too wide"


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desk"])
@pytest.mark.parametrize(("role", "path"), PAGES)
async def test_every_page_can_be_read_and_used_by_everybody(opened, filled, role, path, phone):
    page = await opened(role, phone=phone)
    await page.goto(path)
    await seen_well(page)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desk"])
@pytest.mark.parametrize("state", STATES)
async def test_a_search_can_be_read_and_used_in_each_of_its_states(opened, filled, state, phone):
    page = await opened("coordinatrice", phone=phone)
    await page.goto(f"/recherches/{filled.searches[state]}")
    assert await page.locator(f".state.{state}").count() == 1
    # What is folded away must be usable too.
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    await seen_well(page)


@pytest.mark.parametrize("state", ["draft", "returned", "asking", "attached"])
async def test_a_requester_can_read_and_use_its_own_request(opened, filled, state):
    page = await opened("requester", phone=True)
    await page.goto(f"/mes-demandes/{filled.searches[state]}")
    await seen_well(page)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desk"])
@pytest.mark.parametrize("step", ["personne", "joindre", "besoin", "souhaits", "accord", "resume"])
async def test_each_step_of_a_request_can_be_read_and_used(opened, filled, step, phone):
    page = await opened("requester", phone=phone)
    await page.goto(f"/demande/{filled.searches['draft']}?etape={step}")
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    await seen_well(page)


async def test_a_mail_of_the_demonstration_is_shown_in_a_sandbox(opened, filled):
    page = await opened(phone=True)
    await page.goto("/boite")
    await page.locator("tbody a").first.click()
    await page.frame_locator("iframe").locator("body").wait_for()
    assert await page.locator("iframe").get_attribute("sandbox") == ""
