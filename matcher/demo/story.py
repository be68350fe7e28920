"""The story that the rehearsal tells: one search from the PASS's request to the attachment.

Everybody acts from outside: the PASS and the office over the API, doctors over the links in the mails
that were caught. Nothing is reached into but to look for leaks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from aiohttp import ClientSession

from matcher.demo import patient, witness
from matcher.demo.api import Api, Unexpected
from matcher.demo.audience import Audience
from matcher.demo.catcher import Catcher
from matcher.demo.transcript import Transcript
from matcher.service.house import CaughtMail

_T = TypeVar("_T")
#: A doctor as ``GET /doctors`` shows him.
Doctor: TypeAlias = dict[str, Any]
_ANSWER = re.compile(r"/r#([A-Za-z0-9_-]+)")
_RECORD = re.compile(r"/dossier#([A-Za-z0-9_-]+)")
#: The whole office is compressed into seconds; anything slower than this has not happened.
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the story plays and who plays in it."""

    base: str
    http: ClientSession
    requester: Api
    office: Api
    anyone: Api
    catcher: Catcher
    #: The folder of the database file and its journal.
    data: Path
    log: Path
    metrics_token: str
    #: How long somebody reads before answering, in seconds: longer than ``min_reading``.
    reading: float


class Story:
    """One telling. ``tell`` raises NotSeen or Unexpected for the first thing that did not happen."""

    def __init__(self, stage: Stage, out: Transcript) -> None:
        self._stage = stage
        self._out = out
        self._audience = Audience(stage.catcher, stage.requester)
        self._now = datetime.now(UTC)
        self._body = patient.request(self._now)
        self._id = ""
        self._reference = ""
        self._members: dict[str, Doctor] = {}

    async def tell(self) -> None:
        """The whole search, in order."""
        await self._submit()
        await self._validate()
        await self._launch()
        await self._nobody_answers()
        await self._calls()
        doctor, other = await self._two_say_yes()
        await self._search_for_leaks("avant la remise")
        await self._choose(doctor, other)
        await self._open_record(doctor)
        await self._attach(doctor, other)
        await self._search_for_leaks("à la fin", released=True)

    # Before anybody is asked

    async def _submit(self) -> None:
        out, stage = self._out, self._stage
        out.step("La PASS dépose une demande, avec l’accord de la personne.")
        made = await stage.requester.post("/searches", self._body, expect=201)
        self._id, self._reference = made["id"], made["reference"]
        out.check(made["state"] == "submitted", f"demande {self._reference} déposée")
        family = await stage.requester.post("/searches", patient.family(self._now), expect=201)
        out.say(f"une famille l’est aussi ({family['reference']}), pour que chaque champ soit rempli")
        mine = await stage.requester.get(f"/searches/{self._id}")
        shown = set(mine) - {"id", "reference", "label", "state", "since", "outcome"}
        out.check(not shown, "la PASS ne revoit que la référence, un libellé et l’état")
        out.seen(await self._audience.of(self._id))

    async def _validate(self) -> None:
        out, stage = self._out, self._stage
        out.step("La coordinatrice lit la demande (c’est journalisé) et la valide.")
        opened = await stage.office.get(f"/searches/{self._id}/record?purpose=validation")
        out.check(opened["record"] == self._body["record"], "la fiche lue est celle qui a été déposée")
        found = await stage.office.post(f"/searches/{self._id}/validate")
        out.check(found["state"] == "ready", "la recherche est prête")
        announcement = found["announcement"]
        out.quote([announcement["text"]])
        out.say(
            f"cette annonce décrit environ {announcement['residents']} habitants, "
            f"dont {announcement['candidates']} sans médecin traitant"
        )
        out.seen(await self._audience.of(self._id))

    async def _launch(self) -> None:
        out, stage = self._out, self._stage
        out.step("Elle lance : une première vague de mails part, par un vrai SMTP.")
        listed = (await stage.office.get("/doctors"))["items"]
        self._members = {d["id"]: d for d in listed if d.get("member")}
        out.say(f"{len(listed)} médecins dans l’annuaire, dont {len(self._members)} membres")
        await stage.office.post(f"/searches/{self._id}/launch")
        await self._until(self._wave_is_out, "la première vague est acceptée par le relais")
        mails = self._to_doctors()
        out.check(
            self._only_fitting(mails), "seuls des membres qui satisfont les souhaits fermes sont écrits"
        )
        first = mails[0]
        out.quote([f"Objet : {first.subject}", *_body_lines(first)])
        out.seen(await self._audience.of(self._id))

    async def _nobody_answers(self) -> None:
        out = self._out
        out.step("Personne ne répond : une relance chacun, puis la seconde vague.")
        await self._until(self._reminded, "une relance est partie, avec le même lien que l’annonce")
        await self._until(self._second_wave, "la seconde vague est partie")
        out.seen(await self._audience.of(self._id))

    # Calls and the yes

    async def _calls(self) -> None:
        out, stage = self._out, self._stage
        out.step("Toujours rien : les appels s’ouvrent d’eux-mêmes.")
        await self._until(lambda: self._in_state("calling"), "la recherche passe aux appels")
        to_phone = (await stage.office.get(f"/searches/{self._id}/calls"))["items"]
        strangers = [d for d in to_phone if d["doctor"]["id"] not in self._members]
        out.check(bool(strangers), f"{len(to_phone)} médecins à appeler, non-membres compris")
        mails = self._to_doctors()
        out.check(
            self._at_most_twice(mails), f"{len(mails)} mails, au plus une annonce et une relance chacun"
        )
        first = to_phone[0]
        out.say(f"premier de la liste : {first['doctor']['name']} ({first['why']})")
        await stage.office.post("/calls/claim", {"doctor_id": first["doctor"]["id"]})
        await stage.office.post(
            f"/searches/{self._id}/calls",
            {"doctor_id": first["doctor"]["id"], "outcome": "no_answer", "spoke_with": "nobody"},
        )
        found = await self._search()
        phoned = [s for s in found["solicitations"] if s["channel"] == "phone"]
        out.check(len(phoned) == 1, f"{first['doctor']['name']} : pas de réponse, noté")
        out.seen(await self._audience.of(self._id, doctor="un téléphone qui sonne"))

    async def _two_say_yes(self) -> tuple[Doctor, Doctor]:
        out = self._out
        out.step("Deux médecins retrouvent le mail, lisent l’annonce et disent oui par le lien, sans compte.")
        doctors = self._two_who_were_asked()
        text = ""
        for doctor in doctors:
            text = await self._say_yes(doctor)
        await self._until(lambda: self._in_state("proposing"), "le premier oui prend effet : une proposition")
        await self._until(self._two_proposals, "le second aussi")
        token = _token(_ANSWER, self._first_mail(doctors[0]))
        forged = token[:-1] + ("A" if token[-1] != "A" else "B")
        await self._stage.anyone.post("/links/open", {"token": forged}, expect=404)
        out.check(True, "un lien altéré d’un seul signe n’ouvre rien")
        out.seen(await self._audience.of(self._id, doctor=f"sur la page : « {text} »"))
        return doctors

    async def _say_yes(self, doctor: Doctor) -> str:
        """Open the link, read, confirm; what the page showed."""
        out, stage = self._out, self._stage
        before = (await self._search())["state"]
        token = _token(_ANSWER, self._first_mail(doctor))
        shown = await stage.anyone.post("/links/open", {"token": token})
        moved = (await self._search())["state"] != before
        out.check(shown["state"] == "open" and not moved, f"{_name(doctor)} ouvre le lien : rien ne bouge")
        await asyncio.sleep(stage.reading)
        await stage.anyone.post("/links/answer", {"token": token, "answer": "yes"})
        return str(shown["text"])

    # Choice, release, attachment

    async def _choose(self, doctor: Doctor, other: Doctor) -> None:
        out, stage = self._out, self._stage
        out.step(f"Le patient choisit : {_name(doctor)}.")
        found = await stage.office.post(f"/searches/{self._id}/choose", {"doctor_id": doctor["id"]})
        out.check(found["state"] == "released", "la fiche est remise à ce médecin, à lui seul")

        async def told() -> CaughtMail | None:
            return next((m for m in stage.catcher.to(doctor["email"]) if _RECORD.search(m.text)), None)

        mail = await self._until(told, "le médecin choisi reçoit un mail, sans la fiche")
        out.quote([f"Objet : {mail.subject}", *_body_lines(mail)])
        token = _token(_ANSWER, self._first_mail(other))
        code = found["release"]["code"]
        await stage.anyone.post("/links/record", {"token": token, "code": code}, expect=404)
        out.check(True, f"avec son propre lien, même avec le bon code, {_name(other)} n’ouvre rien")
        page = await stage.anyone.post("/links/open", {"token": token})
        out.check(page["state"] == "intended_for_another", f"{_name(other)} lit que son oui reste en réserve")
        out.seen(await self._audience.of(self._id))

    async def _open_record(self, doctor: Doctor) -> None:
        out, stage = self._out, self._stage
        out.step("La coordinatrice appelle le cabinet et lit le code ; le médecin ouvre la fiche.")
        mail = next(m for m in stage.catcher.to(doctor["email"]) if _RECORD.search(m.text))
        token = _token(_RECORD, mail)
        await stage.anyone.post("/links/open", {"token": token})
        code = (await self._search())["release"].get("code")
        if code is None:
            code = (await stage.office.post(f"/searches/{self._id}/release/code"))["release"]["code"]
        wrong = "0" * len(code) if set(code) != {"0"} else "1" * len(code)
        await stage.anyone.post("/links/record", {"token": token, "code": wrong}, expect=403)
        out.check(True, "un code faux est refusé, et compté")
        given = await stage.anyone.post("/links/record", {"token": token, "code": code})
        out.check(
            given["record"] == self._body["record"], "la fiche ouverte est, valeur pour valeur, celle déposée"
        )
        await stage.anyone.post("/links/record", {"token": token, "code": code}, expect=403)
        out.check(True, "le même code ne sert pas deux fois")
        pdf = await stage.anyone.post("/links/document", {"token": token, "session": given["session"]})
        out.check(pdf.startswith(b"%PDF-"), f"elle s’imprime ({len(pdf) // 1000} ko, PDF)")
        await stage.anyone.post("/links/acknowledge", {"token": token, "session": given["session"]})
        out.check(bool(await self._search()), "le médecin dit qu’il l’a bien reçue")
        out.seen(await self._audience.of(self._id, doctor="la fiche, pour le seul médecin choisi"))

    async def _attach(self, doctor: Doctor, other: Doctor) -> None:
        out, stage = self._out, self._stage
        out.step("Le rendez-vous a lieu, la déclaration est faite.")
        today = datetime.now(UTC).date()
        await stage.office.post(
            f"/searches/{self._id}/appointment",
            {"on": (today + timedelta(days=3)).isoformat(), "state": "planned"},
        )
        found = await stage.office.post(
            f"/searches/{self._id}/confirm", {"declaration": "done", "honoured_on": today.isoformat()}
        )
        out.check(found["state"] == "attached", "la recherche se termine : médecin traitant trouvé")

        async def thanked() -> bool:
            return any("merci" in mail.subject for mail in stage.catcher.to(other["email"]))

        await self._until(thanked, f"{_name(other)}, dont le oui était en réserve, est remercié")
        mine = await stage.requester.get(f"/searches/{self._id}")
        out.check(
            mine["outcome"]["doctor"]["id"] == doctor["id"], "la PASS apprend qui, la personne l’a permis"
        )
        out.seen(await self._audience.of(self._id))

    # What nobody may see

    async def _search_for_leaks(self, when: str, *, released: bool = False) -> None:
        out, stage = self._out, self._stage
        out.step(f"Où trouve-t-on des valeurs de la fiche, {when} ?")
        planted = patient.canaries(self._now)
        for where, contents in (
            (
                "les mails",
                ((f"mail {n}", witness.readable(raw)) for n, raw in enumerate(stage.catcher.raw(), 1)),
            ),
            ("la base et ce qui l’entoure", witness.files(stage.data)),
            ("le journal du serveur", [(stage.log.name, stage.log.read_bytes())]),
            ("/metrics", [("/metrics", await self._metrics())]),
        ):
            read, leaks = _search_all(planted, contents)
            found = ", ".join(sorted({f"{leak.field} ({leak.where})" for leak in leaks}))
            out.check(not leaks, f"{where} : {read} octets lus, {found or 'rien'}")
        if not released:
            words = patient.telling_words()
            told = [
                leak
                for mail in self._to_doctors()
                for leak in witness.search_words(words, mail.id, f"{mail.subject}\n{mail.text}\n{mail.html}")
            ]
            fields = ", ".join(sorted({leak.field for leak in told}))
            out.check(not told, f"ni sexe, ni couverture, ni logement, ni qui a déposé : {fields or 'rien'}")
        out.say(f"cherché : {len(planted)} champs, en clair et sous cinq encodages")

    async def _metrics(self) -> bytes:
        headers = {"Authorization": f"Bearer {self._stage.metrics_token}"}
        async with self._stage.http.get(f"{self._stage.base}/metrics", headers=headers) as answer:
            content = await answer.read()
        if answer.status != HTTPStatus.OK:
            raise Unexpected(f"/metrics: {answer.status}")
        return content

    # Looking

    async def _search(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._stage.office.get(f"/searches/{self._id}")
        return found

    async def _in_state(self, state: str) -> bool:
        return bool((await self._search())["state"] == state)

    async def _wave_is_out(self) -> bool:
        mailed = [s for s in (await self._search())["solicitations"] if s["channel"] == "mail"]
        return bool(mailed) and all(s["state"] == "asked" for s in mailed)

    async def _reminded(self) -> bool:
        tokens: dict[str, list[str]] = {}
        for mail in self._to_doctors():
            tokens.setdefault(mail.to, []).append(_token(_ANSWER, mail))
        return any(len(seen) == 2 and len(set(seen)) == 1 for seen in tokens.values())

    async def _second_wave(self) -> bool:
        return any(s.get("wave") == 2 for s in (await self._search())["solicitations"])

    def _to_doctors(self) -> list[CaughtMail]:
        """Announcements and reminders: every mail with an answering link."""
        return [mail for mail in self._stage.catcher.messages() if _ANSWER.search(mail.text)]

    def _only_fitting(self, mails: Iterable[CaughtMail]) -> bool:
        """Whether each was written to a member of sector 1, the hard wish, or to his secretary."""
        allowed = {
            address
            for doctor in self._members.values()
            if doctor.get("sector") == 1
            for address in (doctor.get("email"), doctor.get("delegate_email"))
            if address
        }
        return all(mail.to in allowed for mail in mails)

    def _two_who_were_asked(self) -> tuple[Doctor, Doctor]:
        """The first two members who were written to at a mailbox of their own."""
        by_address = {d["email"]: d for d in self._members.values() if d.get("email")}
        asked = dict.fromkeys(mail.to for mail in self._to_doctors() if mail.to in by_address)
        first, second = list(asked)[:2]
        return by_address[first], by_address[second]

    def _first_mail(self, doctor: Doctor) -> CaughtMail:
        return next(mail for mail in self._to_doctors() if mail.to == doctor["email"])

    async def _two_proposals(self) -> bool:
        return len((await self._search())["proposals"]) == 2

    def _at_most_twice(self, mails: Iterable[CaughtMail]) -> bool:
        """P5: nobody got more than one announcement and one reminder, both with the same link."""
        tokens: dict[str, list[str]] = {}
        for mail in mails:
            tokens.setdefault(mail.to, []).append(_token(_ANSWER, mail))
        return all(len(seen) <= 2 and len(set(seen)) == 1 for seen in tokens.values())

    async def _until(self, seen: Callable[[], Awaitable[_T | None]], text: str) -> _T:
        """Ask again and again until the answer is true, then say so; NotSeen after PATIENCE."""
        found = await seen()
        try:
            async with asyncio.timeout(PATIENCE):
                while not found:
                    await asyncio.sleep(0.2)
                    found = await seen()
        except TimeoutError:
            pass
        self._out.check(bool(found), text)
        assert found is not None  # checked on the line above
        return found


def _name(doctor: Doctor) -> str:
    return str(doctor["name"])


def _token(pattern: re.Pattern[str], mail: CaughtMail) -> str:
    match = pattern.search(mail.text)
    assert match is not None  # the mail was chosen for having one
    return match[1]


def _body_lines(mail: CaughtMail) -> list[str]:
    """The beginning of a mail's text, its tokens shortened."""
    text = re.sub(r"(#[A-Za-z0-9_-]{6})[A-Za-z0-9_-]+", r"\1…", mail.text)
    return [line for line in text.splitlines() if line.strip()][:7]


def _search_all(
    planted: Iterable[patient.Canary], contents: Iterable[tuple[str, bytes]]
) -> tuple[int, list[witness.Leak]]:
    planted, read, leaks = tuple(planted), 0, []
    for name, content in contents:
        read += len(content)
        leaks += witness.search(planted, name, content)
    return read, leaks
