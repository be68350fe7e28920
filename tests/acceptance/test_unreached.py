"""Every mail that dies is a row on /bureau, with what to do about it, until somebody did."""

from typing import Any

import pytest

from matcher.protocol.effects import Letter
from matcher.service import bureau
from matcher.service.actors import Actor, Role
from matcher.service.telling import is_followed
from matcher.service.unreached import WORDS
from tests.acceptance.house import HERE, OFFICE, House


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


async def _news_died(house: House) -> str:
    """News to a structure that its relay refuses; the search."""
    who = await house.new_requester("CCAS", "ccas@structure.example")
    house.catcher.unknown.add("ccas@structure.example")
    search = await house.submitted(who)
    for what in ("validate", "launch"):
        await house.do(search, what)
    await house.work()
    await house.yes((await house.mailed(search))[0])
    return search


async def test_a_dead_mail_whose_cause_is_mended_goes_again_under_its_first_message_id(house: House) -> None:
    search = await _news_died(house)
    items = (await house.get(OFFICE, "/dead-mails"))["items"]
    news = items[0]
    reference = (await house.see(search))["reference"]
    assert (news["letter"], news["search"]["reference"]) == ("requester_news", reference)
    assert (news["may_go_again"], news["reason"]) == (True, WORDS[Letter.REQUESTER_NEWS][0])
    ((first,),) = await house.run_sql("SELECT message_id FROM outbox WHERE id = :id", id=news["id"])
    house.catcher.unknown.clear()
    left = (await house.post(OFFICE, f"/dead-mails/{news['id']}/retry"))["items"]
    assert news["id"] not in {mail["id"] for mail in left}
    await house.work()
    assert str(house.mails()[-1]["Message-ID"]) == first
    await house.post(OFFICE, f"/dead-mails/{news['id']}/retry", expect=404)
    assert "mail_sent_again" in {entry["action"] for entry in await house.journal(search)}


async def test_a_dead_mail_may_be_dropped_and_one_about_several_searches_does_not_go_again(
    small_house: House,
) -> None:
    house = small_house
    await _news_died(house)
    mail, *others = (await house.get(OFFICE, "/dead-mails"))["items"]
    left = (await house.post(OFFICE, f"/dead-mails/{mail['id']}/drop"))["items"]
    assert left == others
    await house.run_sql("UPDATE outbox SET seen_at = NULL, letter = 'digest' WHERE id = :id", id=mail["id"])
    (digest,) = (one for one in (await house.get(OFFICE, "/dead-mails"))["items"] if one["id"] == mail["id"])
    assert not digest["may_go_again"]
    refused = await house.post(OFFICE, f"/dead-mails/{mail['id']}/retry", expect=409)
    assert refused["code"] == "moved_on"


async def test_on_the_bureau_too_it_is_sent_again_with_one_button(small_house: House) -> None:
    house = small_house
    await _news_died(house)
    row, *others = rows(await screen(house), "unreached")
    house.catcher.unknown.clear()
    await house.login(Role.SECRETAIRE)
    shown = await (await house.client.get("/bureau")).text()
    token = shown.partition('name="csrf" value="')[2].partition('"')[0]
    reply = await house.client.post(str(row.again_url), data={"csrf": token})
    assert "Le mail repart" in await reply.text()
    assert len(rows(await screen(house), "unreached")) == len(others)


async def test_however_many_announcements_died_other_dead_mails_are_still_shown(small_house: House) -> None:
    house = small_house
    search = await house.submitted()
    await house.do(search, "validate")
    await house.do(search, "launch")
    house.catcher.unknown |= {doctor["email"] for doctor in await house.mailed(search)}
    await house.work()
    # Their search keeps tasks for them: nobody need take note, and they take no place in the list.
    assert "mail_unreached" in await house.tasks(search)
    dead = "SELECT count(*) FROM outbox WHERE state = 'dead' AND letter = 'announcement'"
    assert (await house.run_sql(dead))[0][0] > 1
    assert (await house.run_sql(f"{dead} AND seen_at IS NULL"))[0][0] == 0
