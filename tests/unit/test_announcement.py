"""The ladder: as coarse as still lets a doctor decide, never about fewer than K residents."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol.announcement import (
    ADULT,
    MINOR,
    AgeBand,
    Announcement,
    CannotAnnounce,
    Condition,
    ConditionKind,
    Ground,
    NoHouseholdTable,
    Subject,
    TooFewResidents,
    covers,
    format_age,
    format_condition,
    parse_age,
    parse_condition,
    parse_conditions,
)
from matcher.protocol.ladder import announce, choices, finer, ladder
from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Households, Population, Residents


def place(name: str, kind: PlaceKind, quartier: str, residents: int | None = None) -> Place:
    return Place(
        name=name, kind=kind, lat=45.7, lon=4.88, insee="69259", quartier=quartier, residents=residents
    )


PARILLY = place("Parilly", PlaceKind.QUARTIER, "Parilly")
CENTRE = place("Centre", PlaceKind.QUARTIER, "Centre")
METRO = place("la station de métro", PlaceKind.LANDMARK, "Parilly")
PARK = place("le parc", PlaceKind.LANDMARK, "Parilly")
LONG_STREET = place("avenue des Sureaux", PlaceKind.STREET, "Parilly", 2000)
SHORT_STREET = place("rue du Silex", PlaceKind.STREET, "Parilly", 60)
UNCOUNTED = place("rue Longue", PlaceKind.STREET, "Parilly")
LOST_STREET = place("rue Perdue", PlaceKind.STREET, "Nulle part", 500)
EHPAD = place("EHPAD Les Tilleuls", PlaceKind.EHPAD, "Centre", 84)
ROSES = place("EHPAD Les Roses", PlaceKind.EHPAD, "Parilly", 62)
GAZETTEER = Gazetteer(
    territory="CPTS de Vénissieux",
    places=(PARILLY, CENTRE, METRO, PARK, LONG_STREET, SHORT_STREET, UNCOUNTED, LOST_STREET, EHPAD, ROSES),
)


def rows(quartier: str, per_band: float, to: int = 95) -> tuple[Residents, ...]:
    """Five-year rows of equal size up to ``to``, then "and over"."""
    closed = (
        Residents(quartier=quartier, insee="69259", age_from=a, age_to=a + 4, residents=per_band)
        for a in range(0, to, 5)
    )
    return (
        *closed,
        Residents(quartier=quartier, insee="69259", age_from=to, age_to=None, residents=per_band),
    )


def ground(parilly: float, centre: float = 1000, k: int = 100, **more: object) -> Ground:
    population = Population(residents=rows("Parilly", parilly) + rows("Centre", centre), **more)  # type: ignore[arg-type]
    return Ground(gazetteer=GAZETTEER, population=population, k=k)


def at(age: int = 67, where: Place = PARILLY, *kinds: ConditionKind) -> Subject:
    return Subject(age=age, place=where, conditions=tuple(Condition(kind=kind) for kind in kinds))


def shape(a: Announcement) -> tuple[str, PlaceKind]:
    return ("" if a.age is None else format_age(a.age)), a.place.kind


def test_five_years_and_quartier_where_enough_live_there() -> None:
    announced = announce(at(), ground(100))
    assert shape(announced) == ("65-69", PlaceKind.QUARTIER)
    assert (announced.residents, announced.candidates) == (100, 11)


@pytest.mark.parametrize(
    ("parilly", "centre", "expected"),
    [
        (99, 0, ("60-69", PlaceKind.QUARTIER)),
        (49, 51, ("65-69", PlaceKind.COMMUNE)),
        (49, 1, ("60-69", PlaceKind.COMMUNE)),
        (20, 20, ("adult", PlaceKind.COMMUNE)),
    ],
)
def test_the_ladder_widens_step_by_step(parilly: int, centre: int, expected: tuple[str, PlaceKind]) -> None:
    assert shape(announce(at(), ground(parilly, centre))) == expected


def test_the_ladder_is_the_fixed_one() -> None:
    assert [shape(a) for a in ladder(at(), ground(100))] == [
        ("65-69", PlaceKind.QUARTIER),
        ("60-69", PlaceKind.QUARTIER),
        ("65-69", PlaceKind.COMMUNE),
        ("60-69", PlaceKind.COMMUNE),
        ("adult", PlaceKind.COMMUNE),
        ("adult", PlaceKind.TERRITORY),
    ]


def test_the_territory_comes_last_and_joins_the_communes() -> None:
    far = Place(name="Bourg", kind=PlaceKind.QUARTIER, lat=45.7, lon=4.9, insee="69029", quartier="Bourg")
    gazetteer = Gazetteer(
        territory="CPTS", places=(PARILLY, far), communes={"69259": "Vénissieux", "69029": "Bron"}
    )
    elsewhere = tuple(replace(row, insee="69029") for row in rows("Bourg", 4))
    population = Population(residents=rows("Parilly", 4) + elsewhere)
    announced = announce(at(), Ground(gazetteer=gazetteer, population=population))
    assert shape(announced) == ("adult", PlaceKind.TERRITORY)


def test_below_k_everywhere_nothing_may_be_announced() -> None:
    with pytest.raises(TooFewResidents) as refused:
        announce(at(), ground(3, 3))
    assert refused.value.code == "too_few_residents"
    assert refused.value.residents < 100
    assert choices(at(), ground(3, 3)) == ()


def test_a_minor_stays_a_minor() -> None:
    assert shape(announce(at(12), ground(20, 15))) == ("minor", PlaceKind.COMMUNE)
    assert shape(announce(at(17), ground(100))) == ("15-19", PlaceKind.QUARTIER)


def test_without_a_quartier_the_commune_is_announced() -> None:
    commune = GAZETTEER.commune("69259")
    assert commune is not None
    assert shape(announce(at(67, commune), ground(1000))) == ("65-69", PlaceKind.COMMUNE)
    assert shape(announce(at(67, GAZETTEER.whole()), ground(1000))) == ("adult", PlaceKind.TERRITORY)


def test_a_street_or_an_ehpad_is_announced_as_its_quartier() -> None:
    assert announce(at(67, LONG_STREET), ground(100)).place == PARILLY
    assert announce(at(87, EHPAD), ground(100, 100)).place == CENTRE


def test_the_oldest_are_announced_as_far_as_the_table_counts() -> None:
    assert shape(announce(at(101), ground(100)))[0] == "95+"
    assert shape(announce(at(91), ground(60, 0)))[0] == "90+"


def test_a_part_of_a_row_is_counted_prudently() -> None:
    row = Residents(quartier="Parilly", insee="69259", age_from=65, age_to=79, residents=300)
    population = Population(residents=(row,))
    assert population.count(65, 79) == 300
    assert population.count(65, 69) == 75
    assert population.count(80, None) == 0
    assert population.open_from is None
    assert population.count(60, None, quartier="PARILLY", insee="69259") == 300
    assert population.count(60, None, quartier="Centre") == 0


def test_an_open_row_counts_only_to_its_end() -> None:
    row = Residents(quartier="Parilly", insee="69259", age_from=80, age_to=None, residents=300)
    population = Population(residents=(row, replace(row, age_from=85, age_to=120)))
    assert population.open_from == 80
    assert population.count(80, None) == 600
    assert population.count(80, 84) == 0
    assert population.count(81, None) == 300


@pytest.mark.parametrize("kind", [ConditionKind.HOME_VISITS, ConditionKind.STEP_FREE])
def test_visits_and_step_free_access_describe_a_tenth(kind: ConditionKind) -> None:
    assert shape(announce(at(67, PARILLY, kind), ground(1000))) == ("65-69", PlaceKind.QUARTIER)
    assert shape(announce(at(67, PARILLY, kind), ground(999, 0))) == ("60-69", PlaceKind.QUARTIER)


def test_several_conditions_multiply() -> None:
    both = at(67, PARILLY, ConditionKind.HOME_VISITS, ConditionKind.STEP_FREE)
    assert announce(both, ground(10_000, 10_000)).residents == 100
    territorys = ground(10_000, 10_000, home_visits_share=0.5)
    assert announce(both, territorys).residents == 500


def test_hours_and_delays_do_not_narrow() -> None:
    subject = at(67, PARILLY, ConditionKind.SATURDAYS, ConditionKind.EVENINGS)
    within = Condition(kind=ConditionKind.WITHIN_DAYS, days=10)
    subject = replace(subject, conditions=(*subject.conditions, within))
    announced = announce(subject, ground(100))
    assert announced.residents == 100
    assert [c.kind for c in announced.conditions] == ["within_days", "evenings", "saturdays"]


def test_ehpad_visits_are_announced_as_adult_and_commune_by_their_places() -> None:
    subject = at(87, EHPAD, ConditionKind.EHPAD_VISITS, ConditionKind.HOME_VISITS)
    announced = announce(subject, ground(5000))
    assert shape(announced) == ("adult", PlaceKind.COMMUNE)
    assert announced.residents == 146
    with pytest.raises(TooFewResidents):
        announce(subject, ground(5000, k=147))
    with pytest.raises(TooFewResidents):
        finer(subject, ground(5000), age=ADULT, place=PARILLY)


def test_nobody_under_age_lives_in_an_ehpad() -> None:
    with pytest.raises(TooFewResidents):
        announce(at(10, EHPAD, ConditionKind.EHPAD_VISITS), ground(5000))


HOMES = (Households(insee="69259", adults=2, children=3, households=120),)
FAMILY = Subject(age=34, place=PARILLY, adults=2, children=3)


def test_a_household_is_counted_by_households_of_its_size() -> None:
    announced = announce(FAMILY, ground(1000, households=HOMES))
    assert shape(announced) == ("", PlaceKind.COMMUNE)
    assert (announced.adults, announced.children, announced.residents) == (2, 3, 120)
    with pytest.raises(TooFewResidents):
        announce(replace(FAMILY, children=4), ground(1000, households=HOMES))


def test_a_household_needs_the_table_of_households() -> None:
    with pytest.raises(NoHouseholdTable) as refused:
        announce(FAMILY, ground(1000))
    assert refused.value.code == "no_household_table"


def test_a_person_cannot_announce_a_household_by_quartier() -> None:
    with pytest.raises(TooFewResidents):
        finer(FAMILY, ground(1000, households=HOMES), place=PARILLY)
    commune = GAZETTEER.commune("69259")
    asked = finer(FAMILY, ground(1000, households=HOMES), age=AgeBand(from_=30, to=34), place=commune)
    assert asked.age is None


def test_a_household_in_an_ehpad_is_counted_by_the_smaller_number() -> None:
    couple = Subject(age=88, place=EHPAD, adults=2, conditions=(Condition(kind=ConditionKind.EHPAD_VISITS),))
    homes = (Households(insee="69259", adults=2, children=0, households=9000),)
    assert announce(couple, ground(1000, households=homes)).residents == 146


def test_the_office_chooses_among_the_rungs_that_reach_k_and_the_landmark() -> None:
    offered = choices(at(), ground(60, 1000))
    assert [shape(a) for a in offered] == [
        ("60-69", PlaceKind.QUARTIER),
        ("60-69", PlaceKind.LANDMARK),
        ("65-69", PlaceKind.COMMUNE),
        ("60-69", PlaceKind.COMMUNE),
        ("adult", PlaceKind.COMMUNE),
        ("adult", PlaceKind.TERRITORY),
    ]
    assert offered[1].place is METRO
    assert offered[0].residents == offered[1].residents == 120


def test_no_choice_is_offered_twice() -> None:
    offered = choices(at(97), ground(100))
    assert len(offered) == len(set(offered))
    assert shape(offered[0]) == ("95+", PlaceKind.QUARTIER)


def test_a_person_may_go_finer_down_to_k_and_no_further() -> None:
    exact = AgeBand(from_=67, to=67)
    assert finer(at(), ground(1000), age=exact).residents == 150
    with pytest.raises(TooFewResidents):
        finer(at(), ground(600), age=exact)


def test_a_street_counts_its_own_residents_of_that_age() -> None:
    assert finer(at(), ground(1000), place=LONG_STREET).residents == 100
    for street in (SHORT_STREET, UNCOUNTED, LOST_STREET):
        with pytest.raises(TooFewResidents):
            finer(at(), ground(1000), place=street)


def test_a_street_of_a_quartier_where_nobody_was_counted_describes_nobody() -> None:
    with pytest.raises(TooFewResidents):
        finer(at(), ground(0), age=AgeBand(from_=65, to=69), place=LONG_STREET)


def test_what_a_person_leaves_out_is_as_the_ladder_has_it() -> None:
    assert finer(at(), ground(100)) == announce(at(), ground(100))
    assert shape(finer(at(), ground(100), age=ADULT)) == ("adult", PlaceKind.QUARTIER)


def test_a_person_cannot_announce_another_age() -> None:
    with pytest.raises(CannotAnnounce) as refused:
        finer(at(), ground(1000), age=AgeBand(from_=40, to=44), place=PARILLY)
    assert refused.value.code == "age_not_in_band"


def test_of_an_approximate_age_both_bands_may_be_announced() -> None:
    assert shape(finer(at(69), ground(1000), age=AgeBand(from_=70, to=74)))[0] == "70-74"


@pytest.mark.parametrize("where", [EHPAD, PARK, replace(PARK, quartier="Nulle part")])
def test_an_ehpad_and_a_second_landmark_are_never_named(where: Place) -> None:
    with pytest.raises(CannotAnnounce) as refused:
        finer(at(), ground(1000), place=where)
    assert refused.value.code == "place_not_announced"


ages = st.integers(0, 110)
conditions = st.sets(st.sampled_from(list(ConditionKind)))
people = st.floats(0, 3000, allow_nan=False)


@settings(deadline=None)
@given(ages, people, people, st.integers(1, 400), conditions, st.sampled_from(GAZETTEER.places))
def test_never_under_k_and_only_where_not_even_the_territory_holds_k_not_at_all(
    age: int, parilly: float, centre: float, k: int, kinds: set[ConditionKind], where: Place
) -> None:
    subject = at(age, where, *kinds)
    surroundings = ground(parilly, centre, k)
    rungs = ladder(subject, surroundings)
    assert all(a.residents >= k for a in choices(subject, surroundings))
    try:
        announced = announce(subject, surroundings)
    except TooFewResidents:
        assert rungs[-1].residents < k
        assert choices(subject, surroundings) == ()
    else:
        assert announced.residents >= k
        assert announced in rungs
        assert announced == choices(subject, surroundings)[0]
        assert announced.age is not None
        assert announced.age.holds(age)


@given(ages, people, people, conditions)
def test_a_wider_announcement_describes_at_least_as_many(
    age: int, parilly: float, centre: float, kinds: set[ConditionKind]
) -> None:
    rungs = ladder(at(age, PARILLY, *kinds), ground(parilly, centre))
    for narrow in rungs:
        for wide in rungs:
            if covers(wide, narrow):
                assert wide.residents >= narrow.residents


def test_a_later_run_may_repeat_or_widen_only() -> None:
    first, ten, five_commune, *_, whole = ladder(at(), ground(1000))
    assert covers(first, first)
    assert covers(ten, first)
    assert covers(five_commune, first)
    assert covers(whole, five_commune)
    assert not covers(first, ten)
    assert not covers(first, five_commune)
    assert not covers(five_commune, whole)
    birthday = announce(at(70), ground(1000))
    assert not covers(birthday, first)
    assert covers(finer(at(), ground(1000), age=ADULT, place=whole.place), whole)
    minor = replace(whole, age=MINOR)
    assert not covers(minor, whole)


def test_widening_looks_at_conditions_households_and_landmarks_too() -> None:
    plain = announce(at(), ground(1000))
    visits = announce(at(67, PARILLY, ConditionKind.HOME_VISITS), ground(1000))
    assert covers(plain, visits)
    assert not covers(visits, plain)
    assert not covers(announce(FAMILY, ground(1000, households=HOMES)), plain)
    near = finer(at(), ground(1000), place=METRO)
    assert covers(plain, near)
    assert not covers(near, plain)
    assert not covers(replace(plain, place=CENTRE), plain)
    family = announce(FAMILY, ground(1000, households=HOMES))
    assert covers(family, family)


@given(st.sampled_from(list(ConditionKind)), st.integers(1, 90))
def test_a_condition_is_read_back_as_it_is_written(kind: ConditionKind, days: int) -> None:
    condition = Condition(kind=kind, days=days if kind is ConditionKind.WITHIN_DAYS else None)
    assert parse_condition(format_condition(condition)) == condition


@pytest.mark.parametrize(
    "text", ["", "within_days", "within_days:0", "within_days:91", "within_days:x", "home_visits:3", "gentil"]
)
def test_no_other_condition_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"condition|jours"):
        parse_condition(text)


def test_a_condition_is_given_once() -> None:
    assert len(parse_conditions(["evenings", "within_days:3"])) == 2
    with pytest.raises(ValueError, match="deux fois"):
        parse_conditions(["within_days:3", "within_days:4"])


bands = st.one_of(
    st.sampled_from([ADULT, MINOR]),
    st.builds(lambda a, w: AgeBand(from_=a, to=a + w), st.integers(0, 100), st.integers(0, 25)),
    st.builds(lambda a: AgeBand(from_=a, to=None), st.integers(0, 120)),
)


@given(bands)
def test_an_age_band_is_read_back_as_it_is_written(band: AgeBand) -> None:
    assert parse_age(format_age(band)) == band


@pytest.mark.parametrize("text", ["65 – 69", "65-69", " 65-69 "])
def test_a_band_may_be_written_with_spaces_and_dashes(text: str) -> None:
    assert parse_age(text) == AgeBand(from_=65, to=69)


@pytest.mark.parametrize("text", ["", "vieux", "69-65", "130", "1-200", "-5", "65+69"])
def test_what_is_no_band_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="illisible"):
        parse_age(text)
