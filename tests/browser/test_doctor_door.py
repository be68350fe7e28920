"""A doctor answers on a phone; a mail scanner that opens the same link changes nothing (P6)."""

import asyncio
import re

import pytest

from matcher.service import views
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser
_ANSWER = re.compile(r"/r#([\w-]+)")
_RECORD = re.compile(r"/dossier#([\w-]+)")


async def _mailed(stage, pattern, known: set[str]) -> str:
    """The token of a mail that came after those in ``known``."""
    for _ in range(100):
        for mail in stage.catcher.messages():
            found = pattern.search(mail.text)
            if found and mail.id not in known:
                return found[1]
        await asyncio.sleep(0.1)
    raise AssertionError("no such mail")


async def _link(stage) -> tuple[str, str]:
    """A new search and the token of one of its announcements."""
    known = await stage.quiet()
    search = await stage.asking("Sergé")
    return search, await _mailed(stage, _ANSWER, known)


async def _state_becomes(stage, search: str, wanted: str) -> None:
    for _ in range(100):
        if await stage.state(search) == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{await stage.state(search)} is not {wanted}")


async def _read(page, token: str) -> None:
    await page.goto(f"/r#{token}")
    await page.get_by_role("button", name="Oui", exact=True).wait_for()
    # Longer than min_reading: a person reads before answering.
    await page.wait_for_timeout(2300)


async def test_a_scanner_that_loads_the_link_and_runs_its_script_changes_nothing(opened, stage):
    search, token = await _link(stage)
    before = await views.search(stage.house, stage.office, search)
    page = await opened()
    await page.goto(f"/r#{token}")
    await page.get_by_role("button", name="Oui", exact=True).wait_for()
    await page.wait_for_timeout(1500)
    after = await views.search(stage.house, stage.office, search)
    assert (after["state"], after["timeline"]) == (before["state"], before["timeline"])


async def test_the_token_leaves_the_address_bar(opened, stage):
    _, token = await _link(stage)
    page = await opened(phone=True)
    await page.goto(f"/r#{token}")
    await page.get_by_role("button", name="Oui", exact=True).wait_for()
    assert token not in page.url


async def test_the_first_press_asks_and_the_second_answers_yes(opened, stage):
    search, token = await _link(stage)
    page = await opened(phone=True)
    await _read(page, token)
    await seen_well(page)
    await page.get_by_role("button", name="Oui", exact=True).click()
    assert await stage.state(search) == "asking"
    await seen_well(page)
    await page.get_by_role("button", name="Je confirme : oui".replace(" :", "\u202f:")).click()
    await page.get_by_role("heading", name="Merci, votre réponse est notée").wait_for()
    await seen_well(page)
    await _state_becomes(stage, search, "proposing")


async def test_a_yes_with_conditions_says_them_to_the_office(opened, stage):
    search, token = await _link(stage)
    page = await opened(phone=True)
    await _read(page, token)
    await page.get_by_role("button", name="Oui, à certaines conditions").click()
    await page.get_by_label("Où").select_option("teleconsultation")
    await seen_well(page)
    await page.get_by_role("button", name="Je confirme").locator("visible=true").click()
    await page.get_by_role("heading", name="Merci, votre réponse est notée").wait_for()
    await _state_becomes(stage, search, "proposing")
    view = await views.search(stage.house, stage.office, search)
    assert view["proposals"][0]["conditions"] == {"where": "teleconsultation"}


async def test_a_no_takes_a_reason_by_one_tap_and_can_be_taken_back(opened, stage):
    _, token = await _link(stage)
    page = await opened(phone=True)
    await _read(page, token)
    await page.get_by_role("button", name="Pas cette fois").click()
    await page.get_by_label("Trop loin").check()
    await page.get_by_role("button", name="Je confirme").locator("visible=true").click()
    await page.get_by_role("heading", name="Merci, votre réponse est notée").wait_for()
    await page.wait_for_timeout(1600)
    await page.get_by_role("button", name="Revenir sur ma réponse").click()
    await page.get_by_role("button", name="Je confirme").locator("visible=true").click()
    await page.get_by_role("button", name="Faire une pause").wait_for()


async def test_a_pause_is_taken_until_its_date(opened, stage):
    _, token = await _link(stage)
    page = await opened(phone=True)
    await _read(page, token)
    await page.get_by_role("button", name="Faire une pause").click()
    await page.get_by_label("Deux semaines").check()
    await seen_well(page)
    await page.get_by_role("button", name="Je confirme la pause").click()
    await page.get_by_text("Vous êtes en pause").wait_for()


async def test_an_answer_at_once_is_held_and_said_so(opened, stage):
    _, token = await _link(stage)
    page = await opened(phone=True)
    await page.goto(f"/r#{token}")
    await page.get_by_role("button", name="Oui", exact=True).click()
    await page.get_by_role("button", name="Je confirme").locator("visible=true").click()
    await page.get_by_role("heading", name="Votre réponse est bien arrivée").wait_for()
    await seen_well(page)


@pytest.mark.parametrize("path", ["/r", "/dossier"])
async def test_a_wrong_link_says_kindly_what_to_do(opened, path):
    page = await opened(phone=True)
    await page.goto(f"{path}#abcdefgh")
    await page.get_by_role("heading", name="Ce lien ne fonctionne pas").wait_for()
    await seen_well(page)


@pytest.mark.parametrize("path", ["/r", "/dossier"])
async def test_without_javascript_the_number_of_the_office_is_there(opened, stage, path):
    page = await opened(phone=True, javascript=False)
    await page.goto(path)
    assert "Répondez simplement" in await page.inner_text("main")
    assert await page.locator("main a[href^='tel:']").first.is_visible()


async def test_the_chosen_doctor_opens_the_record_with_the_code(opened, stage):
    known = await stage.quiet()
    search = await stage.released("Moire")
    token = await _mailed(stage, _RECORD, known)
    code = (await views.search(stage.house, stage.office, search))["release"]["code"]
    page = await opened(phone=True)
    await page.goto(f"/dossier#{token}")
    await page.get_by_label("Code", exact=True).fill(
        "0" * len(code) if set(code) != {"0"} else "1" * len(code)
    )
    await seen_well(page)
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_text("Ce code n’est pas valable").wait_for()
    await page.get_by_label("Code", exact=True).fill(code)
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_role("heading", name="Fiche de la personne").wait_for()
    shown = await page.inner_text("#record")
    sent = await views.record(stage.house, stage.office, search, "complete")
    for name in ("birth_name", "nir", "phone", "care_needed"):
        assert sent["record"][name] in shown
    assert "C2S" in shown
    await seen_well(page)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Télécharger en PDF").click()
    assert (await (await download.value).path()).read_bytes().startswith(b"%PDF-")
    await page.get_by_role("button", name="J’ai bien reçu la fiche").click()
    await page.get_by_text("Merci, c’est noté").wait_for()


async def test_the_chosen_doctor_asks_to_be_called_and_gives_up(opened, stage):
    known = await stage.quiet()
    search = await stage.released("Taffetas")
    token = await _mailed(stage, _RECORD, known)
    page = await opened(phone=True)
    await page.goto(f"/dossier#{token}")
    await page.get_by_role("button", name="Rappelez-moi pour le code").click()
    await page.get_by_text("C’est noté").locator("visible=true").wait_for()
    await page.get_by_text("Je dois renoncer").click()
    await page.get_by_label("Je confirme").check()
    await page.get_by_role("button", name="Renoncer").click()
    await page.get_by_text("Merci de supprimer la fiche").wait_for()
    # Members whom no wave reached yet are asked before the calls go on.
    assert await stage.state(search) in ("asking", "calling")


@pytest.mark.parametrize(
    ("pressed", "asked"),
    [
        ("oui", "Vous répondez : oui"),
        ("conditions", "Oui, à certaines conditions"),
        ("non", "Pas cette fois"),
    ],
)
async def test_a_button_of_the_mail_shows_its_confirmation_and_sends_nothing(opened, stage, pressed, asked):
    search, token = await _link(stage)
    before = await views.search(stage.house, stage.office, search)
    page = await opened(phone=True)
    await page.goto(f"/r#{token}.{pressed}")
    await page.get_by_role("heading", name=asked.replace(" :", "\u202f:")).wait_for()
    await seen_well(page)
    assert token not in page.url
    after = await views.search(stage.house, stage.office, search)
    assert (after["state"], after["timeline"]) == (before["state"], before["timeline"])
    await page.get_by_role("button", name="Revenir").locator("visible=true").click()
    await page.get_by_role("button", name="Oui", exact=True).wait_for()


async def test_the_chosen_doctor_says_when_the_appointment_is(opened, stage):
    known = await stage.quiet()
    search = await stage.released("Organdi")
    token = await _mailed(stage, _RECORD, known)
    code = (await views.search(stage.house, stage.office, search))["release"]["code"]
    page = await opened(phone=True)
    await page.goto(f"/dossier#{token}")
    await page.get_by_label("Code", exact=True).fill(code)
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_text("Qui appelle").wait_for()
    await page.get_by_label("J’ai donné rendez-vous le").fill("2020-01-06")
    await page.get_by_role("button", name="Noter le rendez-vous").click()
    await page.get_by_text("Cette date est passée").wait_for()
    await page.get_by_label("J’ai donné rendez-vous le").fill("2031-06-02")
    await page.get_by_role("button", name="Noter le rendez-vous").click()
    await page.get_by_text("lundi 2 juin 2031").wait_for()
    await seen_well(page)
    view = await views.search(stage.house, stage.office, search)
    assert (str(view["appointment"]["on"]), view["appointment"]["state"]) == ("2031-06-02", "planned")


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_doctor_reads_what_is_kept_of_him_at_the_end_of_the_link_of_a_mail(opened, stage, width):
    known = await stage.quiet()
    await stage.asking("Sergé")
    token = await _mailed(stage, re.compile(r"/mes-reponses#([\w-]+)"), known)
    page = await opened()
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(f"/mes-reponses#{token}")
    await page.get_by_role("heading", name="Ce que nous gardons de vous").wait_for()
    assert await page.get_by_text(re.compile(r"\d+ mails? reçus?")).is_visible()
    assert await page.locator("#items li").count() >= 1
    assert await page.get_by_role("heading", name="Corriger, vous opposer").is_visible()
    assert token not in page.url
    await seen_well(page)
