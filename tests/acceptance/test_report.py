"""The activity report: delays with and without the days at rest, and the files that are taken along."""

import pytest

from matcher.service.actors import Role
from tests.acceptance.house import House

YEAR = "from=2026-01-01&to=2027-12-31"


async def test_days_at_rest_are_told_apart(small_house: House) -> None:
    house = small_house
    search = await house.launched()
    await house.do(search, "rest")
    await house.advance(days=10)
    await house.do(search, "wake")
    doctor = (await house.mailed(search))[0]
    await house.yes(doctor)
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.do(search, "confirm", declaration="done", honoured_on=house.clock().date().isoformat())
    told = await house.get("directrice", f"/report?{YEAR}")
    assert told["days_to_attached_median"] >= 10
    assert told["days_to_attached_reachable_median"] < 1
    assert told["days_to_first_yes_median"] >= 10
    assert told["doctors_yes"] == 1
    assert told["doctors_asked"] >= told["doctors_yes"]


async def test_the_page_and_its_files_say_the_same(small_house: House) -> None:
    house = small_house
    await house.submitted()
    await house.login(Role.DIRECTRICE)
    page = await (await house.client.get("/rapport")).text()
    assert "Demandes transmises" in page
    for kind, begins in (("pdf", b"%PDF-"), ("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
        given = await house.client.get(f"/rapport.{kind}")
        assert (given.status, (await given.read())[: len(begins)]) == (200, begins)
    odd = await house.client.get("/rapport.csv?du=2026-12-31&au=2026-01-01")
    assert odd.status == 400


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("du=0026-01-01", "du"),
        ("du=9999-12-31&au=9999-12-31", "du"),
        ("du=2026-01-01&au=9999-12-31", "au"),
        ("au=hier", "au"),
    ],
)
async def test_a_period_that_nobody_meant_is_told_beside_its_field(
    small_house: House, asked: str, field: str
) -> None:
    await small_house.login(Role.DIRECTRICE)
    reply = await small_house.client.get(f"/rapport?{asked}")
    page = await reply.text()
    assert reply.status == 400
    assert f'id="{field}-faute"' in page
    assert "Demandes transmises" in page
