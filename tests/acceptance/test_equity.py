"""Whether groups of patients are served alike: from counters alone, and no small group."""

from matcher.service.actors import Role
from matcher.storage import figures
from matcher.storage.figures import Figure
from tests.acceptance.api_world import HERE
from tests.acceptance.house import House

#: The house's clock stands at the end of November 2026: these quarters are over.
PERIOD = "from=2026-01-01&to=2026-06-30"


async def _counted(house: House, month: str, coverage: str, attached: int, unmet: int) -> None:
    found = [
        Figure(month=month, measure="coverage", value=coverage, outcome=outcome, count=count)
        for outcome, count in (("attached", attached), ("unmet", unmet))
    ]
    async with house.house.sessions.begin() as session:
        await figures.add(session, HERE, found)


async def test_a_group_found_less_often_is_shown_with_its_uncertainty_and_small_ones_are_not(
    house: House,
) -> None:
    for month in ("2026-01", "2026-05"):
        await _counted(house, month, "regime_general", 90, 30)
        await _counted(house, month, "ame", 10, 20)
        for small in ("msa", "pending"):
            await _counted(house, month, small, 1, 2)
    told = await house.get("directrice", f"/equity?{PERIOD}")
    assert told["quarters"] == ["2026-01", "2026-04"]
    by_value = {rate["value"]: rate for rate in told["rates"]}
    assert set(by_value) == {"ame", "regime_general"}
    ame = by_value["ame"]
    assert (ame["found"], ame["ended"], ame["unexplained"]) == (20, 60, True)
    assert ame["low"] < ame["share"] < ame["high"] < ame["others"]
    assert told["course"]["coverage"]["ame"] == [0.333, 0.333]

    await house.login(Role.DIRECTRICE)
    page = await (await house.client.get("/rapport/equite")).text()
    assert "Ce que le hasard n’explique pas" in page
    assert "33 %" in page
    assert "MSA" not in page


async def test_a_quarter_that_still_grows_is_compared_by_nobody(house: House) -> None:
    await _counted(house, "2026-10", "regime_general", 90, 30)
    await _counted(house, "2026-10", "ame", 10, 50)
    await house.submitted()
    told = await house.get("directrice", "/equity?from=2026-10-01&to=2026-12-31")
    assert (told["quarters"], told["rates"]) == ([], [])
    await house.login(Role.DIRECTRICE)
    page = await (await house.client.get("/rapport/equite")).text()
    assert "pas encore assez de recherches closes" in page
