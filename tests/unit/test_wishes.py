"""What a patient may wish, and when a doctor meets it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Doctor, Zone, declines, fulfils, meets
from matcher.protocol.ids import DoctorId
from matcher.protocol.wishes import Wish, WishKind, parse


def doctor(**more: Any) -> Doctor:
    """A doctor of whom nothing is known but that he exists."""
    unknown: dict[str, Any] = {
        "id": DoctorId("d1"),
        "sex": None,
        "languages": frozenset(),
        "lat": None,
        "lon": None,
        "step_free": None,
        "home_visits": None,
        "sector": None,
        "teleconsultation": None,
        "member": True,
        "zone": Zone.TERRITORY,
        "has_mailbox": True,
        "has_phone": True,
    }
    return Doctor(**{**unknown, **more})


VALUES: dict[WishKind, object] = {
    WishKind.DOCTOR_SEX: "F",
    WishKind.LANGUAGE: "ar",
    WishKind.MAX_DISTANCE_KM: 2,
    WishKind.TRAVEL: "walk",
    WishKind.STEP_FREE: True,
    WishKind.HOME_VISITS: True,
    WishKind.SECTOR1: True,
    WishKind.TELECONSULTATION: True,
    WishKind.EXCLUDE: ["d2"],
    WishKind.PREFER: ["d2"],
}


def wish(kind: WishKind, value: object = None, hard: bool = True) -> Wish:
    return parse(kind.value, VALUES[kind] if value is None else value, hard)


@pytest.mark.parametrize("kind", [k for k in WishKind if k not in (WishKind.EXCLUDE, WishKind.PREFER)])
def test_what_is_unknown_of_a_doctor_is_not_met(kind: WishKind) -> None:
    assert fulfils(doctor(), wish(kind), None) is None
    assert not meets(doctor(), wish(kind), None)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (WishKind.DOCTOR_SEX, {"sex": "F"}, {"sex": "M"}),
        (WishKind.LANGUAGE, {"languages": frozenset({"ar", "fr"})}, {"languages": frozenset({"en"})}),
        (WishKind.STEP_FREE, {"step_free": True}, {"step_free": False}),
        (WishKind.HOME_VISITS, {"home_visits": True}, {"home_visits": False}),
        (WishKind.SECTOR1, {"sector": 1}, {"sector": 2}),
        (WishKind.TELECONSULTATION, {"teleconsultation": True}, {"teleconsultation": False}),
        (WishKind.EXCLUDE, {"id": "d1"}, {"id": "d2"}),
        (WishKind.PREFER, {"id": "d2"}, {"id": "d1"}),
    ],
)
def test_a_doctor_meets_a_wish_by_what_he_is(
    kind: WishKind, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert fulfils(doctor(**good), wish(kind), None) is True
    assert fulfils(doctor(**bad), wish(kind), None) is False


@pytest.mark.parametrize(
    ("kind", "value", "reach"),
    [
        (WishKind.MAX_DISTANCE_KM, 2.5, 2.5),
        (WishKind.TRAVEL, "walk", 1.5),
        (WishKind.TRAVEL, "transit", 5),
        (WishKind.TRAVEL, "car", 15),
    ],
)
def test_distance_and_travel_set_a_limit(kind: WishKind, value: object, reach: float) -> None:
    assert meets(doctor(), wish(kind, value), reach)
    assert not meets(doctor(), wish(kind, value), reach + 0.01)


def test_every_doctor_speaks_french() -> None:
    assert meets(doctor(languages=frozenset({"ar"})), wish(WishKind.LANGUAGE, "fr"), None)


def test_one_doctor_may_be_named_without_a_list() -> None:
    assert not meets(doctor(), wish(WishKind.EXCLUDE, "d1"), None)
    by_hand = Wish(kind=WishKind.PREFER, value="d1", hard=False)
    assert meets(doctor(), by_hand, None)


def test_a_doctor_to_leave_out_is_left_out_even_when_not_marked_hard() -> None:
    assert wish(WishKind.EXCLUDE, hard=False).binding
    assert not wish(WishKind.LANGUAGE, hard=False).binding
    assert wish(WishKind.LANGUAGE, hard=True).binding


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("doctor_sex", "X"),
        ("doctor_sex", True),
        ("language", "arabe"),
        ("language", "AR"),
        ("language", 1),
        ("max_distance_km", 0),
        ("max_distance_km", -1),
        ("max_distance_km", 201),
        ("max_distance_km", True),
        ("max_distance_km", "2"),
        ("max_distance_km", float("nan")),
        ("travel", "bike"),
        ("travel", ["walk"]),
        ("step_free", False),
        ("step_free", 1),
        ("home_visits", "oui"),
        ("exclude", []),
        ("exclude", [""]),
        ("prefer", [1]),
        ("prefer", 3),
        ("humour", True),
    ],
)
def test_a_wish_of_another_shape_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(kind, value, hard=False)


def test_a_distance_may_be_a_whole_number() -> None:
    assert wish(WishKind.MAX_DISTANCE_KM, 3).value == 3.0


@given(
    st.sampled_from(list(WishKind)),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())),
    st.booleans(),
)
def test_whatever_is_sent_is_read_or_refused_with_a_sentence(
    kind: WishKind, value: object, hard: bool
) -> None:
    try:
        read = parse(kind.value, value, hard)
    except ValueError as why:
        said = str(why)
    else:
        said = str(fulfils(doctor(), read, 1.0))
    assert said


def test_a_doctor_declines_what_he_said_or_cannot_do() -> None:
    visits = Condition(kind=ConditionKind.HOME_VISITS)
    steps = Condition(kind=ConditionKind.STEP_FREE)
    saturdays = Condition(kind=ConditionKind.SATURDAYS)
    assert declines(doctor(home_visits=False), visits)
    assert declines(doctor(step_free=False), steps)
    assert declines(doctor(declines=frozenset({ConditionKind.SATURDAYS})), saturdays)
    for condition in (visits, steps, saturdays):
        assert not declines(doctor(), condition)
    assert not declines(doctor(home_visits=True, step_free=False), visits)
