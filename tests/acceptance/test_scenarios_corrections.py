"""What the office puts right on the way, and what must not change by it."""

import re

import pytest
from sqlalchemy import text

from matcher.service.actors import Role
from matcher.web.consent_text import NEWEST
from tests.acceptance.house import OFFICE, House, request


async def test_a_correction_before_the_launch_is_announced_as_corrected(house: House) -> None:
    search = await house.ready()
    before = (await house.see(search))["announcement"]
    seen = await house.do(search, "correct", record={"birth_date": "1991-03-02"}, place="Minguettes")
    assert (before["age"], before["place"]) == ("65-69", "Parilly")
    assert (seen["announcement"]["age"], seen["announcement"]["place"]) == ("35-39", "Minguettes")
    seen = await house.do(search, "correct", conditions=["home_visits"])
    assert seen["announcement"]["conditions"] == ["home_visits"]
    await house.do(search, "launch")
    await house.work()
    assert all("35 à 39 ans" in mail.text for mail in house.catcher.messages())


async def test_a_correction_that_the_announcement_says_nothing_of_leaves_the_chosen_one(house: House) -> None:
    search = await house.ready()
    wider = (await house.get(OFFICE, f"/searches/{search}/announcement"))["items"][-1]
    await house.do(search, "announcement", age=wider["age"], place=wider["place"])
    seen = await house.do(search, "correct", record={"phone": "06 39 98 00 01"})
    assert (seen["announcement"]["age"], seen["announcement"]["place"]) == (wider["age"], wider["place"])


async def test_a_correction_after_the_launch_does_not_change_what_was_announced(house: House) -> None:
    search = await house.launched()
    before = (await house.see(search))["announcement"]["text"]
    seen = await house.do(search, "correct", record={"birth_date": "1991-03-02"}, place="Minguettes")
    assert seen["announcement"]["text"] == before
    opened = await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi")
    assert (opened["record"]["birth_date"], opened["place"]) == ("1991-03-02", "Minguettes")


async def test_a_correction_after_a_split_does_not_bring_the_household_back(house: House) -> None:
    record = request()["record"] | {"household": [{"birth_date": "1960-01-01", "relation": "conjoint"}]}
    search = await house.launched(record=record)
    await house.do(search, "split", adults=1, children=0)
    seen = await house.do(search, "correct", record={"phone": "06 39 98 00 01"})
    assert seen["household"] == {"adults": 1, "children": 0}


async def test_a_consent_taken_later_is_kept_as_it_was_given(house: House) -> None:
    undecided = {"given": "undecided", "at": "2026-11-23T08:00:00Z", "by": "patient", "how": "oral"}
    search = await house.submitted(consent=undecided)
    given = {
        "given": "yes",
        "at": "2026-11-23T09:00:00Z",
        "by": "tutor",
        "how": "written",
        "text_version": "2026-1",
        "language": "fr",
    }
    await house.post("requester", f"/searches/{search}/consent", given)
    opened = await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi")
    assert opened["consent"] == given
    assert opened["record"] == request()["record"]


async def test_a_hard_wish_made_stricter_takes_back_the_yes_that_no_longer_fits(house: House) -> None:
    search = await house.launched()
    man = next(doctor for doctor in await house.mailed(search) if doctor.get("sex") == "M")
    await house.yes(man)
    wishes = [*request()["wishes"], {"kind": "doctor_sex", "value": "F", "hard": True}]
    seen = await house.do(search, "correct", wishes=wishes)
    assert (seen["proposals"], seen["state"]) == ([], "asking")
    await house.advance(days=9)
    listed = await house.doctors()
    to_phone = (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]
    assert to_phone
    assert {listed[item["doctor"]["id"]].get("sex") for item in to_phone} == {"F"}
    assert len(house.subjects(man["email"])) == 2  # The announcement, and a thank-you.


async def test_one_click_does_not_shorten_a_longer_absence(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    mail = next(mail for mail in house.mails() if doctor["email"] in mail["To"])
    path = "/" + str(mail["List-Unsubscribe"]).strip("<>").removeprefix("http://trait-union.example")
    away = {"away_until": "2027-06-30"}
    assert (await house.call(OFFICE, "PATCH", f"/doctors/{doctor['id']}", away)).status == 200
    assert (await house.call(None, "POST", path)).status == 200
    assert (await house.doctors())[doctor["id"]]["away_until"] == "2027-06-30"


@pytest.mark.slow
async def test_a_relay_that_is_away_for_a_week_spoils_no_address(small_house: House) -> None:
    # A day of it is played on both databases, in test_scenarios_asking.py.
    house = small_house
    house.catcher.down = True
    search = await house.launched()
    asked = {s["doctor"]["id"] for s in (await house.see(search))["solicitations"]}
    await house.advance(days=6)
    assert await house.state(search) == "calling"
    listed = await house.doctors()
    assert all(listed[doctor]["has_mailbox"] for doctor in asked)


async def test_what_the_office_writes_of_a_person_is_neither_in_the_journal_nor_in_clear(
    house: House,
) -> None:
    search = await house.submitted()
    said = ["record.phone", "Le nom de Madame Zzyzx est mal écrit"]
    await house.do(search, "return", missing=said)
    await house.get(OFFICE, f"/searches/{search}/record?purpose=Zzyzx")
    assert (await house.get("requester", f"/searches/{search}"))["missing"] == said
    async with house.house.sessions() as session:
        for table in ("searches", "journal"):
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).all()
            assert "Zzyzx" not in repr(rows)
            assert rows


async def test_a_consent_noted_on_the_offices_page_keeps_by_whom_and_how(house: House) -> None:
    search = await house.submitted(consent={"given": "undecided"})
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get(f"/recherches/{search}")).text()
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    form = {"csrf": found[1], "given": "yes", "outcome_shared": "on", "language": "tr"}
    reply = await house.client.post(f"/recherches/{search}/accord", data=form)
    # A "yes" needs its proof; nothing chosen is lost meanwhile.
    assert reply.status == 400
    assert '<option value="tr" selected>' in await reply.text()
    form |= {"by": "tutor", "how": "written"}
    reply = await house.client.post(f"/recherches/{search}/accord", data=form, allow_redirects=False)
    assert reply.status == 303
    kept = (await house.get("coordinatrice", f"/searches/{search}/record?purpose=complete"))["consent"]
    told = {name: kept[name] for name in ("given", "by", "how", "language", "outcome_shared")}
    assert told == {
        "given": "yes", "by": "tutor", "how": "written", "language": "tr", "outcome_shared": True,
    }  # fmt: skip
    assert kept["text_version"] == NEWEST
    form = {"csrf": found[1], "purpose": "complete"}
    shown = await (await house.client.post(f"/recherches/{search}/fiche", data=form)).text()
    assert "le tuteur ou la tutrice, avec pouvoir sur la personne" in shown


async def test_the_reason_of_a_desist_is_sealed_and_nowhere_else(house: House) -> None:
    search, _ = await house.released()
    said = "Un-motif-qui-parle-de-sante"
    await house.do(search, "desist", by="patient", reason=said)
    seen = await house.see(search)
    assert [(one["what"], one["by"], one["text"]) for one in seen["reasons"]] == [("desist", "patient", said)]
    assert said not in str(await house.journal(search))
    assert said not in str(await house.run_sql("SELECT ciphertext FROM sealed"))
    await house.do(search, "withdraw", reason="consent")
    assert "reasons" not in await house.see(search)
