"""Languages are typed and read by their names; what is kept is the code."""

import pytest

from matcher.protocol.languages import NAMES, codes_of, named


def test_names_are_read_whatever_their_capitals_and_accents_and_each_once() -> None:
    assert codes_of("Français, ARABE ; kabyle,, espagnol, arabe") == ["fr", "ar", "kab", "es"]
    assert codes_of("") == []


def test_every_name_reads_back_as_its_code_and_the_list_is_in_their_order() -> None:
    assert codes_of(", ".join(named(code) for code in NAMES)) == list(NAMES)
    assert [name[0] for name in NAMES.values()] == sorted(name[0] for name in NAMES.values())


def test_a_code_without_a_name_stands_for_itself() -> None:
    assert codes_of(f"{named('eo')}, tr") == ["eo", "tr"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("arabe, portuguais", "portuguais n’est pas une langue connue ici, peut-être portugais."),
        ("Xyzzy", "Xyzzy n’est pas une langue connue ici."),
    ],
)
def test_what_is_no_language_is_named_with_the_one_that_may_be_meant(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        codes_of(typed)
