"""Bad input, repeated input, too much input: each gets a clear answer, and nothing is lost."""

import asyncio
import http.client
import io
import json
from typing import Any

import pytest

from matcher.service.actors import Role
from matcher.web import guards, routes
from tests.acceptance.api_world import METRICS, World, request
from tests.acceptance.house import House

BEARER = "Authorization"


async def raw(
    world: World, path: str, body: Any, *, chunked: bool = False, **headers: str
) -> tuple[int, str, bytes]:
    """A POST by a client that sends everything before it reads anything."""

    def send() -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", world.client.port, timeout=30)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            sent[BEARER] = f"Bearer {world.keys['requester']}"
            connection.request("POST", path, body, sent, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()

    return await asyncio.to_thread(send)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_20_mb_gets_a_clean_413(small_world: World, chunked: bool) -> None:
    whole = b"a" * 20_000_000
    body = iter([whole[:1_000_000]] * 20) if chunked else whole
    status, kind, content = await raw(
        small_world, "/api/v1/searches", body, chunked=chunked, Content_Type="application/json"
    )
    assert (status, kind.partition(";")[0]) == (413, "application/problem+json")
    assert json.loads(content)["code"] == "too_large"
    assert (await small_world.get("requester", "/searches"))["items"] == []


async def test_a_body_that_does_not_arrive_gets_a_408(small_world: World) -> None:
    small_world.client.app[guards.WITHIN].seconds = 0.2
    reader, writer = await asyncio.open_connection("127.0.0.1", small_world.client.port)
    key = small_world.keys["requester"]
    writer.write(
        f"POST /api/v1/searches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unknown": 1}, "unknown"),
        ({"urgent": "yes"}, "urgent"),
        ({"urgent": 0}, "urgent"),
        ({"wishes": {}}, "wishes"),
        ({"wishes": [{"kind": "beard", "value": True, "hard": True}]}, "wishes.0.kind"),
        ({"choice": "mine"}, "choice"),
        ({"conditions": ["near_the_sea"]}, "conditions.0"),
        ({"place": None, "record": request()["record"] | {"birth_date": "1958-02-30"}}, "record.birth_date"),
        ({"record": request()["record"] | {"birth_date": "2058-01-01"}}, "record.birth_date"),
        ({"record": request()["record"] | {"sex": "X"}}, "record.sex"),
        ({"record": request()["record"] | {"interpreter": 1}}, "record.interpreter"),
        ({"record": request()["record"] | {"shoe_size": 39}}, "record.shoe_size"),
        ({"record": request()["record"] | {"nir": None}}, "record.nir"),
        ({"consent": request()["consent"] | {"given": "maybe"}}, "consent.given"),
        ({"consent": request()["consent"] | {"by": "curator"}}, "consent.by"),
    ],
)
async def test_a_field_at_fault_is_named(small_world: World, change: dict[str, Any], field: str) -> None:
    reply = await small_world.call("requester", "POST", "/searches", request() | change)
    if change.get("place", "") is None:
        body = {k: v for k, v in (request() | change).items() if v is not None}
        reply = await small_world.call("requester", "POST", "/searches", body)
    assert reply.status == 400
    assert field in reply.json["fields"]
    assert (await small_world.get("requester", "/searches"))["items"] == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"null", b"[" * 100_000, b'{"record": NaN}', b"\xff"]
)
async def test_what_is_not_a_json_object_is_refused(small_world: World, body: bytes) -> None:
    status, _, content = await raw(small_world, "/api/v1/searches", body, Content_Type="application/json")
    assert status == 400
    assert json.loads(content)["fields"]


async def test_another_media_type_is_refused(small_world: World) -> None:
    status, _, _ = await raw(small_world, "/api/v1/searches", b"a=b", Content_Type="text/plain")
    assert status == 415


async def test_a_nir_with_a_wrong_key_is_taken_with_a_warning(small_world: World) -> None:
    record = request()["record"] | {"nir": "258036938200199"}
    made = await small_world.post("requester", "/searches", request(record=record), 201)
    assert made["state"] == "submitted"
    assert any("nir" in str(warning).lower() for warning in made["warnings"])
    opened = await small_world.get("coordinatrice", f"/searches/{made['id']}/record?purpose=lecture")
    assert opened["record"] == record


async def test_an_unlisted_place_is_named_as_the_fault(small_world: World) -> None:
    reply = await small_world.call("requester", "POST", "/searches", request(place="Atlantide"))
    assert (reply.status, list(reply.json["fields"])) == (400, ["place"])


async def test_the_same_idempotency_key_creates_once(world: World) -> None:
    body = request()
    replies = await asyncio.gather(
        *(world.call("requester", "POST", "/searches", body, Idempotency_Key="essai-1") for _ in range(5))
    )
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len((await world.get("requester", "/searches"))["items"]) == 1
    other = await world.call(
        "requester", "POST", "/searches", body | {"urgent": True}, Idempotency_Key="essai-1"
    )
    assert other.status == 409
    assert other.json["code"] == "idempotency_key_reused"
    # Another structure's key of the same name is another key.
    theirs = await world.call("requester2", "POST", "/searches", body, Idempotency_Key="essai-1")
    assert theirs.status == 201
    assert theirs.json["id"] != replies[0].json["id"]


async def test_lists_go_on_where_they_stopped(small_world: World) -> None:
    for _ in range(5):
        await small_world.submitted()
    seen: list[str] = []
    path = "/searches?limit=2"
    for _ in range(3):
        page = await small_world.get("requester", path)
        seen += [one["id"] for one in page["items"]]
        path = f"/searches?limit=2&after={page.get('next')}"
    assert "next" not in page
    assert len(seen) == len(set(seen)) == 5
    assert len((await small_world.get("coordinatrice", "/searches?state=submitted"))["items"]) == 5
    assert (await small_world.get("coordinatrice", "/searches?state=ready"))["items"] == []


async def test_an_empty_parameter_is_one_left_out(small_world: World) -> None:
    search = await small_world.submitted()
    page = await small_world.get("coordinatrice", "/searches?state=&q=")
    assert [one["id"] for one in page["items"]] == [search]
    reply = await small_world.call("coordinatrice", "GET", f"/searches/{search}/record?purpose=")
    assert (reply.status, set(reply.json["fields"])) == (400, {"purpose"})


@pytest.mark.parametrize("q", ["Aubépine", "aubepine", "1958-03-02", "06 39 98 12 34", "0639981234"])
async def test_the_office_finds_by_name_birth_date_and_phone(small_world: World, q: str) -> None:
    search = await small_world.submitted()
    reply = await small_world.client.get(
        "/api/v1/searches",
        params={"q": q},
        headers={BEARER: f"Bearer {small_world.keys['coordinatrice']}"},
    )
    assert [one["id"] for one in (await reply.json())["items"]] == [search]


@pytest.mark.parametrize(
    "path",
    [
        "/searches?limit=0",
        "/searches?state=asleep",
        "/searches?colour=red",
        "/searches?q=a&q=b",
        "/searches?after=%00",
    ],
)
async def test_a_wrong_query_is_named(small_world: World, path: str) -> None:
    reply = await small_world.call("coordinatrice", "GET", path)
    assert reply.status == 400
    assert reply.json["fields"]


async def test_odd_identifiers_are_simply_unknown(small_world: World) -> None:
    for odd in ("%00", "a%2Fb", "'; drop table searches; --", "x" * 3000, "%F0%9F%98%80"):
        reply = await small_world.call("coordinatrice", "GET", f"/searches/{odd}")
        assert reply.status == 404, odd


async def test_a_report_needs_its_period(small_world: World) -> None:
    reply = await small_world.call("directrice", "GET", "/report")
    assert set(reply.json["fields"]) == {"from", "to"}
    reply = await small_world.call("directrice", "GET", "/report?from=2026-11-30&to=2026-11-01")
    assert list(reply.json["fields"]) == ["to"]
    assert (await small_world.get("directrice", "/report?from=2026-11-01&to=2026-11-30")) is not None
    assert (await small_world.get("directrice", "/journal"))["items"]


async def test_a_doctor_is_added_corrected_and_offers_places(small_world: World) -> None:
    world = small_world
    sent = {
        "last_name": "Lavande",
        "first_name": "Inès",
        "sex": "F",
        "email": "ines@cabinet.example",
        "member": True,
    }
    made = await world.post("coordinatrice", "/doctors", sent, 201)
    assert {name: made[name] for name in sent} == sent
    path = f"/doctors/{made['id']}"
    reply = await world.call(
        "coordinatrice", "PATCH", path, {"sector": 1, "languages": ["fr", "ar"], "sex": None}
    )
    assert reply.json["sector"] == 1
    assert sorted(reply.json["languages"]) == ["ar", "fr"]
    assert "sex" not in reply.json
    bad = await world.call("coordinatrice", "PATCH", path, {"email": "no address", "sector": "one"})
    assert set(bad.json["fields"]) == {"email", "sector"}
    offer = {"places": 2, "from": "2026-12-01", "declines": ["home_visits"]}
    await world.post("coordinatrice", f"{path}/offers", offer, 201)


async def test_an_offer_sent_twice_under_one_key_is_noted_once(small_world: World) -> None:
    doctor = (await small_world.get("coordinatrice", "/doctors"))["items"][0]["id"]
    key = {BEARER: f"Bearer {small_world.keys['coordinatrice']}", "Idempotency-Key": "twice"}
    sent = {"places": 2, "from": "2026-12-01", "until": "2027-01-31"}
    answers = []
    for _ in range(2):
        reply = await small_world.client.post(f"/api/v1/doctors/{doctor}/offers", json=sent, headers=key)
        assert reply.status == 201
        answers.append(await reply.json())
    assert answers[0] == answers[1]


async def test_every_answer_carries_its_guards(small_world: World) -> None:
    world = small_world
    for path in ("/connexion", "/api/v1/searches", "/nowhere", "/static/nothing.css", "/healthz"):
        reply = await world.call(None, "GET", "/" + path)
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "noindex" in reply.headers["X-Robots-Tag"]
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert "aiohttp" not in reply.headers["Server"]
        if not path.startswith("/static"):
            assert reply.headers["Cache-Control"] == "no-store"


async def test_a_post_from_another_site_is_refused(small_world: World) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        reply = await small_world.client.post("/connexion", data={"email": "a@b.example"}, headers=headers)
        assert reply.status == 403


async def test_a_session_opens_no_call_of_the_api(small_world: World) -> None:
    house = House(**vars(small_world))
    await house.login(Role.COORDINATRICE)
    assert (await house.client.get("/bureau")).status == 200
    for path in ("/api/v1/searches", "/api/v1/refusals"):
        assert (await house.client.get(path)).status == 401
    assert (await house.client.post("/api/v1/searches", json=request())).status == 401


async def test_twenty_requests_a_second_and_forty_at_once_are_never_refused(small_world: World) -> None:
    replies = await asyncio.gather(
        *(small_world.call("coordinatrice", "GET", "/searches?limit=1") for _ in range(40))
    )
    assert {reply.status for reply in replies} == {200}


async def test_a_flood_of_one_caller_is_told_to_wait(small_world: World) -> None:
    small_world.client.app[guards.PACE].meter.burst = 3
    replies = [await small_world.call(None, "GET", "//healthz") for _ in range(30)]
    late = [reply for reply in replies if reply.status == 429]
    assert late
    assert late[0].headers["Retry-After"]
    assert (await small_world.call("coordinatrice", "GET", "/searches")).status == 200


async def test_who_sent_much_in_a_day_is_told_to_come_back_tomorrow_and_nobody_else(
    small_world: World,
) -> None:
    budget = small_world.client.app[guards.VOLUME]
    budget.most, budget.step = 0, 100
    large = request(draft=True)
    large["record"]["attachments"] = [
        {"name": "a.pdf", "media_type": "application/pdf", "content": "QUFB" * 30_000}
    ]
    reply = await small_world.call("requester", "POST", "/searches", large)
    assert (reply.status, reply.json["code"]) == (429, "too_much")
    assert 0 < int(reply.headers["Retry-After"]) <= 86_400
    assert "items" in await small_world.get("requester", "/searches")
    await small_world.post("requester2", "/searches", request(), 201)


async def test_who_asks_for_what_is_not_for_the_role_stands_in_the_log_by_number(
    small_world: World, logs: io.StringIO
) -> None:
    await small_world.get("secretaire", "/searches/1234/record?purpose=contact", 403)
    (said,) = [line for line in logs.getvalue().splitlines() if "forbidden" in line]
    assert "secretaire" in said
    assert "/searches/{id}/record" in said
    assert "1234" not in said.split("route")[1]


async def test_the_probes_tell_how_it_goes_and_name_nobody(small_world: World) -> None:
    world = small_world
    assert (await world.call(None, "GET", "//healthz")).json == {"status": "ok"}
    ready = (await world.call(None, "GET", "//readyz")).json
    assert ready == {
        "status": "ok",
        "checks": dict.fromkeys(("database", "migrations", "clock", "outbox", "relay", "resumed"), "ok"),
    }
    search = await world.launched()
    world.clock.at += world.clock.at.resolution
    text = (await world.call(METRICS, "GET", "//metrics")).content.decode()
    assert 'trait_union_searches{state="asking",territory="venissieux"} 1.0' in text
    assert search not in text
    assert "Aubépine" not in text


async def test_steps_and_mails_that_are_late_are_told(small_world: World) -> None:
    world = small_world
    search = await world.submitted()
    await world.post("coordinatrice", f"/searches/{search}/validate")
    await world.post("coordinatrice", f"/searches/{search}/launch")
    world.clock.at = world.clock.at.replace(day=30)
    ready = (await world.call(None, "GET", "//readyz")).json
    assert ready["status"] == "degraded"
    assert (ready["checks"]["outbox"], ready["checks"]["clock"]) == ("late", "late")


async def test_the_document_is_openapi_3_1_and_names_every_route(small_world: World) -> None:
    document = await small_world.get(None, "//api/openapi.json")
    # Seconds of grammar at its import: for the worker that asks.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    for route in routes.API:
        if route.path.startswith("/api/v1/"):
            operation = document["paths"][route.path][route.method.lower()]
            assert operation["summary"]
            assert operation["responses"]
    assert '"type": "null"' not in json.dumps(document)


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded; charset=klingon", "multipart/form-data; boundary=x"]
)
async def test_a_form_that_cannot_be_taken_apart_is_refused(small_world: World, kind: str) -> None:
    sent = {"Content-Type": kind}
    reply = await small_world.client.post("/connexion", data=b"--x\r\nfoo", headers=sent)
    assert reply.status == 400
    assert reply.content_type == "text/html"
