"""The README's table of figures, as benchmarks write it."""

import pytest

from tests.bench import figures

HEAD = "| what | seen | aimed at | when |\n| --- | --- | --- | --- |\n"
TEXT = f"# A\n<!-- make bench -->\n{HEAD}{{}}<!-- /make bench -->\nb\n"
ONE, OTHER = "| mails | 1 | 2 | today |\n", "| yes | 3 | 4 | today |\n"


def test_a_new_figure_takes_the_place_of_the_last_one_on_the_same_thing() -> None:
    text = figures.placed(TEXT.format(ONE + OTHER), ("mails", "9", "2", "tomorrow"))
    assert text == TEXT.format("| mails | 9 | 2 | tomorrow |\n" + OTHER)


def test_a_figure_on_something_new_comes_last() -> None:
    assert figures.placed(TEXT.format(ONE), ("yes", "3", "4", "today")) == TEXT.format(ONE + OTHER)


def test_a_text_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        figures.placed("# A\n", ("yes", "3", "4", "today"))


def test_the_readme_has_the_table() -> None:
    assert figures.placed(figures.README.read_text("utf-8"), ("a", "b", "c", "d"))
