"""Links that were revoked, altered, meant for something else or made up; scanners that open everything."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from matcher.service.actors import Role
from matcher.web import routes
from tests.acceptance.api_world import METRICS
from tests.acceptance.house import API, OFFICE, House

#: Every call that takes a token, with what else it needs.
CALLS: dict[str, dict[str, Any]] = {
    "open": {},
    "answer": {"answer": "yes"},
    "record": {"code": "123456"},
    "document": {"session": "1-1-AAAA"},
    "acknowledge": {"session": "1-1-AAAA"},
    "desist": {"reason": "essai"},
    "call-me": {},
    "data": {},
}
#: Calls of a token that answers; the others take a record's.
ANSWERING = ("answer",)


def altered(token: str) -> list[str]:
    """Tokens that differ by one sign, everywhere it matters."""
    generation, link, mac = token.split("-", 2)
    other = "0" if link[5] != "0" else "1"
    flipped = "A" if mac[0] != "A" else "B"
    return [
        f"{generation}-{link}-{flipped}{mac[1:]}",
        f"{generation}-{link[:5]}{other}{link[6:]}-{mac}",
        f"2-{link}-{mac}",
        f"{generation}-{link}-{mac}A",
        token[:-1],
        token.upper(),
        "x",
        "é" * 20,
    ]


async def test_revoked_altered_made_up_and_other_purposes_tokens_get_one_answer(house: House) -> None:
    search, (doctor,) = await house.released()
    answering, revoked = house.token(doctor["email"]), house.token(doctor["email"], "dossier")
    await house.do(search, "release/renew")
    await house.work()
    recording = house.token(doctor["email"], "dossier")
    before = await house.tables()
    replies = set()
    for call, more in CALLS.items():
        other = recording if call in ANSWERING else answering
        tokens = [revoked, *altered(answering), *altered(recording)]
        for token in [*tokens, *([] if call == "open" else [other])]:
            reply = await house.call(None, "POST", f"/links/{call}", {"token": token} | more)
            replies.add((reply.status, reply.content))
    for token in (answering, recording, revoked, *altered(answering)[:3]):
        reply = await house.call(None, "POST", f"//u/{token}")
        assert reply.status == 404
    assert len(replies) == 1
    assert next(iter(replies))[0] == 404
    assert await house.tables() == before


async def test_a_link_that_has_ended_or_expired_says_over_and_not_why(house: House) -> None:
    withdrawn, (doctor,) = await house.released()
    await house.do(withdrawn, "withdraw", reason="left")
    ended = await house.call(None, "POST", "/links/open", {"token": house.token(doctor["email"])})
    assert (ended.status, ended.json["state"]) == (200, "over")
    assert set(ended.json) == {"purpose", "delegate", "doctor", "territory", "state"}

    search = await house.launched()
    other = next(one for one in await house.mailed(search) if one["id"] != doctor["id"])
    token = house.token(other["email"])
    house.clock.at += timedelta(days=31)
    seen = set()
    for call in ("open", "answer"):
        reply = await house.call(None, "POST", f"/links/{call}", {"token": token} | CALLS[call])
        seen.add((reply.status, reply.content))
    assert [status for status, _ in seen] == [410]
    assert (await house.see(search))["proposals"] == []


async def test_a_delegate_answers_and_gets_nothing_of_the_record(house: House) -> None:
    await house.name_delegates()
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    delegate = {"email": doctor["delegate_email"]}
    token = house.token(delegate["email"])
    assert token != house.token(doctor["email"])
    await house.yes(delegate)
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.work()
    assert not any("/dossier#" in mail.text for mail in house.catcher.to(delegate["email"]))
    code = (await house.see(search))["release"]["code"]
    for call in ("record", "desist", "call-me"):
        more = CALLS[call] | ({"code": code} if call == "record" else {})
        reply = await house.call(None, "POST", f"/links/{call}", {"token": token} | more)
        assert reply.status == 404
    assert await house.state(search) == "released"


async def test_a_delegate_whose_address_was_corrected_answers_no_more(house: House) -> None:
    await house.name_delegates()
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    former, own = house.token(doctor["delegate_email"]), house.token(doctor["email"])
    changed = {"delegate_email": "nouveau@secretariat.example"}
    assert (await house.call(OFFICE, "PATCH", f"/doctors/{doctor['id']}", changed)).status == 200
    await house.post(None, "/links/open", {"token": former}, 404)
    await house.post(None, "/links/open", {"token": own})


async def test_fifty_times_the_same_yes_at_once_is_one_yes(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"])
    await house.post(None, "/links/open", {"token": token})
    house.clock.at += timedelta(seconds=10)
    yes = {"token": token, "answer": "yes"}
    assert set(await house.together([(None, "/links/answer", yes)] * 50)) == {200}
    await house.advance(hours=1)
    seen = await house.see(search)
    assert (seen["state"], len(seen["proposals"]), seen["held"]) == ("proposing", 1, [])
    assert set(await house.together([(None, "/links/answer", yes)] * 10)) == {200}
    await house.advance(hours=1)
    after = await house.see(search)
    assert (after["proposals"], after["next"]) == (seen["proposals"], seen["next"])


async def test_one_code_opens_the_record_once_however_often_it_comes_at_once(house: House) -> None:
    search, (doctor,) = await house.released()
    code = (await house.see(search))["release"]["code"]
    sent = {"token": house.token(doctor["email"], "dossier"), "code": code}
    statuses = await house.together([(None, "/links/record", sent)] * 20)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 403, 423}
    opened = [e for e in await house.journal(search) if e["action"] == "open_record"]
    assert len(opened) == 1


async def test_a_session_does_not_outlive_its_quarter_of_an_hour_nor_its_link(house: House) -> None:
    search, (doctor,) = await house.released()
    given = await house.open_record(search, doctor)
    session = {"token": house.token(doctor["email"], "dossier"), "session": given["session"]}
    await house.post(None, "/links/acknowledge", session)
    house.clock.at += timedelta(minutes=14)
    await house.post(None, "/links/document", session)
    house.clock.at += timedelta(minutes=2)
    await house.post(None, "/links/document", session, 403)
    again = (await house.do(search, "release/code"))["release"]["code"]
    given = await house.post(None, "/links/record", {"token": session["token"], "code": again})
    session["session"] = given["session"]
    await house.do(search, "release/renew")
    await house.post(None, "/links/document", session, 404)


async def test_a_code_is_dead_after_its_quarter_of_an_hour_and_once_another_was_made(house: House) -> None:
    search, (doctor,) = await house.released()
    token, code = house.token(doctor["email"], "dossier"), (await house.see(search))["release"]["code"]
    house.clock.at += timedelta(minutes=16)
    assert "code" not in (await house.see(search))["release"]
    await house.post(None, "/links/record", {"token": token, "code": code}, 403)
    second = (await house.do(search, "release/code"))["release"]["code"]
    third = (await house.do(search, "release/code"))["release"]["code"]
    assert second != third
    await house.post(None, "/links/record", {"token": token, "code": second}, 403)
    await house.post(None, "/links/record", {"token": token, "code": third})


@pytest.mark.parametrize("role", [Role.COORDINATRICE, Role.DIRECTRICE, Role.REQUESTER])
async def test_loading_every_page_and_reading_every_call_changes_nothing(house: House, role: Role) -> None:
    search, (doctor, _) = await house.released(2)
    unsubscribe = re.search(r"/u/([\w-]+)", "".join(str(m["List-Unsubscribe"]) for m in house.mails()))
    assert unsubscribe is not None
    await house.login(role)
    await house.work()
    # A look at a record is written down, on purpose.
    looks = {"/api/v1/searches/{id}/record"}
    every = (*routes.PAGES, *routes.API, *routes.PROBES)
    before, seen = await house.tables(), []

    async def nothing_changed() -> None:
        after = await house.tables()
        changed = {name for name in before if before[name] != after[name]}
        # When a session or a key was last used is kept, and nothing else.
        assert changed <= {"sessions", "api_keys"}, (seen[-25:], changed)

    for route in every:
        if route.method != "GET" or route.path in looks:
            continue
        one = doctor["id"] if "medecins" in route.path or "doctors" in route.path else search
        path = route.path.replace("{token}", unsubscribe[1]).replace("{doctor}", doctor["id"])
        path = re.sub(r"{\w+}", one, path)
        if path.endswith(("/report", "/equity")):
            path += "?from=2026-11-01&to=2026-11-30"
        if path == "/direct":
            # It goes on until the page is closed.
            async with house.client.get(path, allow_redirects=False) as stream:
                assert stream.status in (200, 303, 403)
            continue
        key = METRICS if path == "/metrics" else house.keys.get(role) if path.startswith(API) else None
        reply = await house.call(key, "GET", f"/{path}")
        assert reply.status in (200, 303, 403, 404), (path, reply.status)
        seen.append(path)
        if len(seen) % 25 == 0:
            await nothing_changed()
    await nothing_changed()


async def test_a_scanner_that_opens_links_again_and_again_moves_nothing(house: House) -> None:
    search = await house.launched()
    before = await house.see(search)
    tokens = [house.token(doctor["email"]) for doctor in await house.mailed(search)]
    opened = [(None, "/links/open", {"token": token}) for token in tokens]
    assert set(await house.together(opened * 3)) == {200}
    # And one that runs what it finds there, and presses every button at once.
    answers = [
        (None, "/links/answer", {"token": token, "answer": answer})
        for token in tokens
        for answer in ("yes", "no", "pause", "undo")
    ]
    assert set(await house.together(answers)) <= {200, 202}
    await house.advance(hours=1)
    after = await house.see(search)
    assert (after["state"], after["proposals"]) == ("asking", [])
    assert [s["wave"] for s in after["solicitations"]] == [s["wave"] for s in before["solicitations"]]
    assert {d["id"] for d in (await house.doctors()).values() if d.get("away_until") == "2026-12-23"} == set()


async def test_a_made_up_token_is_not_told_from_a_revoked_one_by_its_time(small_house: House) -> None:
    house = small_house
    search, (doctor,) = await house.released()
    revoked = house.token(doctor["email"], "dossier")
    await house.do(search, "release/renew")
    loop = asyncio.get_running_loop()
    times: dict[str, list[float]] = {}
    for _ in range(40):
        for kind, token in (("revoked", revoked), ("made up", altered(revoked)[1])):
            start = loop.time()
            await house.post(None, "/links/open", {"token": token}, 404)
            times.setdefault(kind, []).append(loop.time() - start)
    fastest = {kind: sorted(taken)[5] for kind, taken in times.items()}
    assert max(fastest.values()) < 3 * min(fastest.values()), fastest
