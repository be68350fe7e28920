"""What comes back by mail, from the mail server's hands to the office's screen."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from matcher import app
from matcher.protocol.effects import Letter
from matcher.service import receiving, retention
from matcher.service.actors import Role
from tests.acceptance.api_world import METRICS
from tests.acceptance.house import OFFICE, House, database_files
from tests.acceptance.mail_in import Postman, returned


@pytest.fixture
async def postman(house: House) -> AsyncIterator[Postman]:
    async with app.mail_door(house.house) as port:
        yield Postman(house, port)


@pytest.fixture
async def small_postman(small_house: House) -> AsyncIterator[Postman]:
    async with app.mail_door(small_house.house) as port:
        yield Postman(small_house, port)


async def stands(house: House, search: str) -> dict[str, str]:
    seen = await house.see(search)
    return {s["doctor"]["id"]: s["state"] for s in seen["solicitations"] if s["channel"] == "mail"}


async def to_read(house: House) -> list[dict[str, Any]]:
    return list((await house.get("secretaire", "/replies"))["items"])


async def flagged(house: House, doctor: Any) -> bool:
    rows = await house.run_sql(
        "SELECT mailbox_flagged FROM doctors WHERE territory_id = 'venissieux' AND id = :id", id=doctor["id"]
    )
    return bool(rows[0][0])


async def test_a_plain_yes_gets_its_link_back_and_a_second_copy_changes_nothing(postman: Postman) -> None:
    house = postman.house
    search = await house.launched(choice="first_match")
    doctor = (await house.mailed(search))[0]
    assert await postman.reply(doctor, "Oui je peux le prendre\n\n-- \nDr Non") == (250, "2.0.0 taken")
    seen = await house.see(search)
    assert (seen["state"], [p["unconfirmed"] for p in seen["proposals"]]) == ("proposing", [True])
    assert (await house.do(search, "choose", 409, doctor_id=doctor["id"]))["code"] == "unconfirmed"
    await house.work()
    assert "à confirmer" in house.subjects(doctor["email"])[-1]
    before, mails = await house.tables(), len(house.mails())
    assert (await postman.bring(b"x", "nobody@retour.cpts-venissieux.example"))[0] == 550
    again = await postman.bring(*await copy_of(postman, doctor, "Oui je peux le prendre\n\n-- \nDr Non"))
    await house.work()
    assert again == (250, "2.0.0 taken")
    assert (await house.tables(), len(house.mails())) == (before, mails)
    assert house.house.at_the_door["repeated"] == 1
    await house.yes(doctor)
    assert (await house.do(search, "choose", doctor_id=doctor["id"]))["state"] == "released"
    assert await to_read(house) == []


async def copy_of(postman: Postman, doctor: Any, text: str) -> tuple[bytes, str]:
    """The announcement's reply once more, as a mail server that lost our answer sends it."""
    for mail in postman.house.mails():
        if mail["To"].addresses[0].addr_spec == doctor["email"]:
            address = postman.reply_address(mail)
            head = f"From: {doctor['email']}\nMessage-ID: <1.{doctor['id']}@cabinet.example>\n\n"
            return (head + text).encode(), address
    raise LookupError


async def test_a_plain_no_and_a_pause_count_at_once(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    first, second = (await house.mailed(search))[:2]
    await postman.reply(first, "Non, désolé, je suis complet.")
    await postman.reply(second, "Merci de suspendre vos messages jusqu'au 15 janvier 2027.")
    found = await stands(house, search)
    assert found[first["id"]] == "no"
    paused = (await house.doctors())[second["id"]]
    assert paused["away_until"] == "2027-01-15"


async def test_what_is_not_understood_or_written_by_somebody_else_is_read_and_settled_by_the_office(
    postman: Postman,
) -> None:
    house = postman.house
    search = await house.launched()
    doctor, other = (await house.mailed(search))[:2]
    await postman.reply(doctor, "oui mais pas avant janvier, pour CANARI")
    house.clock.at += timedelta(seconds=1)
    await postman.reply(other, "oui", sender="inconnue@ailleurs.example")
    assert set((await stands(house, search)).values()) == {"asked"}
    listed = await to_read(house)
    assert [(r["doctor"]["id"], r["sender"], r["reading"]) for r in listed] == [
        (doctor["id"], "doctor", "unclear"),
        (other["id"], "other", "yes"),
    ]
    assert not any("text" in r for r in listed)
    read = await house.get("secretaire", f"/replies/{listed[0]['id']}")
    assert read["text"] == "oui mais pas avant janvier, pour CANARI"
    assert (await house.get("secretaire", f"/replies/{listed[1]['id']}"))[
        "from"
    ] == "inconnue@ailleurs.example"
    await house.post("directrice", f"/replies/{listed[0]['id']}/settle", {"answer": "nothing"}, 403)
    await house.post("secretaire", f"/replies/{listed[0]['id']}/settle", {"answer": "pause"}, 400)
    settled = await house.post("secretaire", f"/replies/{listed[0]['id']}/settle", {"answer": "yes"})
    assert settled["state"] == "settled"
    twice = await house.post("secretaire", f"/replies/{listed[0]['id']}/settle", {"answer": "nothing"}, 409)
    assert twice["code"] == "settled"
    await house.post("secretaire", f"/replies/{listed[1]['id']}/settle", {"answer": "nothing"})
    assert await to_read(house) == []
    seen = await house.see(search)
    assert [p["doctor"]["id"] for p in seen["proposals"]] == [doctor["id"]]
    acts = [entry["action"] for entry in await house.journal(search)]
    assert acts.count("reply_to_read") == 2
    assert acts.count("reply_read") == 2
    assert acts.count("reply_settled") == 2
    left = {who: state for who, state in (await stands(house, search)).items() if who != doctor["id"]}
    assert set(left.values()) == {"asked"}


async def test_a_reply_lies_sealed_goes_a_week_after_it_was_settled_and_is_in_no_log(
    small_postman: Postman, logs: io.StringIO
) -> None:
    house = small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await small_postman.reply(doctor, "Peut-être, si CANARI-DE-TEST vient au cabinet")
    reply = (await to_read(house))[0]["id"]
    assert "CANARI" not in logs.getvalue()
    assert not any(b"CANARI" in path.read_bytes() for path in database_files(house))
    await house.post(OFFICE, f"/replies/{reply}/settle", {"answer": "nothing"})
    assert "CANARI" in (await house.get(OFFICE, f"/replies/{reply}"))["text"]
    await house.advance(days=8)
    await retention.purge(house.house)
    assert "text" not in await house.get(OFFICE, f"/replies/{reply}")


async def test_automatic_mails_are_never_answered_and_never_count(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    before = len(house.mails())
    await postman.reply(doctor, "oui", Auto_Submitted="auto-replied")
    await postman.bring(b"From: x@y.example\nSubject: Absence\n\noui", postman.return_path(doctor["email"]))
    await postman.reply(doctor, "oui", id="2", Precedence="list")
    await house.work()
    assert len(house.mails()) == before
    assert set((await stands(house, search)).values()) == {"asked"}
    assert await to_read(house) == []


async def test_a_secretary_who_replies_gets_the_link_herself(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    doctor = next(d for d in (await house.doctors()).values() if d.get("email") and d.get("member"))
    await house.call(
        OFFICE, "PATCH", f"/doctors/{doctor['id']}", {"delegate_email": "accueil@cabinet.example"}
    )
    search = await house.launched(wishes=[{"kind": "prefer", "value": doctor["id"], "hard": True}])
    assert doctor["id"] in await stands(house, search)
    mail = postman.last("accueil@cabinet.example", "reponse+")
    raw = b"From: accueil@cabinet.example\nMessage-ID: <d@x.example>\n\nOui le docteur accepte"
    await postman.bring(raw, postman.reply_address(mail), "accueil@cabinet.example")
    await house.work()
    assert "à confirmer" in house.subjects("accueil@cabinet.example")[-1]
    assert not any("à confirmer" in subject for subject in house.subjects(doctor["email"]))


async def test_a_bounce_flags_the_address_and_moves_the_doctor_to_the_calls(postman: Postman) -> None:
    house = postman.house
    search = await house.launched()
    gone, late, full = (await house.mailed(search))[:3]
    token = house.token(gone["email"])
    await postman.bring(returned("exchange-fr"), postman.return_path(gone["email"]))
    await postman.bring(returned("postfix-retard"), postman.return_path(late["email"]))
    await postman.bring(returned("postfix-plein"), postman.return_path(full["email"]))
    assert [await flagged(house, d) for d in (gone, late, full)] == [True, False, False]
    found = await stands(house, search)
    assert [found[d["id"]] for d in (gone, late, full)] == ["unreached", "asked", "unreached"]
    assert "mail_unreached" in await house.tasks(search)
    # The link of a mail that went nowhere opens nothing.
    await house.post(None, "/links/open", {"token": token}, 404)
    acts = [e["action"] for e in await house.journal(search)]
    assert acts.count("mail_dead") == 2


async def test_a_bounce_never_kills_an_address_that_was_corrected_since(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    path = postman.return_path(doctor["email"])
    await house.call(OFFICE, "PATCH", f"/doctors/{doctor['id']}", {"email": "neuve@cabinet.example"})
    await postman.bring(returned("postfix-inconnu"), path)
    assert not await flagged(house, doctor)
    assert (await stands(house, search))[doctor["id"]] == "asked"


async def test_a_release_mail_that_comes_back_is_a_task(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search, doctors = await house.released()
    await postman.bring(returned("gmail-inconnu"), postman.return_path(doctors[0]["email"]))
    assert "release_unreached" in await house.tasks(search)
    assert await flagged(house, doctors[0])


async def test_a_bounce_after_the_end_still_keeps_the_next_mail_from_leaving(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await house.do(search, "withdraw", reason="left")
    await postman.bring(returned("sendmail"), postman.return_path(doctor["email"]))
    assert await flagged(house, doctor)


async def test_an_address_that_the_practice_says_is_right_is_mailed_again(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await postman.bring(returned("sendmail"), postman.return_path(doctor["email"]))
    for body, still in (({"email": doctor["email"]}, True), ({"email_checked": True}, False)):
        reply = await house.call(OFFICE, "PATCH", f"/doctors/{doctor['id']}", body)
        assert reply.status == 200
        assert await flagged(house, doctor) is still
    for name in ("last_name", "zone"):
        assert (await house.call(OFFICE, "PATCH", f"/doctors/{doctor['id']}", {name: None})).status == 400
    # The page offers it where the address is flagged, and only there.
    await house.login(Role.COORDINATRICE)
    page = f"/medecins/{doctor['id']}"
    assert "email_checked" not in await (await house.client.get(page)).text()
    await house.run_sql("UPDATE doctors SET mailbox_flagged = :yes WHERE id = :id", yes=True, id=doctor["id"])
    shown = await (await house.client.get(page)).text()
    form = dict(
        re.findall(r'name="(csrf|last_name|first_name|email|email_checked)"[^>]*?value="([^"]*)"', shown)
    )
    assert set(form) == {"csrf", "last_name", "first_name", "email", "email_checked"}
    form["zone"] = "territoire"
    reply = await house.client.post(page, data=form, allow_redirects=False)
    assert reply.status == 303, await reply.text()
    assert not await flagged(house, doctor)


async def test_forged_altered_and_foreign_addresses_change_nothing_and_are_only_counted(
    small_postman: Postman,
) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    good = postman.return_path(doctor["email"])
    before = await house.tables()
    forged = [
        good.replace("bounces+", "reponse+"),
        good.replace("@retour.", "@ailleurs."),
        good.replace(good[8:12], "0000" if good[8:12] != "0000" else "1111"),
        "bounces+0000@retour.cpts-venissieux.example",
        "coordination@cpts-venissieux.example",
    ]
    for address in forged:
        assert (await postman.bring(returned("postfix-inconnu"), address))[0] == 550
    assert house.house.at_the_door == {"refused": len(forged)}
    metrics = (await house.call(METRICS, "GET", "//metrics")).content.decode()
    assert f'trait_union_mail_door{{what="refused"}} {len(forged)}.0' in metrics
    assert await house.tables() == before


async def test_a_mail_is_acknowledged_only_once_its_effect_is_stored(
    small_postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    before = await house.tables()

    async def breaks(*_: object, **__: object) -> None:
        raise OperationalError("x", {}, Exception("away"))

    with monkeypatch.context() as broken:
        broken.setattr(receiving.received, "mark", breaks)
        assert (await postman.reply(doctor, "oui"))[0] == 451
    assert await house.tables() == before
    assert (await postman.reply(doctor, "oui"))[0] == 250
    assert await house.state(search) == "proposing"


async def test_two_copies_at_once_are_one(postman: Postman) -> None:
    house = postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    answers = await asyncio.gather(*(postman.reply(doctor, "oui") for _ in range(4)))
    assert {code for code, _ in answers} <= {250}
    rows = await house.run_sql("SELECT count(*) FROM received")
    assert rows[0][0] == 1
    acts = [e["action"] for e in await house.journal(search)]
    assert acts.count("answer") == 1


async def test_the_office_reads_and_settles_on_a_page(small_postman: Postman) -> None:
    postman, house = small_postman, small_postman.house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    await postman.reply(doctor, "Oui si <b>elle</b> se déplace")
    await house.login(Role.SECRETAIRE)
    bureau = await (await house.client.get("/bureau")).text()
    reply = (await to_read(house))[0]["id"]
    assert f"/reponses/{reply}" in bureau
    page = await (await house.client.get(f"/reponses/{reply}")).text()
    assert "Oui si &lt;b&gt;elle&lt;/b&gt; se déplace" in page
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    form = {"csrf": csrf, "answer": "pause", "until": ""}
    refused = await house.client.post(f"/reponses/{reply}", data=form, allow_redirects=False)
    assert refused.status == 400
    assert "date à venir" in await refused.text()
    done = await house.client.post(f"/reponses/{reply}", data=form | {"answer": "no"}, allow_redirects=False)
    assert done.status == 303
    assert (await stands(house, search))[doctor["id"]] == "no"


async def test_an_announcement_says_how_to_pause_in_one_click_and_the_click_pauses_30_days(
    small_house: House,
) -> None:
    house = small_house
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    mail = next(m for m in house.mails() if m["To"].addresses[0].addr_spec == doctor["email"])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(mail["List-Unsubscribe"]).strip("<>").removeprefix(house.house.public_url)
    assert (await house.client.get(address)).status == 200
    assert "away_until" not in (await house.doctors())[doctor["id"]]
    body = {"List-Unsubscribe": "One-Click"}
    assert (await house.client.post(address, data=body)).status == 200
    assert (await house.doctors())[doctor["id"]]["away_until"] == "2026-12-23"


def test_every_phrase_by_which_our_own_mails_are_known_stands_in_a_template() -> None:
    folder = Path(app.TEMPLATES) / "mail"
    written = " ".join(
        " ".join((folder / letter / "body.txt").read_text("utf-8").split())
        for letter in (Letter.ANNOUNCEMENT, Letter.CONFIRM_ANSWER)
    ) + (Path(app.__file__).parent / "protocol" / "wording.py").read_text("utf-8")
    assert [phrase for phrase in receiving.OURS if phrase.lower() not in written.lower()] == []
