"""A refusal after release is read by a person, counted without a doctor, and has its letters."""

import json
from dataclasses import replace
from datetime import timedelta

from matcher.service.actors import Actor, Role
from matcher.service.refusals import To
from matcher.web import refusals_page
from tests.acceptance.house import OFFICE, House, request

YEAR = "/equity?from=2026-01-01&to=2026-12-31"


async def refused(house: House) -> tuple[str, dict]:
    """A search whose chosen doctor gave up over his link, with a reason."""
    search, doctors = await house.released()
    token = house.token(doctors[0]["email"], "dossier")
    await house.post(None, "/links/desist", {"token": token, "reason": "Je ne prends pas la C2S."})
    await house.work()
    return search, doctors[0]


async def test_each_refusal_after_release_waits_until_a_person_has_read_it_with_its_reason(
    house: House,
) -> None:
    search, doctor = await refused(house)
    (waiting,) = (await house.get(OFFICE, "/refusals"))["items"]
    assert (waiting["search"], waiting["doctor"], waiting["reason"]) == (
        search,
        doctor["name"],
        "Je ne prends pas la C2S.",
    )
    await house.get("secretaire", "/refusals", 403)
    assert await house.do(search, "refusal/read", kind="refusal_doubt") == {"items": []}
    assert (await house.do(search, "refusal/read", 409, kind="refusal_doubt"))["code"] == "no_refusal"
    last = (await house.journal(search))[-1]
    assert (last["action"], last["purpose"]) == ("refusal_read", "refusal_doubt")


async def test_what_the_patient_did_not_want_is_no_refusal_and_what_the_office_noted_for_the_doctor_is(
    small_house: House,
) -> None:
    house = small_house
    other, _ = await house.released()
    await house.do(other, "desist", by="patient", reason="essai")
    assert (await house.get(OFFICE, "/refusals"))["items"] == []
    third, doctors = await house.released()
    await house.do(third, "desist", by="doctor", reason="Trop loin.")
    (waiting,) = (await house.get(OFFICE, "/refusals"))["items"]
    assert (waiting["search"], waiting["doctor"]) == (third, doctors[0]["name"])


async def test_the_letters_say_what_was_noted_only_if_the_patient_agrees_and_are_journaled(
    small_house: House,
) -> None:
    house = small_house
    search, doctor = await refused(house)
    await house.do(search, "recourse", 400, to="cpam", agreed=False)
    for to in ("cpam", "ordre"):
        reply = await house.call(OFFICE, "POST", f"/searches/{search}/recourse", {"to": to, "agreed": True})
        assert (reply.status, reply.content[:5]) == (200, b"%PDF-")
    told = await house.get(OFFICE, f"/searches/{search}/accesses")
    assert [one["why"] for one in told["items"] if one["what"] == "recourse_letter"] == ["cpam", "ordre"]
    await house.login(Role.COORDINATRICE)
    assert "1\N{NO-BREAK SPACE}refus après envoi" in await (await house.client.get("/bureau")).text()
    page = await (await house.client.get("/refus")).text()
    assert ("Je ne prends pas la C2S." in page, doctor["name"] in page) == (True, True)
    token = page.split('name="csrf" value="')[1].split('"')[0]
    address = f"/recherches/{search}/recours"
    asked = await house.client.post(address, data={"csrf": token, "to": "ordre"})
    assert (asked.status, "en est d’accord" in await asked.text()) == (400, True)
    given = await house.client.post(address, data={"csrf": token, "to": "ordre", "agreed": "oui"})
    assert given.content_type == "application/pdf"
    await house.client.post(f"/refus/{search}", data={"csrf": token, "kind": "refusal_doubt"})
    assert "Aucun refus n’attend" in await (await house.client.get("/refus")).text()
    untouched = await house.submitted()
    assert (await house.do(untouched, "recourse", 409, to="cpam", agreed=True))["code"] == "no_refusal"


async def test_a_letter_invents_nothing_and_leaves_blank_what_is_unknown(small_house: House) -> None:
    house = small_house
    search, doctor = await refused(house)
    facts = await refusals_page.refusals.letter(house.house, house_actor(house), search, To.CPAM, agreed=True)
    made = refusals_page.document(facts, To.CPAM, house.house.territory("venissieux"), house.clock())
    text = json.dumps(made.__dict__, ensure_ascii=False, default=str)
    for said in (
        "Camille Églantine Aubépine",
        doctor["name"],
        "Je ne prends pas la C2S.",
        "23 novembre 2026",
    ):
        assert said in text
    assert "3 rue des Essais, 69200 Vénissieux" in text
    for unsaid in (request()["record"]["nir"], "c2s", "française", "1958"):
        assert unsaid not in text
    unknown = replace(facts, address="", reason=None, chosen_on=None, doctor="")
    here = house.house.territory("venissieux")
    bare = refusals_page.document(unknown, To.ORDRE, here, house.clock())
    assert "(adresse à compléter)" in bare.sender
    assert "Aucun motif ne m’a été donné." in bare.sentences


def house_actor(_house: House) -> Actor:
    return Actor(territory="venissieux", id="essai", role=Role.COORDINATRICE)


async def noted(house: House, kind: str, times: int) -> None:
    async with house.house.sessions.begin() as session:
        for _ in range(times):
            entry = house.house.entry(house_actor(house), "refusal_read", purpose=kind)
            await refusals_page.refusals.journal.append(session, entry)


async def test_the_directrice_sees_counts_by_kind_and_none_that_are_small(small_house: House) -> None:
    house = small_house
    search, _ = await refused(house)
    await house.do(search, "refusal/read", kind="refusal_doubt")
    await noted(house, "refusal_room", 6)
    # The quarter is not over: a number that grew from one day to the next would tell who was added.
    assert (await house.get("directrice", YEAR))["refusals"] == {}
    house.clock.at += timedelta(days=60)
    # Six of one kind and one of another: the one would be known by whoever knows how many there were.
    assert (await house.get("directrice", YEAR))["refusals"] == {}
    house.clock.at -= timedelta(days=60)
    await noted(house, "refusal_doubt", 5)
    house.clock.at += timedelta(days=60)
    assert (await house.get("directrice", YEAR))["refusals"] == {"refusal_doubt": 6, "refusal_room": 6}
    await house.login(Role.DIRECTRICE)
    assert "Refus après envoi de la fiche" in await (await house.client.get("/rapport/equite")).text()
