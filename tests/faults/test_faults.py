"""A short run of the fault harness; ``make faults`` plays the long one."""

import secrets

import pytest

from tests.faults.run import play
from tests.faults.stage import Plan


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(600)
async def test_a_few_searches_survive_a_few_faults() -> None:
    plan = Plan(
        searches=8,
        faults=7,
        seed=secrets.randbelow(10**6),
        speed=720,
        side_by_side=8,
        hours_without_relay=0,
        pause=0.7,
        each_kind=True,
        patience=0.5,
    )
    assert plan.faults == len(plan.kinds)
    report = await play(plan)
    assert report.violations == report.lacking == [], "\n".join(report.lines())
