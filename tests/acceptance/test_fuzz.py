"""The short version of ``make fuzz``: schemathesis with its checks and sequences, as who may do most."""

import pytest

from tests.fuzz.run import Plan, play


@pytest.mark.timeout(300)
async def test_what_is_made_up_finds_no_error_no_breach_of_the_document_and_no_planted_value() -> None:
    callers = ("coordinatrice",)
    report = await play(Plan(examples=1, seed=1, callers=callers, phases="fuzzing,stateful", short=True))
    assert report.sound, "\n".join(report.lines())
    # Let in, refused, told of what is not there or not now.
    assert report.requests > 100
    assert {200, 201, 400, 401, 403, 404, 409} <= report.by_status.keys()
