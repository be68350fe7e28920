"""The screens of the office keep what they read: whatever happens, they show what one reads anew."""

import re
from dataclasses import replace

import pytest

from matcher.service import bureau, calls, directory, people
from matcher.service.actors import Actor, Role
from matcher.service.labels import Labels
from matcher.service.sheets import Sheets
from tests.acceptance.house import HERE, House, request

OFFICE = Actor(territory=HERE, id="salima", role=Role.COORDINATRICE, name="Salima")


async def _as_read_anew(house: House) -> None:
    """Both screens, from what is kept and from nothing."""
    other = replace(house.house, sheets=Sheets(), labels=Labels())
    assert await bureau.bureau(house.house, OFFICE) == await bureau.bureau(other, OFFICE)
    assert await calls.board(house.house, OFFICE) == await calls.board(other, OFFICE)
    assert await calls.screen(house.house, OFFICE) == await calls.screen(other, OFFICE)


async def test_what_is_kept_is_what_one_reads_anew_after_every_act(house: House) -> None:
    await _as_read_anew(house)
    first = await house.submitted()
    await _as_read_anew(house)
    await house.do(first, "validate")
    second = await house.launched(place="Minguettes", urgent=True)
    await _as_read_anew(house)
    await house.do(first, "launch")
    await house.work()
    await _as_read_anew(house)
    await house.yes((await house.mailed(first))[0])
    await _as_read_anew(house)
    await house.do(second, "calls/start")
    await _as_read_anew(house)
    one, other, third = [card["doctor"]["id"] for card in (await calls.board(house.house, OFFICE))[:3]]
    await calls.outcome(house.house, OFFICE, second, one, calls.CallOutcome.NO_ANSWER)
    await _as_read_anew(house)
    await calls.outcome(house.house, OFFICE, second, other, calls.CallOutcome.CALL_BACK)
    await calls.claim(house.house, OFFICE, third)
    await house.call("coordinatrice", "PATCH", f"/doctors/{third}", {"sex": "F", "address": None})
    await _as_read_anew(house)
    await house.advance(days=1)
    await _as_read_anew(house)
    await house.do(second, "priority", level="high", reason="grossesse")
    await house.do(first, "withdraw", reason="consent")
    await _as_read_anew(house)


async def test_a_secretaire_reads_what_only_the_coordination_does_and_is_not_asked_to_do_it(
    house: House,
) -> None:
    new = await house.submitted()
    search, _ = await house.proposing()
    await house.advance(days=2)
    verbs = {}
    for role in (Role.COORDINATRICE, Role.SECRETAIRE):
        rows = (await bureau.bureau(house.house, Actor(territory=HERE, id="x", role=role))).rows
        verbs[role] = {row.kind: row.verb for row in rows if row.search_id in (new, search)}
    told = {"new_request": "Relire", "choice_waited_for": "Appeler", "yes_lapsing": "Proposer"}
    assert verbs[Role.COORDINATRICE] == told
    assert verbs[Role.SECRETAIRE] == dict.fromkeys(told, "Voir")


async def test_accounts_and_keys_make_nobody_read_the_searches_again(house: House) -> None:
    await house.submitted()
    await bureau.bureau(house.house, OFFICE)
    kept = house.house.sheets.get(HERE)
    assert kept is not None
    await people.add_user(house.house, HERE, "nouvelle@cpts.example", Role.SECRETAIRE, name="Essai")
    await people.set_password(house.house, HERE, "nouvelle@cpts.example", "une phrase assez longue")
    await bureau.bureau(house.house, OFFICE)
    after = house.house.sheets.get(HERE)
    assert after is not None
    assert after.seq > kept.seq
    assert after.switchboard is kept.switchboard


async def test_the_label_of_a_patient_who_takes_consent_back_is_kept_nowhere(house: House) -> None:
    search = await house.submitted()
    shown = await bureau.bureau(house.house, OFFICE)
    assert any("C. A." in row.name for row in shown.rows), shown.rows
    nonce = (await house.run_sql("SELECT nonce FROM sealed WHERE section = 'contact'"))[0][0]
    assert house.house.labels.of(HERE, search, bytes(nonce)) is not None
    await house.do(search, "withdraw", reason="consent")
    assert house.house.labels.of(HERE, search, bytes(nonce)) is None
    assert search not in {row.search_id for row in (await bureau.bureau(house.house, OFFICE)).rows}


@pytest.mark.parametrize("page", ["/bureau", "/medecins"])
async def test_a_long_list_comes_in_parts_with_its_count(small_house: House, page: str) -> None:
    for number in range(bureau.ROWS + 1 if page == "/bureau" else 0):
        await small_house.submitted(record=request()["record"] | {"birth_name": f"Fusain{number}"})
    await small_house.login(Role.COORDINATRICE)
    first = await (await small_house.client.get(page)).text()
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    shown = bureau.ROWS if page == "/bureau" else directory.LISTED
    assert f"1 à {shown} sur" in first
    rest = await (await small_house.client.get(following[1].replace("&amp;", "&"))).text()
    assert f"{shown + 1} à" in rest
    assert 'rel="prev"' in rest
    for odd in ("-1", "x", "9" * 30):
        assert (await small_house.client.get(f"{page}?depuis={odd}")).status == 200
