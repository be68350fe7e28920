"""Every mail that dies is a row on /bureau, with what to do about it, until somebody did."""

from typing import Any

import pytest

from matcher.protocol.effects import Letter
from matcher.service import bureau
from matcher.service.actors import Actor, Role
from matcher.service.telling import is_followed
from matcher.service.unreached import WORDS
from tests.acceptance.house import HERE, House


def rows(screen: bureau.Bureau, kind: str) -> list[bureau.Row]:
    return [row for row in screen.rows if row.kind == kind]


async def screen(house: House) -> bureau.Bureau:
    return await bureau.bureau(house.house, Actor(territory=HERE, id="x", role=Role.COORDINATRICE))


@pytest.mark.parametrize("letter", Letter)
def test_each_letter_s_death_is_a_task_of_its_search_or_has_words_and_a_verb(letter: Letter) -> None:
    assert is_followed(letter, {"purpose": "answer"}) or letter in WORDS


async def test_a_dead_announcement_a_dead_release_and_dead_news_are_rows_with_a_verb(
    small_house: House,
) -> None:
    house = small_house
    who = await house.new_requester("CCAS", "ccas@structure.example")
    search = await house.submitted(who)
    await house.do(search, "validate")
    house.catcher.unknown.add("ccas@structure.example")
    await house.do(search, "launch")
    dying = (await house.mailed(search))[0]
    house.catcher.unknown.add(dying["email"])
    await house.work()
    assert "mail_unreached" in await house.tasks(search)
    doctor = (await house.mailed(search))[1]
    await house.yes(doctor)
    house.catcher.unknown.add(doctor["email"])
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.work()
    seen = await screen(house)
    for kind, verb in (("release_unreached", "Renouveler"), ("unreached", "Prévenir")):
        found = rows(seen, kind)
        assert {row.verb for row in found} == {verb}, kind
        assert {row.search_id for row in found} == {search}


async def test_a_row_goes_once_somebody_says_that_it_is_done(small_house: House) -> None:
    house = small_house
    who = await house.new_requester("CCAS", "ccas@structure.example")
    house.catcher.unknown.add("ccas@structure.example")
    search = await house.submitted(who)
    await house.do(search, "validate")
    await house.do(search, "launch")
    await house.work()
    await house.yes((await house.mailed(search))[0])
    row, *others = rows(await screen(house), "unreached")
    await house.login(Role.COORDINATRICE)
    page = await house.client.get("/bureau")
    shown = await page.text()
    assert row.reason in shown
    token = shown.partition('name="csrf" value="')[2].partition('"')[0]
    done: dict[str, Any] = {"data": {"csrf": token}, "allow_redirects": False}
    assert (await house.client.post(str(row.done_url), **done)).status == 303
    assert len(rows(await screen(house), "unreached")) == len(others)
    assert (await house.client.post(str(row.done_url), **done)).status == 404
    assert [e for e in await house.journal(search) if e["action"] == "mail_noted"]
