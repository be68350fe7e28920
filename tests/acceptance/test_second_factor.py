"""The second factor of a release in its other kinds: a code by SMS, an authenticator, a card. By phone it is
in the scenarios and in ``test_threats_links``.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pyotp import TOTP

from matcher.service.territories import rules_of
from tests.acceptance.api_world import make_world, request
from tests.acceptance.house import HERE, OFFICE, Doctor, House
from tests.integration.oidc import DOCTOR, provider, show_card

MOBILE = "06 39 98 55 66"
KEY = "jeton-de-la-passerelle"


@dataclass
class Gateway:
    """A gateway of an operator, on this host."""

    url: str = ""
    status: int = 200
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def take(self, asked: web.Request) -> web.Response:
        """Take one message, or refuse it."""
        self.keys.add(asked.headers.get("Authorization", ""))
        if self.status == 200:
            self.taken.append(await asked.json())
        return web.Response(status=self.status, headers={"Location": "/ailleurs"})

    def code(self) -> str:
        """The code of the last message."""
        found = re.search(r"\b(\d{6})\b", self.taken[-1]["text"])
        assert found is not None
        return found[1]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    app = web.Application()
    app.router.add_post("/sms", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/sms"))
        yield made


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as listening:
        yield listening


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path, gateway: Gateway, issuer: str) -> AsyncIterator[House]:
    """A house with a gateway and a provider; the kind is set by each test."""
    async with make_world(sqlite_url, tmp_path, settings_of(gateway, issuer)) as world:
        yield House(**vars(world))


@pytest.fixture
async def both(world_url: str, tmp_path: Path, gateway: Gateway, issuer: str) -> AsyncIterator[House]:
    """The same on SQLite and on PostgreSQL."""
    async with make_world(world_url, tmp_path, settings_of(gateway, issuer)) as world:
        yield House(**vars(world))


def settings_of(gateway: Gateway, issuer: str) -> dict[str, str]:
    return {
        "TRAIT_UNION_SMS_URL": gateway.url,
        "TRAIT_UNION_SMS_TOKEN": KEY,
        "TRAIT_UNION_PSC_ISSUER": issuer,
        "TRAIT_UNION_PSC_CLIENT_ID": "trait-union",
        "TRAIT_UNION_PSC_CLIENT_SECRET": "un-secret",
    }


def kind(house: House, second_factor: str, **more: Any) -> None:
    """Set the territory's kind."""
    territories = house.house.territories
    assert isinstance(territories, dict)
    before = territories[HERE].settings
    release = before.release.model_copy(update={"second_factor": second_factor})
    settings = before.model_copy(update={"release": release, **more})
    territories[HERE] = replace(territories[HERE], settings=settings, rules=rules_of(settings))


async def released(house: House) -> tuple[str, Doctor, str]:
    """A search, its chosen doctor, and the token of the record's link."""
    search, (doctor,) = await house.released()
    return search, doctor, house.token(doctor["email"], "dossier")


async def set_up(house: House, doctor: Doctor, expect: int = 200, **body: Any) -> Any:
    path = f"/doctors/{doctor['id']}/second-factor"
    return await house.post(OFFICE, path, {"called": True, **body}, expect)


async def shown(house: House, token: str) -> Any:
    return await house.post(None, "/links/open", {"token": token})


def wrong(code: str) -> str:
    return "".join(str(9 - int(sign)) for sign in code)


# A code by SMS


async def test_a_code_goes_by_sms_on_demand_and_opens_the_record_once(both: House, gateway: Gateway) -> None:
    house = both
    kind(house, "sms")
    search, doctor, token = await released(house)
    assert await set_up(house, doctor, mobile=MOBILE) == {"mobile": "•• •• •• •• 66"}
    view = await shown(house, token)
    assert (view["second_factor"], view["mobile"]) == ("sms", "•• •• •• •• 66")
    # Looking at the page sends nothing.
    assert gateway.taken == []
    sent = await house.post(None, "/links/sms", {"token": token})
    assert sent == {"sent": True, "mobile": "•• •• •• •• 66"}
    (message,) = gateway.taken
    assert message["to"] == "+33639985566"
    assert gateway.keys == {f"Bearer {KEY}"}
    # Nothing of the person, of the search or of the link.
    assert re.sub(r"\d{6}", "", message["text"]).strip() == (
        "CPTS de Vénissieux : votre code est . Il vaut un quart d’heure, une seule fois."
    )
    opening = {"token": token, "code": gateway.code()}
    assert (await house.post(None, "/links/record", opening))["record"]["birth_name"] == "Aubépine"
    await house.post(None, "/links/record", opening, 403)
    actions = [entry["action"] for entry in await house.journal(search)]
    assert "sms_code" in actions


async def test_a_code_by_sms_lapses_and_the_next_replaces_it(house: House, gateway: Gateway) -> None:
    kind(house, "sms")
    _, doctor, token = await released(house)
    await set_up(house, doctor, mobile=MOBILE)
    await house.post(None, "/links/sms", {"token": token})
    first = gateway.code()
    again = await house.call(None, "POST", "/links/sms", {"token": token})
    assert (again.status, again.headers["Retry-After"]) == (429, "60")
    house.clock.at += timedelta(minutes=2)
    await house.post(None, "/links/sms", {"token": token})
    assert gateway.code() != first
    await house.post(None, "/links/record", {"token": token, "code": first}, 403)
    house.clock.at += timedelta(minutes=16)
    await house.post(None, "/links/record", {"token": token, "code": gateway.code()}, 403)


async def test_a_mailbox_in_wrong_hands_makes_a_telephone_ring_ten_times_a_day_and_no_more(
    house: House, gateway: Gateway
) -> None:
    kind(house, "sms")
    _, doctor, token = await released(house)
    await set_up(house, doctor, mobile=MOBILE)
    for _ in range(10):
        house.clock.at += timedelta(minutes=1, seconds=1)
        await house.post(None, "/links/sms", {"token": token})
    last = gateway.code()
    house.clock.at += timedelta(minutes=1, seconds=1)
    assert (await house.post(None, "/links/sms", {"token": token}, 409))["code"] == "no_sms"
    # The one that came last still opens.
    await house.post(None, "/links/record", {"token": token, "code": last})


@pytest.mark.parametrize("status", [500, 401, 307])
async def test_where_the_gateway_fails_the_office_is_asked_to_call(
    house: House, gateway: Gateway, status: int
) -> None:
    kind(house, "sms")
    search, doctor, token = await released(house)
    await set_up(house, doctor, mobile=MOBILE)
    gateway.status = status
    assert (await house.post(None, "/links/sms", {"token": token}))["sent"] is False
    assert "call_me_for_the_code" in await house.tasks(search)
    code = (await house.see(search))["release"]["code"]
    await house.post(None, "/links/record", {"token": token, "code": code})


async def test_without_a_number_the_code_is_read_out_and_nothing_is_sent(
    house: House, gateway: Gateway
) -> None:
    kind(house, "sms")
    search, doctor, token = await released(house)
    assert (await shown(house, token))["second_factor"] == "phone"
    assert "vous le lire" in house.catcher.to(doctor["email"])[-1].text
    refused = await house.call(None, "POST", "/links/sms", {"token": token})
    assert (refused.status, refused.json["code"]) == (409, "no_sms")
    assert gateway.taken == []
    await house.open_record(search, doctor)


@pytest.mark.parametrize("number", ["04 65 71 00 01", "06 39", "+1 202 555 0100", "allô"])
async def test_only_a_mobile_number_is_noted_and_only_during_a_call(house: House, number: str) -> None:
    kind(house, "sms")
    _, doctor, token = await released(house)
    assert "mobile" in (await set_up(house, doctor, 400, mobile=number))["fields"]
    assert "called" in (await set_up(house, doctor, 400, mobile=MOBILE, called=False))["fields"]
    assert (await shown(house, token))["second_factor"] == "phone"
    await set_up(house, doctor, mobile=MOBILE)
    await set_up(house, doctor, mobile="")
    assert (await shown(house, token))["second_factor"] == "phone"


async def test_a_number_is_in_no_column_of_the_database(house: House) -> None:
    kind(house, "sms")
    _, doctor, _ = await released(house)
    await set_up(house, doctor, mobile=MOBILE)
    ((mobile,),) = await house.run_sql("SELECT mobile FROM doctor_factors")
    assert b"39985566" not in bytes(mobile)


# An authenticator


async def enrolled(house: House, doctor: Doctor) -> TOTP:
    """The doctor sets an authenticator up while the office is on the phone."""
    told = await set_up(house, doctor)
    await house.work()
    token = house.token(doctor["email"], "double-verification")
    seen = await house.post(None, "/links/factor", {"token": token, "code": told["code"]})
    made = TOTP(seen["secret"].replace(" ", ""))
    first = made.at(house.clock.at)
    done = {"token": token, "code": told["code"], "shown": first}
    await house.post(None, "/links/factor/confirm", done | {"shown": wrong(first)}, 403)
    assert await house.post(None, "/links/factor/confirm", done) == {"confirmed": True}
    # The link is used up.
    await house.post(None, "/links/factor", {"token": token, "code": told["code"]}, 404)
    return made


async def test_an_authenticator_is_set_up_once_and_opens_records_with_the_office_closed(
    both: House,
) -> None:
    house = both
    kind(house, "totp")
    search, doctor, token = await released(house)
    assert (await shown(house, token))["second_factor"] == "phone"
    authenticator = await enrolled(house, doctor)
    assert (await shown(house, token))["second_factor"] == "totp"
    # What it showed when it was set up is used.
    await house.post(None, "/links/record", {"token": token, "code": authenticator.at(house.clock.at)}, 403)
    house.at("2026-11-24 22:15")
    assert (await shown(house, token))["office_open"] is False
    code = authenticator.at(house.clock.at)
    opened = await house.post(None, "/links/record", {"token": token, "code": f"{code[:3]} {code[3:]}"})
    assert opened["record"]["birth_name"] == "Aubépine"
    await house.post(None, "/links/record", {"token": token, "code": code}, 403)
    assert "open_record" in [entry["action"] for entry in await house.journal(search)]


async def test_a_step_of_an_authenticator_is_used_once_however_often_it_comes_at_once(both: House) -> None:
    house = both
    kind(house, "totp")
    search, doctor, token = await released(house)
    authenticator = await enrolled(house, doctor)
    house.clock.at += timedelta(minutes=2)
    sent = {"token": token, "code": authenticator.at(house.clock.at)}
    statuses = await house.together([(None, "/links/record", sent)] * 10)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 403, 423}
    assert len([e for e in await house.journal(search) if e["action"] == "open_record"]) == 1


async def test_a_code_of_another_time_or_of_a_former_authenticator_opens_nothing(house: House) -> None:
    kind(house, "totp")
    _, doctor, token = await released(house)
    former = await enrolled(house, doctor)
    house.clock.at += timedelta(minutes=5)
    for off in (-90, 90):
        code = former.at(house.clock.at + timedelta(seconds=off))
        await house.post(None, "/links/record", {"token": token, "code": code}, 403)
    # Lost: the office has a new link mailed, and the former one is void before the new one is confirmed.
    await set_up(house, doctor)
    await house.post(None, "/links/record", {"token": token, "code": former.at(house.clock.at)}, 403)
    assert (await shown(house, token))["second_factor"] == "phone"
    anew = await enrolled(house, doctor)
    assert anew.secret != former.secret
    house.clock.at += timedelta(seconds=60)
    # The clock of a telephone may be half a minute off.
    late = anew.at(house.clock.at - timedelta(seconds=30))
    await house.post(None, "/links/record", {"token": token, "code": late})


async def test_the_mail_alone_sets_no_authenticator_up(house: House) -> None:
    kind(house, "totp")
    _, doctor, _ = await released(house)
    told = await set_up(house, doctor)
    await house.work()
    token = house.token(doctor["email"], "double-verification")
    assert told["code"] not in "".join(mail.text for mail in house.catcher.messages())
    for _ in range(4):
        await house.post(None, "/links/factor", {"token": token, "code": wrong(told["code"])}, 403)
    confirm = {"token": token, "code": wrong(told["code"]), "shown": "000000"}
    await house.post(None, "/links/factor/confirm", confirm, 403)
    # The fifth killed it, for the right code too.
    await house.post(None, "/links/factor", {"token": token, "code": told["code"]}, 404)
    late = await set_up(house, doctor)
    await house.work()
    house.clock.at += timedelta(hours=3)
    body = {"token": house.token(doctor["email"], "double-verification"), "code": late["code"]}
    await house.post(None, "/links/factor", body, 410)


async def test_the_secret_of_an_authenticator_is_nowhere_in_the_database(house: House) -> None:
    kind(house, "totp")
    _, doctor, _ = await released(house)
    authenticator = await enrolled(house, doctor)
    ((sealed,),) = await house.run_sql("SELECT totp FROM doctor_factors")
    assert authenticator.secret.encode() not in bytes(sealed)
    assert authenticator.byte_secret() not in bytes(sealed)


# A card


async def with_card(house: House) -> tuple[str, Doctor, str]:
    """A search whose chosen doctor holds the card that the provider knows. Its clock is the world's."""
    house.clock.at = datetime.now(UTC)
    kind(house, "psc", clock="wall")
    agreed = request()["consent"] | {"at": house.clock.at.isoformat()}
    search, (doctor,) = await house.released(consent=agreed)
    await house.run_sql("UPDATE doctors SET rpps = NULL WHERE rpps = :rpps", rpps=DOCTOR[1:])
    await house.run_sql("UPDATE doctors SET rpps = :rpps WHERE id = :id", rpps=DOCTOR[1:], id=doctor["id"])
    return search, doctor, house.token(doctor["email"], "dossier")


async def shows_card(house: House, token: str, who: str) -> dict[str, Any]:
    """What the page sends once the browser is back."""
    started = await house.post(None, "/links/card", {"token": token})
    code, state = await show_card(started["url"], who)
    return {"token": token, "card": {"code": code, "state": state}}


async def test_the_card_of_the_chosen_doctor_opens_the_record(house: House) -> None:
    search, _, token = await with_card(house)
    assert (await shown(house, token))["second_factor"] == "psc"
    sent = await shows_card(house, token, "doctor")
    assert (await house.post(None, "/links/record", sent))["record"]["birth_name"] == "Aubépine"
    # What came back is worth something once.
    await house.post(None, "/links/record", sent, 403)
    assert [e["action"] for e in await house.journal(search)].count("open_record") == 1


async def test_another_persons_card_is_a_wrong_factor_and_five_lock_the_link(house: House) -> None:
    search, doctor, token = await with_card(house)
    await house.run_sql("UPDATE doctors SET rpps = '10000000009' WHERE id = :id", id=doctor["id"])
    for _ in range(3):
        await house.post(None, "/links/record", await shows_card(house, token, "doctor"), 403)
    # Somebody without an RPPS number is not the doctor either.
    await house.post(None, "/links/record", await shows_card(house, token, "staff"), 403)
    await house.post(None, "/links/record", await shows_card(house, token, "doctor"), 423)
    assert "link_locked" in await house.tasks(search)
    await house.post(None, "/links/card", {"token": token}, 423)


async def test_a_card_shown_in_another_browser_or_for_another_link_opens_nothing(house: House) -> None:
    _, _, token = await with_card(house)
    sent = await shows_card(house, token, "doctor")
    house.client.session.cookie_jar.clear()
    refused = await house.call(None, "POST", "/links/record", sent)
    assert (refused.status, refused.json["code"]) == (403, "not_proven")
    await house.post(None, "/links/record", {"token": token}, 400)
    weak = await shows_card(house, token, "password")
    assert (await house.call(None, "POST", "/links/record", weak)).json["code"] == "not_proven"


async def test_without_a_number_in_the_directory_the_code_is_read_out(house: House) -> None:
    search, doctor, token = await with_card(house)
    await house.run_sql("UPDATE doctors SET rpps = NULL WHERE id = :id", id=doctor["id"])
    assert (await shown(house, token))["second_factor"] == "phone"
    assert (await house.call(None, "POST", "/links/card", {"token": token})).json["code"] == "no_psc"
    await house.open_record(search, doctor)


# All kinds


@pytest.mark.parametrize("second_factor", ["phone", "sms", "totp", "psc"])
async def test_in_every_kind_a_code_read_out_opens_and_five_wrong_ones_lock_and_tell_the_office(
    house: House, second_factor: str
) -> None:
    kind(house, second_factor)
    search, doctor, token = await released(house)
    if second_factor == "sms":
        await set_up(house, doctor, mobile=MOBILE)
    if second_factor == "totp":
        await enrolled(house, doctor)
    code = (await house.do(search, "release/code"))["release"]["code"]
    await house.post(None, "/links/record", {"token": token, "code": code})
    code = (await house.do(search, "release/code"))["release"]["code"]
    for status in (403, 403, 403, 403, 423):
        await house.post(None, "/links/record", {"token": token, "code": wrong(code)}, status)
    await house.post(None, "/links/record", {"token": token, "code": code}, 423)
    assert "link_locked" in await house.tasks(search)
    assert (await shown(house, token))["state"] == "locked"
    await house.do(search, "release/renew")
    await house.work()
    await house.open_record(search, doctor)
