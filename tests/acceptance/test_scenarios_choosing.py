"""From the yes to the release: simultaneous, late, undone and held answers, choices, hand-overs, codes."""

from datetime import timedelta

from matcher.service import handover
from matcher.service.actors import Actor, Role
from tests.acceptance.house import HERE, OFFICE, House, request


def first_match(**more: bool) -> dict[str, object]:
    """The fields of a request whose patient agreed to the first doctor who says yes."""
    return {"choice": "first_match", "consent": request()["consent"] | {"first_match_agreed": True} | more}


async def test_as_many_simultaneous_yes_as_doctors_were_mailed_choose_one_and_keep_the_rest(
    house: House,
) -> None:
    search = await house.launched(**first_match())
    doctors = await house.mailed(search)
    tokens = [house.token(doctor["email"]) for doctor in doctors]
    assert set(await house.together((None, "/links/open", {"token": token}) for token in tokens)) == {200}
    house.clock.at += timedelta(seconds=10)
    yes = [(None, "/links/answer", {"token": token, "answer": "yes"}) for token in tokens]
    assert set(await house.together(yes)) == {200}
    await house.advance(hours=1)

    seen = await house.see(search)
    assert seen["state"] == "released"
    chosen = seen["chosen"]["id"]
    assert {p["doctor"]["id"] for p in seen["reserve"]} == {d["id"] for d in doctors} - {chosen}
    assert await house.run_sql("SELECT count(*) FROM releases") == [(1,)]
    assert await house.run_sql("SELECT count(*) FROM positions WHERE stand = 'chosen'") == [(1,)]
    for doctor in doctors:
        had_the_link = any("/dossier#" in mail.text for mail in house.catcher.to(doctor["email"]))
        assert had_the_link is (doctor["id"] == chosen)

    await house.do(search, "desist", by="doctor", reason="plus de place")
    seen = await house.see(search)
    assert seen["state"] == "proposing"
    assert {p["doctor"]["id"] for p in seen["proposals"]} == {d["id"] for d in doctors} - {chosen}


async def test_with_the_office_closed_the_first_match_is_released_and_the_page_takes_a_call_back(
    house: House,
) -> None:
    search = await house.launched(**first_match())
    doctor = (await house.mailed(search))[0]
    house.at("2026-11-24 22:15")
    await house.yes(doctor)
    assert await house.state(search) == "released"
    token = house.token(doctor["email"], "dossier")
    opened = await house.post(None, "/links/open", {"token": token})
    assert (opened["state"], opened["office_open"], opened["called_back"]) == ("chosen", False, False)
    await house.post(None, "/links/call-me", {"token": token})
    assert "call_me_for_the_code" in await house.tasks(search)
    house.at("2026-11-25 09:05")
    code = (await house.do(search, "release/code"))["release"]["code"]
    given = await house.post(None, "/links/record", {"token": token, "code": code})
    assert given["record"]["birth_name"] == "Aubépine"


async def test_a_conditional_or_phoned_yes_or_one_of_a_delegate_is_a_proposal_under_first_match(
    house: House,
) -> None:
    await house.name_delegates()
    search = await house.launched(**first_match())
    conditional, phoned, delegated = (await house.mailed(search))[:3]
    await house.yes(conditional, conditions={"where": "teleconsultation"})
    await house.do(search, "calls", doctor_id=phoned["id"], outcome="yes", spoke_with="doctor")
    await house.yes({"email": delegated["delegate_email"]})
    seen = await house.see(search)
    assert (seen["state"], len(seen["proposals"])) == ("proposing", 3)


async def test_a_doctor_without_mailbox_gets_the_record_on_paper_and_the_journal_says_so(
    house: House,
) -> None:
    search = await house.launched()
    await house.do(search, "calls/start")
    listed = await house.doctors()
    phoned = (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]
    mute = next(i["doctor"]["id"] for i in phoned if not listed[i["doctor"]["id"]]["has_mailbox"])
    await house.do(search, "calls", doctor_id=mute, outcome="yes", spoke_with="doctor")
    refused = await house.do(search, "choose", 409, doctor_id=mute)
    assert (refused["code"], refused["state"]) == ("no_channel", "proposing")
    await house.do(search, "choose", doctor_id=mute, handover="paper")

    coordinatrice = Actor(territory=HERE, id="c", role=Role.COORDINATRICE)
    pdf = await handover.printed(house.house, coordinatrice, search)
    assert pdf.startswith(b"%PDF-")
    printed = [e for e in await house.journal(search) if e["action"] == "print_record"]
    assert [(e["doctor"], e["purpose"]) for e in printed] == [(mute, "paper")]


async def test_a_yes_comes_while_another_doctor_is_on_the_phone(house: House) -> None:
    search = await house.launched()
    first, other, *_ = await house.mailed(search)
    await house.do(search, "calls/start")
    await house.post("secretaire", "/calls/claim", {"doctor_id": other["id"]})
    await house.yes(first)
    assert await house.state(search) == "proposing"
    seen = await house.do(search, "calls", who="secretaire", doctor_id=other["id"], outcome="yes")
    assert {p["doctor"]["id"] for p in seen["proposals"]} == {first["id"], other["id"]}
    promised = {"doctor_id": first["id"], "outcome": "call_back"}
    await house.do(search, "choose", doctor_id=other["id"])
    assert (await house.do(search, "calls", **promised))["state"] == "released"


async def test_all_proposals_declined_the_asking_goes_on_and_they_are_never_asked_again(
    house: House,
) -> None:
    search, doctors = await house.proposing(2)
    ids = [doctor["id"] for doctor in doctors]
    seen = await house.do(search, "decline-proposals", doctor_ids=ids)
    assert seen["state"] == "asking"
    await house.advance(days=8)
    assert await house.state(search) == "calling"
    to_phone = {i["doctor"]["id"] for i in (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]}
    assert not to_phone & set(ids)
    for doctor in doctors:
        assert house.letters(doctor["email"], "Cette recherche est terminée") == 1
        status, state = await house.answer(house.token(doctor["email"]), "yes")
        assert (status, state["state"]) == (200, "over")
    assert await house.state(search) == "calling"


async def test_a_late_yes_is_kept_in_reserve_after_the_choice_and_a_task_once_unmet(house: House) -> None:
    search, _ = await house.released()
    late, later, *_ = (await house.mailed(search))[1:]
    assert (await house.yes(late))["state"] == "intended_for_another"
    assert [p["doctor"]["id"] for p in (await house.see(search))["reserve"]] == [late["id"]]
    assert house.letters(late["email"], "reste en réserve") == 1
    await house.do(search, "desist", by="patient", reason="trop loin")
    await house.do(search, "close", next="nothing")
    await house.yes(later)
    seen = await house.see(search)
    assert (seen["state"], {p["doctor"]["id"] for p in seen["reserve"]}) == (
        "unmet",
        {late["id"], later["id"]},
    )
    assert "late_yes" in await house.tasks(search)


async def test_a_yes_after_the_attachment_is_thanked_and_changes_nothing(house: House) -> None:
    search, _ = await house.attached()
    late = (await house.mailed(search))[1]
    before = await house.see(search)
    assert (await house.yes(late))["state"] == "over"
    after = await house.see(search)
    assert (after["state"], after["reserve"]) == ("attached", [])
    assert after["chosen"] == before["chosen"]
    assert house.letters(late["email"], "Cette recherche est terminée") == 1


async def test_a_yes_may_be_undone_until_the_release_and_the_office_hears_of_the_last_one(
    house: House,
) -> None:
    search, (doctor,) = await house.proposing()
    await house.says(doctor, "undo")
    assert await house.state(search) == "asking"
    assert "last_yes_gone" in await house.tasks(search)
    await house.yes(doctor)
    await house.do(search, "choose", doctor_id=doctor["id"])
    status, refused = await house.answer(house.token(doctor["email"]), "undo")
    assert (status, refused["code"]) == (409, "give_up_instead")


async def test_contradictory_answers_are_held_until_a_person_settles_them(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"])
    await house.post(None, "/links/open", {"token": token})
    house.clock.at += timedelta(seconds=10)
    assert (await house.answer(token, "yes"))[0] == 200
    house.clock.at += timedelta(seconds=1)
    assert await house.answer(token, "no") == (202, {"held": True})
    await house.advance(hours=1)
    seen = await house.see(search)
    assert (seen["state"], {h["says"] for h in seen["held"]}) == ("asking", {"yes", "no"})
    await house.advance(days=2)
    assert "answer_held_overdue" in await house.tasks(search)
    held = next(h["id"] for h in seen["held"] if h["says"] == "yes")
    seen = await house.do(search, f"answers/{held}/settle", keep=True)
    assert (seen["state"], seen["held"], seen["tasks"]) == ("proposing", [], [])


async def test_a_held_yes_kept_by_the_office_never_triggers_the_first_match(house: House) -> None:
    search = await house.launched(**first_match())
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"])
    await house.post(None, "/links/open", {"token": token})
    assert (await house.answer(token, "yes"))[0] == 202
    held = (await house.see(search))["held"][0]["id"]
    seen = await house.do(search, f"answers/{held}/settle", keep=True)
    assert seen["state"] == "proposing"


async def test_a_yes_that_grew_old_is_asked_again_and_cannot_be_chosen_until_confirmed(house: House) -> None:
    search, (doctor,) = await house.proposing()
    await house.advance(days=3, hours=1)
    refused = await house.do(search, "choose", 409, doctor_id=doctor["id"])
    assert refused["code"] == "unconfirmed"
    await house.yes(doctor)
    assert (await house.do(search, "choose", doctor_id=doctor["id"]))["state"] == "released"


async def test_a_renewed_release_kills_the_link_before_it(house: House) -> None:
    search, (doctor,) = await house.released()
    old, code = house.token(doctor["email"], "dossier"), (await house.see(search))["release"]["code"]
    await house.do(search, "release/renew")
    await house.work()
    new = house.token(doctor["email"], "dossier")
    assert new != old
    await house.post(None, "/links/record", {"token": old, "code": code}, 404)
    await house.post(None, "/links/record", {"token": new, "code": code}, 403)
    assert (await house.open_record(search, doctor))["record"]["birth_name"] == "Aubépine"


async def test_a_release_renewed_to_another_address_goes_there_and_the_links_of_the_old_one_die(
    house: House,
) -> None:
    search, (doctor,) = await house.released()
    old = [house.token(doctor["email"], page) for page in ("r", "dossier")]
    await house.do(search, "release/renew", email="nouveau@cabinet.example")
    await house.work()
    for token in old:
        await house.post(None, "/links/open", {"token": token}, 404)
    opened = await house.open_record(search, {"email": "nouveau@cabinet.example"})
    assert opened["record"]["birth_name"] == "Aubépine"


async def test_five_wrong_codes_lock_the_link_and_tell_the_office(house: House) -> None:
    search, (doctor,) = await house.released()
    token, code = house.token(doctor["email"], "dossier"), (await house.see(search))["release"]["code"]
    wrong = "000000" if code != "000000" else "111111"
    for status in (403, 403, 403, 403, 423):
        reply = await house.call(None, "POST", "/links/record", {"token": token, "code": wrong})
        assert (reply.status, reply.json["code"]) in ((403, "wrong_code"), (status, "locked"))
    reply = await house.call(None, "POST", "/links/record", {"token": token, "code": code})
    assert reply.json["code"] == "locked"
    assert "link_locked" in await house.tasks(search)
    refused = await house.do(search, "release/code", 409)
    assert refused["code"] == "locked"
    await house.do(search, "release/renew")
    await house.work()
    assert (await house.open_record(search, doctor))["record"]["birth_name"] == "Aubépine"


async def test_a_dead_mail_of_the_record_is_a_task_and_goes_another_way(house: House) -> None:
    search, (doctor,) = await house.proposing()
    house.catcher.unknown.add(doctor["email"])
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.advance(hours=1)
    assert "release_unreached" in await house.tasks(search)
    refused = await house.do(search, "release/renew", 409)
    assert refused["code"] == "no_channel"
    seen = await house.do(search, "release/renew", handover="read_by_phone")
    assert (seen["release"]["state"], "release_unreached" in await house.tasks(search)) == (
        "handed_over",
        False,
    )
