"""The territory of the demonstration: its counts add up, and nobody in it could be somebody real."""

import re
from collections import Counter
from pathlib import Path

import pytest
from stdnum import luhn

from config.territory import TerritorySettings, load_territory
from matcher import directory
from matcher.directory import DoctorRow
from matcher.protocol.announcement import AgeBand, Ground, Subject
from matcher.protocol.doctors import Zone
from matcher.protocol.ladder import announce
from matcher.protocol.places import Gazetteer, PlaceKind, normalised
from matcher.protocol.population import Population

FOLDER = Path(__file__).parents[2] / "config" / "territories" / "venissieux"
#: STANDARDS.md: INSEE's bands.
BANDS = [(0, 2), (3, 5), (6, 10), (11, 17), (18, 24), (25, 39), (40, 54), (55, 64), (65, 79), (80, None)]
#: A residence of these kinds tells of poverty or illness; the announcement never names one.
NEVER_NAMED = re.compile(
    r"foyer|résidence sociale|ccas|hôpital|clinique|centre d.hébergement|hôtel", re.IGNORECASE
)


def text(name: str) -> str:
    return directory.decode((FOLDER / name).read_bytes())


@pytest.fixture(scope="module")
def doctors() -> list[DoctorRow]:
    return directory.read_doctors(text("doctors.csv"))[0]


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground(
        gazetteer=Gazetteer(
            territory="CPTS de Vénissieux",
            places=tuple(directory.read_places(text("places.csv"))[0]),
            communes={"69259": "Vénissieux"},
        ),
        population=Population(
            residents=tuple(directory.read_population(text("population.csv"))[0]),
            households=tuple(directory.read_households(text("households.csv"))[0]),
        ),
        k=100,
    )


def test_every_file_is_read_without_a_problem() -> None:
    for name in ("doctors", "absences", "places", "population", "households", "structures", "users"):
        rows, problems = getattr(directory, f"read_{name}")(text(f"{name}.csv"))
        assert rows, name
        assert problems == [], name


def test_the_settings_hold_what_the_simulator_recommends_and_else_the_protocol() -> None:
    settings = load_territory(FOLDER)
    assert isinstance(settings, TerritorySettings)
    assert (settings.id, settings.clock, settings.holidays) == ("venissieux", "working", "")
    assert (settings.waves.size, settings.announcement.k, settings.calls.rounds) == (6, 100, 2)
    assert settings.delays.model_dump() == {
        # ADR 12; PROTOCOL.md's are P2D, P2D and P4D, in waves of 20.
        "reminder": None,
        "next_wave": "PT4H",
        "calls": "P1D",
        "yes_held": "P3D",
        "choice_chase": "P1D",
        "opening_reminder": "P1D",
        "opening_call": "P2D",
        "appointment_asked": "P3D",
        "appointment_check": "P2D",
        "reconfirm": "P10D",
    }
    assert (settings.urgent.reminder, settings.urgent.calls) == (None, "PT2H")
    assert (settings.answers.settle, settings.answers.min_reading) == ("PT5S", "PT2S")


def test_every_setting_is_written_on_a_line_of_its_own() -> None:
    written = set(re.findall(r"^([a-z_]+) = ", text("territory.toml"), re.MULTILINE))
    known = set(TerritorySettings.model_fields) - {"hours", "delays", "urgent"}
    sections = {name for name in known if f"\n[{name}]" in text("territory.toml")}
    assert known - sections <= written
    for name in ("quota", "retention"):
        assert set(getattr(load_territory(FOLDER), name).model_fields_set) == set(
            type(getattr(load_territory(FOLDER), name)).model_fields
        )


def test_the_residents_add_up_to_the_commune(ground: Ground) -> None:
    residents = ground.population.residents
    assert sum(row.residents for row in residents) == 65_502
    assert {row.insee for row in residents} == {"69259"}
    quartiers = {p.name for p in ground.gazetteer.places if p.kind is PlaceKind.QUARTIER}
    named = {"Minguettes", "Centre", "Parilly", "Moulin-à-Vent", "Charréard", "Max-Barel", "Pyramide"}
    assert quartiers >= named
    assert {row.quartier for row in residents} == quartiers
    for quartier in quartiers:
        bands = [(row.age_from, row.age_to) for row in residents if row.quartier == quartier]
        assert bands == BANDS


def test_the_households_hold_the_same_adults_and_children_as_the_quartiers(ground: Ground) -> None:
    children = sum(row.residents for row in ground.population.residents if row.age_from < 18)
    households = ground.population.households
    assert sum(row.children * row.households for row in households) == children
    assert sum(row.adults * row.households for row in households) == 65_502 - children


def test_the_ladder_is_exercised(ground: Ground) -> None:
    parilly = ground.gazetteer.find("Parilly")
    pyramide = ground.gazetteer.find("Pyramide")
    assert parilly is not None
    assert pyramide is not None
    fine = announce(Subject(age=67, place=parilly), ground)
    assert (fine.age, fine.place) == (AgeBand(from_=65, to=69), parilly)
    widened = announce(Subject(age=67, place=pyramide), ground)
    assert widened.place.kind is PlaceKind.COMMUNE
    assert any(0 < row.residents < 100 for row in ground.population.residents)
    rare = announce(Subject(age=0, place=parilly, adults=2, children=2), ground)
    assert rare.residents >= 100


def test_each_quartier_has_one_landmark_and_no_place_is_one_that_must_not_be_named(ground: Ground) -> None:
    places = ground.gazetteer.places
    landmarks = Counter(p.quartier for p in places if p.kind is PlaceKind.LANDMARK)
    assert landmarks == Counter(p.name for p in places if p.kind is PlaceKind.QUARTIER)
    assert not [p.name for p in places if NEVER_NAMED.search(p.name)]
    assert ground.gazetteer.ehpad_places("69259") >= 100
    assert all(45.68 < p.lat < 45.73 and 4.85 < p.lon < 4.91 for p in places)


def test_there_are_90_doctors_38_members_and_70_who_can_be_called_in_the_territory(
    doctors: list[DoctorRow],
) -> None:
    absent = {row.rpps for row in directory.read_absences(text("absences.csv"))[0]}
    assert len(doctors) == 90
    members = [d for d in doctors if d.member]
    assert len(members) == 38
    assert all(d.zone is Zone.TERRITORY for d in members)
    inside = [d for d in doctors if d.zone is Zone.TERRITORY]
    assert len([d for d in inside if d.phone and d.rpps not in absent]) >= 70
    assert all(d.insee == "69259" for d in inside)
    outside = [d for d in doctors if d.zone is Zone.NEIGHBOUR]
    assert outside
    assert all(d.insee != "69259" for d in outside)
    assert 0 < len(absent) < 10
    assert absent < {d.rpps for d in doctors}


def test_the_doctors_differ_as_real_ones_do(doctors: list[DoctorRow]) -> None:
    assert {d.sex for d in doctors} == {"F", "M", None}
    assert {d.sector for d in doctors} == {1, 2, None}
    for field in ("step_free", "home_visits", "teleconsultation"):
        assert {getattr(d, field) for d in doctors} == {True, False, None}, field
    assert {"fr", "ar", "tr", "pt", "en", "it", "es"} <= {code for d in doctors for code in d.languages}
    assert any(not d.languages for d in doctors)
    assert 3 <= len([d for d in doctors if d.email is None]) <= 9
    assert 3 <= len([d for d in doctors if d.delegate_email]) <= 9
    assert [d for d in doctors if d.asked_per_week]
    assert [d for d in doctors if d.accepted_per_month]
    assert all(d.lat is not None and d.lon is not None for d in doctors)


def test_nothing_of_a_doctor_is_shared_or_real(doctors: list[DoctorRow]) -> None:
    for field in ("rpps", "last_name", "phone", "email", "mssante", "delegate_email"):
        values = [value for d in doctors if (value := getattr(d, field)) is not None]
        assert len(values) == len({normalised(v) for v in values}), field
    # No real RPPS number begins with 999; the key is right, so that an import says nothing odd.
    assert all(re.fullmatch("999[0-9]{8}", d.rpps) and luhn.is_valid(d.rpps) for d in doctors)


def test_every_number_and_address_is_of_a_range_kept_for_fiction() -> None:
    for path in FOLDER.glob("*.csv"):
        content = path.read_text("utf-8")
        domains = re.findall(r"@([\w.-]+)", content)
        assert all(d.endswith(".example") or d == "example.org" for d in domains), path.name
        numbers = re.findall(r"\b0[1-9](?: [0-9]{2}){4}\b", content)
        assert all(number.startswith("04 65 71 ") for number in numbers), path.name


def test_there_is_a_requester_of_each_kind_and_somebody_in_each_role() -> None:
    structures, _ = directory.read_structures(text("structures.csv"))
    assert {row.kind for row in structures} == set(directory.STRUCTURE_KINDS)
    users, _ = directory.read_users(text("users.csv"))
    assert {row.role for row in users} == set(directory.STAFF_ROLES)
