"""Somebody is looked up without a word of it in an address."""

import re
from urllib.parse import parse_qs

import pytest

from matcher.service.actors import Role
from tests.acceptance.house import House
from tests.acceptance.test_hostile_rights import token_of

LISTS = [(Role.COORDINATRICE, "/recherches"), (Role.REQUESTER, "/mes-demandes")]


async def _look_up(house: House, path: str, **typed: str) -> str:
    """The address that a look-up leads to."""
    form = {"csrf": await token_of(house), **typed}
    reply = await house.client.post(f"{path}/trouver", data=form, allow_redirects=False)
    assert reply.status == 303
    return reply.headers["Location"]


@pytest.mark.parametrize(("role", "path"), LISTS)
async def test_who_is_looked_up_stands_in_no_address_and_is_found(
    small_house: House, role: Role, path: str
) -> None:
    search = await small_house.submitted()
    await small_house.login(role)
    address = await _look_up(small_house, path, q="Aubépine")
    assert re.fullmatch(rf"{path}\?trouve=[\w%=-]+", address)
    found = await small_house.client.get(address)
    assert search in str(found.url) + await found.text()
    other = await (await small_house.client.get(await _look_up(small_house, path, q="Personne"))).text()
    assert "«\u202fPersonne\u202f»" in other
    assert search not in other


@pytest.mark.parametrize(("role", "path"), LISTS)
async def test_an_address_of_another_session_says_nothing(small_house: House, role: Role, path: str) -> None:
    await small_house.login(role)
    address = await _look_up(small_house, path, q="Aubépine")
    form = {"email": f"{role}-page@cpts.example", "password": "une phrase assez longue"}
    small_house.client.session.cookie_jar.clear()
    assert (await small_house.client.post("/connexion", data=form, allow_redirects=False)).status == 303
    assert "Aubépine" not in await (await small_house.client.get(address)).text()


async def test_the_state_and_the_person_stay_chosen_from_one_page_of_the_list_to_the_next(
    small_house: House,
) -> None:
    for _ in range(51):
        await small_house.submitted()
    await small_house.login(Role.COORDINATRICE)
    address = await _look_up(small_house, "/recherches", q="Aubépine", state="submitted")
    page = await (await small_house.client.get(address)).text()
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    told = parse_qs(following[1].replace("&amp;", "&").partition("?")[2])
    assert set(told) == {"trouve", "state", "after"}
    rest = await (await small_house.client.get(following[1].replace("&amp;", "&"))).text()
    assert 'value="Aubépine"' in rest
    assert rest.count('<th scope="row">') >= 1


@pytest.mark.parametrize("typed", [{}, {"q": "  "}])
async def test_nothing_typed_leads_to_the_whole_list(small_house: House, typed: dict[str, str]) -> None:
    await small_house.login(Role.COORDINATRICE)
    assert await _look_up(small_house, "/recherches", **typed) == "/recherches"
