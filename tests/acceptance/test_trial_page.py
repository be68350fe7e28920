"""/reglages/essai: a directrice plays her territory with other delays, beside a service that goes on."""

import asyncio
import re

from matcher.service.actors import Role
from matcher.web.trials import TRIALS
from tests.acceptance.api_world import World
from tests.acceptance.test_api_roles import login

PAGE = "/reglages/essai"
OTHER = {"size": "6", "reminder": "none", "next_wave": "PT4H", "calls": "P1D", "searches": "400"}


async def text(world: World) -> str:
    reply = await world.client.get(PAGE)
    assert reply.status == 200
    return await reply.text()


async def test_other_delays_are_played_beside_the_service_and_compared_with_her_own(
    small_world: World,
) -> None:
    world = small_world
    assert world.client.app is not None
    world.client.app[TRIALS].played = 5
    token = await login(world, Role.DIRECTRICE)
    assert "Lancer l’essai" in await text(world)
    reply = await world.client.post(PAGE, data={"csrf": token, **OTHER}, allow_redirects=False)
    assert (reply.status, reply.headers["Location"]) == (303, PAGE)
    waiting = await world.client.get(PAGE)
    assert "Calcul en cours" in await waiting.text()
    assert waiting.headers["Refresh"]
    again = await world.client.post(PAGE, data={"csrf": token, **OTHER})
    assert again.status == 409
    for _ in range(600):
        page = await text(world)
        if "Calcul en cours" not in page:
            break
        await asyncio.sleep(0.2)
    assert "Ce qui changerait" in page
    assert page.count("<svg") == 8
    assert re.search(r"\d+ recherches inventées de chaque façon", page)
    assert "rappel aucun, deuxième vague 4 heures ouvrées, appels 1 jour ouvré" in page
    assert "Refresh" not in (await world.client.get(PAGE)).headers


async def test_a_trial_is_ended_by_the_person_who_began_it(small_world: World) -> None:
    world = small_world
    assert world.client.app is not None
    trials = world.client.app[TRIALS]
    token = await login(world, Role.DIRECTRICE)
    await world.client.post(PAGE, data={"csrf": token, **OTHER}, allow_redirects=False)
    assert trials.busy
    reply = await world.client.post(f"{PAGE}/arreter", data={"csrf": token}, allow_redirects=False)
    assert reply.status == 303
    assert not trials.busy
    page = await text(world)
    assert "Le calcul a été arrêté." in page
    # What she typed is still there.
    assert '<option value="6" selected>' in page


async def test_what_cannot_be_played_is_said_beside_its_field(small_world: World) -> None:
    token = await login(small_world, Role.DIRECTRICE)
    wrong = {"csrf": token, **OTHER, "size": "0", "calls": "demain", "searches": "beaucoup", "reminder": "x"}
    reply = await small_world.client.post(PAGE, data=wrong)
    page = await reply.text()
    assert reply.status == 400
    assert page.count('class="fault"') == 4
    assert small_world.client.app is not None
    assert not small_world.client.app[TRIALS].busy
