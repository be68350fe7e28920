"""The record on paper: a PDF that its doctor reads on a screen, or that the patient carries.

The layout is ``templates/documents/record.typ``. It receives text as data and never as markup, so that
nothing typed into a record can act on the document. The PDF is tagged, for screen readers (PDF/UA-1) and
for archives (PDF/A-2a).
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import typst

from matcher.protocol.search import ReleaseKind, Terms
from matcher.records import dates, words

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates" / "documents"

_PARIS = ZoneInfo("Europe/Paris")
#: Section → the fields it shows, in order, with their labels.
_SECTIONS: Final = (
    (
        "Pourquoi un médecin traitant",
        (
            ("care_needed", "Soins demandés"),
            ("difficulty", "Difficulté rencontrée"),
            ("referring", "Demande adressée par"),
        ),
    ),
    (
        "Santé",
        (
            ("ald", "Affection de longue durée"),
            ("pregnancy", "Grossesse"),
            ("treatments", "Traitements"),
            ("discharge_on", "Sortie d’hôpital"),
        ),
    ),
    (
        "Droits",
        (
            ("nir", "Numéro de sécurité sociale"),
            ("coverage", "Couverture"),
            ("rights_opened_on", "Droits ouverts le"),
            ("nationality", "Nationalité"),
        ),
    ),
    ("Situation", (("address", "Adresse"), ("housing", "Logement"), ("social", "Situation sociale"))),
)
_TOLD = {
    "birth_name", "first_names", "used_name", "sex", "birth_date", "birth_place", "phone", "phone2", "email",
    "reach_via", "safe_contact", "contact", "language", "interpreter", "household", "screening",
    "attachments",
    *(field for _, fields in _SECTIONS for field, _ in fields),
}  # fmt: skip

_Rows = list[tuple[str, str]]


def render_record(
    record: Mapping[str, Any],
    *,
    reference: str,
    territory: str,
    doctor: str,
    released_at: datetime,
    office: str = "",
    kind: ReleaseKind = ReleaseKind.PAGE,
    terms: Terms | None = None,
    zone: tzinfo = _PARIS,
) -> bytes:
    """A PDF of what the chosen doctor may have of a record.

    ``record`` is the submitted JSON, without the nationality where the patient did not agree to it.
    ``territory`` and ``doctor`` are names as people read them, ``office`` how to reach the office;
    ``terms`` are what the doctor's yes asked for. ``kind`` PAPER adds a cover line, since the patient
    carries the sheet. ``released_at`` is aware. Takes some 30 ms: call it in a thread.
    """
    data = lay_out(
        record,
        reference=reference,
        territory=territory,
        doctor=doctor,
        released_on=released_at.astimezone(zone).date(),
        office=office,
        kind=kind,
        terms=terms,
    )
    try:
        return _compile(data, released_at, strict=True)
    except typst.TypstError:
        # The standards forbid a character that the font has not (Arabic, Chinese …). The doctor gets his
        # record all the same, with the machine's fonts, and is told where it can be read in full.
        note = "Un caractère de cette fiche peut manquer à l’impression ; la page sécurisée les montre tous."
        return _compile({**data, "alerts": [*data["alerts"], note]}, released_at, strict=False)


async def record_pdf(
    record: Mapping[str, Any],
    *,
    reference: str,
    territory: str,
    doctor: str,
    at: datetime,
    office: str = "",
    kind: ReleaseKind = ReleaseKind.PAGE,
    terms: Terms | None = None,
) -> bytes:
    """``render_record`` beside the event loop."""
    return await asyncio.to_thread(
        render_record,
        record,
        reference=reference,
        territory=territory,
        doctor=doctor,
        released_at=at,
        office=office,
        kind=kind,
        terms=terms,
    )


def _compile(data: Mapping[str, Any], at: datetime, *, strict: bool) -> bytes:
    standards: list[typst.PDFStandard] = ["ua-1", "a-2a"] if strict else []
    pdf = typst.compile(
        TEMPLATES / "record.typ",
        root=TEMPLATES,
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=standards,
        ignore_system_fonts=strict,
        # Typst takes whole seconds only.
        timestamp=at.replace(microsecond=0),
    )
    assert isinstance(pdf, bytes)
    return pdf


def lay_out(
    record: Mapping[str, Any],
    *,
    reference: str,
    territory: str,
    doctor: str,
    released_on: date,
    office: str = "",
    kind: ReleaseKind = ReleaseKind.PAGE,
    terms: Terms | None = None,
) -> dict[str, Any]:
    """What the document says, as the plain texts that ``record.typ`` sets."""
    carried = kind is ReleaseKind.PAPER
    cover = (
        f"À donner à votre médecin, {doctor}, au premier rendez-vous. Vous avez accepté que ces "
        "renseignements lui soient transmis, à ce médecin seulement : gardez cette feuille à l’abri des"
        " regards."
    )
    sections = [(title, _rows(record, fields)) for title, fields in _SECTIONS]
    sections += [
        ("Repérage (questions de la HAS)", _screening(record)),
        ("Foyer", _household(record, released_on)),
        ("Autres renseignements", _rows(record, [(name, name) for name in record if name not in _TOLD])),
        ("Pièces jointes", _attachments(record)),
    ]
    if terms is not None and not terms.unconditional:
        sections.insert(0, ("Ce que vous avez proposé", _terms(terms)))
    return {
        # The title stands in a reader's window and in a file's properties: no name there.
        "title": f"Fiche médecin traitant {reference}",
        "description": "Fiche transmise avec l’accord de la personne",
        "territory": territory,
        "reference": reference,
        "sender": " – ".join(part for part in (territory, office) if part),
        "heading": "Fiche pour le médecin traitant",
        "subtitle": f"Pour {doctor} – transmise le {words.day_in_words(released_on)} – référence {reference}",
        "cover": [cover] if carried else [],
        "person": {"title": "La personne", "name": _name(record), "rows": _person(record, released_on)},
        "alerts": alerts(record, carried=carried),
        "sections": [{"title": title, "rows": rows} for title, rows in sections if rows],
        "footer": f"Couvert par le secret professionnel. Réservé à {doctor} ; si vous ne suivez pas la "
        "personne, merci de supprimer cette fiche et ses copies.",
    }


def _name(record: Mapping[str, Any]) -> str:
    birth, used = (
        words.say("birth_name", record.get("birth_name")),
        words.say("used_name", record.get("used_name")),
    )
    first = words.say("first_names", record.get("first_names"))
    last = used or birth
    return " ".join(part for part in (last.upper(), first) if part) or "Nom non communiqué"


def _person(record: Mapping[str, Any], today: date) -> _Rows:
    birth = str(record.get("birth_date") or "")
    rows = [("Naissance", _birth(birth, today))] if birth else []
    rows += _rows(
        record,
        [
            ("birth_place", "Lieu de naissance"),
            ("birth_name", "Nom de naissance"),
            ("sex", "Sexe"),
            ("phone", "Téléphone"),
            ("phone2", "Autre téléphone"),
            ("email", "E-mail"),
            ("reach_via", "Joindre la personne"),
            ("contact", "Autre contact"),
            ("language", "Langue"),
        ],
    )
    return rows


def alerts(record: Mapping[str, Any], *, carried: bool = False) -> list[str]:
    """What to know before picking up the phone: who calls whom, how, and in which language; one French
    sentence each. ``carried``: the patient brings the record on paper.
    """
    found = [_who_calls(record, carried=carried)]
    safe = record.get("safe_contact")
    if isinstance(safe, Mapping):
        rules = []
        for field, yes, no in (
            ("message", "un message peut être laissé", "ne laissez pas de message"),
            ("sms", "un SMS peut être envoyé", "n’envoyez pas de SMS"),
        ):
            if isinstance(safe.get(field), bool):
                rules.append(yes if safe[field] else no)
        if safe.get("who"):
            rules.append(f"peut répondre : {words.say('who', safe['who'])}")
        if safe.get("language"):
            rules.append(f"langue au téléphone : {words.say('language', safe['language'])}")
        if rules:
            found.append(f"Précautions : {' ; '.join(rules)}.")
    if record.get("interpreter") is True:
        language = words.say("language", record.get("language"))
        found.append(
            f"Interprète nécessaire{f' ({language})' if language else ''} : prévoyez-le dès la prise de "
            "rendez-vous, par exemple par téléphone."
        )
    return found


def _who_calls(record: Mapping[str, Any], *, carried: bool) -> str:
    if carried:
        return "Qui appelle : la personne prend rendez-vous avec le cabinet, cette fiche en main."
    through = record.get("reach_via")
    if through in (None, "patient") and record.get("phone"):
        return "Qui appelle : le cabinet appelle la personne pour fixer le premier rendez-vous."
    means = words.say("reach_via", through) if through not in (None, "patient") else "par la CPTS"
    return f"Qui appelle : le cabinet ; la personne se joint {means}."


def _rows(record: Mapping[str, Any], fields: Sequence[tuple[str, str]]) -> _Rows:
    said = ((label, words.say(field, record.get(field))) for field, label in fields)
    return [(label, value) for label, value in said if value]


def _screening(record: Mapping[str, Any]) -> _Rows:
    answers = record.get("screening")
    if not isinstance(answers, Mapping):
        return []
    questions = {**words.SCREENING, **{name: name for name in answers if name not in words.SCREENING}}
    return [(label, words.say(name, answers[name]))
            for name, label in questions.items() if name in answers]  # fmt: skip


def _household(record: Mapping[str, Any], today: date) -> _Rows:
    members = record.get("household")
    rows: _Rows = []
    for member in members if isinstance(members, list) else ():
        born = str(member.get("birth_date") or "")
        rows.append(
            (words.clean(member.get("relation") or "Membre du foyer"), _birth(born, today) if born else "–")
        )
    return rows


def _attachments(record: Mapping[str, Any]) -> _Rows:
    files = record.get("attachments")
    names = [words.clean(file.get("name")) for file in files] if isinstance(files, list) else []
    if not names:
        return []
    return [("À part de cette fiche", "\n".join(names))]


def _terms(terms: Terms) -> _Rows:
    rows: _Rows = []
    if terms.from_ is not None:
        rows.append(("À partir du", words.day_in_words(terms.from_)))
    if terms.where is not None:
        rows.append(("Où", words.WHERE[terms.where]))
    if terms.count is not None:
        rows.append(("Personnes du foyer", str(terms.count)))
    if terms.once:
        rows.append(("Durée", "une seule fois, pour dépanner"))
    return rows


def _birth(text: str, today: date) -> str:
    try:
        years = dates.age_on(text, today)
    except ValueError:
        return words.clean(text)
    return f"{words.written(text)} ({years} an{'s' if years > 1 else ''})"
