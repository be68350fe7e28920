"""Rests, ends and new beginnings; consent taken back; two requesters for one patient."""

from datetime import timedelta

import pytest

from tests.acceptance.house import OFFICE, House, request

#: Somebody else than the patient of the usual request.
ANOTHER = request()["record"] | {
    "first_names": "Ondine",
    "birth_date": "1961-07-08",
    "nir": "261076938200174",
}


async def test_consent_taken_back_between_choice_and_opening_leaves_nothing_to_open(house: House) -> None:
    search, (doctor, other) = await house.released(2)
    token, code = house.token(doctor["email"], "dossier"), (await house.see(search))["release"]["code"]
    taken = await house.do(search, "consent", who="requester", given="no")
    assert taken["state"] == "withdrawn"
    assert "outcome" not in taken
    await house.post(None, "/links/open", {"token": token}, 404)
    await house.post(None, "/links/record", {"token": token, "code": code}, 404)
    opened = await house.post(None, "/links/open", {"token": house.token(doctor["email"])})
    assert opened["state"] == "over"
    assert "text" not in opened
    await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi", 404)
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]
    assert await house.run_sql("SELECT count(*) FROM lookup") == [(0,)]
    await house.do(search, "withdraw/undo", 409)
    await house.work()
    assert house.letters(other["email"], "Cette recherche est terminée") == 1
    register = house.house.settings.keys_dir / "consents-taken-back.jsonl"
    assert search in register.read_text()


async def test_a_doctor_who_opened_the_record_is_asked_to_delete_it_once_consent_is_gone(
    house: House,
) -> None:
    search, (doctor,) = await house.released()
    given = await house.open_record(search, doctor)
    session = {"token": house.token(doctor["email"], "dossier"), "session": given["session"]}
    await house.do(search, "withdraw", reason="consent")
    await house.work()
    assert "supprim" in house.catcher.to(doctor["email"])[-1].text
    assert (await house.call(None, "POST", "/links/document", session)).status in (404, 410)


async def test_two_requesters_for_one_patient_learn_nothing_and_either_stops_all(house: House) -> None:
    other = await house.new_requester("CCAS d’à côté")
    first = await house.submitted()
    alone = await house.submitted(who=other, record=ANOTHER)
    known = await house.post(other, "/searches", request(), 201)
    strange = await house.post(other, "/searches", request(record=ANOTHER | {"nir": "261076938200271"}), 201)
    assert set(known) - {"warnings"} == set(strange) - {"warnings"}
    second = known["id"]
    assert set(await house.see(second, other)) == set(await house.see(alone, other))
    assert {twin["id"] for twin in (await house.see(first))["same_patient"]} == {second}
    found = (await house.get(other, "/searches?q=Aub%C3%A9pine"))["items"]
    assert {one["id"] for one in found} == {alone, second, strange["id"]}

    await house.do(first, "validate")
    await house.do(first, "launch")
    await house.do(first, "join", search=second)
    assert (await house.state(first), await house.state(second)) == ("asking", "withdrawn")
    # Each keeps its own reference; what the office joined it does not part.
    assert (await house.see(second, other))["reference"] == known["reference"]
    await house.do(second, "withdraw/undo", 409, who=other)
    await house.do(second, "consent", who=other, given="no")
    assert (await house.state(first), await house.state(second)) == ("withdrawn", "withdrawn")
    await house.get(OFFICE, f"/searches/{first}/record?purpose=suivi", 404)


async def test_a_correction_that_says_no_to_the_sharing_stops_the_joined_search_too(house: House) -> None:
    other = await house.new_requester("CCAS d’à côté")
    first = await house.launched()
    second = await house.submitted(who=other)
    await house.do(second, "validate")
    await house.do(first, "join", search=second)
    no = request()["consent"] | {"given": "no"}
    assert (await house.do(first, "correct", consent=no))["state"] == "withdrawn"
    assert (await house.see(second))["withdrawal"]["reason"] == "consent"


async def test_a_join_undone_by_the_office_leaves_two_searches_that_end_alone(house: House) -> None:
    other = await house.new_requester("CCAS d’à côté")
    first = await house.launched()
    second = await house.submitted(who=other)
    await house.do(first, "join", search=second)
    assert (await house.do(second, "withdraw/undo"))["state"] == "submitted"
    assert {twin["id"] for twin in (await house.see(first))["same_patient"]} == {second}
    await house.do(second, "withdraw", reason="consent")
    assert await house.state(first) == "asking"


@pytest.mark.parametrize("whose", ["first", "part", "part of the part"])
async def test_consent_taken_back_for_one_part_of_a_household_stops_every_part(
    house: House, whose: str
) -> None:
    relatives = [{"birth_date": year, "relation": "enfant"} for year in ("1985-01-01", "1990-05-05")]
    first = await house.submitted(record=request()["record"] | {"household": relatives})
    duplicate = await house.submitted(who=await house.new_requester("CCAS d’à côté"))
    await house.do(first, "validate")
    await house.do(first, "split", adults=1, children=0)
    part = await _newest(house, first, duplicate)
    await house.do(part, "split", adults=1, children=0)
    last = await _newest(house, first, duplicate, part)
    await house.do(last, "join", search=duplicate)
    # Another kind of end concerns the one alone.
    await house.do(part, "withdraw", reason="found_one")
    assert await house.state(first) == "ready"
    await house.do(part, "withdraw/undo")
    stopped = {"first": first, "part": part, "part of the part": last}[whose]
    await house.do(stopped, "consent", given="no")
    for one in (first, part, last, duplicate):
        assert (await house.see(one))["withdrawal"]["reason"] == "consent"
        await house.get(OFFICE, f"/searches/{one}/record?purpose=contact", 404)
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]
    register = (house.house.settings.keys_dir / "consents-taken-back.jsonl").read_text()
    assert all(one in register for one in (first, part, last, duplicate))


async def _newest(house: House, *known: str) -> str:
    """The one search that is not among those known."""
    (found,) = {one["id"] for one in (await house.get(OFFICE, "/searches"))["items"]} - set(known)
    return str(found)


async def test_two_released_searches_of_one_patient_are_not_joined_but_a_task(house: House) -> None:
    first, (doctor,) = await house.released()
    second = await house.launched()
    other = next(one for one in await house.mailed(second) if one["id"] != doctor["id"])
    await house.yes(other)
    await house.do(second, "choose", doctor_id=other["id"])
    refused = await house.do(first, "join", 409, search=second)
    assert (refused["code"], refused["state"]) == ("both_released", "released")
    assert [await house.state(one) for one in (first, second)] == ["released", "released"]
    assert "both_released" in await house.tasks(first) & await house.tasks(second)


async def test_a_rest_stops_every_delay_keeps_a_yes_and_ends_on_its_day(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await house.do(search, "rest", until="2026-12-07")
    await house.advance(days=8)
    assert await house.state(search) == "resting"
    mailed = {d["id"] for d in await house.mailed(search)}
    assert all(len(house.subjects(d["email"])) == 1 for d in await house.mailed(search))
    await house.yes(doctor)
    seen = await house.see(search)
    assert (seen["state"], [p["doctor"]["id"] for p in seen["reserve"]]) == ("resting", [doctor["id"]])
    await house.advance(days=6)
    seen = await house.see(search)
    assert (seen["state"], [p["doctor"]["id"] for p in seen["proposals"]]) == ("proposing", [doctor["id"]])
    assert {d["id"] for d in await house.mailed(search)} == mailed


async def test_a_rest_without_an_answer_goes_on_where_it_stood(house: House) -> None:
    search = await house.launched()
    await house.do(search, "rest")
    await house.advance(days=3)
    assert (await house.do(search, "wake"))["state"] == "asking"
    await house.advance(days=2, hours=3)
    assert {s["wave"] for s in (await house.see(search))["solicitations"]} == {1, 2}


async def test_three_tries_in_vain_put_the_search_at_rest(house: House) -> None:
    search, _ = await house.proposing()
    house.at("2026-11-25 10:00")
    for outcome in ("no_answer", "message_left"):
        seen = await house.do(search, "attempts", outcome=outcome)
    # Two calls of one morning are one try; the patient may be there at other hours, or have moved.
    wanted = {"calls": 1, "half": "afternoon", "other_than": "2026-11-25", "requester": True}
    assert (seen["state"], seen["contact_wanted"]) == ("proposing", wanted)
    house.at("2026-11-26 15:00")
    for outcome in ("no_answer", "through_requester"):
        await house.do(search, "attempts", outcome=outcome)
    seen = await house.see(search)
    assert (seen["state"], len(seen["reserve"])) == ("resting", 1)
    assert "patient_unreachable" in await house.tasks(search)


async def test_a_relaunch_on_its_day_waits_for_need_and_consent_and_keeps_the_seniority(house: House) -> None:
    search = await house.launched()
    before = await house.see(search)
    await house.do(search, "close", next="relaunch", relaunch_on="2026-12-14")
    assert await house.state(search) == "unmet"
    await house.advance(days=21, hours=2)
    seen = await house.see(search)
    assert (seen["state"], seen["run"], seen["seniority"]) == ("ready", 2, before["seniority"])
    assert "relaunch_due" in await house.tasks(search)
    refused = await house.do(search, "launch", 409)
    assert refused["code"] == "reconfirm_needed"
    await house.do(search, "reconfirm", who="requester")
    await house.do(search, "launch")
    await house.work()
    doctor = (await house.mailed(search))[0]
    # A new run: its doctors are asked anew, once.
    assert len(house.subjects(doctor["email"])) == 2
    text = {mail.text.split("Pourriez-vous")[0] for mail in house.catcher.to(doctor["email"])}
    assert len(text) == 1


async def test_a_reserve_is_proposed_in_the_next_run_and_its_old_link_still_speaks_for_it(
    house: House,
) -> None:
    search, (chosen, reserve) = await house.attached(2)
    old_record = house.token(chosen["email"], "dossier")
    seen = await house.do(search, "reopen", reason="le médecin part")
    assert [(one["what"], one["text"]) for one in seen["reasons"]] == [("reopen", "le médecin part")]
    assert "reasons" not in await house.see(search, "secretaire")
    assert (seen["state"], seen["run"], [p["doctor"]["id"] for p in seen["proposals"]]) == (
        "proposing",
        2,
        [reserve["id"]],
    )
    await house.post(None, "/links/open", {"token": old_record}, 404)
    opened = await house.post(None, "/links/open", {"token": house.token(reserve["email"])})
    assert opened["state"] == "answered"
    await house.says(reserve, "undo")
    seen = await house.see(search)
    assert seen["state"] in ("asking", "calling")
    await house.work()
    former = {s["doctor"]["id"] for s in (await house.see(search))["solicitations"]}
    assert chosen["id"] not in former


async def test_the_doctor_of_a_former_run_cannot_open_what_the_next_one_is_given(house: House) -> None:
    search, (former, reserve) = await house.attached(2)
    await house.do(search, "reopen", reason="échec")
    await house.do(search, "choose", doctor_id=reserve["id"])
    await house.work()
    code = (await house.see(search))["release"]["code"]
    for token in (house.token(former["email"], "dossier"), house.token(former["email"])):
        await house.post(None, "/links/record", {"token": token, "code": code}, 404)
    assert (await house.open_record(search, reserve))["record"]["birth_name"] == "Aubépine"


async def test_a_withdrawal_is_undone_within_seven_days_with_new_links_for_the_record(house: House) -> None:
    search, (doctor,) = await house.released()
    old = house.token(doctor["email"], "dossier")
    await house.do(search, "withdraw", who="requester", reason="found_one")
    await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi", 404)
    assert (await house.do(search, "release/code", 409))["code"] == "no_release"
    house.clock.at += timedelta(days=6)
    await house.work()
    assert (await house.do(search, "withdraw/undo"))["state"] == "released"
    await house.work()
    await house.post(None, "/links/open", {"token": old}, 404)
    assert (await house.open_record(search, doctor))["record"]["birth_name"] == "Aubépine"


async def test_a_withdrawal_is_final_after_seven_days(house: House) -> None:
    search = await house.launched()
    await house.do(search, "withdraw", reason="left")
    house.clock.at += timedelta(days=7, minutes=1)
    await house.work()
    await house.do(search, "withdraw/undo", 409)
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]


async def test_a_missed_appointment_stays_released_and_asks_for_a_new_date(house: House) -> None:
    search, _ = await house.released()
    await house.do(search, "appointment", on="2026-11-23", state="missed")
    assert await house.state(search) == "released"
    assert "appointment_missed" in await house.tasks(search)
    refused = await house.do(search, "confirm", 409, declaration="done")
    assert refused["code"] == "appointment_not_honoured"


async def test_a_draft_that_nobody_finished_is_emptied_and_the_list_still_opens(house: House) -> None:
    draft = {"draft": True, "record": {"birth_name": "Ronce"}}
    made = await house.post("requester", "/searches", draft, 201)
    house.clock.at += timedelta(days=91)
    await house.work()
    assert await house.run_sql("SELECT count(*) FROM sealed WHERE ciphertext IS NOT NULL") == [(0,)]
    listed = (await house.get("requester", "/searches"))["items"]
    assert [(one["id"], "input" in one) for one in listed] == [(made["id"], False)]
    assert "input" not in await house.see(made["id"], "requester")


@pytest.mark.parametrize("shared", [True, False])
async def test_the_requester_learns_the_outcome_only_if_the_patient_agrees(
    small_house: House, shared: bool
) -> None:
    house = small_house
    consent = request()["consent"] | {"outcome_shared": shared}
    search, (doctor,) = await house.released(consent=consent)
    mine = await house.see(search, "requester")
    assert ("outcome" in mine) is shared
    assert set(mine) - {"outcome"} == {"id", "reference", "label", "state", "since"}
    if shared:
        assert mine["outcome"]["doctor"]["id"] == doctor["id"]
