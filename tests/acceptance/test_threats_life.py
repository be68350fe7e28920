"""After a whole life, from the request to the purge, nothing that was planted stands anywhere."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from matcher.demo import patient, witness
from matcher.demo.patient import Canary
from matcher.service import doctor_links, keys, retention
from matcher.storage import backups, copies
from messaging.keyring import KeyAbsent
from tests.acceptance.house import OFFICE, House, database_files
from tests.acceptance.remains import abroad, in_database, rows_of


def written_since(house: House, begun: float) -> Iterator[tuple[str, bytes]]:
    """The files of the database, its write-ahead log included, that were written meanwhile."""
    if house.house.settings.embedded:
        found = database_files(house)
    else:
        data = Path(parse_qs(urlsplit(house.house.settings.database_url).query)["host"][0]) / "data"
        found = [path for name in ("base", "pg_wal") for path in (data / name).rglob("*") if path.is_file()]
    for path in found:
        try:
            if path.stat().st_mtime >= begun:
                yield path.name, path.read_bytes()
        except FileNotFoundError:
            # Of another test that runs beside this one.
            continue


def plain(canaries: tuple[Canary, ...], content: bytes) -> set[str]:
    """The fields whose planted words stand in ``content`` as they are."""
    return {one.field for one in canaries if any(form.encode() in content for form in one.forms)}


async def test_after_a_whole_life_no_planted_value_is_left_in_any_file_log_mail_metric_or_copy(
    house: House, logs: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, canaries = datetime.now().timestamp() - 2, patient.canaries(house.clock())  # noqa: DTZ005
    made = await house.post("requester", "/searches", patient.request(house.clock()), 201)
    search = made["id"]
    await house.do(search, "validate")
    await house.do(search, "launch")
    await house.advance(days=5)
    doctor = (await house.mailed(search))[0]
    await house.yes(doctor)
    # Before the release no mail said a word of it.
    assert await abroad(house, logs, canaries) == []
    await house.do(search, "choose", doctor_id=doctor["id"])
    await house.work()
    opened = await house.open_record(search, doctor)
    session = {"token": house.token(doctor["email"], "dossier"), "session": opened["session"]}
    assert (await house.call(None, "POST", "/links/document", session)).status == 200
    copy = tmp_path / "copie"
    await copies.save(house.house.engine, copy)
    # What breaks while the record is open says where, and never what.
    with monkeypatch.context() as patch:

        async def broken(*_: object, **__: object) -> bytes:
            raise RuntimeError(str(opened["record"]))

        patch.setattr(doctor_links.documents, "record_pdf", broken)
        failed = await house.call(None, "POST", "/links/document", session)
    assert (failed.status, plain(canaries, failed.content)) == (500, set())
    today = house.clock().date().isoformat()
    await house.do(search, "confirm", declaration="done", honoured_on=today)
    await house.later(days=91)
    await house.get(OFFICE, f"/searches/{search}/record?purpose=suivi", 404)
    house.clock.at += timedelta(days=366)
    await retention.purge(house.house)
    assert await rows_of(house, search) == {}
    assert await in_database(house, canaries) == []
    assert await abroad(house, logs, canaries) == []
    written = list(written_since(house, begun))
    assert written
    for name, content in written:
        assert plain(canaries, content) == set(), name
    # The copy of those days: noise, and once its month's key is gone nobody makes anything of it.
    assert plain(canaries, copy.read_bytes()) == set()
    kept = [one for one in backups.sections(copy) if one.search == search]
    assert {"record", "contact", "figures"} <= {one.section for one in kept}
    house.house.keyring.prepare(house.clock())
    await keys.rewrap(house.house, lambda done, of: None)
    for month in sorted({one.sealed.key for one in kept}):
        await keys.destroy(house.house, month)
    for one in kept:
        with pytest.raises(KeyAbsent):
            house.house.vault.open(
                one.sealed, territory=one.territory, record=one.search, section=one.section
            )
    # Nor does the process write anything of its own making beside its keys, its database and its settings.
    for name, content in witness.files(tmp_path):
        assert plain(canaries, content) == set(), name


@pytest.mark.parametrize("reason", ["consent", "left"])
async def test_a_withdrawal_ends_every_link_at_once_whatever_it_was_for(house: House, reason: str) -> None:
    await house.name_delegates()
    search, (doctor, other) = await house.released(2)
    asked = await house.mailed(search)
    answering = [house.token(address) for one in asked for address in (one["email"], one["delegate_email"])]
    record, code = house.token(doctor["email"], "dossier"), (await house.see(search))["release"]["code"]
    await house.do(search, "withdraw", reason=reason)
    before = await house.run_sql("SELECT doctor_id, stand FROM positions ORDER BY doctor_id")
    for token in answering:
        told = await house.post(None, "/links/open", {"token": token})
        assert (told["state"], "text" in told) == ("over", False)
        house.clock.at += timedelta(seconds=10)
        await house.answer(token, "yes")
    await house.later(seconds=30)
    assert (await house.call(None, "POST", "/links/record", {"token": record, "code": code})).status == 404
    assert await house.state(search) == "withdrawn"
    stands = dict(before)
    after = dict(await house.run_sql("SELECT doctor_id, stand FROM positions ORDER BY doctor_id"))
    assert not {after[one] for one in after} - {"chosen", "yes", "unconfirmed"}
    assert {one: after[one] for one in stands} == stands
    assert other["id"] in stands
    # A misclick is undone; a consent that was taken back is not.
    expected = 409 if reason == "consent" else 200
    await house.do(search, "withdraw/undo", expected)
