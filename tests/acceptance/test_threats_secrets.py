"""What a thief of the database, a log, a mail, the metrics or an error page would read of a record: nothing.

The record's every field holds a value that occurs nowhere else (``matcher.demo.patient``); it is looked for
in all that is written, plain and in the encodings that would hide it.
"""

import io
import json
from collections.abc import Iterator
from typing import Any

from matcher.demo import patient, witness
from matcher.service.audit import verify_journal
from tests.acceptance.house import OFFICE, House
from tests.acceptance.remains import abroad, in_database


async def test_no_value_of_a_record_is_in_the_database_the_logs_the_mails_or_the_metrics(
    house: House, logs: io.StringIO
) -> None:
    canaries = patient.canaries(house.clock())
    told = patient.telling_words()
    made = await house.post("requester", "/searches", patient.request(house.clock()), 201)
    await house.post("requester", "/searches", patient.family(house.clock()) | {"draft": True}, 201)
    search = made["id"]
    assert await in_database(house, canaries) == []
    await house.do(search, "validate")
    await house.do(search, "priority", level="high", reason="barégine chronique")
    await house.do(search, "correct", record={"used_name": "Madapolam-Zinzolin"})
    await house.do(search, "launch")
    await house.advance(days=5)
    doctor = (await house.mailed(search))[0]
    for query in ("Zinzolin", "0639984173", f"{house.clock().year - 67}-01-17"):
        listed = await house.get(OFFICE, f"/searches?q={query}")
        assert [one["id"] for one in listed["items"]] == [search]
    await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi")
    await house.yes(doctor)
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.work()
    assert await in_database(house, canaries) == []
    assert await abroad(house, logs, canaries) == []
    for mail in house.catcher.messages():
        if "requester" not in mail.to:
            words = f"{mail.subject}\n{mail.text}".replace("une femme ou un homme", "")
            assert witness.search_words(told, mail.subject, words) == []

    opened = await house.open_record(search, doctor)
    assert witness.search(canaries, "record", json.dumps(opened, ensure_ascii=False).encode())
    session = {"token": house.token(doctor["email"], "dossier"), "session": opened["session"]}
    assert (await house.call(None, "POST", "/links/document", session)).status == 200
    await house.do(search, "consent", who="requester", given="no")
    await house.work()
    assert await in_database(house, canaries) == []
    assert await abroad(house, logs, canaries) == []
    assert await verify_journal(house.house) is None


def broken_requests(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The request with one thing wrong at a time, the wrong value being one of the record's own."""
    record = body["record"]
    for name, value in record.items():
        yield body | {"record": record | {name: [value]}}
        yield body | {"record": {other: kept for other, kept in record.items() if other != name}}
        if isinstance(value, str):
            yield body | {"record": record | {value: "inconnu"}}
            yield body | {value: "inconnu"}
            yield body | {"place": value}
    yield body | {"record": record | {"birth_date": "Zinzolin"}}
    yield body | {"wishes": [{"kind": "Zinzolin", "value": "Percaline", "hard": True}]}
    yield body | {"consent": body["consent"] | {"by": "Zinzolin", "at": "Percaline"}}


async def test_no_refusal_of_a_broken_request_repeats_a_value_of_it(
    small_house: House, logs: io.StringIO
) -> None:
    house = small_house
    canaries = patient.canaries(house.clock())
    # The caller's own field names are named to it; they are in no log.
    sent = patient.request(house.clock())
    refused = 0
    for body in broken_requests(sent):
        reply = await house.call("requester", "POST", "/searches", body)
        assert reply.status in (201, 400), reply.content
        if reply.status == 400:
            refused += 1
            values = {leak.field for leak in witness.search(canaries, "problem", _messages(reply.json))}
            assert not values, (reply.json, values)
    assert refused > 50
    raw = json.dumps(sent).encode()
    for content in (raw[:-1], raw.replace(b'"sex"', b"sex"), b"\xff" + raw, raw * 2):
        async with house.client.post(
            "/api/v1/searches",
            data=content,
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {house.keys['requester']}",
            },
        ) as broken:
            assert broken.status == 400
            assert witness.search(canaries, "problem", await broken.read()) == []
    assert await abroad(house, logs, canaries) == []


def _messages(problem: dict[str, Any]) -> bytes:
    """A problem without the names of the fields, which the caller wrote."""
    messages = [value for name, value in problem.items() if name != "fields"]
    return json.dumps([*messages, *problem.get("fields", {}).values()], ensure_ascii=False).encode()


async def test_the_sealed_sections_of_two_patients_cannot_be_swapped(small_house: House) -> None:
    house = small_house
    one = await house.submitted()
    other = await house.submitted(record=patient.request(house.clock())["record"])
    fields = "key_name, version, sealed_key, commitment, nonce, ciphertext"
    for section in ("record", "contact"):
        await house.run_sql(
            f"UPDATE sealed SET ({fields}) = (SELECT {fields} FROM sealed"
            " WHERE search_id = :other AND section = :section) WHERE search_id = :one AND section = :section",
            one=one,
            other=other,
            section=section,
        )
    reply = await house.call(OFFICE, "GET", f"/searches/{one}/record?purpose=suivi")
    assert reply.status == 500
    assert witness.search(patient.canaries(house.clock()), "problem", reply.content) == []
    assert (await house.get(OFFICE, f"/searches/{other}/record?purpose=suivi"))["record"]


async def test_a_list_still_opens_where_one_record_was_tampered_with(small_house: House) -> None:
    house = small_house
    good = await house.submitted()
    bad = await house.submitted(record=patient.request(house.clock())["record"])
    await house.run_sql("UPDATE sealed SET nonce = zeroblob(12) WHERE search_id = :bad", bad=bad)
    listed = await house.get(OFFICE, "/searches")
    assert {one["id"] for one in listed["items"]} == {good, bad}
