"""A requester fills the form in, with and without JavaScript; nothing typed is ever lost."""

import aiohttp
import pytest

from matcher.service import views
from tests.browser.stage import PASSWORD
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser

NEXT = "Enregistrer et continuer"
STEPS = (
    {"Nom de naissance": "Cotonnade", "Prénoms": "Ludivine"},
    {"Téléphone": "06 39 98 00 11", "Commune": "Vénissieux"},
    {"Soins demandés": "Un suivi", "Difficulté rencontrée": "Plus de médecin depuis un an"},
    {},
    {"Votre nom": "Infirmière Lin"},
)
CHOSEN = (
    {"Sexe": "F"},
    {"Quartier ou lieu": "Parilly", "Un interprète est-il nécessaire": "no"},
    {"Affection de longue durée": "no", "Couverture": "regime_general"},
    {"Une femme ou un homme médecin": "F", "Une langue parlée": "ar"},
    {"Donné par": "patient", "Comment": "oral"},
)


def _field(page, label: str):
    return page.get_by_label(label, exact=False).locator("visible=true").first


async def _fill(page, step: int) -> None:
    for label, value in STEPS[step].items():
        await _field(page, label).fill(value)
    for label, value in CHOSEN[step].items():
        await _field(page, label).select_option(value)


async def _press(page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def test_a_step_at_fault_comes_back_with_everything_typed(opened, stage):
    page = await opened("requester", phone=True)
    await page.goto("/demande")
    await _fill(page, 0)
    await _field(page, "Date de naissance").fill("31/02/1961")
    await _press(page, NEXT)
    await page.get_by_role("alert").wait_for()
    for label, value in STEPS[0].items():
        assert await _field(page, label).input_value() == value
    born = _field(page, "Date de naissance")
    assert (await born.input_value(), await born.get_attribute("aria-invalid")) == ("31/02/1961", "true")
    await seen_well(page)
    await page.get_by_role("alert").get_by_role("link").click()
    assert await born.evaluate("one => one === document.activeElement")


async def test_every_mistake_at_once_is_named_beside_its_field_and_in_the_summary(opened, stage):
    page = await opened("requester")
    await page.goto("/demande?etape=tout")
    typed = {
        "Nom de naissance": "Percale",
        "Date de naissance": "31/02/1961",
        "Code postal": "69200",
        "Soins demandés": "Un suivi",
        "Rendez-vous dans les … jours": "bientôt",
        "Distance maximale, en km": "loin",
    }
    for label, text in typed.items():
        await page.get_by_label(label, exact=False).first.fill(text)
    await page.get_by_text("D’autres personnes du même foyer").click()
    await page.get_by_label("Date de naissance, personne 2").fill("32/13/2000")
    await page.get_by_label("Langue", exact=True).select_option("tr")
    await page.get_by_label("Oui", exact=True).check()
    files = [
        {"name": "bilan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 bilan"},
        {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"du texte qui se dit PDF"},
    ]
    await page.get_by_label("Ajouter des pièces jointes").set_input_files(files)
    await _press(page, "Transmettre la demande")
    named = page.get_by_role("alert").get_by_role("link")
    assert set(await named.all_inner_texts()) == {
        "Prénoms", "Sexe", "Date de naissance", "Date de naissance, personne 2", "Comment la joindre",
        "Interprète nécessaire", "Commune", "Difficulté rencontrée", "ALD", "Couverture",
        "Distance maximale", "Rendez-vous dans les … jours", "Donné par", "Comment", "Votre nom",
        "Pièces jointes",
    }  # fmt: skip
    for link in await named.all():
        target = page.locator(await link.get_attribute("href"))
        assert await target.count() == 1, await link.inner_text()
        beside = target.locator("xpath=ancestor-or-self::div[1]").locator(".fault")
        assert await beside.first.is_visible(), await link.inner_text()
    for label, text in typed.items():
        assert await page.get_by_label(label, exact=False).first.input_value() == text
    assert await page.get_by_label("Langue", exact=True).input_value() == "tr"
    assert await page.get_by_label("Oui", exact=True).is_checked()
    attached = await page.locator("#record-attachments").inner_text()
    assert "« bilan.pdf » est joint" in attached
    assert "« notes.pdf » n’a pas été gardé" in attached
    await seen_well(page)


async def test_what_is_missing_is_named_before_sending_and_beside_its_field(opened, stage):
    page = await opened("requester")
    await page.goto("/demande")
    await page.get_by_label("Nom de naissance").fill("Mousseline")
    await _press(page, NEXT)
    await page.get_by_role("button", name="Relire et transmettre").click()
    await _press(page, "Transmettre la demande")
    await page.get_by_role("alert").wait_for()
    await page.locator(".banner").get_by_role("button", name="Soins demandés").wait_for()
    await seen_well(page)
    await page.locator(".banner").get_by_role("button", name="Prénoms").click()
    await page.get_by_role("alert").get_by_role("link", name="Prénoms").wait_for()
    assert await page.get_by_label("Prénoms").get_attribute("aria-invalid") == "true"
    assert await page.get_by_label("Nom de naissance").input_value() == "Mousseline"


async def test_a_draft_is_kept_under_its_initials_and_resumed_where_it_was_left(opened, stage):
    page = await opened("requester")
    await page.goto("/demande")
    await page.get_by_label("Nom de naissance").fill("Jersey")
    await page.get_by_label("Date de naissance").first.fill("1990")
    await _press(page, "Enregistrer et finir plus tard")
    await page.get_by_text("Le brouillon est enregistré").wait_for()
    assert "J. 1990" in await page.inner_text("main")
    await page.get_by_role("link", name="Compléter").first.click()
    assert await page.get_by_label("Nom de naissance").input_value() == "Jersey"
    await page.get_by_label("Prénoms").fill("Blanche")
    await _press(page, NEXT)
    await page.get_by_role("button", name="La personne", exact=True).click()
    assert await page.get_by_label("Prénoms").input_value() == "Blanche"


async def test_an_odd_number_is_warned_about_at_once_and_kept(opened, stage):
    page = await opened("requester")
    await page.goto("/demande")
    await _fill(page, 0)
    await _press(page, NEXT)
    await _field(page, "Téléphone").fill("06 39")
    await page.get_by_text("un numéro de téléphone français compte dix chiffres").wait_for()
    await _field(page, "Code postal").fill("692")
    await page.get_by_text("un code postal compte cinq chiffres").wait_for()
    await seen_well(page)
    await _press(page, NEXT)
    await _field(page, "Numéro de sécurité sociale").fill("2 84 05 88 321 025 31")
    await _press(page, NEXT)
    await page.get_by_role("button", name="Relire et transmettre").click()
    shown = await page.inner_text("main")
    assert "clé de ce numéro" in shown
    assert "code postal compte cinq" in shown
    assert "06 39" in shown


async def test_a_household_of_any_size_is_kept_when_its_request_is_edited(opened, stage):
    page = await opened("requester", javascript=False)
    await page.goto("/demande")
    await page.get_by_label("Nom de naissance").fill("Ramie")
    await page.get_by_text("D’autres personnes du même foyer").click()
    for number in range(2, 5):
        await page.get_by_label(f"Date de naissance, personne {number}").fill(f"201{number}")
    await _press(page, "Encore des personnes")
    for number in range(5, 8):
        await page.get_by_label(f"Date de naissance, personne {number}").fill(f"201{number}")
    await _press(page, "Encore des personnes")
    await page.get_by_label("Date de naissance, personne 10").fill("2020")
    await page.get_by_label("Prénoms").fill("Ida")
    await _press(page, NEXT)
    await page.get_by_role("button", name="Relire et transmettre").click()
    shown = await page.inner_text("main")
    assert all(year in shown for year in ("2012", "2015", "2017", "2020"))


async def test_wishes_change_places_by_up_and_down(opened, stage):
    page = await opened("requester", javascript=False)
    await page.goto("/demande")
    await page.get_by_label("Nom de naissance").fill("Tulle")
    await _press(page, NEXT)
    await page.get_by_role("button", name="Conditions et souhaits").click()
    await _fill(page, 3)
    await page.get_by_label("Secteur 1").check()
    await _press(page, NEXT)
    await page.get_by_role("button", name="Conditions et souhaits").click()
    await page.get_by_role("button", name="Monter : secteur 1").click()
    await page.get_by_role("button", name="Monter : secteur 1").click()
    await page.get_by_role("button", name="Relire et transmettre").click()
    shown = await page.inner_text("main")
    assert shown.index("secteur 1") < shown.index("une femme") < shown.index("arabe")


async def test_a_session_that_ended_while_typing_loses_nothing(opened, stage):
    page = await opened("requester", javascript=False)
    await page.goto("/demande?etape=tout")
    await _fill(page, 0)
    # More than what is kept of a form: a file may be large, and takes no text away.
    large = {"name": "bilan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7" + bytes(400_000)}
    await page.get_by_label("Ajouter des pièces jointes").set_input_files([large])
    await page.context.clear_cookies()
    await _press(page, "Enregistrer le brouillon")
    await page.get_by_text("votre saisie vous attend").wait_for()
    assert "Cotonnade" not in page.url
    await page.get_by_label("Adresse e-mail").fill("requester@cpts.example")
    await page.get_by_label("Mot de passe").fill("pas le bon")
    await _press(page, "Se connecter")
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await _press(page, "Se connecter")
    assert "« bilan.pdf »" in await page.locator(".banner").inner_text()
    await _press(page, "Reprendre ma saisie")
    await page.get_by_text("Le brouillon est enregistré").wait_for()
    await page.get_by_role("link", name="Compléter").first.click()
    assert await page.get_by_label("Nom de naissance").input_value() == "Cotonnade"
    assert await page.get_by_label("Prénoms").input_value() == "Ludivine"


async def test_the_office_types_a_request_during_a_call_and_sends_it_from_its_summary(opened, stage):
    page = await opened("coordinatrice")
    await page.goto("/demande")
    for step in range(5):
        await _fill(page, step)
        if step == 0:
            await _field(page, "Date de naissance").fill("1961")
        if step == 4:
            await page.get_by_label("Oui", exact=True).check()
        await _press(page, NEXT)
    await page.get_by_role("heading", name="Relire et transmettre").wait_for()
    await seen_well(page)
    await _press(page, "Transmettre la demande")
    await page.wait_for_url("**/recherches/*")
    await page.get_by_text("La demande est transmise").wait_for()


@pytest.mark.parametrize("language", ["fr", "en", "ar", "tr", "pt", "it"])
async def test_the_sheet_for_the_patient_can_be_read_in_each_language(opened, stage, language):
    page = await opened("requester", phone=True)
    await page.goto(f"/accord/{language}")
    sheet = page.locator("article")
    assert await sheet.get_attribute("lang") == language
    assert await sheet.get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    await seen_well(page)


async def test_the_office_corrects_a_record_and_the_rest_of_it_stays(opened, stage):
    search = await stage.submitted("Percale")
    before = await views.record(stage.house, stage.office, search, "complete")
    page = await opened("coordinatrice")
    await page.goto(f"/recherches/{search}")
    await page.get_by_role("link", name="Corriger la fiche").click()
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_label("Nom d’usage").fill("Chintz")
    await page.get_by_role("button", name="Enregistrer", exact=True).click()
    await page.wait_for_url(f"**/recherches/{search}?*")
    after = await views.record(stage.house, stage.office, search, "complete")
    assert after["record"] == before["record"] | {"used_name": "Chintz"}


async def test_a_requester_withdraws_and_takes_it_back(opened, stage):
    search = await stage.asking("Flanelle")
    page = await opened("requester")
    await page.goto(f"/mes-demandes/{search}")
    await page.get_by_text("Retirer cette demande").click()
    await page.get_by_label("Motif").select_option("found_one")
    await page.get_by_role("button", name="Retirer").click()
    await page.get_by_role("button", name="Annuler le retrait").click()
    await page.get_by_text("Le retrait est annulé").wait_for()
    assert await stage.state(search) == "asking"


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
async def test_a_form_of_another_site_does_not_wait_behind_the_login(stage, site):
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    async with aiohttp.ClientSession() as client:
        typed = {"record.birth_name": "Planté"}
        async with client.post(
            f"{stage.base}/demande", data=typed, headers=headers, allow_redirects=False
        ) as reply:
            assert (reply.status, reply.headers["Location"]) == (303, "/connexion")
