"""Asking by mail: waves and reminders, pauses, a relay that is down, addresses that bounce, offers."""

import re
from datetime import timedelta

from tests.acceptance.house import OFFICE, Doctor, House, request

ASKS = "Pourriez-vous l’accueillir"
REMINDS = "Nous vous avons écrit"


async def test_nobody_answers_two_waves_one_reminder_each_then_the_calls(house: House) -> None:
    search = await house.launched()
    await house.advance(days=8)
    seen = await house.see(search)
    assert seen["state"] == "calling"
    asked = [s for s in seen["solicitations"] if s["channel"] == "mail"]
    assert {s["wave"] for s in asked} == {1, 2}
    for doctor in await house.mailed(search):
        subjects = house.subjects(doctor["email"])
        assert len(subjects) == 2, subjects
        assert len(set(_message_ids(house, doctor))) == 2


async def test_a_reminder_due_while_proposing_is_not_sent(house: House) -> None:
    search, (first,) = await house.proposing()
    silent = [doctor for doctor in await house.mailed(search) if doctor["id"] != first["id"]]
    await house.advance(days=3)
    assert await house.state(search) == "proposing"
    assert all(len(house.subjects(doctor["email"])) == 1 for doctor in silent)


async def test_a_reminder_enqueued_before_a_yes_took_effect_is_dropped(house: House) -> None:
    search = await house.launched()
    first, second, *_ = await house.mailed(search)
    house.catcher.down = True
    await house.advance(days=2, hours=1)
    house.catcher.down = False
    await house.yes(first)
    await house.advance(hours=2)
    assert len(house.subjects(second["email"])) == 1


async def test_a_wave_sent_by_hand_while_proposing_reaches_its_doctors(house: House) -> None:
    search, _ = await house.proposing()
    before = {doctor["id"] for doctor in await house.mailed(search)}
    await house.do(search, "wave")
    await house.work()
    after = [doctor for doctor in await house.mailed(search) if doctor["id"] not in before]
    assert after
    assert all(len(house.subjects(doctor["email"])) == 1 for doctor in after)
    assert await house.state(search) == "proposing"


async def test_a_pause_in_mid_wave_drops_the_reminder_and_the_calls_and_the_old_link_may_still_say_yes(
    house: House,
) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await house.says(doctor, "pause", until="2027-01-31")
    await house.advance(days=8)
    assert await house.state(search) == "calling"
    assert len(house.subjects(doctor["email"])) == 1
    to_phone = (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]
    assert doctor["id"] not in {item["doctor"]["id"] for item in to_phone}
    await house.yes(doctor)
    assert await house.state(search) == "proposing"


async def test_a_doctor_who_pauses_while_his_announcement_waits_for_the_relay_does_not_get_it(
    house: House,
) -> None:
    first = await house.launched()
    house.catcher.down = True
    second = await house.launched(record=request()["record"] | {"first_names": "Ondine"})
    # Whom a wave asks hangs on their load, and among equals on their ids.
    waiting = {one["id"] for one in await house.mailed(second)}
    doctor = next(one for one in await house.mailed(first) if one["id"] in waiting)
    path = "/" + _unsubscribe(house, doctor).removeprefix("http://trait-union.example")
    assert (await house.call(None, "POST", path)).status == 200
    house.catcher.down = False
    await house.advance(hours=1)
    assert len(house.subjects(doctor["email"])) == 1
    states = {s["doctor"]["id"]: s["state"] for s in (await house.see(second))["solicitations"]}
    assert states[doctor["id"]] == "dropped"


async def test_a_hard_wish_made_stricter_stops_the_mails_that_still_wait(house: House) -> None:
    house.catcher.down = True
    search = await house.launched()
    house.clock.at += timedelta(minutes=1)
    wishes = [*request()["wishes"], {"kind": "doctor_sex", "value": "F", "hard": True}]
    await house.do(search, "correct", wishes=wishes)
    house.catcher.down = False
    await house.advance(hours=1)
    listed = await house.doctors()
    mailed = {doctor["email"]: doctor for doctor in listed.values() if doctor.get("email")}
    got = [mailed[mail.to] for mail in house.catcher.messages() if mail.to in mailed]
    assert got
    assert {doctor["sex"] for doctor in got} == {"F"}


async def test_a_doctor_who_turns_out_not_to_fit_while_his_announcement_waits_does_not_get_it(
    house: House,
) -> None:
    house.catcher.down = True
    wishes = [*request()["wishes"], {"kind": "doctor_sex", "value": "F", "hard": True}]
    search = await house.launched(wishes=wishes)
    other_sex, gone, *others = await house.mailed(search)
    house.clock.at += timedelta(minutes=1)
    await house.call(OFFICE, "PATCH", f"/doctors/{other_sex['id']}", {"sex": "M"})
    await house.call(OFFICE, "PATCH", f"/doctors/{gone['id']}", {"member": False})
    house.catcher.down = False
    await house.advance(hours=1)
    assert [house.subjects(doctor["email"]) for doctor in (other_sex, gone)] == [[], []]
    states = {s["doctor"]["id"]: s["state"] for s in (await house.see(search))["solicitations"]}
    assert [states[doctor["id"]] for doctor in (other_sex, gone)] == ["dropped", "dropped"]
    assert others
    assert all(house.subjects(doctor["email"]) for doctor in others)


async def test_with_the_relay_down_for_a_day_nobody_is_escalated_before_anybody_was_asked(
    house: House,
) -> None:
    house.catcher.down = True
    search = await house.launched()
    await house.advance(hours=2)
    assert "nobody_reached" in await house.tasks(search)
    await house.advance(days=1)
    seen = await house.see(search)
    assert (seen["state"], {s["wave"] for s in seen["solicitations"]}) == ("asking", {1})
    assert not house.catcher.messages()
    house.catcher.down = False
    await house.advance(hours=1)
    assert "nobody_reached" not in await house.tasks(search)
    doctors = await house.mailed(search)
    assert all(len(house.subjects(doctor["email"])) == 1 for doctor in doctors)
    # The delays run from now: two days for the second wave, four for the calls.
    await house.advance(days=1)
    seen = await house.see(search)
    assert (seen["state"], {s["wave"] for s in seen["solicitations"]}) == ("asking", {1})
    await house.advance(days=7)
    assert await house.state(search) == "calling"


async def test_an_address_that_the_relay_refuses_moves_its_doctor_to_the_calls(house: House) -> None:
    search = await house.ready()
    listed = await house.doctors()
    refused = next(d for d in listed.values() if d["member"] and d.get("email") and d.get("sector") == 1)
    house.catcher.unknown.add(refused["email"])
    await house.do(search, "launch")
    await house.advance(hours=1)
    states = {s["doctor"]["id"]: s["state"] for s in (await house.see(search))["solicitations"]}
    assert states[refused["id"]] == "unreached"
    assert (await house.doctors())[refused["id"]]["has_mailbox"] is False
    assert "mail_unreached" in await house.tasks(search)
    await house.do(search, "calls/start")
    to_phone = (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]
    assert refused["id"] in {item["doctor"]["id"] for item in to_phone}


async def test_a_standing_offer_that_fits_is_a_proposal_at_launch_and_nobody_is_mailed(house: House) -> None:
    search = await house.ready()
    listed = await house.doctors()
    giver = next(d for d in listed.values() if d["member"] and d.get("email") and d.get("sector") == 1)
    await house.post(OFFICE, f"/doctors/{giver['id']}/offers", {"places": 1}, 201)
    seen = await house.do(search, "launch")
    await house.work()
    assert (seen["state"], [p["doctor"]["id"] for p in seen["proposals"]]) == ("proposing", [giver["id"]])
    assert not house.catcher.messages()
    await house.do(search, "choose", doctor_id=giver["id"])
    [[left]] = await house.run_sql("SELECT remaining FROM offers")
    assert left == 0
    await house.do(search, "desist", by="doctor", reason="plus de place")
    [[left]] = await house.run_sql("SELECT remaining FROM offers")
    assert left == 1


async def test_an_offer_declared_meanwhile_goes_to_the_first_search_that_it_fits(house: House) -> None:
    # The one that waits longest asks for a woman: the offer of a man is for the next.
    hers = await house.launched(wishes=[{"kind": "doctor_sex", "value": "F", "hard": True}])
    record = request()["record"] | {"first_names": "Ondine", "birth_date": "1961-07-08"}
    house.clock.at = house.clock.at.replace(hour=house.clock.at.hour + 1)
    other = await house.launched(record=record)
    listed = await house.doctors()
    giver = next(
        d for d in listed.values() if d.get("sex") == "M" and d.get("sector") == 1 and d.get("email")
    )
    await house.post(OFFICE, f"/doctors/{giver['id']}/offers", {"places": 1}, 201)
    assert await house.state(hers) == "asking"
    assert [p["doctor"]["id"] for p in (await house.see(other))["proposals"]] == [giver["id"]]


async def test_a_commune_with_fewer_residents_than_k_is_not_announced(house: House) -> None:
    await house.run_sql("UPDATE population SET residents = 0")
    await _reread(house)
    search = await house.ready()
    refused = await house.do(search, "launch", 409)
    assert (refused["code"], refused["state"]) == ("too_few_residents", "ready")
    assert not house.catcher.messages()


async def test_a_member_of_the_household_who_is_taken_alone_leaves_the_others_a_search_of_their_own(
    house: House,
) -> None:
    record = request()["record"] | {
        "household": [
            {"birth_date": "1960-01-01", "relation": "conjoint"},
            {"birth_date": "2015-05-05", "relation": "enfant"},
        ]
    }
    search = await house.launched(record=record)
    assert (await house.see(search))["household"] == {"adults": 2, "children": 1}
    doctor = (await house.mailed(search))[0]
    await house.yes(doctor, conditions={"count": 1})
    await house.do(search, "split", adults=1, children=0)
    assert (await house.see(search))["household"] == {"adults": 1, "children": 0}
    rest = [s for s in (await house.get(OFFICE, "/searches"))["items"] if s["id"] != search]
    assert [(s["state"]) for s in rest] == ["ready"]
    twin = await house.see(rest[0]["id"])
    assert twin["household"] == {"adults": 1, "children": 1}
    assert twin["seniority"] == (await house.see(search))["seniority"]
    assert (await house.do(twin["id"], "launch"))["state"] == "asking"


def _message_ids(house: House, doctor: Doctor) -> list[str]:
    return [mail["Message-ID"] for mail in house.mails() if doctor["email"] in mail["To"]]


def _unsubscribe(house: House, doctor: Doctor) -> str:
    mail = next(mail for mail in house.mails() if doctor["email"] in mail["To"])
    found = re.search(r"<(http[^>]+)>", mail["List-Unsubscribe"])
    assert found is not None
    return found[1]


async def _reread(house: House) -> None:
    """What a restart does: the house reads its territories."""
    from matcher.service.installation import load_territories

    territories = house.house.territories
    assert isinstance(territories, dict)
    territories.update(await load_territories(house.house))
