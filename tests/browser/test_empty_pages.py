"""Before the first request: every page says kindly that there is nothing yet, and what to do."""

import pytest

from tests.browser.test_accessible import seen_in_every_way

pytestmark = pytest.mark.browser

EMPTY = (
    ("coordinatrice", "/bureau", "Rien ne vous attend pour l’instant"),
    ("coordinatrice", "/recherches", "Aucune recherche"),
    ("coordinatrice", "/listes", "Aucune liste pour l’instant"),
    ("secretaire", "/appels", "Personne à appeler pour l’instant"),
    ("requester", "/mes-demandes", "Vous n’avez pas encore de demande"),
    ("directrice", "/rapport", "Aucune demande sur la période"),
    (None, "/boite", "Aucun mail pour l’instant"),
)


@pytest.mark.parametrize(("role", "path", "said"), EMPTY)
async def test_a_page_without_anything_says_so_and_can_be_read(opened, stage, role, path, said):
    page = await opened(role)
    await page.goto(path)
    await page.get_by_text(said).first.wait_for()
    await seen_in_every_way(page)
