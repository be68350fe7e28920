"""A short run of the fault harness; ``make faults`` plays the long one."""

import secrets

import pytest

from tests.faults.run import Plan, play


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(600)
async def test_a_few_searches_survive_a_few_faults() -> None:
    plan = Plan(
        searches=4,
        faults=5,
        seed=secrets.randbelow(10**6),
        speed=480,
        side_by_side=4,
        hours_without_relay=0,
        pause=1,
        patience=5,
    )
    report = await play(plan)
    assert report.violations == [], "\n".join(report.lines())
