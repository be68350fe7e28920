"""P5 where announcements are gathered into digests: the pure rule, and whole weeks played with it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol import digests, letters
from matcher.protocol.effects import Letter
from matcher.protocol.rules import Gathering
from matcher.simulation import mails
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.course import START, play
from matcher.simulation.measures import figures
from matcher.simulation.policies import POLICIES
from matcher.simulation.roster import WEEK, OneDoctor
from matcher.simulation.terrain import Terrain, read_terrain
from tests.unit.protocol_world import RULES, World

VENISSIEUX = Path(__file__).resolve().parents[2] / "config" / "territories" / "venissieux"
HOUR = timedelta(hours=1)


def test_an_urgent_search_never_waits_and_nothing_waits_without_a_window() -> None:
    gathering = replace(RULES, gathering=Gathering(more_than=3, window=HOUR / 2))
    usual, urgent = World().ready().search, World(urgent=True).ready().search
    assert digests.window(usual, Letter.ANNOUNCEMENT, gathering, START) == HOUR / 2
    assert digests.window(usual, Letter.CHOSEN, gathering, START) is None
    assert digests.window(urgent, Letter.ANNOUNCEMENT, gathering, START) is None
    assert digests.window(usual, Letter.ANNOUNCEMENT, RULES, START) is None
    assert digests.until(RULES, HOUR, 9, START) is None


def test_nothing_waits_for_more_than_a_quarter_of_the_time_until_the_next_wave() -> None:
    long = replace(RULES, gathering=Gathering(more_than=1, window=1000 * HOUR))
    found = digests.window(World().ready().search, Letter.REMINDER, long, START)
    assert found is not None
    assert found <= timedelta(days=1)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(0, 5), st.integers(1, 90))
def test_the_first_few_go_at_once_and_the_rest_by_the_end_of_the_window(
    gaps: list[int], more_than: int, minutes: int
) -> None:
    """Letters of one kind to one doctor, at any pace: by themselves go the first few of a window only."""
    window = timedelta(minutes=minutes)
    rules = replace(RULES, gathering=Gathering(more_than=more_than, window=window))
    now, written, single = START, [], []
    for gap in gaps:
        now += timedelta(minutes=gap)
        written.append(now)
        lately = [at for at in written if at > now - window]
        until = digests.until(rules, window, len(lately), lately[0])
        if until is None:
            single.append(now)
        else:
            assert now < until <= now + window
    for start in single:
        assert sum(start <= at < start + window for at in single) <= max(more_than, 0)


@cache
def terrain() -> Terrain:
    return read_terrain(VENISSIEUX, START)


@settings(deadline=None, max_examples=10)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["default", "quick-waves"]),
    st.integers(0, 3),
    st.integers(1, 24),
    st.sampled_from([None, 2, 10]),
)
def test_a_doctor_gets_each_announcement_once_and_its_reminder_once_within_his_week(
    seed: int, policy: str, more_than: int, hours: int, limit: int | None
) -> None:
    """P5: alone or in a digest; neither after an answer, a pause or the end; never beyond a weekly limit."""
    gathering = Gathering(more_than=more_than, window=hours * HOUR)
    few = tuple(replace(doctor, asked_per_week=limit) for doctor in terrain().doctors[::4])
    here = replace(terrain(), doctors=few, rules=replace(terrain().rules, gathering=gathering))
    sent: Counter[tuple[str, int, str, Letter]] = Counter()
    written: dict[str, list[datetime]] = {}
    mail, announce = mails.Mails._mail, mails.Mails._announce

    def seen(
        self: mails.Mails, letter: Letter, one: OneDoctor, items: Sequence[mails.Item], now: datetime
    ) -> None:
        for item in items:
            search, doctor = item.case.search, one.doctor.id
            sent[search.id, item.run, doctor, letter] += 1
            assert letters.unwanted(search, letter, doctor, run=item.run, number=1) is None
            away = one.doctor.away_until
            assert away is None or away < now.date() or now == search.since
            assert letter is Letter.ANNOUNCEMENT or sent[search.id, item.run, doctor, Letter.ANNOUNCEMENT]
        mail(self, letter, one, items, now)

    def asked(self: mails.Mails, case: mails.Case, doctor: mails.DoctorId, now: datetime) -> None:
        written.setdefault(doctor, []).append(now)
        announce(self, case, doctor, now)

    crowded = Assumptions(searches_per_year=2000, mail_answered=0.3)
    with patch.object(mails.Mails, "_mail", seen), patch.object(mails.Mails, "_announce", asked):
        played = play(here, POLICIES[policy], crowded, seed=seed, years=0.02)
    assert sent
    assert set(sent.values()) == {1}
    for times in written.values():
        for at in times:
            assert limit is None or sum(at <= other < at + WEEK for other in times) <= limit
    assert figures(played)["misfits"] == 0
