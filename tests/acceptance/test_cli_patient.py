"""Erasing a person as an operator does it, on demand of somebody who wrote to the CPTS."""

import asyncio
from datetime import UTC, datetime

from tests.acceptance.house import House
from tests.acceptance.remains import rows_of
from tests.acceptance.test_cli import Done, Installation


async def test_an_operator_erases_a_person_once_it_is_confirmed_and_a_second_run_says_that_nothing_is_left(
    small_house: House,
) -> None:
    house, settings = small_house, small_house.house.settings

    async def erase(reference: str, *more: str, typed: str | None = None) -> Done:
        return await asyncio.to_thread(
            Installation(settings.keys_dir.parent).run,
            *("patient", "erase", reference, *more),
            typed=typed,
            DATABASE_URL=settings.database_url,
            KEYS_DIR=str(settings.keys_dir),
        )

    search, (doctor,) = await house.released()
    await house.open_record(search, doctor)
    reference = (await house.see(search))["reference"]
    for typed in ("", "VEN-26-9999"):
        refused = await erase(reference, typed=typed)
        assert (refused.returncode, "rien n’a été effacé" in refused.stderr) == (1, True)
    unknown = await erase("VEN-26-9999")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "rien n’est gardé sous elle" in unknown.stderr
    assert await house.state(search) == "released"

    done = await erase(reference.lower(), "--asked-by", "authority", typed=reference)
    assert done.returncode == 0, done.stderr
    assert f"effacé : {reference}" in done.stderr
    assert done.stdout.strip() == ""
    # The doctor who opened the record has to be told: until then rows without a text are left.
    again = await erase(reference)
    assert (again.returncode, "déjà effacé" in again.stderr) == (0, True)
    # Commands live at the hour of this machine.
    house.clock.at = max(house.clock.at, datetime.now(UTC))
    await house.work()
    assert "supprim" in house.catcher.to(doctor["email"])[-1].text
    assert (await erase(reference)).returncode == 0
    assert await rows_of(house, search) == {}
    left = await erase(reference)
    assert (left.returncode, "rien n’est gardé sous elle" in left.stderr) == (1, True)
    told = [one for one in await house.journal(search) if one["action"] in ("erased", "forgotten")]
    assert [(one["action"], one.get("purpose")) for one in told] == [
        ("erased", "asked_by_authority"),
        ("forgotten", None),
    ]
