"""What is due: shown with its hour, and done after a long stop in order, by day and without a flood."""

from datetime import datetime

from matcher import clock
from matcher.service.actors import Role
from tests.acceptance.house import OFFICE, PARIS, House

DIRECTION = "directrice"


async def test_every_step_that_waits_is_shown_with_its_search_what_it_does_and_its_hour(
    small_house: House,
) -> None:
    house = small_house
    search = await house.launched()
    seen = await house.see(search)
    told = await house.get(OFFICE, "/steps")
    next_step = told["items"][0]
    assert next_step["search"] == {"id": search, "reference": seen["reference"], "state": "asking"}
    assert (next_step["what"], next_step["at"]) == (seen["next"]["what"], seen["next"]["at"])
    assert next_step["label"] == seen["label"]
    assert {"reminder", "next_wave", "calls", "untouched"} <= {one["what"] for one in told["items"]}
    hours = [datetime.fromisoformat(one["at"]) for one in told["items"]]
    assert hours == sorted(hours)
    assert (told["late"], told["stopped"], told["mails"]) == (0, False, {"waiting": 0})
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get("/echeances")).text()
    assert seen["reference"] in page
    assert "Rappel par mail aux médecins restés silencieux" in page
    assert "Rien n’est en retard." in page


async def test_a_step_about_one_doctor_names_him_and_the_directrice_reads_no_label(
    small_house: House,
) -> None:
    house = small_house
    search, (doctor,) = await house.proposing()
    told = await house.get(DIRECTION, "/steps")
    (held,) = (one for one in told["items"] if one["what"] == "yes_held")
    assert held["doctor"] == {"id": doctor["id"], "name": doctor["name"]}
    assert held["search"]["id"] == search
    assert not any("label" in one for one in told["items"])
    await house.login(Role.DIRECTRICE)
    page = await (await house.client.get("/echeances")).text()
    assert f"– {doctor['name']}" in page
    assert f"/recherches/{search}" not in page


async def test_a_step_that_nobody_did_is_late_and_a_mail_that_did_not_leave_is_counted(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted()
    for what in ("validate", "launch"):
        await house.do(search, what)
    # Nobody works: no mail leaves, no step is done.
    waiting = len(await house.run_sql("SELECT id FROM outbox WHERE next_attempt_at IS NOT NULL"))
    since = house.clock.at
    house.clock.at = since.replace(day=since.day + 1)
    told = await house.get(OFFICE, "/steps")
    assert told["late"] == sum(one["late"] for one in told["items"]) >= 1
    assert told["mails"] == {"waiting": waiting, "since": told["mails"]["since"]}
    assert datetime.fromisoformat(told["mails"]["since"]) == since
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get("/echeances")).text()
    assert "en retard" in page
    assert "attendent de partir" in page


async def test_a_long_list_goes_on_where_the_page_ends_and_a_made_up_place_is_refused(house: House) -> None:
    for _ in range(2):
        await house.launched()
    every = await house.get(OFFICE, "/steps?limit=200")
    found, after = [], ""
    while True:
        page = await house.get(OFFICE, f"/steps?limit=4{after}")
        found += page["items"]
        if "next" not in page:
            break
        after = f"&after={page['next'].replace('+', '%2B')}"
    assert found == every["items"]
    for made_up in ("nothing", "2026-11-24~s~reminder~", "2026-11-24T10:00:00%2B00:00~s~party~"):
        await house.get(OFFICE, f"/steps?after={made_up}", 400)
    await house.login(Role.COORDINATRICE)
    assert (await house.client.get("/echeances?apres=nothing")).status == 200


async def test_after_a_restore_the_page_says_that_everything_waits(small_house: House) -> None:
    house = small_house
    await house.launched()
    await house.run_sql("UPDATE territories SET stopped_at = '2026-11-24 08:00:00.000000'")
    assert (await house.get(OFFICE, "/steps"))["stopped"]
    await house.login(Role.DIRECTRICE)
    assert "restauré d’une sauvegarde" in await (await house.client.get("/echeances")).text()


async def _of_the_waves(house: House) -> list[tuple[str, str, datetime]]:
    """The steps that write to doctors or open the calls, soonest first."""
    found = (await house.get(OFFICE, "/steps?limit=200"))["items"]
    return [
        (one["what"], one["search"]["id"], datetime.fromisoformat(one["at"]))
        for one in found
        if one["what"] in ("reminder", "next_wave", "calls")
    ]


async def test_after_a_long_stop_what_was_missed_is_done_in_order_by_day_and_without_a_flood(
    house: House,
) -> None:
    searches = [await house.launched() for _ in range(4)]
    # The digests of the first wave leave within the afternoon.
    await house.later(hours=5)
    asked = len(house.mails())
    planned = await _of_the_waves(house)
    # Down from Tuesday to Sunday, across every reminder, wave and opening of calls.
    house.at("2026-11-29 03:10")
    await house.work()
    assert len(house.mails()) == asked
    assert {await house.state(one) for one in searches} == {"asking"}
    put_off = await _of_the_waves(house)
    hours = [at.astimezone(PARIS) for _, _, at in put_off]
    assert {hour.strftime("%d %H:%M") for hour in hours} == {"30 08:00"}
    # In the order in which they were due, over all searches.
    assert len(put_off) == 12
    assert [(what, search) for what, search, _ in put_off] == [(what, search) for what, search, _ in planned]
    house.at("2026-11-30 08:01")
    await clock.tick(house.house)
    await house.work()
    done = [entry for one in searches for entry in await house.journal(one)]
    # The second wave is out, with delays of its own; nobody is phoned before they are over.
    assert {await house.state(one) for one in searches} == {"asking"}
    assert sum(entry["action"] == "time/next_wave" for entry in done) == 4
    # No mailbox got one mail for each search: what comes on top of a few is one digest.
    at_once: dict[str, int] = {}
    for mail in house.mails()[asked:]:
        at_once[str(mail["To"])] = at_once.get(str(mail["To"]), 0) + 1
    settings = house.house.territory("venissieux").settings
    assert max(at_once.values()) <= 2 * (settings.digest.more_than + 1)
