"""A whole search over the API alone, and what each side may see of it."""

from tests.acceptance.api_world import World, request


async def test_a_search_goes_from_the_request_to_the_attachment(world: World) -> None:
    sent = request()
    made = await world.post("requester", "/searches", sent, 201)
    search = f"/searches/{made['id']}"
    assert (made["state"], made["reference"][:7]) == ("submitted", "VEN-26-")

    office = "coordinatrice"
    opened = await world.get(office, f"{search}/record?purpose=validation")
    assert {name: opened[name] for name in sent} == sent
    assert (await world.post(office, f"{search}/validate"))["state"] == "ready"
    await world.post(office, f"{search}/launch")
    await world.work()

    # Mails: to fitting members only, one each, and 38 at most.
    listed = await world.doctors()
    seen = await world.get(office, search)
    asked = {s["doctor"]["id"] for s in seen["solicitations"]}
    assert seen["state"] == "asking"
    assert 0 < len(asked) <= 38
    assert all(listed[id]["member"] and listed[id].get("sector") == 1 for id in asked)
    assert seen["next"]["what"] in ("reminder", "next_wave")

    # Nobody answers: the calls, with every fitting doctor of the territory and why.
    await world.later(days=2)
    await world.later(days=1)
    await world.later(days=4)
    assert (await world.get(office, search))["state"] == "calling"
    to_phone = (await world.get(office, f"{search}/calls"))["items"]
    assert len(to_phone) > len(asked)
    assert all(item["why"] and listed[item["doctor"]["id"]]["sector"] == 1 for item in to_phone)
    assert all(listed[item["doctor"]["id"]]["zone"] == "territoire" for item in to_phone)

    # A yes by phone, and one by link.
    by_phone = next(item["doctor"]["id"] for item in to_phone if item["doctor"]["id"] not in asked)
    await world.post("secretaire", "/calls/claim", {"doctor_id": by_phone})
    called = {
        "doctor_id": by_phone,
        "outcome": "yes",
        "spoke_with": "doctor",
        "email": "appele@cabinet.example",
    }
    await world.post("secretaire", f"{search}/calls", called)
    chosen = (await world.mailed(made["id"]))[0]
    await world.says(chosen, "yes")
    seen = await world.get(office, search)
    assert seen["state"] == "proposing"
    assert {p["doctor"]["id"] for p in seen["proposals"]} == {by_phone, chosen["id"]}

    # The patient chooses; the record opens once, with the code, and is what was sent.
    seen = await world.post(office, f"{search}/choose", {"doctor_id": chosen["id"]})
    assert (seen["state"], seen["chosen"]["id"]) == ("released", chosen["id"])
    code = seen["release"]["code"]
    await world.work()
    token = world.token(chosen["email"], "dossier")
    given = await world.post(None, "/links/record", {"token": token, "code": code})
    assert given["record"] == sent["record"]
    await world.post(None, "/links/record", {"token": token, "code": code}, 403)
    assert "code" not in (await world.get(office, search))["release"]
    session = {"token": token, "session": given["session"]}
    assert (await world.post(None, "/links/document", session))[:5] == b"%PDF-"
    await world.post(None, "/links/acknowledge", session)

    # The appointment, the declaration; then the others are thanked.
    early = await world.post(office, f"{search}/confirm", {"declaration": "done"}, 409)
    assert early["state"] == "released"
    await world.post(office, f"{search}/appointment", {"on": "2026-12-03", "state": "planned"})
    await world.later(days=5)
    seen = await world.post(office, f"{search}/confirm", {"declaration": "done", "honoured_on": "2026-12-03"})
    assert seen["state"] == "attached"
    before = len(world.catcher.messages())
    await world.work()
    thanked = {mail.to for mail in world.catcher.messages()[before:]}
    assert chosen["email"] not in thanked
    assert "appele@cabinet.example" in thanked
    mine = await world.get("requester", search)
    assert mine["outcome"]["doctor"]["id"] == chosen["id"]


async def test_a_requester_sees_its_own_searches_only_and_little_of_them(small_world: World) -> None:
    world = small_world
    search = await world.launched()
    mine = await world.get("requester", f"/searches/{search}")
    assert set(mine) <= {"id", "reference", "label", "state", "since", "outcome"}
    assert mine["label"] == "C. A. 1958"
    assert [s["id"] for s in (await world.get("requester", "/searches"))["items"]] == [search]
    assert (await world.get("requester2", "/searches"))["items"] == []
    await world.get("requester2", f"/searches/{search}", 404)
    await world.post("requester2", f"/searches/{search}/withdraw", {"reason": "consent"}, 404)
    await world.get("requester", f"/searches/{search}/record?purpose=voir", 403)


async def test_a_draft_is_completed_and_comes_back_as_typed(small_world: World) -> None:
    world = small_world
    made = await world.post("requester", "/searches", {"draft": True, "record": {"birth_name": "Ronce"}}, 201)
    assert made["state"] == "draft"
    search = f"/searches/{made['id']}"
    seen = await world.get("requester", search)
    assert seen["input"] == {"record": {"birth_name": "Ronce"}}
    assert seen["missing"]
    refused = await world.post("requester", f"{search}/submit", expect=400)
    assert set(refused["fields"]) & {"record.birth_date", "birth_date"}
    whole = request()
    reply = await world.call("requester", "PATCH", search, whole)
    assert reply.status == 200
    assert reply.json["input"] == whole
    assert (await world.post("requester", f"{search}/submit"))["state"] == "submitted"
    assert (await world.call("requester", "PATCH", search, {"urgent": True})).status == 409


async def test_a_returned_request_says_what_is_missing(small_world: World) -> None:
    world = small_world
    search = f"/searches/{await world.submitted()}"
    await world.post("coordinatrice", f"{search}/return", {"missing": ["record.phone"]})
    seen = await world.get("requester", search)
    assert (seen["state"], seen["missing"]) == ("returned", ["record.phone"])
    assert seen["input"]["record"]["birth_name"] == "Aubépine"


async def test_a_request_without_consent_is_kept_and_not_launched(small_world: World) -> None:
    world = small_world
    undecided = {"given": "undecided", "at": "2026-11-23T08:00:00Z", "by": "patient", "how": "oral"}
    search = f"/searches/{await world.submitted(consent=undecided)}"
    for move in ("validate", "launch"):
        refused = await world.post("coordinatrice", f"{search}/{move}", expect=409)
        assert (refused["status"], refused["state"]) == (409, "submitted")
        assert refused["code"]
        assert refused["detail"]
    await world.post("requester", f"{search}/consent", {"given": "yes", "by": "patient", "how": "oral"})
    assert (await world.post("coordinatrice", f"{search}/validate"))["state"] == "ready"


async def test_consent_taken_back_destroys_the_record_and_ends_every_link(small_world: World) -> None:
    world = small_world
    search = await world.launched()
    doctor = (await world.mailed(search))[0]
    seen = await world.post("requester", f"/searches/{search}/consent", {"given": "no"})
    assert seen["state"] == "withdrawn"
    await world.get("coordinatrice", f"/searches/{search}/record?purpose=voir", 404)
    opened = await world.post(None, "/links/open", {"token": world.token(doctor["email"])})
    assert opened["state"] == "over"
    await world.post("requester", f"/searches/{search}/withdraw/undo", expect=409)


async def test_a_draft_without_a_birth_date_announces_nothing_and_says_so(small_world: World) -> None:
    world = small_world
    created = await world.post("requester", "/searches", {"draft": True}, 201)
    search = f"/searches/{created['id']}"
    assert await world.get("coordinatrice", f"{search}/announcement") == {"items": []}
    refused = await world.post("coordinatrice", f"{search}/announcement", {"place": "Parilly"}, 409)
    assert (refused["code"], refused["state"]) == ("no_birth_date", "draft")
    refused = await world.post("coordinatrice", f"{search}/launch", expect=409)
    assert (refused["code"], refused["state"]) == ("not_ready", "draft")


async def test_what_reads_the_record_is_refused_by_the_state_before_the_record_is_missed(
    small_world: World,
) -> None:
    world = small_world
    search = f"/searches/{await world.launched()}"
    await world.post("coordinatrice", f"{search}/withdraw", {"reason": "found_one"})
    for move, body in (("submit", None), ("announcement", {"place": "Parilly"})):
        refused = await world.post("coordinatrice", f"{search}/{move}", body, 409)
        assert (refused["code"], refused["state"]) == ("over", "withdrawn")


async def test_the_first_yes_is_chosen_under_first_match_and_the_rest_kept(small_world: World) -> None:
    world = small_world
    consent = request()["consent"] | {"first_match_agreed": True}
    search = await world.launched(choice="first_match", consent=consent)
    first, second, *_ = await world.mailed(search)
    await world.says(first, "yes")
    seen = await world.get("coordinatrice", f"/searches/{search}")
    assert (seen["state"], seen["chosen"]["id"]) == ("released", first["id"])
    taken = await world.says(second, "yes")
    assert taken["state"] == "intended_for_another"
    token = world.token(first["email"], "dossier")
    await world.post(None, "/links/desist", {"token": token, "reason": "cabinet fermé"})
    seen = await world.get("coordinatrice", f"/searches/{search}")
    assert seen["state"] == "proposing"
    assert [p["doctor"]["id"] for p in seen["proposals"]] == [second["id"]]


async def test_an_answer_within_the_reading_time_is_held_until_a_person_settles_it(
    small_world: World,
) -> None:
    world = small_world
    search = await world.launched()
    doctor = (await world.mailed(search))[0]
    token = world.token(doctor["email"])
    shown = await world.post(None, "/links/open", {"token": token})
    # The page promises what the mail promised.
    (mail,) = (one for one in world.catcher.to(doctor["email"]) if "/r#" in one.text)
    assert f"réponse sous {shown['yes_held']}" in mail.text
    assert await world.post(None, "/links/answer", {"token": token, "answer": "yes"}, 202) == {"held": True}
    await world.later(seconds=30)
    seen = await world.get("coordinatrice", f"/searches/{search}")
    assert (seen["state"], len(seen["held"])) == ("asking", 1)
    settle = f"/searches/{search}/answers/{seen['held'][0]['id']}/settle"
    await world.post("coordinatrice", settle, {"keep": True})
    await world.later(seconds=30)
    assert (await world.get("coordinatrice", f"/searches/{search}"))["state"] == "proposing"


async def test_a_doctor_without_mailbox_needs_a_hand_over(small_world: World) -> None:
    world = small_world
    search = await world.launched()
    await world.post("coordinatrice", f"/searches/{search}/calls/start")
    listed = await world.doctors()
    to_phone = (await world.get("coordinatrice", f"/searches/{search}/calls"))["items"]
    mute = next(
        i["doctor"]["id"]
        for i in to_phone
        if not listed[i["doctor"]["id"]].get("email") and not listed[i["doctor"]["id"]].get("mssante")
    )
    yes = {"doctor_id": mute, "outcome": "yes", "spoke_with": "doctor"}
    await world.post("coordinatrice", f"/searches/{search}/calls", yes)
    await world.later(seconds=10)
    refused = await world.post("coordinatrice", f"/searches/{search}/choose", {"doctor_id": mute}, 409)
    assert refused["code"] == "no_channel"
    chosen = {"doctor_id": mute, "handover": "paper"}
    seen = await world.post("coordinatrice", f"/searches/{search}/choose", chosen)
    assert (seen["state"], seen["release"]["kind"]) == ("released", "paper")


async def test_unsubscribing_pauses_by_post_and_a_get_changes_nothing(small_world: World) -> None:
    world = small_world
    search = await world.launched()
    doctor = (await world.mailed(search))[0]
    raw = next(m for m in world.catcher.raw() if doctor["email"].encode() in m.partition(b"\n\n")[0])
    address = raw.partition(b"List-Unsubscribe: <")[2].partition(b">")[0].decode().replace("\r\n ", "")
    path = "/" + address.removeprefix("http://trait-union.example")
    assert (await world.call(None, "GET", path)).status == 200
    assert "away_until" not in (await world.doctors())[doctor["id"]]
    assert (await world.call(None, "POST", path)).status == 200
    assert (await world.doctors())[doctor["id"]]["away_until"] == "2026-12-23"
