"""The short version of ``make fuzz``: schemathesis with its checks and sequences, as one of the callers."""

import pytest

from tests.fuzz.run import Plan, play


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_what_is_made_up_finds_no_error_no_breach_of_the_document_and_no_planted_value() -> None:
    plan = Plan(examples=1, seed=1, callers=("secretaire",), phases="fuzzing,stateful")
    report = await play(plan)
    assert report.sound, "\n".join(report.lines())
    assert report.requests > 100
