"""A requester fills the form in, with and without JavaScript; nothing typed is ever lost."""

import pytest

from matcher.service import views
from matcher.web import request_form
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser

TYPED = {
    "Nom de naissance": "Cotonnade",
    "Prénoms": "Ludivine",
    "Téléphone": "06 39 98 00 11",
    "Commune": "Vénissieux",
    "Soins demandés": "Un suivi",
    "Difficulté rencontrée": "Plus de médecin depuis un an",
    "Votre nom": "Infirmière Lin",
}


async def _fill(page) -> None:
    for label, value in TYPED.items():
        await page.get_by_label(label, exact=False).locator("visible=true").first.fill(value)
    await page.get_by_label("Sexe").select_option("F")
    await page.get_by_label("Quartier ou lieu").select_option("Parilly")
    await page.get_by_label("Affection de longue durée").select_option("no")
    await page.get_by_label("Couverture").select_option("regime_general")
    await page.get_by_label("Un interprète est-il nécessaire").select_option("no")
    await page.get_by_label("Une femme ou un homme médecin").select_option("F")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-script", "without-script"])
async def test_a_form_at_fault_comes_back_with_everything_typed_and_is_then_taken(opened, stage, javascript):
    page = await opened("requester", phone=True, javascript=javascript)
    await page.goto("/demande")
    await _fill(page)
    await page.get_by_label("Date de naissance").first.fill("31/02/1961")
    await page.get_by_role("button", name="Transmettre la demande").click()
    await page.get_by_role("alert").wait_for()
    for label, value in TYPED.items():
        assert (
            await page.get_by_label(label, exact=False).locator("visible=true").first.input_value() == value
        )
    assert await page.get_by_label("Date de naissance").first.get_attribute("aria-invalid") == "true"
    if javascript:
        await seen_well(page)
    await page.get_by_label("Date de naissance").first.fill("28/02/1961")
    await page.get_by_role("button", name="Transmettre la demande").click()
    # The consent is still to be answered, and the form says so.
    await page.get_by_role("alert").wait_for()
    await page.get_by_label("Oui", exact=True).check()
    await page.get_by_label("Donné par").select_option("patient")
    await page.get_by_label("Comment", exact=False).first.select_option("oral")
    await page.get_by_role("button", name="Transmettre la demande").click()
    await page.get_by_text("La demande est transmise").wait_for()
    assert "L. C. 1961" in await page.inner_text("main")


async def test_a_draft_is_kept_and_resumed(opened, stage):
    page = await opened("requester")
    await page.goto("/demande")
    await page.get_by_label("Nom de naissance").fill("Jersey")
    await page.get_by_label("Date de naissance").first.fill("1990")
    await page.get_by_role("button", name="Enregistrer le brouillon").click()
    await page.get_by_text("Le brouillon est enregistré").wait_for()
    await page.get_by_role("link", name="Compléter").first.click()
    assert await page.get_by_label("Nom de naissance").input_value() == "Jersey"
    await page.get_by_label("Prénoms").fill("Blanche")
    await page.get_by_role("button", name="Enregistrer le brouillon").click()
    await page.get_by_text("Le brouillon est enregistré").wait_for()
    await page.get_by_role("link", name="Compléter").first.click()
    assert await page.get_by_label("Prénoms").input_value() == "Blanche"


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


def test_what_the_form_shows_of_a_request_reads_back_as_that_request():
    raw = {
        "record": {
            "birth_name": "Lin",
            "birth_date": "1958-03",
            "safe_contact": {"sms": False},
            "interpreter": False,
        },
        "wishes": [
            {"kind": "sector1", "value": True, "hard": True},
            {"kind": "max_distance_km", "value": 2.5, "hard": False},
            {"kind": "prefer", "value": ["a", "b"], "hard": False},
        ],
        "conditions": ["home_visits", "within_days:14"],
        "urgent": True,
        "place": "Parilly",
    }
    fields, many = request_form.shown(raw)
    assert request_form.read(fields, many, None) == raw  # type: ignore[arg-type]
