"""An address typed as people type them finds its street, with nobody asked outside."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.addresses import Address, Book, Skipped, key, same_commune, whole_commune, write
from matcher.addresses.ban import read
from matcher.addresses.near import keys, likeness
from matcher.addresses.words import typed
from tests.unit import made_addresses as made

TYPED = Path(__file__).parents[1] / "data" / "typed_addresses.csv"
HOME = frozenset({"69259"})


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("addresses")
    write(folder / "made.sqlite3", read(made.write(folder / "made.csv"), Skipped()))
    opened = Book.open(folder / "made.sqlite3")
    assert opened is not None
    with opened:
        yield opened


def test_of_two_hundred_ways_of_typing_an_address_at_least_190_find_the_street(book: Book) -> None:
    with TYPED.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file, delimiter=";"))
    assert len(lines) >= 200
    wrong = []
    for line in lines:
        found = book.find(line["typed"], line["postcode"] or None, line["city"] or None, home=HOME)
        if found is None or (found.street, found.insee) != (line["street"], line["commune"]):
            wrong.append((line["typed"], found and (found.street, found.insee)))
    print(f"\n{len(lines) - len(wrong)} right of {len(lines)}")
    assert len(wrong) <= len(lines) - 190 * len(lines) / 200, wrong


def test_a_house_has_its_own_place_and_an_unknown_number_the_streets(book: Book) -> None:
    house, other, unknown = (
        book.find(f"{n} rue Gambetta", "69200", "Vénissieux") for n in ("1", "4 bis", "900")
    )
    assert house is not None
    assert other is not None
    assert unknown is not None
    assert (house.house, other.house, unknown.house) == (True, True, False)
    assert house.lat < unknown.lat < other.lat


@pytest.mark.parametrize("insee", ["69388", "69123"])
def test_lyon_is_one_commune_and_nine_arrondissements(book: Book, insee: str) -> None:
    found = book.find("av jean mermoz", insee=insee)
    assert found is not None
    assert (found.street, found.insee) == ("Avenue Jean Mermoz", "69388")


def test_an_arrondissement_is_not_another_one() -> None:
    assert same_commune("69388", "69123")
    assert same_commune("69123", "69388")
    assert not same_commune("69388", "69387")
    assert [whole_commune(code) for code in ("75113", "13201", "69259", "2A004")] == [
        "75056",
        "13055",
        "69259",
        "2A004",
    ]


@pytest.mark.parametrize(
    "text", ["", "   ", "12", "69200", "rue", "avenue des", "???", "xyzzy qwrtz", '"OR" AND (', "é" * 5000]
)
def test_what_is_no_street_finds_none(book: Book, text: str) -> None:
    assert book.find(text, "69200", "Vénissieux", "69259") is None


@given(st.text(max_size=60), st.text(max_size=8), st.text(max_size=20), st.text(max_size=8))
def test_nothing_that_is_typed_breaks_the_search(text: str, postcode: str, city: str, insee: str) -> None:
    with Book.of([_address("Rue du Silex"), _address("Avenue des Sureaux")]) as small:
        small.all(text, postcode, city, insee)


def test_a_street_elsewhere_is_no_answer_for_an_address_here(book: Book) -> None:
    found = book.find("3 chemin des Romanettes", "69200", "Vénissieux")
    assert found is None or found.score < 0.8


@pytest.mark.parametrize(
    ("text", "number", "repeat"),
    [
        ("12 bis rue X", 12, "bis"),
        ("12b rue X", 12, "bis"),
        ("12 C avenue X", 12, "c"),
        ("rue X, 7 ter", 7, "ter"),
        ("n° 5 rue X", 5, ""),
        ("12-14 rue X", 12, ""),
        ("8 mai 1945", None, ""),
        ("rue du 8 mai 1945", None, ""),
        ("rue X", None, ""),
        ("Bât 3 12 rue X", 12, ""),
    ],
)
def test_the_houses_number_is_taken_out(text: str, number: int | None, repeat: str) -> None:
    found = typed(text)
    assert (found.number, found.repeat) == (number, repeat)


def test_one_key_stands_for_the_ways_of_writing_a_street() -> None:
    assert key("Av. du Gal de Gaulle") == key("AVENUE DU GÉNÉRAL DE GAULLE") == "avenue general gaulle"
    assert key("rue du Huit-Mai 1945") == key("Rue du 8 mai 1945")


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=15), st.data())
def test_one_slip_of_the_finger_leaves_a_common_key(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    slip = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    for wrong in (
        word[:at] + word[at + 1 :],
        word[:at] + slip + word[at:],
        word[:at] + slip + word[at + 1 :],
    ):
        assert set(keys(word)) & set(keys(wrong))
        assert likeness(wrong, word) > 0


def _address(street: str) -> Address:
    return Address(
        number=0, repeat="", street=street, insee="69259", commune="Vénissieux", former="", postcode="69200",
        lat=45.7, lon=4.88,
    )  # fmt: skip
