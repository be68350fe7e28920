"""Every role's whole path by what the pages say, from a request to a médecin traitant found.

Played twice, and between the two in every way that a page must bear: with the keyboard alone at 200 % on
SQLite; with a finger at 360 pixels and without JavaScript, but for the doctor's links, on PostgreSQL.
"""

import asyncio
import re
import socket
from dataclasses import dataclass

import pytest
from playwright.async_api import Page

from matcher.service import views
from tests.browser.hands import Hands, Keys, Pointer
from tests.browser.stage import PASSWORD, Stage, playing
from tests.browser.test_accessible import fits

# Whole paths on a machine that does other things too.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

#: A desk of 1280 by 900 at 200 %.
ZOOMED = {"width": 640, "height": 450}
PHONE = {"width": 360, "height": 740}


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to use the pages, and the database that they stand on."""

    hands: type[Keys] | type[Pointer]
    screen: dict[str, int]
    javascript: bool


WAYS = {
    "sqlite": Way(hands=Keys, screen=ZOOMED, javascript=True),
    "postgresql": Way(hands=Pointer, screen=PHONE, javascript=False),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request):
    """The address of a database on PostgreSQL; None for SQLite."""
    if request.param == "sqlite":
        yield None
    else:
        with request.getfixturevalue("fresh_postgresql")() as url:
            yield url


@pytest.fixture(scope="module")
async def stage(database, tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with playing(tmp_path_factory.mktemp("stage"), port, database) as served:
        yield served


@pytest.fixture
def way(database) -> Way:
    return WAYS["sqlite" if database is None else "postgresql"]


class Person:
    """Somebody in front of a screen."""

    def __init__(self, page: Page, hands: Hands) -> None:
        self.page, self.hands = page, hands

    async def reads(self, *said: str) -> None:
        """Wait for the words, and see that the page is no wider than the screen."""
        for one in said:
            await self.page.get_by_text(one).locator("visible=true").first.wait_for()
        await fits(self.page)


async def _enters(opened, way: Way, role: str) -> Person:
    page = await opened(javascript=way.javascript, screen=way.screen)
    who = Person(page, way.hands(page))
    await page.goto("/")
    await who.hands.write("Adresse e-mail", f"{role}@cpts.example")
    await who.hands.write("Mot de passe", PASSWORD)
    await who.hands.press("Se connecter")
    await page.get_by_role("button", name="Se déconnecter").wait_for()
    return who


async def _opens_link(opened, way: Way, link: str) -> Person:
    """A doctor's links need JavaScript: without, the page says how to answer."""
    page = await opened(screen=way.screen)
    await page.goto(link)
    return Person(page, way.hands(page))


async def _mailed(stage: Stage, path: str, known: set[str]) -> str:
    """The link in a mail that has one of this path and is not among those ``known`` before."""
    for _ in range(300):
        fresh = [mail.text for mail in stage.catcher.messages() if mail.id not in known]
        links = [found[0] for text in fresh if (found := re.search(rf"/{path}#[\w-]+", text))]
        if links:
            return links[0]
        await asyncio.sleep(0.1)
    raise AssertionError(f"no mail with a link to /{path}")


async def _requests(who: Person) -> None:
    hands = who.hands
    await hands.follow("Nouvelle demande")
    await hands.write("Nom de naissance", "Cotonnade")
    await hands.write("Prénoms", "Ludivine")
    await hands.choose("Sexe", "femme")
    await hands.write("Date de naissance", "28/02/1961")
    await hands.press("Enregistrer et continuer")
    await who.reads("La joindre, et où elle vit")
    await hands.write("Téléphone", "06 39 98 00 11")
    await hands.write("Commune", "Vénissieux")
    await hands.choose("Quartier ou lieu", "Parilly")
    await hands.choose("Un interprète est-il nécessaire", "non")
    await hands.press("Enregistrer et continuer")
    await hands.write("Soins demandés", "Un suivi")
    await hands.write("Difficulté rencontrée", "Plus de médecin depuis un an")
    await hands.choose("Affection de longue durée", "non")
    await hands.choose("Couverture", "régime général")
    await hands.press("Enregistrer et continuer")
    await hands.tick("Secteur 1")
    await hands.press("Enregistrer et continuer")
    await hands.tick("Oui")
    await hands.choose("Donné par", "la personne elle-même")
    await hands.choose("Comment", "à l’oral")
    await hands.tick("La personne accepte que nous disions au demandeur")
    await hands.write("Votre nom", "Infirmière Lin")
    await hands.press("Enregistrer et continuer")
    await who.reads("Relire et transmettre", "28 février 1961", "régime général", "à l’oral")
    await hands.press("Transmettre la demande")
    await who.reads("La demande est transmise", "L. C. 1961")


async def test_a_request_becomes_a_medecin_traitant(opened, stage, way):
    requester = await _enters(opened, way, "requester")
    await _requests(requester)

    # As one who has never seen the tool: by what the help says, and nothing else.
    office = await _enters(opened, way, "coordinatrice")
    await office.hands.follow("Aide")
    await office.reads("Lancer une recherche", "Valider la demande", "Noter un appel")
    await office.hands.follow("bureau")
    await office.reads("Nouvelle demande à relire")
    await office.hands.follow("Relire")
    await office.reads("Cette annonce décrit environ")
    await office.hands.press("Valider la demande")
    await office.reads("La demande est validée")
    # Another test's searches may have been mailed on this stage before.
    known = await stage.quiet()
    await office.hands.press("Lancer")
    await office.reads("La recherche est lancée")
    search = office.page.url.partition("/recherches/")[2].partition("?")[0]

    doctor = await _opens_link(opened, way, await _mailed(stage, "r", known))
    await doctor.reads("cherche un médecin traitant")
    # Longer than min_reading: a person reads before answering.
    await doctor.page.wait_for_timeout(2300)
    await doctor.hands.press("Oui")
    await doctor.hands.press("Je confirme")
    await doctor.reads("Merci, votre réponse est notée")
    for _ in range(300):
        seen = await views.search(stage.house, stage.office, search)
        if seen["state"] == "proposing":
            break
        await asyncio.sleep(0.1)
    assert seen["state"] == "proposing", (seen.get("held"), seen.get("next"), seen.get("tasks"))

    await office.page.goto(f"/recherches/{search}")
    await office.reads("À lire à la personne au téléphone")
    await office.hands.press("Le patient choisit")
    await office.reads("Le médecin est choisi", "Code à lire au médecin")
    code = (await views.search(stage.house, stage.office, search))["release"]["code"]
    await office.reads(code)

    today = stage.house.now().date().isoformat()
    doctor = await _opens_link(opened, way, await _mailed(stage, "dossier", known))
    await doctor.hands.write("Code", code)
    await doctor.hands.press("Ouvrir la fiche")
    await doctor.reads("Fiche de la personne", "Cotonnade", "Plus de médecin depuis un an")
    await doctor.hands.press("J’ai bien reçu la fiche")
    await doctor.reads("Merci, c’est noté")
    await doctor.hands.date("J’ai donné rendez-vous le", today)
    await doctor.hands.press("Noter le rendez-vous")
    await doctor.reads("La CPTS en est prévenue")

    await office.page.goto(f"/recherches/{search}")
    await office.hands.unfold("Rendez-vous honoré et déclaration")
    await office.hands.choose("Déclaration de médecin traitant", "déclaration faite en ligne")
    await office.hands.press("Rendez-vous honoré")
    await office.reads("un médecin traitant est trouvé")

    await requester.page.goto("/mes-demandes")
    await requester.reads("médecin traitant trouvé")
    name = (await views.search(stage.house, stage.office, search))["chosen"]["name"]
    await requester.reads(name)

    reader = await _enters(opened, way, "directrice")
    await reader.reads("Médecins traitants trouvés")
    await reader.hands.follow("Journal")
    await reader.reads("fiche ouverte par le médecin")
    await reader.hands.follow("Réglages")
    await reader.reads("Sur le calendrier de cette semaine")


async def test_a_secretaire_notes_calls_and_an_answer_over_the_phone(opened, stage, way):
    search = await stage.calling("Nankin")
    caller = await _enters(opened, way, "secretaire")
    await caller.hands.follow("Aide")
    await caller.reads("Noter un appel", "Commencer les appels", "Noter, et passer au médecin suivant")
    await caller.hands.follow("Appels")
    await caller.hands.press("Commencer les appels")
    await caller.reads("À dire", "Résultat de l’appel")
    await caller.hands.tick("Message laissé")
    await caller.hands.press("Noter, et passer au médecin suivant")
    await caller.reads("L’appel est noté")
    await caller.hands.tick("À rappeler")
    await caller.hands.press("Noter, et passer au médecin suivant")
    await caller.reads("Indiquez le jour et l’heure du rappel.")
    await caller.hands.tick("Oui")
    await caller.hands.choose("Qui a répondu", "le médecin")
    await caller.hands.write("Adresse e-mail pour la fiche", "cabinet@medecins.example")
    await caller.hands.press("Noter, et passer au médecin suivant")
    await caller.reads("L’appel est noté")
    view = await views.search(stage.house, stage.office, search)
    assert [one["has_mailbox"] for one in view["proposals"]] == [True]
    # A secretaire takes answers and calls; the person's number, and so her call, is the coordination's.
    await caller.page.goto(f"/recherches/{search}")
    for name in ("Identité et coordonnées", "Noter l’appel"):
        assert await caller.page.get_by_role("button", name=name, include_hidden=True).count() == 0
    office = await _enters(opened, way, "coordinatrice")
    await office.page.goto(f"/recherches/{search}")
    await office.hands.unfold("Appel à la personne")
    await office.hands.choose("Résultat", "Pas de réponse")
    await office.hands.press("Noter l’appel")
    await office.reads("1\N{NO-BREAK SPACE}essai de joindre la personne", "puis par le service demandeur")
