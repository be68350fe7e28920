"""A hostile reader with links of every purpose, real ones: each is junk wherever it was not made for."""

from typing import Any

import pytest

from matcher.service import factor_setup, people
from matcher.service.actors import Actor, Role
from matcher.storage import links
from matcher.web import routes
from matcher.web.entering import inside
from matcher.web.route import ANYONE
from messaging.links import Link, Purpose
from tests.acceptance.api_world import API, HERE
from tests.acceptance.house import OFFICE, House, request

SESSION = "1-1-" + "A" * 43
#: Every call that takes a token: what else it needs, and the purposes that it is for.
CALLS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "open": ({}, {"answer", "delegate", "record", "list"}),
    "answer": ({"answer": "no"}, {"answer", "delegate"}),
    "record": ({"code": "123456"}, {"record"}),
    "document": ({"session": SESSION}, {"record"}),
    "acknowledge": ({"session": SESSION}, {"record"}),
    "appointment": ({"session": SESSION, "on": "2026-12-01"}, {"record"}),
    "desist": ({"reason": "essai"}, {"record"}),
    "call-me": ({}, {"record"}),
    "sms": ({}, {"record"}),
    "card": ({}, {"record"}),
    "factor": ({"code": "123456"}, {"factor"}),
    "factor/confirm": ({"code": "123456", "shown": "123456"}, {"factor"}),
    "places": ({"places": 1}, {"list"}),
    "data": ({}, {"data"}),
}


def test_every_call_that_takes_a_token_is_tried() -> None:
    paths = {
        r.path.removeprefix(f"{API}/links/")
        for r in routes.API
        if r.allowed is ANYONE and "/links/" in r.path
    }
    assert paths == set(CALLS)


async def every_token(house: House) -> dict[str, str]:
    """One living token of each purpose."""
    await house.name_delegates()
    listed = await house.ready(origin="Cabinet des Tilleuls")
    origin = (await house.get(OFFICE, "/lists"))["items"][0]["id"]
    await house.post(OFFICE, f"/lists/{origin}/ask")
    _, (doctor,) = await house.released()
    office = Actor(territory=HERE, id="essai", role=Role.COORDINATRICE)
    await factor_setup.send_link(house.house, office, doctor["id"], called=True)
    await house.work()
    assert listed
    enrolment = await people.add_user(house.house, HERE, "une@cpts.example", Role.COORDINATRICE)
    known = await house.run_sql("SELECT purpose, id FROM links WHERE doctor_id = :d", d=doctor["id"])
    found = {"enrol": enrolment.partition("#")[2]}
    for purpose, id_ in known:
        async with house.house.sessions.begin() as session:
            row = await links.by_id(session, id_)
        assert row is not None
        found[purpose.partition(":")[0]] = house.house.links.token(
            Link(territory=row.territory, purpose=row.purpose, id=row.id, nonce=row.nonce)
        )
    return found


async def test_a_token_is_junk_for_every_call_but_those_of_its_purpose(small_house: House) -> None:
    house = small_house
    tokens = await every_token(house)
    assert set(tokens) == {str(purpose) for purpose in Purpose}
    before = await house.tables()
    answers, wrong = set(), []
    for call, (more, purposes) in CALLS.items():
        for purpose, token in tokens.items():
            if purpose in purposes:
                continue
            reply = await house.call(None, "POST", f"/links/{call}", {"token": token} | more)
            answers.add((reply.status, reply.content))
            if reply.status != 404:
                wrong.append((call, purpose, reply.status))
    for purpose, token in tokens.items():
        if purpose != "pause" and (await house.call(None, "POST", f"//u/{token}")).status != 404:
            wrong.append(("pause", purpose, 0))
        if purpose != "enrol":
            form = {"token": token, "password": "une phrase assez longue", "again": "une phrase assez longue"}
            page = await house.client.post("/bienvenue", data=form)
            if page.status != 400:
                wrong.append(("bienvenue", purpose, page.status))
    assert not wrong
    assert len(answers) == 1
    assert await house.tables() == before


async def test_what_opened_one_record_opens_no_other(house: House) -> None:
    """Code and session of one release, tried on another's link; and on the same link once it was renewed."""
    mine, (doctor,) = await house.released()
    opened, token = await house.open_record(mine, doctor), house.token(doctor["email"], "dossier")
    record = request()["record"] | {"birth_name": "Zinzolin", "birth_date": "1961-07-08"}
    theirs, (other,) = await house.released(record=record)
    foreign = house.token(other["email"], "dossier")
    code = (await house.see(theirs))["release"]["code"]
    assert token != foreign
    for call in ("document", "acknowledge", "appointment"):
        sent = CALLS[call][0] | {"session": opened["session"]}
        reply = await house.call(None, "POST", f"/links/{call}", sent | {"token": foreign})
        assert (reply.status, b"Zinzolin" in reply.content) == (403, False), call
    assert (await house.call(None, "POST", "/links/record", {"token": token, "code": code})).status == 403
    await house.do(mine, "release/renew")
    await house.work()
    for one in (token, house.token(doctor["email"], "dossier")):
        sent = {"token": one, "session": opened["session"]}
        assert (await house.call(None, "POST", "/links/document", sent)).status in (403, 404)


@pytest.mark.parametrize(
    "address",
    [
        "//elsewhere.example", "/\t/elsewhere.example", "/\r/elsewhere.example", "/\n/elsewhere.example",
        "/\\elsewhere.example", "\\\\elsewhere.example", "https://elsewhere.example", "javascript:alert(1)",
        "/é", "", "/recherches\\..\\x", "\t//elsewhere.example",
    ],
)  # fmt: skip
def test_a_login_never_sends_elsewhere(address: str) -> None:
    assert inside(address) is None
    assert inside("/recherches?q=Aub%C3%A9pine&etape=1") is not None
