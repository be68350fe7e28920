"""The places a territory may announce, and how far they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.places import Gazetteer, Place, PlaceKind, distance_km, normalised, rounded_km


def place(name: str, kind: PlaceKind = PlaceKind.QUARTIER, **more: object) -> Place:
    fields = {"lat": 45.7, "lon": 4.88, "insee": "69259", "quartier": name, **more}
    return Place(name=name, kind=kind, **fields)  # type: ignore[arg-type]


PARILLY = place("Parilly", lat=45.72)
CENTRE = place("Centre", lat=45.70)
METRO = place("la station de métro Parilly", PlaceKind.LANDMARK, quartier="Parilly")
PARK = place("le parc de Parilly", PlaceKind.LANDMARK, quartier="Parilly")
STREET = place("rue du Silex", PlaceKind.STREET, quartier="parilly")
EHPAD = place("EHPAD Les Tilleuls", PlaceKind.EHPAD, quartier="Centre", residents=84)
GAZETTEER = Gazetteer(territory="CPTS de Vénissieux", places=(PARILLY, CENTRE, METRO, PARK, STREET, EHPAD))


@pytest.mark.parametrize("name", ["Parilly", "PARILLY", " parilly ", "Parílly"])
def test_a_place_is_found_whatever_its_case_and_accents(name: str) -> None:
    assert GAZETTEER.find(name) is PARILLY


@pytest.mark.parametrize("name", ["", "Ailleurs", "CCAS"])
def test_a_name_that_is_not_listed_is_no_place(name: str) -> None:
    assert GAZETTEER.find(name) is None


def test_ligatures_and_punctuation_do_not_matter_in_a_name() -> None:
    assert normalised("Sacré-Cœur, l’Étoile") == "sacre coeur l etoile"


def test_the_only_commune_of_a_territory_bears_its_name() -> None:
    commune = GAZETTEER.commune("69259")
    assert commune is not None
    assert (commune.name, commune.kind, commune.insee) == ("Vénissieux", PlaceKind.COMMUNE, "69259")
    assert commune.lat == pytest.approx(45.71)
    assert GAZETTEER.find("venissieux") == commune


@pytest.mark.parametrize(
    ("territory", "commune"),
    [("CPTS du Havre", "Le Havre"), ("CPTS d’Oullins", "Oullins"), ("CPTS Sud", "Sud"), ("Bron", "Bron")],
)
def test_the_name_of_a_commune_is_read_from_the_territorys(territory: str, commune: str) -> None:
    found = Gazetteer(territory=territory, places=(CENTRE,)).commune("69259")
    assert found is not None
    assert found.name == commune


def test_a_commune_that_nobody_named_is_not_announced() -> None:
    other = place("Bourg", insee="69029")
    both = Gazetteer(territory="CPTS du Sud", places=(CENTRE, other))
    assert both.commune("69259") is None
    assert both.whole().lat == pytest.approx(45.7)
    named = Gazetteer(territory="CPTS du Sud", places=(CENTRE, other), communes={"69029": "Bron"})
    assert named.find("bron") == named.commune("69029")


def test_a_listed_commune_is_taken_as_it_is_listed() -> None:
    listed = place("Vénissieux", PlaceKind.COMMUNE, lat=45.6, quartier=None)
    gazetteer = Gazetteer(territory="CPTS de Vénissieux", places=(CENTRE, listed))
    assert gazetteer.commune("69259") is listed


def test_nothing_is_known_of_a_commune_elsewhere_or_unnamed() -> None:
    assert GAZETTEER.commune("75056") is None
    assert GAZETTEER.commune(None) is None
    named = Gazetteer(territory="x", places=(CENTRE,), communes={"75056": "Paris"})
    assert named.commune("75056") is None


def test_a_commune_without_quartiers_lies_amid_its_places() -> None:
    gazetteer = Gazetteer(territory="Vénissieux", places=(STREET,))
    commune = gazetteer.commune("69259")
    assert commune is not None
    assert (commune.lat, commune.lon) == (STREET.lat, STREET.lon)


def test_the_whole_territory_is_a_place_without_a_commune() -> None:
    whole = GAZETTEER.whole()
    assert (whole.kind, whole.insee, whole.name) == (PlaceKind.TERRITORY, None, "CPTS de Vénissieux")


def test_a_territory_without_places_cannot_be_announced() -> None:
    with pytest.raises(ValueError, match="no place"):
        Gazetteer(territory="x", places=()).whole()


def test_a_street_lies_in_its_quartier_and_a_commune_in_none() -> None:
    assert GAZETTEER.quartier_of(STREET) is PARILLY
    assert GAZETTEER.quartier_of(PARILLY) is PARILLY
    assert GAZETTEER.quartier_of(GAZETTEER.whole()) is None
    assert GAZETTEER.quartier_of(place("rue", PlaceKind.STREET, quartier="Ailleurs")) is None


def test_two_quartiers_of_one_name_are_told_apart_by_their_commune() -> None:
    other = place("Centre", insee="69029", lat=45.73)
    both = Gazetteer(territory="x", places=(CENTRE, other))
    assert both.quartier_of(place("rue", PlaceKind.STREET, quartier="Centre", insee="69029")) is other
    assert both.quartier("centre") is CENTRE


def test_a_quartier_has_one_landmark_the_first_listed() -> None:
    assert GAZETTEER.landmark_of(PARILLY) is METRO
    assert GAZETTEER.landmark_of(CENTRE) is None


def test_ehpad_places_are_counted_by_commune() -> None:
    unknown = place("EHPAD Neuf", PlaceKind.EHPAD, quartier="Centre")
    gazetteer = Gazetteer(territory="x", places=(EHPAD, unknown))
    assert gazetteer.ehpad_places() == 84
    assert gazetteer.ehpad_places("69259") == 84
    assert gazetteer.ehpad_places("69029") == 0


def test_a_degree_of_latitude_is_about_111_km() -> None:
    assert distance_km(45, 4, 46, 4) == pytest.approx(111.2, abs=0.1)
    assert distance_km(45.7, 4.9, 45.7, 4.9) == 0


@pytest.mark.parametrize(
    ("exact", "said"),
    [
        (0.0, 0.0),
        (0.49, 0.0),
        (0.5, 0.5),
        (0.74, 0.5),
        (0.75, 1.0),
        (1.3, 1.5),
        (1.8, 2.0),
        (2.4, 2.0),
        (2.5, 3.0),
    ],
)
def test_distances_are_said_by_half_kilometres_then_by_kilometres(exact: float, said: float) -> None:
    assert rounded_km(exact) == said


@given(st.floats(0, 300), st.floats(0, 300))
def test_rounding_never_turns_nearer_into_farther(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert rounded_km(near) <= rounded_km(far)


coordinates = st.tuples(st.floats(-85, 85), st.floats(-180, 180))


@given(coordinates, coordinates)
def test_it_is_as_far_there_as_back(one: tuple[float, float], other: tuple[float, float]) -> None:
    assert distance_km(*one, *other) == pytest.approx(distance_km(*other, *one), abs=1e-6)
    assert 0 <= distance_km(*one, *other) <= 20_016
