"""What a person may ask of the office about what is kept of her, and what some of the staff never read."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from matcher.demo import patient, witness
from matcher.demo.patient import Canary
from matcher.service import restoring, retention
from matcher.service.actors import Role
from matcher.service.audit import verify_journal
from matcher.storage import copies
from tests.acceptance.house import OFFICE, House, request
from tests.acceptance.remains import begun_again, in_database, restored, rows_of


async def test_a_secretaire_reads_the_class_of_a_priority_and_never_what_it_tells_of_health(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted(record=request()["record"] | {"ald": "yes", "pregnancy": "yes"})
    told = (await house.see(search))["priority"]
    assert len(told["reasons"]) == 2
    told_to = {
        "one": (await house.see(search, "secretaire"))["priority"],
        "list": (await house.get("secretaire", "/searches"))["items"][0]["priority"],
    }
    assert told_to == {"one": {"level": told["level"]}, "list": {"level": told["level"]}}
    assert (await house.get(OFFICE, "/searches"))["items"][0]["priority"] == told
    for role, reads in ((Role.COORDINATRICE, True), (Role.SECRETAIRE, False)):
        await house.login(role)
        pages = [await (await house.client.get(path)).text() for path in ("/recherches", "/bureau")]
        page = await (await house.client.get(f"/recherches/{search}")).text()
        assert (told["reasons"][0] in page) is reads
        assert told["reasons"][0] not in "".join(pages)


async def test_the_list_of_who_saw_a_record_leaves_the_house_after_a_fresh_confirmation_only(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted()
    await house.login(Role.DIRECTRICE)
    assert (await house.client.get(f"/recherches/{search}/acces.pdf")).content_type == "application/pdf"
    await house.later(minutes=31)
    asked = await house.client.get(f"/recherches/{search}/acces.pdf")
    assert (asked.status, asked.content_type) == (401, "text/html")
    page = await asked.text()
    token = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": token, "suite": f"/recherches/{search}/acces.pdf", "password": "une phrase assez longue"}
    given = await house.client.post("/confirmer", data=form)
    assert (given.status, given.content_type) == (200, "application/pdf")


async def planted(house: House) -> tuple[str, str, dict[str, Any], tuple[Canary, ...]]:
    """A released search of the planted patient, opened by its doctor; id, reference, doctor, what to find."""
    made = await house.post("requester", "/searches", patient.request(house.clock()), 201)
    search = str(made["id"])
    await house.do(search, "validate")
    await house.do(search, "launch")
    await house.advance(days=5)
    doctor = (await house.mailed(search))[0]
    await house.yes(doctor)
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.work()
    await house.open_record(search, doctor)
    return search, made["reference"], doctor, patient.canaries(house.clock())


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_everything_held_on_a_person_is_handed_over_readable_and_journaled(house: House) -> None:
    search, reference, doctor, canaries = await planted(house)
    reply = await house.call(OFFICE, "POST", f"/searches/{search}/export", {"asked_by": "asked_by_patient"})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/zip")
    files = files_of(reply.content)
    assert files["lisez-moi.pdf"][:5] == b"%PDF-"
    found = {leak.field for name in files for leak in witness.search(canaries, name, files[name])}
    # Everything that was sent is there, the content of an attachment as its own file; she has no household.
    assert {canary.field for canary in canaries} - found == {"household"}
    data = json.loads(files["donnees.json"])
    (request,) = data["requests"]
    assert request["reference"] == reference
    assert doctor["name"] in {ask["doctor"]["name"] for ask in request["search"]["solicitations"]}
    assert {mail["letter"] for mail in request["mails"]} >= {"announcement", "chosen"}
    assert {"open_record", "record_exported"} <= {one["what"] for one in data["accesses"]}
    assert "code" not in request["search"]["release"]
    assert any(name.startswith(f"pieces/{reference}/01 ") for name in files)
    last = (await house.journal(search))[-1]
    assert (last["action"], last["purpose"]) == ("record_exported", "asked_by_patient")


async def test_a_person_is_erased_everywhere_at_once_and_row_by_row_once_the_doctors_are_told(
    house: House,
) -> None:
    search, reference, doctor, canaries = await planted(house)
    twin = await house.submitted(who="requester2", record=patient.request(house.clock())["record"])
    same = (await house.see(twin))["reference"]
    other, answer = await house.submitted(), house.token(doctor["email"])
    record = house.token(doctor["email"], "dossier")
    body = {"asked_by": "asked_by_patient", "reference": "VEN-26-9999"}
    wrong = await house.do(search, "erase", 400, **body)
    assert reference in wrong["fields"]["reference"]
    done = await house.do(search, "erase", **body | {"reference": reference})
    assert done == {"erased": [reference], "same_person": [same]}
    for token in (answer, record):
        reply = await house.call(None, "POST", "/links/open", {"token": token})
        assert (reply.status, (reply.json or {}).get("state")) in ((200, "over"), (404, None), (410, None))
    counted = "SELECT count(*) FROM sealed WHERE search_id = :id AND ciphertext IS NOT NULL"
    assert await house.run_sql(counted, id=search) == [(0,)]
    assert await house.run_sql("SELECT count(*) FROM lookup WHERE search_id = :id", id=search) == [(0,)]
    # The doctor who opened the record is asked to delete it; then nothing is left.
    await house.work()
    assert "supprim" in house.catcher.to(doctor["email"])[-1].text
    assert (await retention.purge(house.house))["searches"] == 1
    assert await rows_of(house, search) == {}
    await house.get(OFFICE, f"/searches/{search}", 404)
    assert search not in "".join(str(row) for row in await house.run_sql("SELECT * FROM outbox"))
    # Not even its mails in the rehearsal's mailbox: those of this search are gone, nobody else's.
    assert house.catcher.to(doctor["email"]) == ()
    assert (await house.see(other))["reference"]
    told = await house.journal(search)
    assert [one["action"] for one in told if one["action"] in ("erased", "forgotten")] == [
        "erased",
        "forgotten",
    ]
    assert not witness.search(canaries, "journal", json.dumps(told).encode())


async def test_an_erased_person_is_erased_again_when_a_copy_of_before_is_put_back(
    house: House, empty_url: str, tmp_path: Path
) -> None:
    search, reference, _, canaries = await planted(house)
    draft = await house.post("requester", "/searches", patient.request(house.clock()) | {"draft": True}, 201)
    copy = tmp_path / "copie"
    await copies.save(house.house.engine, copy)
    for one, said in ((search, reference), (draft["id"], draft["reference"])):
        await house.do(one, "erase", asked_by="asked_by_representative", reference=said)
    await restored(empty_url, copy, house)
    async with begun_again(house, empty_url) as again:
        assert await again.run_sql("SELECT count(*) FROM searches") == [(2,)]
        done = await restoring.after(again.house)
        assert (done.withdrawn, done.erased) == (2, 2)
        for one in (search, draft["id"]):
            assert await rows_of(again, one) == {}
            assert (await again.journal(one))[-1]["action"] == "erased"
        assert await in_database(again, canaries) == []
        assert (await restoring.after(again.house)).erased == 0
        assert await again.post(OFFICE, "/resume") == {"withdrawn": 0}
        assert await verify_journal(again.house) is None


async def test_the_office_hands_over_and_erases_on_a_page_after_showing_again_who_it_is(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted()
    reference = (await house.see(search))["reference"]
    await house.login(Role.COORDINATRICE)
    page = await (await house.client.get(f"/recherches/{search}/droits")).text()
    token = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": token, "asked_by": "asked_by_patient"}
    given = await house.client.post(f"/recherches/{search}/droits/remettre", data=form)
    assert given.content_type == "application/zip"
    assert "lisez-moi.pdf" in files_of(await given.read())
    refused = await house.client.post(f"/recherches/{search}/droits/remettre", data={"csrf": token})
    assert (refused.status, "Dites qui le demande" in await refused.text()) == (400, True)
    refused = await house.client.post(f"/recherches/{search}/droits/effacer", data=form)
    assert (refused.status, reference in await refused.text()) == (400, True)
    await house.later(minutes=31)
    asked = await house.client.post(f"/recherches/{search}/droits/effacer", data=form)
    assert asked.status == 401
    await house.client.post(
        "/confirmer", data={"csrf": token, "suite": "/bureau", "password": "une phrase assez longue"}
    )
    done = await house.client.post(
        f"/recherches/{search}/droits/effacer", data=form | {"reference": reference.lower()}
    )
    assert "Données effacées" in await done.text()
    await house.work()
    await retention.purge(house.house)
    await house.get(OFFICE, f"/searches/{search}", 404)
