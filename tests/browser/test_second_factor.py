"""A doctor opens a record without a call: an authenticator set up on a telephone, a code by SMS, a card."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from pyotp import TOTP

from config.access import ProSanteConnect, SmsGateway
from matcher.service import factor_setup, views
from tests.browser.stage import TERRITORY
from tests.browser.test_accessible import seen_well
from tests.browser.test_doctor_door import _RECORD, _mailed
from tests.integration.oidc import DOCTOR, provider

pytestmark = pytest.mark.browser
_SET_UP = re.compile(r"/double-verification#([\w-]+)")


def _kind(stage, second_factor, **settings):
    """The territory asks for it from now on."""
    house = stage.house
    known = house.territories[TERRITORY]
    release = known.settings.release.model_copy(update={"second_factor": second_factor})
    house.territories[TERRITORY] = replace(
        known, settings=known.settings.model_copy(update={"release": release})
    )
    # The house is one value for the whole stage.
    object.__setattr__(house, "settings", replace(house.settings, **settings))


async def _released(stage, name):
    """The token of a record's link, the search and its chosen doctor."""
    known = await stage.quiet()
    search = await stage.released(name)
    view = await views.search(stage.house, stage.office, search)
    return await _mailed(stage, _RECORD, known), search, view["chosen"]["id"]


async def test_an_authenticator_is_set_up_during_a_call_and_opens_the_record(opened, stage):
    _kind(stage, "totp")
    token, _, doctor = await _released(stage, "Pékin")
    office = await opened("coordinatrice")
    await office.goto(f"/medecins/{doctor}")
    known = await stage.quiet()
    await office.get_by_role("button", name="Envoyer le lien").click()
    await office.locator(".fault", has_text="Appelez d’abord le cabinet").wait_for()
    await office.get_by_label("J’ai le cabinet au téléphone").check()
    await office.get_by_role("button", name="Envoyer le lien").click()
    told = await office.locator("p.code").inner_text()
    await seen_well(office)

    page = await opened(phone=True)
    await page.goto(f"/double-verification#{await _mailed(stage, _SET_UP, known)}")
    await page.get_by_label("Code lu au téléphone").fill("000000" if told != "000000" else "111111")
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_text("n’est pas celui que la CPTS a lu").wait_for()
    await page.get_by_label("Code lu au téléphone").fill(told)
    await seen_well(page)
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_role("heading", name="Montrez ceci à l’application").wait_for()
    assert await page.locator("#picture svg path").count() == 1
    await seen_well(page)
    secret = (await page.locator(".secret").inner_text()).replace(" ", "")
    await page.get_by_label("Code que l’application affiche").fill(TOTP(secret).now())
    await page.get_by_role("button", name="Terminer").click()
    await page.get_by_role("heading", name="C’est prêt").wait_for()

    await page.goto(f"/dossier#{token}")
    await page.get_by_text("votre application d’authentification").locator("visible=true").wait_for()
    await seen_well(page)
    # The step of the first code is used: the next one opens.
    await page.get_by_label("Code", exact=True).fill(
        TOTP(secret).at(stage.house.now() + timedelta(seconds=30))
    )
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_role("heading", name="Fiche de la personne").wait_for()


async def test_a_gateway_that_fails_is_said_and_the_code_is_read_out(opened, stage):
    # Nothing listens there.
    _kind(stage, "sms", sms=SmsGateway(url="http://127.0.0.1:1/sms", token=""))
    token, search, doctor = await _released(stage, "Nankin")
    await factor_setup.set_mobile(stage.house, stage.office, doctor, "06 39 98 55 66", called=True)
    page = await opened(phone=True)
    await page.goto(f"/dossier#{token}")
    await page.get_by_text("•• •• •• •• 66").wait_for()
    await page.get_by_role("button", name="Recevoir le code par SMS").click()
    await page.get_by_text("Le SMS n’a pas pu partir").wait_for()
    await seen_well(page)
    await page.get_by_role("button", name="Recevoir le code par SMS").click()
    await page.get_by_text("Attendez une minute").wait_for()
    code = (await views.search(stage.house, stage.office, search))["release"]["code"]
    await page.get_by_label("Code", exact=True).fill(code)
    await page.get_by_role("button", name="Ouvrir la fiche").click()
    await page.get_by_role("heading", name="Fiche de la personne").wait_for()


async def test_a_card_shown_at_the_provider_opens_the_record_on_the_way_back(opened, stage):
    with provider() as issuer:
        card = ProSanteConnect(issuer=issuer, client_id="trait-union", client_secret="un-secret")
        _kind(stage, "psc", psc=card)
        token, _, doctor = await _released(stage, "Surah")
        async with stage.house.engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE doctors SET rpps = NULL WHERE rpps = '{DOCTOR[1:]}'")
            await connection.exec_driver_sql(
                f"UPDATE doctors SET rpps = '{DOCTOR[1:]}' WHERE id = '{doctor}'"
            )
        page = await opened(phone=True)
        # The provider's own page asks for a style sheet of somebody else.
        await page.route(
            lambda url: not url.startswith((issuer, stage.base)), lambda route: route.fulfill(body="")
        )
        await page.goto(f"/dossier#{token}")
        await page.get_by_role("button", name="S’identifier avec Pro Santé Connect").wait_for()
        await seen_well(page)
        await page.get_by_role("button", name="S’identifier avec Pro Santé Connect").click()
        await page.wait_for_url(f"{issuer}/**")
        assert token not in page.url
        await page.locator("input[name=sub]").fill("doctor")
        await page.locator("button").first.click()
        await page.get_by_role("heading", name="Fiche de la personne").wait_for()
        assert page.url == f"{stage.base}/dossier"
        assert await page.evaluate("sessionStorage.length") == 0
