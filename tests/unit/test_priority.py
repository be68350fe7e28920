"""The order of the office's work."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from matcher.records.priority import Level, Priority, classify, order, waited

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"pregnancy": True}, "grossesse"),
        ({"pregnancy": "yes"}, "grossesse"),
        ({"ald": "yes"}, "ALD"),
        ({"birth_date": "1955-11-23"}, "plus de 70 ans"),
        ({"birth_date": "2023-11-24"}, "moins de 3 ans"),
        ({"discharge_on": "2026-11-30"}, "sortie d’hôpital"),
        ({"discharge_on": "2026-10-24"}, "sortie d’hôpital"),
    ],
)
def test_each_of_the_protocols_reasons_makes_it_high(record: dict[str, Any], reason: str) -> None:
    assert classify(record, urgent=False, today=TODAY) == Priority(level=Level.HIGH, reasons=(reason,))


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"pregnancy": False},
        {"pregnancy": "no"},
        {"pregnancy": "unknown"},
        {"ald": "pending"},
        {"birth_date": "1956-11-23"},
        {"birth_date": "2023-11-23"},
        {"discharge_on": "2026-12-01"},
        {"discharge_on": "2026-10-23"},
    ],
)
def test_without_a_reason_it_is_normal(record: dict[str, Any]) -> None:
    assert classify(record, urgent=False, today=TODAY).level is Level.NORMAL


def test_urgent_is_urgent_and_keeps_the_other_reasons() -> None:
    found = classify({"ald": "yes"}, urgent=True, today=TODAY)
    assert found.level is Level.URGENT
    assert found.reasons == ("signalé comme urgent", "ALD")


@pytest.mark.parametrize(
    ("days", "level"),
    [(0, Level.NORMAL), (29, Level.NORMAL), (30, Level.HIGH), (60, Level.URGENT), (400, Level.URGENT)],
)
def test_waiting_raises_the_class_so_that_nobody_starves(days: int, level: Level) -> None:
    found = waited(Priority(level=Level.NORMAL), seniority=NOW - timedelta(days=days), now=NOW)
    assert found.level is level
    assert found.reasons == ((f"attend depuis {days} jours",) if days >= 30 else ())


def test_the_work_is_ordered_by_class_then_by_who_waited_longest() -> None:
    work = [
        (Level.NORMAL, NOW - timedelta(days=9)),
        (Level.URGENT, NOW),
        (Level.NORMAL, NOW),
        (Level.HIGH, NOW),
    ]
    assert sorted(work, key=lambda w: order(*w)) == [work[1], work[3], work[0], work[2]]
