"""A browser, the service it looks at, and pages logged in as each role."""

import os
import shutil
import socket

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.stage import PASSWORD, fill, playing

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
Screen = dict[str, int]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


#: The browsers that will do, the cheapest first: one without a window is a fifth of the work.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    found = filter(None, map(shutil.which, CHROMIUMS))
    return os.environ.get("CHROMIUM") or next(found, None)


# A stage for each module: what one leaves behind (a full month, a place offered) is no concern of another.
@pytest.fixture(scope="module")
async def stage(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with playing(tmp_path_factory.mktemp("stage"), port) as served:
        yield served


@pytest.fixture(scope="module")
async def filled(stage):
    """The stage with a search in every state."""
    await fill(stage)
    return stage


@pytest.fixture(scope="session")
async def browser():
    # How soon something shows is said where it is promised; elsewhere a slow machine may take its time.
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS])
        yield launched
        await launched.close()


@pytest.fixture(scope="module")
def remembered(stage) -> dict[str, object]:
    """Role → the browser's state once logged in, so that each role logs in once."""
    return {}


@pytest.fixture
async def opened(browser, stage, remembered):
    """``await opened("coordinatrice", phone=True)``: a page of that role; None is nobody.

    Whatever the console says, and every failed script or style, fails the test.
    """
    contexts, said = [], []

    async def open_(
        role: str | None = None, *, phone: bool = False, javascript: bool = True, screen: Screen | None = None
    ):
        state = remembered.get(role) if role else None
        context = await browser.new_context(
            viewport=screen or (PHONE if phone else DESK),
            storage_state=state,
            java_script_enabled=javascript,
            base_url=stage.base,
            locale="fr-FR",
            timezone_id="Europe/Paris",
        )
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        if role and state is None:
            await page.goto("/connexion")
            await page.get_by_label("Adresse e-mail").fill(f"{role}@cpts.example")
            await page.get_by_label("Mot de passe").fill(PASSWORD)
            await page.get_by_role("button", name="Se connecter").click()
            await page.wait_for_url(lambda url: "connexion" not in url)
            remembered[role] = await context.storage_state()
        return page

    yield open_
    for context in contexts:
        await context.close()
    # A refusal (4xx) of a page or of the API is reported by the browser as a failed resource.
    wrong = [text for text in said if "the server responded with a status of 4" not in text]
    assert not wrong, wrong
