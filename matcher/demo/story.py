"""The story that the rehearsal tells: one search from the PASS's request to the attachment.

Everybody acts from outside: the PASS and the office over the API, doctors over the links in the mails
that were caught. Nothing is reached into but to look for leaks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession

from matcher.demo import patient, witness
from matcher.demo.api import Api
from matcher.demo.catcher import Catcher
from matcher.demo.transcript import Seen, Transcript
from matcher.service.house import CaughtMail

_T = TypeVar("_T")
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
        self._now = datetime.now(UTC)
        self._body = patient.request(self._now)
        self._id = ""
        self._reference = ""
        self._members: dict[str, dict[str, Any]] = {}

    async def tell(self) -> None:
        """The whole search, in order."""
        await self._submit()
        await self._validate()
        await self._launch()
        await self._nobody_answers()
        await self._calls()
        doctor = await self._yes_by_link()
        await self._search_for_leaks("avant la remise")
        await self._choose(doctor)
        await self._open_record(doctor)
        await self._attach(doctor)
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
        out.seen(Seen(requester=f"{mine['reference']}, {mine['label']}, {mine['state']}"))

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
        out.seen(Seen(requester="état : prête"))

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
        out.seen(
            Seen(
                doctor="l’annonce ci-dessus, rien d’autre",
                requester="état : en cours",
                relay=f"{len(mails)} mails : à qui, et le même texte que le médecin",
            )
        )

    async def _nobody_answers(self) -> None:
        out = self._out
        out.step("Personne ne répond : une relance chacun, puis la seconde vague.")
        await self._until(self._reminded, "une relance est partie, avec le même lien que l’annonce")
        await self._until(self._second_wave, "la seconde vague est partie")
        out.seen(Seen(doctor="une annonce et une relance au plus", relay=f"{len(self._to_doctors())} mails"))

    # Calls and the yes

    async def _calls(self) -> None:
        out, stage = self._out, self._stage
        out.step("Toujours rien : les appels s’ouvrent d’eux-mêmes.")
        await self._until(lambda: self._in_state("calling"), "la recherche passe aux appels")
        to_phone = (await stage.office.get(f"/searches/{self._id}/calls"))["items"]
        strangers = [d for d in to_phone if d["doctor"]["id"] not in self._members]
        out.check(bool(strangers), f"{len(to_phone)} médecins à appeler, non-membres compris")
        mails = self._to_doctors()
        out.check(len(mails) <= 2 * len(self._members), f"{len(mails)} mails en tout")
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
        out.seen(Seen(doctor="un téléphone qui sonne"))

    async def _yes_by_link(self) -> dict[str, Any]:
        out, stage = self._out, self._stage
        out.step("Une médecin retrouve le mail, lit l’annonce et dit oui par le lien, sans compte.")
        doctor, mail = self._somebody_to_say_yes()
        token = _token(_ANSWER, mail)
        shown = await stage.anyone.post("/links/open", {"token": token})
        out.check(shown["state"] == "open", f"{doctor['name']} ouvre le lien : rien ne bouge encore")
        await asyncio.sleep(stage.reading)
        await stage.anyone.post("/links/answer", {"token": token, "answer": "yes"})
        await self._until(lambda: self._in_state("proposing"), "son oui prend effet : une proposition")
        forged = token[:-1] + ("A" if token[-1] != "A" else "B")
        await stage.anyone.post("/links/open", {"token": forged}, expect=404)
        out.check(True, "un lien altéré d’un seul signe n’ouvre rien")
        out.seen(
            Seen(
                doctor="l’annonce ; « la personne choisit, vous avez une réponse sous 3 jours »",
                requester="état : une proposition",
            )
        )
        return doctor

    # Choice, release, attachment

    async def _choose(self, doctor: dict[str, Any]) -> None:
        out, stage = self._out, self._stage
        out.step(f"Le patient choisit : {doctor['name']}.")
        found = await stage.office.post(f"/searches/{self._id}/choose", {"doctor_id": doctor["id"]})
        out.check(found["state"] == "released", "la fiche est remise à ce médecin, à lui seul")

        async def told() -> CaughtMail | None:
            return next((m for m in stage.catcher.to(doctor["email"]) if _RECORD.search(m.text)), None)

        mail = await self._until(told, "le médecin choisi reçoit un mail, sans la fiche")
        out.quote([f"Objet : {mail.subject}", *_body_lines(mail)])
        out.seen(
            Seen(
                doctor="un lien ; les autres : toujours l’annonce seule",
                requester="état : médecin trouvé",
                relay="un mail de plus, avec un lien qui ne suffit pas",
            )
        )

    async def _open_record(self, doctor: dict[str, Any]) -> None:
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
        out.seen(
            Seen(doctor="le médecin choisi : la fiche ; les autres : rien de plus", requester="rien de plus")
        )

    async def _attach(self, doctor: dict[str, Any]) -> None:
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
        others = {m.to for m in self._to_doctors() if m.to != doctor["email"]}

        async def all_thanked() -> bool:
            thanked = {m.to for m in stage.catcher.messages() if "merci" in m.subject.lower()}
            return others <= thanked

        await self._until(all_thanked, f"les {len(others)} autres destinataires sont remerciés, une fois")
        mine = await stage.requester.get(f"/searches/{self._id}")
        out.check(
            mine["outcome"]["doctor"]["id"] == doctor["id"], "la PASS apprend qui, la personne l’a permis"
        )
        out.seen(
            Seen(
                doctor="« c’est trouvé, merci »",
                requester=f"état : {mine['state']}, {mine['outcome']['doctor']['name']}",
                relay="un mail de remerciement chacun",
            )
        )

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
        self._out.check(answer.status == 200 and len(content) > 0, "/metrics répond à sa clé")
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

    def _somebody_to_say_yes(self) -> tuple[dict[str, Any], CaughtMail]:
        """A member with a mailbox of his own who was mailed, and his first mail."""
        by_address = {d["email"]: d for d in self._members.values() if d.get("email")}
        for mail in self._to_doctors():
            if mail.to in by_address:
                return _named(by_address[mail.to]), mail
        raise LookupError("nobody was written to")

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


def _named(doctor: dict[str, Any]) -> dict[str, Any]:
    return {**doctor, "name": f"Dr {doctor['first_name']} {doctor['last_name']}"}


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
