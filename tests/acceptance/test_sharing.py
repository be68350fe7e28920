"""Several searches that are launched in one period do not all ask the same doctors."""

from collections import Counter

from matcher.service.actors import Role
from tests.acceptance.house import House

SMALL = {"wishes": []}


async def _few_a_wave(house: House, size: int) -> None:
    """Waves of so many doctors."""
    territory = house.house.territories["venissieux"]
    object.__setattr__(territory.rules, "wave_size", size)


async def asked(house: House, searches: list[str]) -> Counter[str]:
    """How many of these searches each doctor was asked for."""
    counts: Counter[str] = Counter()
    for search in searches:
        counts.update(s["doctor"]["id"] for s in (await house.see(search))["solicitations"])
    return counts


async def test_ten_searches_of_one_quartier_are_shared_out(house: House) -> None:
    await _few_a_wave(house, 3)
    ready = [await house.ready(**SMALL) for _ in range(6)]
    alone = (await house.see(ready[0]))["to_ask"]
    done = await house.post("coordinatrice", "/searches/launch", {})
    assert alone == 3
    assert done["refused"] == []
    assert {one["id"] for one in done["launched"]} == set(ready)
    assert all(one["doctors"] == 3 for one in done["launched"])
    told = [one["why"] for one in done["launched"]]
    assert all(one.startswith("répartie entre 3 médecins") for one in told)
    assert any("suivant" in one for one in told)
    counts = await asked(house, ready)
    assert sum(counts.values()) == 18
    assert max(counts.values()) <= 3
    assert len(counts) >= 8


async def test_one_launched_alone_leaves_the_others_theirs_and_passes_over_who_has_many(
    small_house: House,
) -> None:
    house = small_house
    await _few_a_wave(house, 2)
    searches = []
    for _ in range(3):
        searches.append(await house.ready(**SMALL))
        await house.do(searches[-1], "launch")
    counts = await asked(house, searches)
    assert max(counts.values()) <= 2
    assert len(counts) >= 4


async def test_what_cannot_be_launched_is_said_and_keeps_nobody_waiting(small_house: House) -> None:
    house = small_house
    good, urgent = await house.ready(**SMALL), await house.ready(**SMALL, urgent=True)
    undecided = await house.ready(**SMALL)
    await house.run_sql("UPDATE searches SET announcement = NULL WHERE id = :id", id=undecided)
    submitted = await house.submitted(**SMALL)
    done = await house.post(
        "coordinatrice", "/searches/launch", {"ids": [good, urgent, undecided, submitted]}
    )
    assert {one["id"]: "why" in one for one in done["launched"]} == {good: True, urgent: False}
    assert [(one["id"], one["code"]) for one in done["refused"]] == [(undecided, "not_announced")]
    assert await house.state(submitted) == "submitted"


async def test_a_page_launches_everything_that_is_ready_and_says_how(small_house: House) -> None:
    house = small_house
    await _few_a_wave(house, 3)
    for _ in range(2):
        await house.ready(**SMALL)
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get("/recherches?state=ready")).text()
    assert "Lancer toutes les recherches prêtes" in page
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    reply = await house.client.post("/recherches/lancer", data={"csrf": csrf})
    after = await reply.text()
    assert reply.status == 200
    assert "recherches lancées" in after
    assert "répartie entre 3 médecins" in after
