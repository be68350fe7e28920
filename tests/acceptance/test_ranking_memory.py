"""What the ranking reads: past answers, lists, minutes of travel; and doctors who are to be placed."""

from datetime import timedelta

import pytest

from matcher.protocol.ids import DoctorId
from matcher.protocol.places import PlaceKind, normalised
from matcher.protocol.travel import Travel
from matcher.service import asking, importing
from matcher.service.errors import Invalid
from matcher.storage import past, travel
from tests.acceptance.house import HERE, House


async def test_answers_of_a_year_are_counted_and_silence_after_a_week(house: House) -> None:
    search, doctors = await house.proposing(2)
    no = (await house.mailed(search))[2]
    await house.says(no, "no")
    asked = {one["id"] for one in await house.mailed(search)}
    now = house.clock()

    async def counted():
        async with house.house.sessions.begin() as session:
            return await past.answers(
                session, HERE, since=now - timedelta(days=365), settled=house.clock() - timedelta(days=7)
            )

    soon = await counted()
    assert soon == {DoctorId(d["id"]): (1, 1) for d in doctors} | {DoctorId(no["id"]): (1, 0)}
    house.clock.at += timedelta(days=8)
    later = await counted()
    assert asked <= later.keys()
    assert {d: counts for d, counts in later.items() if counts.yes} == {
        DoctorId(d["id"]): (1, 1) for d in doctors
    }
    async with house.house.sessions.begin() as session:
        roster = await asking.roster(session, house.house, HERE)
    known = {d.id: (d.asked_before, d.yes_before) for d in roster.doctors if d.asked_before}
    assert known == {doctor: tuple(counts) for doctor, counts in later.items()}


async def test_a_table_of_minutes_is_imported_and_ranks_and_is_said(house: House) -> None:
    listed = await house.doctors()
    rows = [d for d in listed.values() if d.get("rpps") and d["member"] and d["zone"] == "territoire"]
    first, second = rows[:2]
    table = f"place;rpps;walk;drive\nparilly;{first['rpps']};3;1\nParilly;{second['rpps']};;2\n"
    table += f"Ailleurs;{first['rpps']};1;1\nParilly;99999999999;4;4\nParilly;{first['rpps']};5;5\n"
    report = await importing.import_travel(house.house, HERE, table)
    assert report.taken == {"travel.csv": 2}
    assert sorted((problem.line, problem.field) for _, problem in report.problems) == [
        (4, "place"),
        (5, "rpps"),
        (6, "rpps"),
    ]
    async with house.house.sessions.begin() as session:
        found = await travel.from_place(session, HERE, normalised("Parilly"))
    assert found == {
        DoctorId(first["id"]): Travel(walk=3, drive=1),
        DoctorId(second["id"]): Travel(drive=2),
    }
    search = await house.ready(wishes=[])
    ordered = (await house.get("coordinatrice", f"/searches/{search}/doctors"))["items"]
    assert ordered[0]["doctor"]["id"] == first["id"]
    assert ordered[0]["minutes"] == 3
    assert "à 3 minutes à pied" in ordered[0]["why"]
    with pytest.raises(Invalid):
        await importing.import_travel(house.house, HERE, "place;rpps;walk;drive\n")
    with pytest.raises(Invalid):
        await importing.import_travel(house.house, "nulle-part", table)


async def test_each_doctor_shows_the_wishes_that_are_met_and_why(small_house: House) -> None:
    house = small_house
    wishes = [
        {"kind": "sector1", "value": True, "hard": True},
        {"kind": "language", "value": "tr", "hard": False},
    ]
    search = await house.ready(wishes=wishes)
    ordered = (await house.get("secretaire", f"/searches/{search}/doctors"))["items"]
    assert all("sector1" in one["met"] for one in ordered)
    met = ["language" in one["met"] for one in ordered]
    assert any(met)
    assert not all(met)
    assert met == sorted(met, reverse=True)
    assert all(("parle turc" in one["why"]) for one in ordered)
    await house.do(search, "launch")
    asked = (await house.see(search))["solicitations"]
    assert asked
    assert all(one["why"] and "sector1" in one["met"] for one in asked)


async def test_an_address_that_is_not_found_is_to_be_placed_until_it_is_corrected(small_house: House) -> None:
    house = small_house
    new = {"last_name": "Sorbier", "first_name": "Aube", "address": "1 rue de Nulle-Part", "city": "Loin"}
    made = await house.post("coordinatrice", "/doctors", new, 201)
    assert made["to_place"]
    places = house.house.territory(HERE).places.places
    street = next(place.name for place in places if place.kind is PlaceKind.STREET)
    change = {"address": f"3 {street}", "city": "Vénissieux", "postcode": "69200", "insee": "69259"}
    placed = await house.call("coordinatrice", "PATCH", f"/doctors/{made['id']}", change)
    assert placed.status == 200
    assert "to_place" not in placed.json
    assert placed.json["lat"] == pytest.approx(45.7, abs=0.1)
    gone = await house.call(
        "coordinatrice", "PATCH", f"/doctors/{made['id']}", {"address": "zzz", "city": "Q"}
    )
    assert gone.json["to_place"]
    exact = {"address": "yyy", "lat": 45.7, "lon": 4.9}
    kept = await house.call("coordinatrice", "PATCH", f"/doctors/{made['id']}", exact)
    assert (kept.json["lat"], kept.json["lon"]) == (45.7, 4.9)
