"""A person chooses a second factor, comes back with it, and the directrice lets somebody in."""

import re
import socket
from dataclasses import replace

import pyotp
import pytest

from matcher.service import people
from matcher.service.actors import Role
from tests.browser.stage import PASSWORD, TERRITORY, playing
from tests.browser.test_accessible import seen_well

pytestmark = pytest.mark.browser
EMAIL = "coordinatrice@cpts.example"


@pytest.fixture(scope="module")
async def stage(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with playing(tmp_path_factory.mktemp("stage"), port, host="localhost") as served:
        yield served


@pytest.fixture
def demanded(stage):
    """The territory demands a second factor of its staff."""
    held = stage.house.territories[TERRITORY]
    accounts = held.settings.accounts.model_copy(update={"second_factor": "required"})
    stage.house.territories[TERRITORY] = replace(
        held, settings=held.settings.model_copy(update={"accounts": accounts})
    )
    yield
    stage.house.territories[TERRITORY] = held


async def login(page, email=EMAIL):
    await page.goto("/connexion")
    await page.get_by_label("Adresse e-mail").fill(email)
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter").click()


async def newcomer(stage, email):
    await people.add_user(stage.house, TERRITORY, email, Role.COORDINATRICE, name="Nadia")
    await people.set_password(stage.house, TERRITORY, email, PASSWORD)


async def test_an_app_is_chosen_before_anything_is_seen_and_opens_from_then_on(opened, stage, demanded):
    await newcomer(stage, "app@cpts.example")
    page = await opened(None, phone=True)
    await login(page, "app@cpts.example")
    await page.get_by_role("heading", name="Ajouter un second facteur").wait_for()
    await seen_well(page)
    await page.get_by_role("button", name="Commencer").click()
    secret = await page.locator(".secret").inner_text()
    assert await page.locator(".qr svg").is_visible()
    await seen_well(page)
    app = pyotp.TOTP(secret.replace(" ", ""))
    await page.get_by_label("Le code à 6 chiffres").fill(app.now())
    await page.get_by_role("button", name="Vérifier et ajouter").click()
    await page.get_by_role("heading", name="Vos codes de secours").wait_for()
    await seen_well(page)
    codes = await page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    await page.get_by_role("link", name=re.compile("continuer")).click()
    await page.wait_for_url("**/bureau")
    await page.get_by_role("button", name="Se déconnecter").click()
    await login(page, "app@cpts.example")
    await page.get_by_role("heading", name="Encore une étape").wait_for()
    await seen_well(page)
    await page.get_by_label("Code de l’application").fill(codes[0])
    await page.get_by_role("button", name="Continuer").click()
    await page.wait_for_url("**/bureau")


async def test_a_passkey_is_added_comes_in_and_confirms_only_where_the_device_verifies_its_person(
    opened, stage
):
    await newcomer(stage, "cle@cpts.example")
    page = await opened(None)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    await login(page, "cle@cpts.example")
    await page.wait_for_url("**/bureau")
    await page.goto("/compte/second-facteur")
    await page.get_by_role("button", name="Ajouter une clé d’accès").click()
    await page.get_by_role("heading", name="Vos codes de secours").wait_for()
    await page.goto("/compte")
    await page.get_by_text("Clé d’accès : Cet appareil").wait_for()
    await seen_well(page)
    await page.get_by_role("button", name="Se déconnecter").click()
    await login(page, "cle@cpts.example")
    # A device that does not know its person opens nothing.
    verified = {"authenticatorId": made["authenticatorId"], "isUserVerified": False}
    await devtools.send("WebAuthn.setUserVerified", verified)
    await page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    await page.get_by_text("La clé d’accès n’a pas répondu").wait_for()
    await devtools.send("WebAuthn.setUserVerified", verified | {"isUserVerified": True})
    await page.get_by_role("button", name="Utiliser ma clé d’accès").click()
    await page.wait_for_url("**/bureau")
    await page.goto("/confirmer?suite=/appels")
    await page.get_by_role("button", name="Avec ma clé d’accès").click()
    await page.wait_for_url("**/appels")


async def test_the_directrice_makes_a_link_that_a_newcomer_uses(opened, stage):
    page = await opened("directrice")
    await page.goto("/comptes")
    await page.get_by_text("Ajouter une personne").click()
    await page.get_by_label("Adresse e-mail").fill("arrivante@cpts.example")
    await page.get_by_label("Rôle").select_option("secretaire")
    await page.get_by_role("button", name="Créer le lien d’inscription").click()
    link = await page.locator(".secret").inner_text()
    await seen_well(page)
    newcomer_page = await opened(None, phone=True)
    await newcomer_page.goto(link)
    for field in ("password", "again"):
        await newcomer_page.locator(f"#{field}").fill("trois chevaux traversent Lyon")
    await newcomer_page.get_by_role("button", name="Choisir ce mot de passe").click()
    await newcomer_page.get_by_text("Votre mot de passe est choisi").wait_for()
