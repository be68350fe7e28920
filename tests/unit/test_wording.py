"""What an announcement says in French."""

import pytest

from matcher.protocol.announcement import ADULT, MINOR, AgeBand, Announcement, Condition, ConditionKind
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.wording import age_band, distance, measure, sentence, where, who


def place(name: str, kind: PlaceKind = PlaceKind.QUARTIER) -> Place:
    return Place(name=name, kind=kind, lat=45.7, lon=4.88, insee="69259")


def announcement(
    age: AgeBand | None = AgeBand(from_=65, to=69),  # noqa: B008 – a frozen value
    where: Place = place("Parilly"),  # noqa: B008
    conditions: tuple[Condition, ...] = (),
    **more: int,
) -> Announcement:
    fields = {"residents": 1947, "candidates": 216, **more}
    return Announcement(age=age, place=where, conditions=conditions, **fields)


def test_the_announcement_reads_as_the_office_would_write_it() -> None:
    assert sentence(announcement(), distance_km=1.0) == (
        "Une personne de 65 à 69 ans, quartier Parilly (environ 1 km de votre cabinet), "
        "cherche un médecin traitant. Consultations au cabinet."
    )


def test_without_a_distance_none_is_said() -> None:
    said = sentence(announcement())
    assert said.startswith("Une personne de 65 à 69 ans, quartier Parilly, cherche")
    whole = announcement(where=place("CPTS", PlaceKind.TERRITORY))
    assert "km" not in sentence(whole, distance_km=3.0)
    assert "sur le territoire de la CPTS, cherche" in sentence(whole)


def test_a_household_says_how_many_adults_and_children() -> None:
    assert who(announcement(age=None, adults=2, children=3)) == "un foyer de 2 adultes et 3 enfants"
    assert who(announcement(age=None, adults=1, children=1)) == "un foyer de 1 adulte et 1 enfant"
    assert who(announcement(age=None, adults=0, children=2)) == "un foyer de 2 enfants"
    assert who(announcement(age=None, adults=2, children=0)) == "un foyer de 2 adultes"


@pytest.mark.parametrize(
    ("band", "said", "short"),
    [
        (AgeBand(from_=67, to=67), "une personne de 67 ans", "67 ans"),
        (AgeBand(from_=80, to=None), "une personne de 80 ans ou plus", "80 ans ou plus"),
        (AgeBand(from_=0, to=4), "un enfant de moins de 5 ans", "moins de 5 ans"),
        (AgeBand(from_=5, to=9), "un enfant de 5 à 9 ans", "5 à 9 ans"),
        (AgeBand(from_=15, to=19), "une personne de 15 à 19 ans", "15 à 19 ans"),
        (AgeBand(from_=1, to=1), "un enfant de 1 an", "1 an"),
        (ADULT, "une personne majeure", "adulte"),
        (MINOR, "une personne mineure", "mineur"),
    ],
)
def test_every_band_has_its_words(band: AgeBand, said: str, short: str) -> None:
    assert who(announcement(age=band)) == said
    assert age_band(band) == short


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("Parilly", PlaceKind.QUARTIER, "quartier Parilly"),
        ("Quartier Nord", PlaceKind.QUARTIER, "Quartier Nord"),
        ("la station de métro", PlaceKind.LANDMARK, "près de la station de métro"),
        ("La gare", PlaceKind.LANDMARK, "près de la gare"),
        ("le parc du Charréard", PlaceKind.LANDMARK, "près du parc du Charréard"),
        ("les halles", PlaceKind.LANDMARK, "près des halles"),
        ("l’église", PlaceKind.LANDMARK, "près de l’église"),
        ("Église Neuve", PlaceKind.LANDMARK, "près d’Église Neuve"),
        ("Le", PlaceKind.LANDMARK, "près de Le"),
        ("Vénissieux", PlaceKind.COMMUNE, "à Vénissieux"),
        ("Oullins", PlaceKind.COMMUNE, "à Oullins"),
        ("Le Havre", PlaceKind.COMMUNE, "au Havre"),
        ("Les Ulis", PlaceKind.COMMUNE, "aux Ulis"),
        ("La Mulatière", PlaceKind.COMMUNE, "à La Mulatière"),
        ("rue du Silex", PlaceKind.STREET, "rue du Silex"),
    ],
)
def test_places_are_said_in_french(name: str, kind: PlaceKind, said: str) -> None:
    assert where(place(name, kind)) == said


@pytest.mark.parametrize(
    ("kilometres", "said"),
    [(0.0, "à moins de 500 m"), (0.5, "environ 0,5 km"), (1.5, "environ 1,5 km"), (12.0, "environ 12 km")],
)
def test_distances_are_said_as_people_say_them(kilometres: float, said: str) -> None:
    assert distance(kilometres) == said


def test_every_condition_has_its_sentence() -> None:
    for kind in ConditionKind:
        days = 10 if kind is ConditionKind.WITHIN_DAYS else None
        said = sentence(announcement(conditions=(Condition(kind=kind, days=days),)))
        visits = kind in (ConditionKind.HOME_VISITS, ConditionKind.EHPAD_VISITS)
        assert ("Consultations au cabinet." in said) is not visits
        assert said.endswith(".")
    assert "sous 10 jours" in sentence(
        announcement(conditions=(Condition(kind=ConditionKind.WITHIN_DAYS, days=10),))
    )


def test_the_office_reads_how_many_it_describes_in_round_figures() -> None:
    assert measure(announcement()) == (
        "Cette annonce décrit environ 1 900 habitants, dont 210 sans médecin traitant."
    )
    family = announcement(age=None, adults=2, children=1, residents=120, candidates=9)
    assert measure(family) == "Cette annonce décrit environ 120 foyers, dont 9 sans médecin traitant."
