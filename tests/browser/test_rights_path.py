"""What a person may ask of the office, and a refusal: each from the page where it begins to its end."""

import zipfile

import pytest
from playwright.async_api import expect

from matcher.service import searches, views
from matcher.storage import sealed
from tests.browser.hands import Pointer
from tests.browser.stage import TERRITORY

pytestmark = pytest.mark.browser


async def test_a_refusal_is_read_with_its_reason_and_has_its_letter_once_the_person_agrees(opened, stage):
    search = await stage.released("Cretonne")
    await searches.desist(stage.house, stage.office, search, "doctor", "Je ne prends pas la C2S.")
    page = await opened("coordinatrice", phone=True)
    hands = Pointer(page)
    await page.goto("/bureau")
    await hands.follow("Lire")
    reference = (await views.search(stage.house, stage.office, search))["reference"]
    told = page.get_by_role("region", name=f"P. C. 1959 · {reference}")
    await expect(told).to_contain_text("Je ne prends pas la C2S.")
    await hands.follow("Lettres de recours")
    await hands.tick("Au médiateur de la CPAM")
    await hands.press("Préparer la lettre (PDF)")
    await expect(page.get_by_role("alert")).to_contain_text("Accord de la personne")
    # What was chosen is still there: one tick is all that lacks.
    await hands.tick("La personne est d’accord pour cette lettre")
    async with page.expect_download() as letter:
        await hands.press("Préparer la lettre (PDF)")
    assert (await (await letter.value).path()).read_bytes().startswith(b"%PDF-")
    await hands.follow("Refus à lire")
    await hands.tick("Doute")
    await hands.press("C’est lu")
    await expect(page.locator("main")).to_contain_text("Aucun refus n’attend d’être lu.")


async def test_a_person_is_given_everything_that_is_held_and_is_erased_once_the_reference_is_copied(
    opened, stage
):
    search = await stage.released("Percale")
    page = await opened("coordinatrice")
    hands = Pointer(page)
    await page.goto(f"/recherches/{search}")
    await hands.follow("Droits de la personne")
    give, end = (page.get_by_role("region", name=name) for name in ("Remettre tout", "Effacer tout"))
    await give.get_by_label("La personne l’a demandé").check()
    async with page.expect_download() as given:
        await hands.press("Préparer le fichier")
    with zipfile.ZipFile(await (await given.value).path()) as archive:
        assert {"lisez-moi.pdf", "donnees.json"} <= set(archive.namelist())
    await end.get_by_label("Son représentant légal l’a demandé").check()
    await hands.write("Pour confirmer", "VEN-26-9999")
    await hands.press("Effacer définitivement")
    await expect(page.get_by_role("alert")).to_contain_text("Référence")
    await expect(end.get_by_label("Son représentant légal l’a demandé")).to_be_checked()
    await hands.write("Pour confirmer", await page.locator("h1 small").inner_text())
    await hands.press("Effacer définitivement")
    await expect(page.get_by_role("heading", name="Données effacées")).to_be_visible()
    async with stage.house.sessions.begin() as session:
        assert await sealed.get(session, TERRITORY, search, "record", closed=True) is None
