"""The index of many doctors gives what the ranking gives, only sooner."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol import nearest as module
from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Doctor
from matcher.protocol.nearest import Nearest
from matcher.protocol.ranking import candidates
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.test_ranking import PLACE, TODAY, doctor, doctors, hard, soft, wanted


def both(everybody: list[Doctor], most: int, **more: Any) -> tuple[Any, Any]:
    """What the index gives, and the beginning of what the ranking gives."""
    asked: dict[str, Any] = {"wishes": (), "conditions": (), "place": PLACE, "declined": (), "today": TODAY}
    asked |= more
    ranked = candidates(everybody, offers=(), **asked).ordered[:most]
    return Nearest(everybody).first(most, **asked), ranked


near = st.one_of(
    wanted,
    st.lists(
        st.one_of(
            st.builds(
                Wish,
                kind=st.just(WishKind.TRAVEL),
                value=st.sampled_from(["walk", "car"]),
                hard=st.booleans(),
            ),
            st.builds(Wish, kind=st.just(WishKind.SECTOR1), value=st.just(True), hard=st.booleans()),
        ),
        max_size=3,
    ),
)


@settings(deadline=None)
@given(
    st.lists(doctors, max_size=30, unique_by=lambda d: d.id),
    near,
    st.integers(1, 6),
    st.booleans(),
    st.data(),
)
def test_the_first_ones_are_those_of_the_ranking(
    everybody: list[Doctor], wishes: list[Wish], most: int, placed: bool, data: Any
) -> None:
    ids = [one.id for one in everybody]
    some = st.lists(st.sampled_from(ids), max_size=2, unique=True) if ids else st.just([])
    kinds = st.sampled_from([WishKind.EXCLUDE, WishKind.PREFER])
    if named := data.draw(some):
        wishes = [*wishes, Wish(kind=data.draw(kinds), value=tuple(named), hard=data.draw(st.booleans()))]
    conditions = data.draw(st.sets(st.sampled_from(["home_visits", "step_free", "evenings"]), max_size=1))
    with pytest.MonkeyPatch.context() as patch:
        # So few doctors would all be looked at: look around in small steps.
        patch.setattr(module, "_AROUND", (4, 12))
        found, ranked = both(
            everybody,
            most,
            wishes=wishes,
            conditions={Condition(kind=ConditionKind(kind)) for kind in conditions},
            place=PLACE if placed else None,
            declined=frozenset(data.draw(some)),
        )
    assert found == ranked


def crowd(count: int, **more: Any) -> list[Doctor]:
    return [doctor(f"d{n:05}", 0.02 * n, sex="FM"[n % 2], **more) for n in range(count)]


def test_whom_the_patient_named_alone_where_that_binds() -> None:
    for hard_ in (True, False):
        named = Wish(kind=WishKind.PREFER, value=("d00007", "d00003", "nobody"), hard=hard_)
        found, ranked = both(crowd(9), 5, wishes=(named,))
        assert found == ranked
        assert len(found) == (2 if hard_ else 5)


@pytest.mark.parametrize("count", [0, 1, 200, 700, 6_000])
def test_few_and_many_are_ordered_alike(count: int) -> None:
    wishes = (hard(WishKind.DOCTOR_SEX, "F"), soft(WishKind.LANGUAGE, "ar"))
    found, ranked = both(crowd(count), 20, wishes=wishes)
    assert found == ranked


def test_a_rare_language_is_found_however_far() -> None:
    everybody = [*crowd(5_500), doctor("rare", 400, languages=frozenset({"ka"}))]
    found, ranked = both(everybody, 3, wishes=(soft(WishKind.LANGUAGE, "ka"),))
    assert found == ranked
    assert found[0].doctor == "rare"


def test_nobody_beyond_a_hard_distance_is_looked_for() -> None:
    found, ranked = both(crowd(5_500), 100, wishes=(hard(WishKind.MAX_DISTANCE_KM, 1.01),))
    assert found == ranked
    assert len(found) == 51


def test_whoever_carries_more_comes_later_at_the_same_distance() -> None:
    everybody = [doctor(f"d{n}", 1.0, asked_this_week=n % 5) for n in range(400)]
    found, ranked = both(everybody, 30)
    assert found == ranked
    assert {one.asked_this_week for one in found} == {0}
