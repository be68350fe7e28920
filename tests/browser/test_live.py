"""What changes shows itself: on every open page of the office, and never the same doctor to two people."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from matcher.protocol.search import Says
from matcher.service import doctor_links, views
from tests.browser.test_accessible import seen_well
from tests.browser.test_office_path import on_the_phone

pytestmark = pytest.mark.browser
_ANSWER = re.compile(r"/r#([\w-]+)")


async def _mailed_search(stage, name: str) -> tuple[str, str, str]:
    """A new search, its reference, and the token of one of its announcements."""
    known = await stage.quiet()
    search = await stage.asking(name)
    reference = (await views.search(stage.house, stage.office, search))["reference"]
    for _ in range(100):
        for mail in stage.catcher.messages():
            found = _ANSWER.search(mail.text)
            if found and mail.id not in known:
                return search, reference, found[1]
        await asyncio.sleep(0.1)
    raise AssertionError("no announcement came")


async def _says_yes(stage, token: str) -> None:
    await doctor_links.open_link(stage.house, token)
    # Longer than min_reading: a person reads before answering.
    await asyncio.sleep(2.2)
    assert "held" not in await doctor_links.answer(stage.house, token, Says.YES)


async def test_a_yes_by_mail_shows_on_both_open_screens_within_two_seconds(opened, stage):
    _, reference, token = await _mailed_search(stage, "Cretonne")
    bureau, phone = await opened("coordinatrice"), await opened("secretaire", phone=True)
    await bureau.goto("/bureau")
    await phone.goto("/appels")
    for page in (bureau, phone):
        await expect(page.locator("#sound")).to_be_visible()
        assert await page.locator("#fresh", has_text=reference).count() == 0
        # A page that was read again has lost this mark.
        await page.evaluate("window.mark = true")
    await _says_yes(stage, token)
    await asyncio.gather(
        *(expect(page.locator("#fresh")).to_contain_text(reference, timeout=2000) for page in (bureau, phone))
    )
    for page in (bureau, phone):
        assert await page.evaluate("window.mark")
        await expect(page.locator("#live-said")).to_have_text("Un nouveau oui vient d’arriver.")


async def test_what_changed_before_a_page_began_to_listen_shows_all_the_same(opened, stage):
    await stage.calling("Percale")
    one, other = await opened("coordinatrice"), await opened("secretaire")
    let = asyncio.Event()

    async def late(route) -> None:
        await let.wait()
        await route.continue_()

    await other.goto("/appels")
    before = await on_the_phone(other)
    await one.route("**/direct", late)
    await one.goto("/appels")
    await other.get_by_label("Pas de réponse").check()
    await other.get_by_role("button", name="Noter, et passer au médecin suivant").click()
    await expect(other.locator("#doctor")).not_to_have_text(before)
    doctor = await other.locator("#doctor").inner_text()
    row = one.locator("#everybody tr", has_text=doctor)
    assert "Secretaire l’appelle" not in await row.inner_text()
    let.set()
    await expect(row).to_contain_text("Secretaire l’appelle")


async def test_a_page_that_nothing_changed_under_is_not_read_again(opened, stage):
    page = await opened("coordinatrice")
    read = []
    page.on("request", lambda asked: read.append(asked.url) if asked.url.endswith("/bureau") else None)
    second = await page.context.new_page()
    # The stage has its own timers: an interval in which none of them rang is asked for.
    for _ in range(10):
        read.clear()
        # One that is open would go on listening for both.
        await second.goto("about:blank")
        before = stage.house.bell.mark(stage.office.territory)
        async with page.expect_response("**/direct"):
            await page.goto("/bureau")
        # A second page hears the same word from the first, and has no need of it either.
        await second.goto("/bureau")
        await page.wait_for_timeout(1200)
        if stage.house.bell.mark(stage.office.territory) == before:
            break
    assert len(read) == 1


async def test_what_is_typed_and_the_focus_outlive_the_news(opened, stage):
    _, reference, token = await _mailed_search(stage, "Indienne")
    await stage.calling("Calicot")
    page = await opened("secretaire", phone=True)
    await page.goto("/appels")
    await on_the_phone(page)
    everybody = page.locator("#everybody table")
    await expect(everybody).to_be_hidden()
    await page.get_by_text("Voir la liste").click()
    await page.get_by_label("Non", exact=False).first.check()
    await page.get_by_label("Qui a répondu").select_option("secretary")
    await page.get_by_role("link", name="Aide").focus()
    await _says_yes(stage, token)
    await expect(page.locator("#fresh")).to_contain_text(reference, timeout=2000)
    assert await page.get_by_label("Qui a répondu").input_value() == "secretary"
    assert await page.evaluate("document.activeElement.textContent") == "Aide"
    await expect(everybody).to_be_visible()


async def test_the_sound_can_be_switched_off_and_stays_off(opened, stage):
    page = await opened("coordinatrice")
    await page.goto("/bureau")
    await page.get_by_role("button", name="Couper le signal sonore").click()
    await page.reload()
    await page.get_by_role("button", name="Remettre le signal sonore").click()
    await expect(page.get_by_role("button", name="Couper le signal sonore")).to_be_visible()


async def test_two_people_on_the_phone_never_have_the_same_doctor(opened, stage):
    await stage.calling("Madapolam")
    one, other = await opened("coordinatrice"), await opened("secretaire")
    await asyncio.gather(one.goto("/appels"), other.goto("/appels"))
    for _ in range(3):
        first, second = await asyncio.gather(on_the_phone(one), on_the_phone(other))
        assert first != second
        # Each sees, without reloading, whom the other has at hand.
        await expect(one.locator("#everybody tr", has_text=second)).to_contain_text("Secretaire l’appelle")
        await expect(other.locator("#everybody tr", has_text=first)).to_contain_text(
            "Coordinatrice l’appelle"
        )
        for page, had in ((one, first), (other, second)):
            await page.get_by_label("Pas de réponse").check()
            await page.get_by_role("button", name="Noter, et passer au médecin suivant").click()
            await expect(page.locator("#doctor")).not_to_have_text(had)


async def test_a_doctor_who_rings_back_is_found_with_his_open_questions(opened, stage):
    search, reference, _ = await _mailed_search(stage, "Étamine")
    asked = (await views.search(stage.house, stage.office, search))["solicitations"][0]["doctor"]
    page = await opened("secretaire")
    await page.goto("/appels")
    await page.get_by_label("Le docteur … rappelle").fill(f"docteur {asked['name'].split()[-1]}")
    await page.get_by_role("button", name="Trouver").click()
    await page.get_by_role("button", name=f"Ses questions ouvertes : {asked['name']}").click()
    await expect(page.locator("#doctor")).to_have_text(asked["name"])
    await expect(page.locator("#call")).to_contain_text(reference)
    await seen_well(page)
    for box in await page.locator('#call input[name="search"]').all():
        await box.set_checked(await box.get_attribute("value") == search)
    await page.keyboard.press("Numpad5")
    await page.get_by_role("button", name="Noter, et passer au médecin suivant").click()
    await page.get_by_text("L’appel est noté").wait_for()
    view = await views.search(stage.house, stage.office, search)
    assert [one["doctor"]["id"] for one in view["proposals"]] == [asked["id"]]


async def test_the_list_of_calls_prints_on_a4(opened, stage):
    await stage.calling("Batiste")
    page = await opened("coordinatrice")
    await page.goto("/appels")
    await page.emulate_media(media="print")
    await expect(page.locator("#call")).to_be_hidden()
    await expect(
        page.get_by_text("cherche un médecin traitant").locator("visible=true").first
    ).to_be_visible()
    # 186 mm of paper at 96 dots an inch.
    await page.set_viewport_size({"width": 703, "height": 1000})
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
