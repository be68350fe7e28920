"""Every page, in every state: no violation that axe knows of, on a phone and on a desk, in light and in the
dark; no wider than the screen, at 200 % too; valid HTML; no script and no style but our own files.
"""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import DESK, PHONE
from tests.browser.hands import Pointer

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
    ("coordinatrice", "/recherches?state=unmet"),
    ("coordinatrice", "/appels"),
    ("coordinatrice", "/demande"),
    ("coordinatrice", "/medecins"),
    ("coordinatrice", "/listes"),
    ("coordinatrice", "/medecins/nouveau"),
    ("coordinatrice", "/reglages"),
    ("coordinatrice", "/echeances"),
    ("coordinatrice", "/aide"),
    ("secretaire", "/bureau"),
    ("secretaire", "/appels"),
    ("directrice", "/rapport"),
    ("directrice", "/journal"),
    ("directrice", "/comptes"),
    ("requester", "/equipe"),
    ("coordinatrice", "/compte"),
    ("coordinatrice", "/compte/second-facteur"),
    ("coordinatrice", "/confirmer"),
    (None, "/formulaire/00000000000000000000000000000000"),
    ("requester", "/mes-demandes"),
    ("requester", "/demande"),
    ("requester", "/aide"),
    ("requester", "/demande?etape=tout"),
    ("requester", "/demande/liste"),
    ("secretaire", "/aide"),
    ("directrice", "/aide"),
    ("coordinatrice", "/reglages?urgente=1"),
    ("coordinatrice", "/recherches?state=calling"),
    ("coordinatrice", "/demande/liste"),
    ("coordinatrice", "/recherches/rien-ici"),
    ("secretaire", "/medecins"),
    ("directrice", "/rapport?du=hier&au=demain"),
    ("directrice", "/journal/fiches"),
    ("coordinatrice", "/recherches/{released}/acces"),
    ("coordinatrice", "/recherches/{released}/droits"),
    ("coordinatrice", "/refus"),
    ("directrice", "/rapport/equite"),
    ("directrice", "/reglages/essai"),
)
STATES = (
    "draft", "submitted", "returned", "ready", "asking", "calling", "proposing", "released", "resting",
    "attached", "unmet", "withdrawn",
)  # fmt: skip


#: A desk of 1280 pixels at 200 %, and the 320 pixels of WCAG's reflow.
NARROW = ({"width": 640, "height": 450}, {"width": 320, "height": 640})
STEPS = ("personne", "joindre", "besoin", "souhaits", "accord", "resume")
AXE = Axe().axe_script
VIOLATIONS = """async (asked) => (await axe.run(asked)).violations.map(
    ({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((one) => one.html.slice(0, 120)).join(" ")}`)"""
#: Where the checker lies that ``.ci/system`` fetches.
CHECKER = Path(__file__).resolve().parents[2] / ".venv" / "share" / "vnu"


async def fits(page) -> None:
    """Raise where the page is wider than the screen, once its style and pictures are there."""
    await page.wait_for_load_state("load")
    wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0, f"{page.url} is {wider} pixels too wide"


async def seen_well(page, options: dict[str, object] | None = None) -> None:
    """Raise where axe finds a violation, or where the page is wider than the screen."""
    if await page.evaluate("typeof axe === 'undefined'"):
        await page.evaluate(AXE)
    # What passes need not be told, which takes axe half of its time.
    said = await page.evaluate(VIOLATIONS, {"resultTypes": ["violations"], **(options or {})})
    assert not said, said
    await fits(page)


async def seen_in_every_way(page) -> None:
    """The same on a phone and on a desk, unfolded, in the dark, and at 200 %."""
    # What is folded away must be usable too.
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for screen in (PHONE, DESK):
        await page.set_viewport_size(screen)
        await seen_well(page)
    await page.emulate_media(color_scheme="dark")
    paper = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(16, 25, 28)"
    # Nothing but colours is otherwise in the dark.
    await seen_well(page, {"runOnly": ["color-contrast"]})
    for screen in NARROW:
        await page.set_viewport_size(screen)
        await fits(page)


@pytest.mark.parametrize(("role", "path"), PAGES)
async def test_every_page_can_be_read_and_used_by_everybody(opened, filled, role, path):
    page = await opened(role)
    await page.goto(path.format(**filled.searches))
    await seen_in_every_way(page)


@pytest.mark.parametrize("state", STATES)
async def test_a_search_can_be_read_and_used_in_each_of_its_states(opened, filled, state):
    page = await opened("coordinatrice")
    await page.goto(f"/recherches/{filled.searches[state]}")
    assert await page.locator(f".state.{state}").count() == 1
    await seen_in_every_way(page)


@pytest.mark.parametrize("state", ["draft", "returned", "asking", "attached"])
async def test_a_requester_can_read_and_use_its_own_request(opened, filled, state):
    page = await opened("requester")
    await page.goto(f"/mes-demandes/{filled.searches[state]}")
    await seen_in_every_way(page)


@pytest.mark.parametrize("step", STEPS)
async def test_each_step_of_a_request_can_be_read_and_used(opened, filled, step):
    page = await opened("requester")
    await page.goto(f"/demande/{filled.searches['draft']}?etape={step}")
    await seen_in_every_way(page)


#: Page → role, what is unfolded and chosen, and the button that then finds fault.
MISTAKES = {
    "/connexion": (None, None, {"Adresse e-mail": "nadia@cpts.example"}, "Se connecter"),
    "/bienvenue#un-code": (None, None, {"Mot de passe": "court"}, "Choisir ce mot de passe"),
    "/demande/liste": ("requester", None, {}, "Créer les brouillons"),
    "/medecins/nouveau": ("coordinatrice", None, {"Adresse e-mail": "sans arobase"}, "Enregistrer"),
    "/recherches/{submitted}": ("coordinatrice", "Renvoyer au demandeur", {}, "Renvoyer"),
    "/recherches/{asking}": ("coordinatrice", "Noter l’accord", {}, "Enregistrer"),
    "/recherches/{calling}": ("coordinatrice", "Clore sans médecin", {}, "Clore"),
    "/compte": ("coordinatrice", None, {"Nouveau mot de passe": "court"}, "Changer"),
    "/recherches/{released}": ("coordinatrice", "Le médecin renonce", {}, "Enregistrer"),
    "/mes-demandes/{asking}": ("requester", "Retirer cette demande", {}, "Retirer"),
}  # fmt: skip


async def _mistaken(opened, filled, path: str):
    """The page that says what was wrong, and the answer that drew it."""
    role, unfolded, typed, button = MISTAKES[path]
    page = await opened(role)
    await page.goto(path.format(**filled.searches))
    hands = Pointer(page)
    if unfolded:
        await hands.unfold(unfolded)
    for label, text in typed.items():
        await hands.write(label, text)
    async with page.expect_navigation() as navigation:
        await hands.press(button)
    answer = await navigation.value
    assert answer.status in (400, 401, 409)
    return page, answer


@pytest.mark.parametrize("path", MISTAKES)
async def test_a_page_that_names_mistakes_can_be_read_and_used(opened, filled, path):
    page, _ = await _mistaken(opened, filled, path)
    await page.get_by_role("alert").wait_for()
    await seen_in_every_way(page)


@pytest.mark.skipif(not any(CHECKER.glob("*.jar")), reason="no Nu checker: run .ci/system")
async def test_the_html_of_every_page_is_valid_and_no_script_or_style_stands_in_it(opened, filled, tmp_path):
    searches = filled.searches
    wanted = [*PAGES, *(("coordinatrice", f"/recherches/{searches[state]}") for state in STATES)]
    wanted += [("requester", f"/demande/{searches['draft']}?etape={step}") for step in STEPS]
    wanted += [
        ("requester", f"/mes-demandes/{searches[state]}") for state in ("draft", "returned", "attached")
    ]
    wanted += [("requester", f"/accord/{language}") for language in ("fr", "ar")]
    pages = {role: await opened(role) for role in {role for role, _ in wanted}}
    answers = [
        await pages[role].request.get(path.format(**searches).partition("#")[0]) for role, path in wanted
    ]
    answers += [(await _mistaken(opened, filled, path))[1] for path in MISTAKES]
    drawn = {}
    for number, answer in enumerate(answers):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        file = tmp_path / f"{number}.html"
        await asyncio.to_thread(file.write_text, await answer.text(), "utf-8")
        drawn[file.name] = answer.url
    (jar,) = CHECKER.glob("*.jar")
    # One checker for all of them: starting it takes longer than what it does.
    command = ["java", "-jar", jar, "--format", "json", "--exit-zero-always", "--stdout", *tmp_path.iterdir()]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    wrong = [
        f"{drawn[one['url'].rpartition('/')[2]]}: {one['message']} {one.get('extract', '')}"
        for one in json.loads(done.stdout)["messages"]
    ]
    assert not wrong, "\n".join(wrong)


async def test_a_mail_of_the_demonstration_is_shown_in_a_sandbox(opened, filled):
    page = await opened(phone=True)
    await page.goto("/boite")
    await page.locator("tbody a").first.click()
    await page.frame_locator("iframe").locator("body").wait_for()
    assert await page.locator("iframe").get_attribute("sandbox") == ""
