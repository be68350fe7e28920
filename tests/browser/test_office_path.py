"""What the office does beside the whole paths: mistakes, corrections, one key for an outcome."""

import pytest
from playwright.async_api import expect

from matcher.protocol.search import CallOutcome
from matcher.service import calls, views
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser


async def _press(page, name: str) -> None:
    await page.get_by_role("button", name=name).locator("visible=true").first.click()


async def on_the_phone(page) -> str:
    """Begin to call, unless this person has a doctor at hand already; the doctor's name."""
    start = page.get_by_role("button", name="Commencer les appels")
    # Counting does not wait, and a page may have its address before its content.
    await page.locator("#call").or_(start).first.wait_for()
    if await start.count():
        await start.click()
    await page.locator("#call").wait_for()
    return await page.locator("#doctor").inner_text()


async def test_a_call_is_noted_with_the_keyboard_alone(opened, stage):
    search = await stage.calling("Nankin")
    page = await opened("secretaire")
    await page.goto(f"/appels?recherche={search}")
    await on_the_phone(page)
    doctor = (await page.locator("#call").get_attribute("action")).rsplit("/", 1)[1]
    await page.reload()
    # 3 is « À rappeler »: the focus goes to the hour, which is needed.
    await page.keyboard.press("3")
    await expect(page.get_by_label("À rappeler")).to_be_checked()
    await expect(page.get_by_label("Rappeler le")).to_be_focused()
    await page.get_by_label("Rappeler le").fill("2030-01-07T10:30")
    await page.keyboard.press("Enter")
    await page.get_by_text("L’appel est noté").wait_for()
    view = await calls.questions(stage.house, stage.office, doctor)
    tried = next(one["tried"] for one in view["searches"] if one["id"] == search)
    assert [one["outcome"] for one in tried] == [CallOutcome.CALL_BACK]


async def test_a_refused_step_says_why_and_keeps_what_was_typed(opened, stage):
    search = await stage.asking("Popeline")
    page = await opened("coordinatrice")
    await page.goto(f"/recherches/{search}")
    await page.get_by_text("Changer la priorité").click()
    await page.get_by_label("Priorité", exact=False).locator("visible=true").select_option("high")
    await page.get_by_role("button", name="Changer").click()
    await page.get_by_role("alert").wait_for()
    assert await page.get_by_label("Priorité", exact=False).locator("visible=true").input_value() == "high"
    await seen_well(page)


async def test_a_record_opens_with_a_reason_who_it_is_without_and_both_are_journaled(opened, stage):
    search = await stage.submitted("Velours")
    page = await opened("coordinatrice")
    await page.goto(f"/recherches/{search}")
    await page.get_by_role("button", name="Identité et coordonnées").click()
    await page.get_by_role("heading", name="Identité et coordonnées").wait_for()
    shown = await page.inner_text("main")
    assert "Velours" in shown
    assert "Couverture" not in shown
    await seen_well(page)
    await page.get_by_role("button", name="Joindre la personne").click()
    await page.get_by_role("heading", name="Fiche", exact=True).wait_for()
    assert "Couverture" in await page.inner_text("main")
    await seen_well(page)
    view = await views.search(stage.house, stage.office, search)
    assert [one["what"] for one in view["timeline"][-2:]] == ["open_contact_staff", "open_record_staff"]


async def test_a_promised_call_back_needs_its_hour(opened, stage):
    await stage.calling("Tulle")
    page = await opened("secretaire", phone=True)
    await page.goto("/appels")
    await on_the_phone(page)
    await page.get_by_label("À rappeler").check()
    await _press(page, "Noter, et passer au médecin suivant")
    await page.get_by_text("Indiquez le jour et l’heure du rappel.").first.wait_for()
    assert await page.get_by_label("À rappeler").is_checked()
    await page.get_by_label("Rappeler le").fill("2030-01-07T10:30")
    await _press(page, "Noter, et passer au médecin suivant")
    await page.get_by_text("L’appel est noté").wait_for()


async def test_a_doctor_is_corrected_in_the_directory(opened, stage):
    page = await opened("coordinatrice")
    await page.goto("/medecins")
    await page.locator("tbody a[href^='/medecins/']").first.click()
    await page.get_by_label("Nouveaux patients par mois").fill("7")
    await page.get_by_label("Langues").fill("Turc, arabbe")
    await page.get_by_role("button", name="Enregistrer").click()
    await page.get_by_text("peut-être arabe").first.wait_for()
    await page.get_by_label("Langues").fill("Turc, arabe")
    await page.get_by_role("button", name="Enregistrer").click()
    await page.get_by_text("Le médecin est enregistré").wait_for()
    assert await page.get_by_label("Nouveaux patients par mois").input_value() == "7"
    assert await page.get_by_label("Langues").input_value() == "arabe, turc"
    await page.get_by_label("Nombre de places").fill("2")
    # Far ahead, so that it fits no search of the other tests.
    await page.get_by_label("À partir du").fill("2040-01-02")
    await page.get_by_role("button", name="Déclarer ces places").click()
    await page.get_by_text("Les places sont enregistrées").wait_for()
    await seen_well(page)


async def test_a_wrong_password_is_answered_kindly(opened):
    page = await opened()
    await page.goto("/connexion")
    await page.get_by_label("Adresse e-mail").fill("coordinatrice@cpts.example")
    await page.get_by_label("Mot de passe").fill("pas celui-là")
    await page.get_by_role("button", name="Se connecter").click()
    await page.get_by_text("ne convient pas").wait_for()
    await seen_well(page)


async def test_two_requests_for_one_person_are_joined_by_reference(opened, stage):
    first, second = await stage.asking("Basin"), await stage.submitted("Basin")
    reference = (await views.search(stage.house, stage.office, second))["reference"]
    page = await opened("coordinatrice")
    await page.goto(f"/recherches/{first}")
    await page.get_by_text("Réunir avec une autre demande").click()
    await page.get_by_label("Référence de l’autre recherche").fill(reference.lower())
    await page.get_by_role("button", name="Réunir").click()
    await page.get_by_text("Les deux recherches sont réunies").wait_for()
    assert await stage.state(second) == "withdrawn"
