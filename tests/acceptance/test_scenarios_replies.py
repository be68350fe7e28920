"""A doctor who answers an announcement by a plain mail, which the office reads and notes."""

from tests.acceptance.house import House


async def test_a_yes_by_plain_mail_counts_once_it_was_confirmed_over_its_link(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    seen = await house.do(search, "replies", doctor_id=doctor["id"], answer="yes")
    assert seen["state"] == "proposing"
    assert [p["unconfirmed"] for p in seen["proposals"]] == [True]
    refused = await house.do(search, "choose", 409, doctor_id=doctor["id"])
    assert refused["code"] == "unconfirmed"
    await house.work()
    assert "à confirmer" in house.subjects(doctor["email"])[-1]
    await house.yes(doctor)
    assert (await house.do(search, "choose", doctor_id=doctor["id"]))["state"] == "released"


async def test_a_no_by_plain_mail_counts_at_once_and_a_stranger_is_refused(house: House) -> None:
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    seen = await house.do(search, "replies", doctor_id=doctor["id"], answer="no")
    stands = {s["doctor"]["id"]: s["state"] for s in seen["solicitations"]}
    assert stands[doctor["id"]] == "no"
    refused = await house.do(search, "replies", 409, doctor_id="nobody", answer="yes")
    assert refused["code"] == "not_asked"
