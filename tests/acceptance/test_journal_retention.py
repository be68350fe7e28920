"""The journal's own time: whole months go, under a signature, and what is left still holds."""

from datetime import timedelta

from matcher.service import audit, retention
from tests.acceptance.house import House


async def test_what_the_service_prunes_of_the_journal_it_signs(house: House) -> None:
    await house.submitted()
    house.clock.at += timedelta(days=1095 + 60)
    done = await retention.purge(house.house)
    # One in each of the two territories.
    assert done["journal_months"] == 2
    assert await audit.verify_journal(house.house) is None
    signed = await house.run_sql("SELECT count(*) FROM journal_segments WHERE pruned_signature IS NOT NULL")
    assert signed == [(2,)]
