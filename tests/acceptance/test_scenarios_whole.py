"""One whole search, from the request to the attachment, and the journal that tells it."""

from matcher.service.audit import verify_journal
from tests.acceptance.house import OFFICE, House, request


async def test_a_whole_search_ends_attached_with_the_record_given_once_and_value_for_value(
    house: House,
) -> None:
    sent = request()
    made = await house.post("requester", "/searches", sent, 201)
    search = made["id"]
    await house.do(search, "validate")
    await house.do(search, "launch")
    await house.advance(days=7)
    seen = await house.see(search)
    assert seen["state"] == "calling"

    mailed = await house.mailed(search)
    asked = {s["doctor"]["id"] for s in seen["solicitations"] if s["channel"] == "mail"}
    listed = await house.doctors()
    assert len(asked) <= 38
    assert all(listed[doctor]["member"] and listed[doctor]["sector"] == 1 for doctor in asked)
    to_phone = (await house.get(OFFICE, f"/searches/{search}/calls"))["items"]
    territory = {id for id, one in listed.items() if one["zone"] == "territoire" and one.get("sector") == 1}
    callable_ = {id for id in territory if listed[id].get("phone") and not listed[id].get("away_until")}
    assert {item["doctor"]["id"] for item in to_phone} == callable_
    assert all(item["why"] for item in to_phone)

    phoned = next(item["doctor"]["id"] for item in to_phone if item["doctor"]["id"] not in asked)
    await house.do(search, "calls", doctor_id=phoned, outcome="yes", spoke_with="doctor")
    chosen, other = mailed[:2]
    for doctor in (chosen, other):
        await house.yes(doctor)
    assert len((await house.see(search))["proposals"]) == 3

    await house.do(search, "choose", doctor_id=chosen["id"])
    await house.work()
    given = await house.open_record(search, chosen)
    assert given["record"] == sent["record"]
    await house.do(search, "appointment", on="2026-12-02", state="planned")
    await house.advance(days=3)
    await house.do(search, "appointment", on="2026-12-02", state="honoured")
    assert (await house.do(search, "confirm", declaration="done"))["state"] == "attached"
    await house.work()
    assert house.letters(other["email"], "Cette recherche est terminée") == 1
    assert house.letters(chosen["email"], "Cette recherche est terminée") == 0

    actions = [entry["action"] for entry in await house.journal(search)]
    assert actions.count("open_record") == 1
    for action in ("submit", "validate", "launch", "call", "answer", "choose", "appointment", "confirm"):
        assert action in actions


async def test_the_journal_holds_until_any_byte_of_any_of_its_rows_is_changed_by_hand(house: House) -> None:
    await house.released()
    assert await verify_journal(house.house) is None
    await _unlock_the_journal(house)
    kept = await house.run_sql("SELECT seq FROM journal WHERE territory_id = 'venissieux' ORDER BY seq")
    first, middle, last = kept[0][0], kept[len(kept) // 2][0], kept[-1][0]
    columns = ("at", "actor_kind", "actor_id", "action", "search_id", "doctor_id", "purpose", "state")
    changes = [(seq, column) for seq in (first, middle, last) for column in (*columns, "previous", "hash")]
    for seq, column in changes:
        where = "WHERE territory_id = 'venissieux' AND seq = :seq"
        [[before]] = await house.run_sql(f"SELECT {column} FROM journal {where}", seq=seq)
        after = "x" if before is None else _one_byte_changed(before)
        change = f"UPDATE journal SET {column} = :value {where}"
        await house.run_sql(change, value=after, seq=seq)
        broken = await verify_journal(house.house)
        assert broken is not None, (seq, column)
        assert broken.territory == "venissieux"
        await house.run_sql(change, value=before, seq=seq)
        assert await verify_journal(house.house) is None, (seq, column)


async def test_an_entry_cut_from_the_middle_or_the_end_of_the_journal_is_missed(house: House) -> None:
    await house.released()
    await _unlock_the_journal(house)
    [[last]] = await house.run_sql("SELECT max(seq) FROM journal WHERE territory_id = 'venissieux'")
    for seq in (last, last - 5):
        await house.run_sql("DELETE FROM journal WHERE territory_id = 'venissieux' AND seq = :seq", seq=seq)
        assert await verify_journal(house.house) is not None


def _one_byte_changed(value: str) -> str:
    middle = len(value) // 2
    return value[:middle] + ("1" if value[middle] != "1" else "2") + value[middle + 1 :]


async def _unlock_the_journal(house: House) -> None:
    """What somebody with the database's own password can do: take the refusing triggers away."""
    if house.house.settings.embedded:
        for (name,) in await house.run_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            await house.run_sql(f"DROP TRIGGER {name}")
    else:
        await house.run_sql("ALTER TABLE journal DISABLE TRIGGER ALL")
