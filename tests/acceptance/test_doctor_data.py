"""Doctors are data subjects too: what is kept of their answers, on a page that a mail leads to."""

import json
from datetime import timedelta

from matcher.service import retention
from tests.acceptance.house import OFFICE, House


async def test_a_doctor_reads_from_any_mail_what_is_kept_of_him_and_nothing_of_a_patient(
    house: House,
) -> None:
    search, (doctor, other) = await house.released(2)
    token = house.token(doctor["email"], "mes-reponses")
    before = await house.tables()
    told = await house.post(None, "/links/data", {"token": token})
    assert await house.tables() == before
    assert told["doctor"] == {"name": doctor["name"]}
    assert told["directory"]["email"] == doctor["email"]
    assert {name: told["counts"][name] for name in ("mails", "yes", "chosen")} == {
        "mails": 2,
        "yes": 1,
        "chosen": 1,
    }
    assert (told["kept"], told["journal_kept"]) == ("un an", "3 ans")
    texts = json.dumps(told)
    reference = (await house.see(search))["reference"]
    for word in (search, reference, "Aubépine", "Parilly", other["name"], other["id"], "c2s"):
        assert json.dumps(word)[1:-1] not in texts
    page = await (await house.client.get("/mes-reponses")).text()
    assert "vous opposer" in page


async def test_the_link_reads_and_can_do_nothing_and_a_secretary_never_gets_it(small_house: House) -> None:
    house = small_house
    await house.name_delegates()
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"], "mes-reponses")
    for call, more in (("open", {}), ("answer", {"answer": "yes"}), ("record", {"code": "123456"})):
        await house.post(None, f"/links/{call}", {"token": token} | more, 404)
    assert (await house.call(None, "POST", f"//u/{token}")).status == 404
    await house.post(None, "/links/data", {"token": house.token(doctor["email"])}, 404)
    theirs = house.catcher.to(doctor["delegate_email"])
    assert theirs
    assert not any("mes-reponses" in mail.text + mail.html for mail in theirs)
    # Another address: what was sent to the former one opens nothing.
    address = f"/doctors/{doctor['id']}"
    changed = await house.call(OFFICE, "PATCH", address, {"email": "autre@cabinet.example"})
    assert changed.status == 200
    await house.post(None, "/links/data", {"token": token}, 404)


async def test_what_is_older_than_twelve_months_is_neither_shown_nor_there(house: House) -> None:
    old, (doctor,) = await house.released()
    await house.do(old, "withdraw", reason="consent")
    await house.work()
    house.clock.at += timedelta(days=360)
    fresh = await house.launched(wishes=[{"kind": "prefer", "value": doctor["id"], "hard": False}])
    assert doctor["id"] in {one["id"] for one in await house.mailed(fresh)}
    token = house.token(doctor["email"], "mes-reponses")
    told = await house.post(None, "/links/data", {"token": token})
    assert (told["counts"]["yes"], told["counts"]["mails"]) == (1, 3)
    house.clock.at += timedelta(days=6)
    await retention.purge(house.house)
    told = await house.post(None, "/links/data", {"token": token})
    assert told["counts"] == {"mails": 1}
    answers = await house.run_sql("SELECT count(*) FROM positions WHERE doctor_id = :id", id=doctor["id"])
    assert answers == [(0,)]
