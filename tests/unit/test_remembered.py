"""What a made doctor answered, counted as the service does: once answered, or after a week of silence."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.fairness import PATIENCE, YEAR
from matcher.simulation.course import START
from matcher.simulation.remembered import Remembered

DAY = timedelta(days=1)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 40), st.sampled_from([None, True, False])), max_size=60
    )
)
def test_the_running_count_is_the_count_over_all_questions(
    questions: list[tuple[int, int, bool | None]],
) -> None:
    """Each: days since the question before, days until its answer, and the answer."""
    past, now = Remembered(), START
    asked = []
    for number, (gap, wait, answer) in enumerate(questions):
        now += gap * DAY
        asked.append((number, now, now + wait * DAY, answer))
    moments = sorted(
        [(at, 0, number, None) for number, at, _, _ in asked]
        + [(on, 1, number, answer) for number, _, on, answer in asked if answer is not None],
        key=lambda moment: moment[:3],
    )
    for at, kind, number, answer in moments:
        past.pass_to(at)
        if kind == 0:
            past.ask((str(number), 1), at)
        else:
            past.answer((str(number), 1), answer is True)
        past.pass_to(at)
        by_now = (at, kind, number)
        told = [
            (asked_at, said if (on, 1, n) <= by_now else None)
            for (n, asked_at, on, said) in asked
            if at - YEAR < asked_at and (asked_at, 0, n) <= by_now
        ]
        assert past.asked == sum(said is not None or on <= at - PATIENCE for on, said in told)
        assert past.yes == sum(said is True for _, said in told)


def test_a_question_put_by_mail_and_by_phone_is_one_and_a_yes_stays_a_yes() -> None:
    past = Remembered()
    past.ask(("s", 1), START)
    past.ask(("s", 1), START + DAY)
    past.answer(("s", 1), True)
    past.answer(("s", 1), False)
    past.answer(("unknown", 1), True)
    assert (past.asked, past.yes) == (1, 1)
    past.pass_to(START + YEAR)
    assert (past.asked, past.yes) == (0, 0)
