"""A doctor retires: 84 patients, one mail to each doctor, offers in answer, filled in one run."""

import asyncio
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from matcher.protocol.effects import Letter
from matcher.service import returned_many
from matcher.service.actors import Role
from matcher.service.telling import Telling
from matcher.storage import doctors, searches
from messaging import outbox
from messaging.bounces import Fate
from messaging.claims import Kind, Outcome
from messaging.outbox import Sent
from tests.acceptance.house import HERE, OFFICE, House

LINK = re.compile(r"/places#([A-Za-z0-9_-]+)")
NAME = "Cabinet des Tilleuls"
PATIENTS, OFFERS = 84, 30


async def patients(house: House, count: int) -> list[str]:
    """So many patients of one list, validated: every third wants a woman, every seventh Turkish, surely."""
    made = []
    for number in range(count):
        wishes: list[dict[str, Any]] = []
        if number % 3 == 0:
            wishes.append({"kind": "doctor_sex", "value": "F", "hard": True})
        if number % 7 == 0:
            wishes.append({"kind": "language", "value": "ar", "hard": True})
        made.append(await house.ready(wishes=wishes, origin=NAME))
    return made


async def the_list(house: House) -> dict[str, Any]:
    (found,) = (await house.get(OFFICE, "/lists"))["items"]
    return dict(await house.get(OFFICE, f"/lists/{found['id']}"))


def mails(house: House, address: str) -> list[Any]:
    return [mail for mail in house.catcher.to(address) if LINK.search(mail.text)]


async def offers(house: House, address: str, places: int, **more: Any) -> Any:
    """A doctor answers over the link of the list's mail, after having read it."""
    token = LINK.findall(mails(house, address)[-1].text)[0]
    await house.post(None, "/links/open", {"token": token})
    house.clock.at += timedelta(seconds=10)
    return await house.post(None, "/links/places", {"token": token, "places": places, **more})


@pytest.mark.timeout(300)
async def test_a_retiring_doctors_patients_are_filled_in_one_run(house: House) -> None:
    searches = await patients(house, PATIENTS)
    seen = await the_list(house)
    assert (seen["waiting"], seen["asked"]) == (PATIENTS, 0)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    directory = await house.doctors()
    asked = [one["doctor"]["id"] for one in (await the_list(house))["doctors"]]
    assert len(asked) >= OFFERS
    for doctor in asked:
        (mail,) = mails(house, directory[doctor]["email"])
        assert mail.subject.endswith(f"{PATIENTS} patients cherchent un médecin traitant")
        assert f"{PATIENTS} patients cherchent un médecin traitant, à Vénissieux." in mail.text
        assert NAME not in mail.text
    # Asked again, nobody is mailed twice.
    await house.post(OFFICE, f"/lists/{seen['id']}/ask", {}, 409)
    for doctor in asked[:OFFERS]:
        await offers(house, directory[doctor]["email"], 3)
    assert (await the_list(house))["left"] == 3 * OFFERS
    done = await house.post(OFFICE, f"/lists/{seen['id']}/fill")
    await house.work()
    assert done["filled"] == PATIENTS
    assert (done["waiting"], done["left"]) == (0, 3 * OFFERS - PATIENTS)
    given: Counter[str] = Counter()
    for number, search in enumerate(searches):
        view = await house.see(search)
        assert view["state"] == "proposing"
        (proposal,) = view["proposals"]
        doctor = directory[proposal["doctor"]["id"]]
        given[doctor["id"]] += 1
        assert number % 3 or doctor["sex"] == "F"
        assert number % 7 or "ar" in doctor["languages"]
        assert view["solicitations"] == []
    assert set(given) <= set(asked[:OFFERS])
    assert max(given.values()) <= 3
    assert all(len(mails(house, directory[doctor]["email"])) == 1 for doctor in asked)
    # The patient chooses: counted down then, and the record goes to that doctor alone.
    chosen = (await house.see(searches[0]))["proposals"][0]["doctor"]["id"]
    await house.do(searches[0], "choose", doctor_id=chosen)
    left = {one["doctor"]["id"]: one["left"] for one in (await the_list(house))["doctors"] if "left" in one}
    assert left[chosen] == 3 - given[chosen]
    assert (await house.see(searches[0]))["state"] == "released"


async def test_an_offer_for_a_list_is_nobody_elses_and_can_be_changed(small_house: House) -> None:
    house = small_house
    mine = await patients(house, 2)
    seen = await the_list(house)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    doctor = next(iter((await the_list(house))["doctors"]))["doctor"]["id"]
    address = (await house.doctors())[doctor]["email"]
    said = await offers(house, address, 5, declines=["home_visits"])
    assert (said["state"], said["places"], said["declines"]) == ("answered", 5, ["home_visits"])
    other = await house.launched(wishes=[{"kind": "prefer", "value": [doctor], "hard": True}])
    assert await house.state(other) == "asking"
    await offers(house, address, 1)
    done = await house.post(OFFICE, f"/lists/{seen['id']}/fill")
    assert done["filled"] == 1
    assert sorted([await house.state(search) for search in mine]) == ["proposing", "ready"]
    # A place that is proposed is not proposed twice.
    assert (await house.post(OFFICE, f"/lists/{seen['id']}/fill"))["filled"] == 0
    await offers(house, address, 0)
    assert (await the_list(house))["left"] == 0


async def test_an_answer_sooner_than_one_can_read_waits_for_the_office(small_house: House) -> None:
    house = small_house
    await patients(house, 1)
    seen = await the_list(house)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    first, second = [one["doctor"]["id"] for one in (await the_list(house))["doctors"]][:2]
    directory = await house.doctors()

    async def scanned(doctor: str) -> str:
        token = LINK.findall(mails(house, directory[doctor]["email"])[-1].text)[0]
        await house.post(None, "/links/open", {"token": token})
        assert await house.post(None, "/links/places", {"token": token, "places": 9}, 202) == {"held": True}
        return token

    await scanned(first)
    token = await scanned(second)
    assert (await the_list(house))["left"] == 0
    for doctor, keep in ((first, True), (second, False)):
        path = f"/lists/{seen['id']}/doctors/{doctor}/settle"
        await house.post(OFFICE, path, {"keep": keep})
        await house.post(OFFICE, path, {"keep": keep}, 404)
    states = {one["doctor"]["id"]: one for one in (await the_list(house))["doctors"]}
    assert (states[first]["state"], states[first]["left"]) == ("answered", 9)
    assert states[second]["state"] == "asked"
    assert (await house.post(None, "/links/open", {"token": token}))["state"] == "open"
    # What was said at leisure is not undone by a scanner.
    await offers(house, directory[second]["email"], 2)
    await scanned(second)
    states = {one["doctor"]["id"]: one for one in (await the_list(house))["doctors"]}
    assert states[second]["places"] == 2


async def test_a_lists_link_opens_nothing_else_and_a_made_up_one_nothing(small_house: House) -> None:
    house = small_house
    (search,) = await patients(house, 1)
    seen = await the_list(house)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    asked = (await the_list(house))["doctors"]
    address = (await house.doctors())[asked[0]["doctor"]["id"]]["email"]
    token = LINK.findall(mails(house, address)[-1].text)[0]
    await house.post(None, "/links/answer", {"token": token, "answer": "yes"}, 404)
    await house.post(None, "/links/record", {"token": token, "code": "123456"}, 404)
    for junk in (token[:-1] + ("A" if token[-1] != "A" else "B"), "junk"):
        await house.post(None, "/links/places", {"token": junk, "places": 1}, 404)
        await house.post(None, "/links/open", {"token": junk}, 404)
    wrong = {"token": token, "places": 1, "from": "2027-01-05", "until": "2027-01-01"}
    await house.post(None, "/links/places", wrong, 400)
    await house.do(search, "withdraw", reason="left")
    assert (await house.post(None, "/links/open", {"token": token}))["state"] == "over"


async def test_the_office_launches_a_list_and_sees_it_fill(small_house: House) -> None:
    house = small_house
    await patients(house, 3)
    seen = await the_list(house)
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get(f"/listes/{seen['id']}")).text()
    assert NAME in page
    assert "3 patients cherchent un médecin traitant, à Vénissieux." in page
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    assert (await house.client.post(f"/listes/{seen['id']}/demander", data={"csrf": csrf})).status == 200
    await house.work()
    doctor = (await the_list(house))["doctors"][0]["doctor"]["id"]
    await offers(house, (await house.doctors())[doctor]["email"], 2)
    page = await (await house.client.get(f"/listes/{seen['id']}")).text()
    assert "Répartir" in page
    reply = await house.client.post(f"/listes/{seen['id']}/repartir", data={"csrf": csrf})
    after = await reply.text()
    assert reply.status == 200
    assert "chaque personne reste libre de choisir" in after
    listed = await (await house.client.get("/listes")).text()
    assert NAME in listed


async def test_a_lists_mail_that_comes_back_flags_the_doctors_address(small_house: House) -> None:
    house = small_house
    await patients(house, 2)
    seen = await the_list(house)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    doctor = (await the_list(house))["doctors"][0]["doctor"]["id"]
    address = (await house.doctors())[doctor]["email"]
    found = await house.run_sql("SELECT id, ids FROM outbox WHERE letter = 'list'")
    mail = next(id for id, ids in found if doctor in str(ids))

    async def returned(fate: Fate, mark: str) -> bool:
        async with house.house.sessions.begin() as session:
            sent = await outbox.sent(session, [HERE], mail)
            assert sent is not None
            return await returned_many.take(session, house.house, sent, fate, mark)

    async def state() -> str:
        return str(
            next(o["state"] for o in (await the_list(house))["doctors"] if o["doctor"]["id"] == doctor)
        )

    mark = house.house.links.address_mark(address)
    # Neither a word on the way nor an address that was corrected since says anything.
    assert not await returned(Fate.UNCLEAR, mark)
    assert not await returned(Fate.PERMANENT, house.house.links.address_mark("other@cabinet.example"))
    assert await state() == "asked"
    assert await returned(Fate.PERMANENT, mark)
    assert await state() == "unreached"
    assert not (await house.doctors())[doctor]["has_mailbox"]
    # Nobody is mailed in his place: the list is asked once for ever.
    before = len(house.mails())
    await house.advance(days=3)
    assert not [mail for mail in house.mails()[before:] if "patients cherchent" in str(mail["Subject"])]


async def test_a_refused_address_and_a_search_are_locked_in_the_order_of_every_step(
    house: House,
) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]["id"]
    row = returned_many._as_row(
        Sent(territory=HERE, id="m", letter=Letter.LIST, ids={"origin": "o", "doctor": doctor}), house.clock()
    )
    ids = {"search": search, "run": "1", "doctor": doctor, "number": "1", "purpose": "answer"}
    of_search = replace(row, letter=Letter.REMINDER, ids=ids)
    dead = Outcome(kind=Kind.DEAD, detail="550 5.1.1")

    async def settle() -> None:
        async with house.house.sessions.begin() as session:
            settled = [(row, dead), (of_search, Outcome(kind=Kind.ACCEPTED))]
            await Telling(house.house).on_settled(session, settled, house.clock())

    async with house.house.sessions.begin() as session:
        await searches.lock(session, HERE, search)
        settling = asyncio.create_task(settle())
        if session.get_bind().dialect.name == "postgresql":
            async with asyncio.timeout(20):
                while not await session.scalar(text("SELECT 1 FROM pg_locks WHERE NOT granted")):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        # As a bounce of one of its announcements does.
        await doctors.flag_mailbox(session, HERE, doctor)
    await settling
    assert not (await house.doctors())[doctor]["has_mailbox"]


async def test_a_list_is_asked_of_the_doctor_alone_and_not_of_a_secretary(small_house: House) -> None:
    """One mail per doctor: how many patients somebody takes is not a secretary's to say."""
    house = small_house
    await house.name_delegates()
    await patients(house, 2)
    seen = await the_list(house)
    await house.post(OFFICE, f"/lists/{seen['id']}/ask")
    await house.work()
    asked = [one["doctor"]["id"] for one in (await the_list(house))["doctors"]]
    directory = await house.doctors()
    assert asked
    for doctor in asked:
        address = directory[doctor]["email"]
        assert len(mails(house, address)) == 1
        assert not mails(house, f"secretariat-{address}")
    to_all = [mail for mail in house.catcher.messages() if LINK.search(mail.text)]
    assert len(to_all) == len(asked)
