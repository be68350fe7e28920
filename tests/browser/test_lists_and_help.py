"""A list of patients, a doctor's own history, the delays on the calendar, and help that can be looked at."""

import pytest

from matcher.service import views
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser

LIST = """nom;prénoms;sexe;naissance;téléphone;interprète;couverture;ald;accord
Basin;Aimée;femme;02/03/1941;06 39 98 01 01;non;régime général;oui;oui
Droguet;Léon;H;31/02/1950;;;;;
Satin;;;1938;;;;;
"""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
async def test_a_list_becomes_drafts_and_says_what_became_of_each_line(opened, stage, encoding):
    page = await opened("requester", javascript=False)
    await page.goto("/demande/liste")
    await page.get_by_label("Votre nom").fill("Mme Cadre")
    await page.get_by_label("Quartier ou lieu").select_option("Parilly")
    await page.get_by_label("Soins demandés").fill("Suivi en EHPAD")
    await page.get_by_label("Difficulté rencontrée").fill("Départ du médecin")
    file = {"name": "liste.csv", "mimeType": "text/csv", "buffer": LIST.encode(encoding)}
    await page.get_by_label("Fichier CSV").set_input_files([file])
    await page.get_by_role("button", name="Créer les brouillons").click()
    rows = page.locator("tbody tr")
    assert await rows.count() == 3
    assert "A. B. 1941" in await rows.nth(0).inner_text()
    assert "Pas de brouillon" in await rows.nth(1).inner_text()
    assert "à compléter" in await rows.nth(2).inner_text()
    # A consent is never taken from a list.
    assert "Colonnes laissées de côté : accord" in (await page.inner_text("main")).replace("\u202f", " ")
    await rows.nth(0).get_by_role("link").click()
    assert not await page.get_by_label("Oui", exact=True).is_checked()
    await page.get_by_role("button", name="Relire et transmettre").click()
    await page.get_by_role("button", name="Transmettre la demande").click()
    await page.get_by_role("alert").wait_for()
    await page.locator(".banner").get_by_role("button", name="Accord").wait_for()


async def test_a_file_that_is_no_list_says_why(opened, stage):
    page = await opened("requester")
    await page.goto("/demande/liste")
    file = {"name": "liste.csv", "mimeType": "text/csv", "buffer": b"prenom;age\nA;3\n"}
    await page.get_by_label("Fichier CSV").set_input_files([file])
    await page.get_by_role("button", name="Créer les brouillons").click()
    assert "au moins « nom »" in (await page.get_by_role("alert").inner_text()).replace("\u202f", " ")
    await seen_well(page)


async def test_the_directory_tells_how_a_doctor_was_asked_and_answered(opened, stage):
    search = await stage.proposing("Velours")
    view = await views.search(stage.house, stage.office, search)
    doctor = view["proposals"][0]["doctor"]["id"]
    page = await opened("coordinatrice", phone=True)
    await page.goto(f"/medecins/{doctor}")
    told = page.get_by_role("region", name="Réponses, sur douze mois")
    assert view["reference"] in await told.inner_text()
    assert "oui" in await told.inner_text()
    await seen_well(page)


async def test_the_delays_are_shown_on_this_weeks_calendar(opened, stage):
    page = await opened("coordinatrice")
    await page.goto("/reglages")
    agenda = page.get_by_role("region", name="Sur le calendrier de cette semaine")
    ordinary = await agenda.inner_text()
    for said in ("lancement", "rappel aux médecins silencieux", "deuxième vague", "passage aux appels"):
        assert said in ordinary
    await page.get_by_role("link", name="Voir une recherche urgente").click()
    assert "deuxième vague" not in await agenda.inner_text()


@pytest.mark.parametrize("role", ["coordinatrice", "secretaire", "directrice", "requester"])
async def test_help_has_pictures_that_load_and_say_what_they_show(opened, stage, role):
    page = await opened(role)
    await page.goto("/aide")
    pictures = page.locator("main img")
    assert await pictures.count() >= 1
    for one in await pictures.all():
        await one.scroll_into_view_if_needed()
        await one.evaluate("one => one.decode()")
        assert await one.evaluate("one => one.naturalWidth") > 0
        assert await one.get_attribute("alt")
