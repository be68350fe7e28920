"""Pictures of the main pages, for docs/images and for /aide: ``make pictures``.

Each is taken in Chromium from the service itself, with made-up people, and written as WebP under 60 KB.
"""

import asyncio
import base64
import re
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from matcher.service.house import CaughtMail
from tests.browser.conftest import DESK, FLAGS, PHONE, chromium
from tests.browser.stage import PASSWORD, ROOT, Stage, fill, playing

DOCS = ROOT / "docs" / "images"
HELP = ROOT / "matcher" / "web" / "static" / "help"
#: Bytes of a picture in docs, and of one on a page, which shows several and is read on the road.
LARGEST = 60 * 1024
LARGEST_HELP = 16 * 1024


async def shoot(page: Page, path: Path, *, scale: float = 1, whole: bool = False) -> None:
    """Write what the page shows, in the best quality that stays small."""
    session = await page.context.new_cdp_session(page)
    size = page.viewport_size or DESK
    height = size["height"]
    if whole:
        height = min(int(await page.evaluate("document.documentElement.scrollHeight")), 1600)
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": scale}
    for quality in (80, 60, 40, 25, 15):
        taken = await session.send(
            "Page.captureScreenshot",
            {"format": "webp", "quality": quality, "clip": clip, "captureBeyondViewport": whole},
        )
        picture = base64.b64decode(taken["data"])
        if len(picture) <= (LARGEST if scale == 1 else LARGEST_HELP):
            break
    await asyncio.to_thread(path.write_bytes, picture)


@asynccontextmanager
async def looking(
    browser: Browser, stage: Stage, role: str | None = None, *, phone: bool = False, dark: bool = False
) -> AsyncIterator[Page]:
    """A page of somebody who is logged in in that role; None is nobody."""
    context = await browser.new_context(
        viewport=PHONE if phone else DESK,
        base_url=stage.base,
        locale="fr-FR",
        timezone_id="Europe/Paris",
        color_scheme="dark" if dark else "light",
    )
    page = await context.new_page()
    if role:
        await page.goto("/connexion")
        await page.get_by_label("Adresse e-mail").fill(f"{role}@cpts.example")
        await page.get_by_label("Mot de passe").fill(PASSWORD)
        await page.get_by_role("button", name="Se connecter").click()
        await page.wait_for_url(lambda url: "connexion" not in url)
    yield page
    await context.close()


#: Name of the picture → role, address ({state} is a search in it), on a phone.
HELPS = {
    "bureau": ("coordinatrice", "/bureau", False),
    "recherche": ("coordinatrice", "/recherches/{ready}", False),
    "propositions": ("coordinatrice", "/recherches/{proposing}", False),
    "appels": ("secretaire", "/appels", False),
    "demande": ("requester", "/demande", False),
    "mes-demandes": ("requester", "/mes-demandes", False),
    "rapport": ("directrice", "/rapport", False),
}


async def help_pictures(browser: Browser, stage: Stage) -> None:
    """The pictures that /aide shows; docs/images has them too."""
    for name, (role, address, phone) in HELPS.items():
        async with looking(browser, stage, role, phone=phone) as page:
            await page.goto(address.format(**stage.searches))
            await shoot(page, DOCS / f"{name}.webp")
            await shoot(page, HELP / f"{name}.webp", scale=0.5)


async def doctor_pictures(browser: Browser, stage: Stage) -> None:
    """What a doctor gets: the mail on a phone, in light and dark, and the page behind its first button."""
    known = await stage.quiet()
    await stage.asking("Coutil")
    mails: list[CaughtMail] = []
    while not mails:
        await asyncio.sleep(0.5)
        mails = [m for m in stage.catcher.messages() if "/r#" in m.text and m.id not in known]
    for dark in (False, True):
        async with looking(browser, stage, phone=True, dark=dark) as page:
            await page.set_content(mails[-1].html)
            await shoot(page, DOCS / ("mail-sombre.webp" if dark else "mail.webp"), whole=True)
    found = re.search(r"/r#[\w-]+", mails[-1].text)
    assert found is not None
    async with looking(browser, stage, phone=True) as page:
        await page.goto(found[0])
        await page.get_by_role("button", name="Oui", exact=True).wait_for()
        await shoot(page, DOCS / "reponse.webp")


async def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as place, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        async with playing(Path(place), port) as stage, async_playwright() as playwright:
            await fill(stage)
            browser = await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS])
            await help_pictures(browser, stage)
            await doctor_pictures(browser, stage)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
