"""An address finds its quartier: by the territory's own streets, with or without imported ones."""

from pathlib import Path
from typing import Any

import pytest

from matcher.addresses import Skipped, write
from matcher.addresses.ban import read
from matcher.directory import StreetRow, read_iris, read_places, read_streets
from matcher.protocol.places import Gazetteer, PlaceKind
from matcher.service.announcing import place_of
from matcher.service.finding import Finder, announceable
from tests.unit import made_addresses as made

FOLDER = Path(__file__).parents[2] / "config" / "territories" / "venissieux"
GAZETTEER = Gazetteer(
    territory="CPTS de Vénissieux", places=tuple(read_places((FOLDER / "places.csv").read_text("utf-8"))[0])
)
STREETS = (
    StreetRow(street="rue Gambetta", insee="69259", quartier="Centre"),
    StreetRow(street="av. Jean-Jaurès", insee="69259", quartier="Jules-Guesde"),
    StreetRow(street="impasse Jean Jaurès", insee="69259", quartier="Max-Barel"),
    StreetRow(street="rue du Silex", insee="69259", quartier="Parilly", excluded=True),
)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write(folder / "t.sqlite3", read(made.write(folder / "made.csv"), Skipped()))
    return folder / "t.sqlite3"


@pytest.fixture(scope="module")
def finder(imported: Path) -> Finder:
    return Finder(imported, GAZETTEER, STREETS)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    return Finder(tmp_path_factory.mktemp("none") / "none.sqlite3", GAZETTEER, STREETS)


def at(line: str, **more: Any) -> dict[str, Any]:
    address = {"line": line, "postcode": "69200", "city": "Vénissieux"} | more
    return {"record": {"address": address}}


@pytest.mark.parametrize(
    ("line", "quartier"),
    [
        ("4 rue Gambetta", "Centre"),
        ("4 r. Gambeta", "Centre"),
        ("12 av J. Jaurès", "Jules-Guesde"),
        ("3 imp jean jaures", "Max-Barel"),
        ("45 av des cornouillers", "Minguettes"),
        ("5 rue du silex", "Parilly"),
    ],
)
def test_a_typed_address_finds_its_quartier_with_and_without_imported_streets(
    finder: Finder, alone: Finder, line: str, quartier: str
) -> None:
    for either in (finder, alone):
        place = place_of(GAZETTEER, either, at(line))
        assert (place.kind, place.name) == (PlaceKind.QUARTIER, quartier)


@pytest.mark.parametrize("line", ["7 rue de Nulle-Part", "", "Résidence Les Roses", "20 bd Laurent Gérin"])
def test_an_address_whose_quartier_is_unknown_is_announced_by_its_commune(finder: Finder, line: str) -> None:
    place = place_of(GAZETTEER, finder, at(line))
    assert (place.kind, place.name) == (PlaceKind.COMMUNE, "Vénissieux")


def test_one_of_two_streets_is_no_quartier(alone: Finder) -> None:
    assert place_of(GAZETTEER, alone, at("12 Jean Jaurès")).kind is PlaceKind.COMMUNE


def test_the_same_street_elsewhere_is_not_here(finder: Finder) -> None:
    bron = at("4 rue Gambetta", postcode="69500", city="Bron", insee="69029")
    assert place_of(GAZETTEER, finder, bron).kind is PlaceKind.TERRITORY


def test_a_postal_domiciliation_is_not_where_the_person_sleeps(finder: Finder) -> None:
    request = at("4 rue Gambetta")
    request["record"]["housing"] = "domiciled"
    assert place_of(GAZETTEER, finder, request).kind is PlaceKind.COMMUNE


def test_what_somebody_chose_goes_before_the_address(finder: Finder) -> None:
    assert place_of(GAZETTEER, finder, at("4 rue Gambetta") | {"place": "parilly"}).name == "Parilly"


def test_a_house_of_the_imported_streets_has_coordinates(finder: Finder, alone: Finder) -> None:
    house, quartier = (either.find("4 rue Gambetta", "69200", "Vénissieux") for either in (finder, alone))
    assert house is not None
    assert quartier is not None
    centre = GAZETTEER.quartier("Centre")
    assert centre is not None
    assert (quartier.lat, quartier.lon) == (centre.lat, centre.lon) != (house.lat, house.lon)


def test_the_quartier_of_an_arrondissement_may_be_listed_under_the_whole_commune(imported: Path) -> None:
    text = "name;kind;quartier;insee;lat;lon\nMermoz;quartier;;69123;45.73;4.87\n"
    lyon = Gazetteer(territory="CPTS Lyon 8e", places=tuple(read_places(text)[0]), communes={"69123": "Lyon"})
    finder = Finder(
        imported, lyon, [StreetRow(street="Avenue Jean Mermoz", insee="69123", quartier="Mermoz")]
    )
    request = at("8 av J. Mermoz", postcode="69008", city="Lyon 8e", insee="69388")
    assert place_of(lyon, finder, request).name == "Mermoz"
    elsewhere = at("8 rue Villon", postcode="69008", city="Lyon", insee="69388")
    assert place_of(lyon, finder, elsewhere).name == "Lyon"


def test_a_street_that_is_one_foyer_is_never_a_place_to_announce() -> None:
    left = announceable(GAZETTEER.places, STREETS)
    assert {p.name for p in GAZETTEER.places} - {p.name for p in left} == {"rue du Silex"}


def test_streets_are_read_with_their_problems_by_line() -> None:
    rows, problems = read_streets(
        "street;insee;quartier;excluded\nrue A;69259;Centre;\nR. A;69259;Parilly;non\nrue B;69259;;\n"
        "rue C;69259;Centre;oui\nrue D;69259;Centre;peut-être\n"
    )
    assert [(row.street, row.excluded) for row in rows] == [("rue A", False), ("rue C", True)]
    assert [problem.line for problem in problems] == [3, 4, 6]


def test_an_iris_is_in_one_quartier() -> None:
    rows, problems = read_iris("iris;quartier\n692590101;Centre\n692590101;Parilly\n69259;Centre\n")
    assert [row.quartier for row in rows] == ["Centre"]
    assert [problem.line for problem in problems] == [3, 4]
