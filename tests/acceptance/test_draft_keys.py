"""What requesters are still writing lies under the keys of its month, like what was handed in."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from matcher import app
from matcher.service import keys
from matcher.service.errors import Conflict
from matcher.service.house import Part
from matcher.storage import backups, copies, sealed
from messaging.keyring import KeyAbsent, KeyRing
from messaging.vault import Vault
from tests.acceptance.house import OFFICE, House, request


async def test_a_draft_lives_on_under_the_new_month_and_a_copy_of_before_opens_for_nobody(
    house: House, tmp_path: Path
) -> None:
    ring, vault = house.house.keyring, house.house.vault
    draft = (await house.post("requester", "/searches", request(draft=True), 201))["id"]
    returned = await house.submitted()
    await house.do(returned, "return", missing=["record.phone"])
    copy = tmp_path / "copie"
    await copies.save(house.house.engine, copy)
    old = f"{house.clock.at:%Y-%m}"
    with pytest.raises(Conflict, match="new records"):
        await keys.destroy(house.house, old)

    house.clock.at += timedelta(days=31)
    new = ring.create(house.clock.at)
    with pytest.raises(Conflict, match="rewrap"):
        await keys.destroy(house.house, old)
    assert await keys.rewrap(house.house, lambda done, of: None) == 6
    async with house.house.sessions.begin() as session:
        assert await sealed.keys_in_use(session) == {new: 3, f"intake-{new}": 3}
    assert await keys.destroy(house.house, old) == [old, f"intake-{old}"]

    seen = await house.see(draft, "requester")
    assert seen["input"] == request()
    seen = await house.see(returned, "requester")
    assert (seen["missing"], seen["input"]) == (["record.phone"], request())
    for one in (draft, returned):
        await house.do(one, "submit", who="requester")
        await house.get(OFFICE, f"/searches/{one}/record?purpose=contact")
    held = list(backups.sections(copy))
    assert {one.sealed.key for one in held} == {old, f"intake-{old}"}
    assert {one.section for one in held if one.sealed.key != old} == {"draft", "missing"}
    for one in held:
        with pytest.raises(KeyAbsent):
            vault.open(one.sealed, territory=one.territory, record=one.search, section=one.section)


async def test_an_intake_with_an_old_folder_refuses_rather_than_seal_what_nobody_could_open(
    small_house: House, tmp_path: Path
) -> None:
    house = small_house
    ring = house.house.keyring
    ring.publish(tmp_path / "intake", house.clock.at)
    house.clock.at += timedelta(days=70)
    ring.create(house.clock.at)
    for month in sorted({name[:7] for name in ring.months()})[:2]:
        await keys.destroy(house.house, month)
    old = KeyRing(tmp_path / "intake")
    intake = replace(house.house, part=Part.INTAKE, keyring=old, vault=Vault(old))
    async with TestClient(TestServer(app.make_web_app(intake))) as client:
        there = replace(house, house=intake, client=client)
        for draft in (True, False):
            refused = await there.post("requester", "/searches", request(draft=draft), 409)
            assert refused["code"] == "keys_stale"
        assert await house.run_sql("SELECT count(*) FROM sealed") == [(0,)]
        ring.publish(tmp_path / "intake", house.clock.at)
        await there.post("requester", "/searches", request(), 201)


async def test_the_pairs_of_a_month_to_come_that_were_published_are_not_destroyed(
    small_house: House, tmp_path: Path
) -> None:
    house = small_house.house
    house.keyring.publish(tmp_path / "intake", small_house.clock.at)
    (to_come,) = [name for name in house.keyring.months() if name > f"{small_house.clock.at:%Y-%m}"]
    with pytest.raises(Conflict, match="its month"):
        await keys.destroy(house, to_come)
    with pytest.raises(KeyAbsent):
        await keys.destroy(house, "2019-01")
