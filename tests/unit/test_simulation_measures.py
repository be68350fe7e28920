"""Figures, pictures and made people: their own small rules."""

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.doctors import Zone
from matcher.simulation import pictures, report
from matcher.simulation.assumptions import RANGES, Assumptions
from matcher.simulation.behaviour import Kind, tempers, with_reminder
from matcher.simulation.chance import luck
from matcher.simulation.comparison import compare, sensitivity
from matcher.simulation.course import START
from matcher.simulation.demand import PROFILES, year
from matcher.simulation.measures import FIGURES, gini, interval, quantile
from matcher.simulation.policies import POLICIES
from matcher.simulation.terrain import Terrain, read_terrain

VENISSIEUX = Path(__file__).resolve().parents[2] / "config" / "territories" / "venissieux"


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    return read_terrain(VENISSIEUX, START)


def test_gini_is_zero_among_equals_and_near_one_where_one_has_everything() -> None:
    assert gini([3, 3, 3]) == pytest.approx(0)
    assert gini([0] * 99 + [5]) == pytest.approx(0.99)
    assert gini([]) == 0
    assert gini([0, 0]) == 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_gini_is_the_mean_difference_over_twice_the_mean(values: list[int]) -> None:
    total = sum(values)
    plain = sum(abs(a - b) for a in values for b in values) / (2 * len(values) * total) if total else 0.0
    assert gini(values) == pytest.approx(plain)


def test_a_search_that_never_got_there_weighs_in_the_quantile() -> None:
    assert quantile([1.0, 2.0, math.inf], 0.5) == 2.0
    assert quantile([1.0, math.inf, math.inf], 0.5) == math.inf
    assert quantile([], 0.5) == math.inf


def test_the_interval_is_students() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.high - found.mean == pytest.approx(4.303 / math.sqrt(3), rel=1e-3)
    assert interval([4.0]).low == 4.0


def test_the_reminder_raises_the_odds_as_the_survey_says() -> None:
    base = 0.2
    final = base + (1 - base) * with_reminder(base, 1.3)
    assert final / (1 - final) == pytest.approx(1.3 * base / (1 - base))
    assert with_reminder(0.2, 1.0) == pytest.approx(0)
    assert with_reminder(0.0, 1.3) == 0


def test_a_few_doctors_are_keen_half_refuse_and_all_tire() -> None:
    made = tempers(80, Assumptions(), seed=3)
    kinds = [temper.kind for temper in made]
    assert (kinds.count(Kind.KEEN), kinds.count(Kind.REFUSING)) == (10, 40)
    willing = {kind: np.mean([t.willing for t in made if t.kind is kind]) for kind in Kind}
    assert willing[Kind.KEEN] > 0.8 > 0.1 > willing[Kind.REFUSING]
    assert all(temper.yes(10) < temper.yes(0) for temper in made)


def test_the_luck_of_a_search_depends_on_the_seed_and_its_number_alone() -> None:
    assert luck(1, 5, 10) == luck(1, 5, 10)
    assert luck(1, 5, 10) != luck(1, 6, 10)
    assert luck(1, 5, 10) != luck(2, 5, 10)


def test_the_requests_of_a_year_come_from_every_kind_and_announce_at_least_k(terrain: Terrain) -> None:
    demands, refused = year(terrain, Assumptions(), 1, START)
    assert 700 < len(demands) + refused < 900
    assert refused < 0.02 * len(demands)
    assert {demand.requester for demand in demands} == set(PROFILES)
    social = sum(demand.requester in ("ccas", "social", "permanence") for demand in demands)
    assert 0.4 < social / len(demands) < 0.6
    assert min(demand.announcement.residents for demand in demands) >= terrain.rules.k
    assert [d.at for d in demands] == sorted(d.at for d in demands)


def test_who_is_not_open_around_the_clock_asks_in_office_hours(terrain: Terrain) -> None:
    calendar = terrain.rules.office_calendar
    for demand in year(terrain, Assumptions(), 2, START)[0]:
        if demand.requester != "urgences":
            at = demand.at.astimezone(calendar.zone)
            opens, closes = calendar.opening[at.weekday()]
            assert opens <= at.time() <= closes
            assert at.date() not in calendar.holidays


def test_the_terrain_holds_the_doctors_in_the_order_of_their_file(terrain: Terrain) -> None:
    assert len(terrain.doctors) == 90
    assert terrain.doctors[0].id == "99969200015"
    assert sum(doctor.zone is Zone.TERRITORY for doctor in terrain.doctors) == 78
    assert sum(doctor.away_until is not None for doctor in terrain.doctors) == 5


def test_a_folder_without_doctors_cannot_be_simulated(tmp_path: Path) -> None:
    (tmp_path / "territory.toml").write_text((VENISSIEUX / "territory.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(ValueError, match=r"doctors\.csv"):
        read_terrain(tmp_path, START)


def test_every_range_names_an_assumption_and_holds_its_default() -> None:
    for name, range_ in RANGES.items():
        assert range_.low <= getattr(Assumptions(), name) <= range_.high
        assert range_.source


def test_a_comparison_is_written_with_a_picture_of_each_figure(terrain: Terrain, tmp_path: Path) -> None:
    assumed = Assumptions(searches_per_year=200)
    policies = [POLICIES["by-hand"], POLICIES["small-waves"]]
    told: list[float] = []
    made = compare(
        terrain, policies, assumed, seeds=[1, 2], years=0.05, progress=lambda _, share: told.append(share)
    )
    assert max(told) == 1.0
    assert made.ratio("by-hand", "mails").mean == 1.0
    leanings = sensitivity(terrain, *policies, replace(assumed, searches_per_year=60), seeds=[1], years=0.05)
    assert len(leanings) == 1 + 2 * len(RANGES)
    written = report.write(tmp_path / "out", made, leanings, "Essai <1>")
    pictured = {path.stem for path in written if path.suffix == ".svg"}
    assert set(FIGURES) <= pictured
    for path in written:
        text = path.read_text("utf-8")
        if path.suffix == ".svg":
            ET.fromstring(text)
            assert "href" not in text
            assert "<script" not in text
    assert "petites vagues" in (tmp_path / "out" / "rapport.md").read_text("utf-8")
    assert pictures.bars(made, "mails") == (tmp_path / "out" / "mails.svg").read_text("utf-8")
