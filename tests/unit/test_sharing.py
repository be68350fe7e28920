"""One assignment over all searches: spread, within limits, never beyond a search's own list."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.needs import Need
from matcher.protocol.sharing import said, share


def need(name: str, doctors: str, wanted: int = 2) -> Need:
    return Need(search=SearchId(name), doctors=tuple(DoctorId(d) for d in doctors), wanted=wanted)


def room(doctors: str, each: int = 9) -> dict[DoctorId, int]:
    return {DoctorId(d): each for d in doctors}


def test_one_search_alone_has_its_first_doctors() -> None:
    assert share([need("s", "abcd")], room("abcd")) == {"s": ("a", "b")}


def test_ten_patients_do_not_all_go_to_the_same_two_doctors() -> None:
    needs = [need(str(n), "abcdefghij") for n in range(10)]
    given_ = share(needs, room("abcdefghij"))
    counts = {d: sum(d in got for got in given_.values()) for d in "abcdefghij"}
    assert all(len(got) == 2 for got in given_.values())
    assert max(counts.values()) <= 4
    assert sum(count > 0 for count in counts.values()) >= 6


def test_a_weekly_limit_is_never_passed_even_where_a_search_stays_short() -> None:
    given_ = share([need("1", "ab"), need("2", "ab")], room("ab", 1))
    assert sorted(d for got in given_.values() for d in got) == ["a", "b"]
    assert share([need("1", "ab")], {}) == {"1": ()}
    assert share([], room("ab")) == {}


def test_who_carries_much_already_is_passed_over_for_the_next() -> None:
    carried = {DoctorId("a"): 3}
    assert share([need("s", "abcd")], room("abcd"), carried) == {"s": ("b", "c")}
    assert share([need("s", "abcd", 4)], room("abcd"), carried) == {"s": tuple("abcd")}


def test_filling_places_counts_the_order_alone_and_serves_as_many_as_can_be() -> None:
    # « choosy » fits only a: the other gives way, though a is the first of both.
    needs = [need("easy", "ab", 1), need("choosy", "a", 1)]
    assert share(needs, room("ab", 1), places_lower=0.0) == {"easy": ("b",), "choosy": ("a",)}
    assert share([need(str(n), "ab", 1) for n in range(4)], room("a", 4), places_lower=0.0) == {
        str(n): ("a",) for n in range(4)
    }


@pytest.mark.parametrize(
    ("doctors", "given_", "words"),
    [
        ("abcd", "", "aucun médecin n’a plus de place cette semaine"),
        ("abcd", "a", "confiée à un médecin, le premier de l’ordre"),
        ("abcd", "ab", "répartie entre 2 médecins, les premiers de l’ordre"),
        ("abcd", "ac", "répartie entre 2 médecins : 1 parmi les premiers de l’ordre et un suivant, car"),
        ("abcd", "cd", "répartie entre 2 médecins : 0 parmi les premiers de l’ordre et 2 suivants, car"),
    ],
)
def test_it_is_said_plainly(doctors: str, given_: str, words: str) -> None:
    assert said(need("s", doctors), tuple(DoctorId(d) for d in given_)).startswith(words)


lists = st.lists(st.permutations("abcdef").map(lambda d: "".join(d[:4])), min_size=1, max_size=6)


@settings(deadline=None)
@given(lists, st.integers(1, 4), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)), st.data())
def test_nobody_is_given_off_the_list_twice_or_over_the_limit(
    orders: list[str], wanted: int, limits: dict[str, int], data: Any
) -> None:
    needs = [need(str(n), order, wanted) for n, order in enumerate(orders)]
    limit = {DoctorId(d): left for d, left in limits.items()}
    weight = data.draw(st.sampled_from([0.0, 3.0]))
    given_ = share(needs, limit, places_lower=weight)
    assert given_ == share(needs, limit, places_lower=weight)
    for one in needs:
        got = given_[one.search]
        assert len(set(got)) == len(got) <= wanted
        # In the search's own order, and of its own list: a hard wish is never relaxed.
        assert list(got) == [d for d in one.doctors if d in got]
    for doctor in "abcdef":
        assert sum(doctor in got for got in given_.values()) <= limits.get(doctor, 0)
