"""The journal of one search, told to a person of the office: a French sentence per entry."""

from collections.abc import Iterable, Mapping
from typing import Any

from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.storage.doctors import Card
from matcher.storage.journal import Entry

#: Each may speak of a doctor and of a purpose.
_TOLD = {
    "draft": "Demande ouverte",
    Event.SUBMIT: "Demande transmise",
    Event.RETURN: "Demande renvoyée pour être complétée",
    Event.VALIDATE: "Demande validée",
    Event.CORRECT: "Demande corrigée",
    Event.ANNOUNCE: "Annonce choisie",
    Event.CONSENT: "Consentement noté",
    Event.RECONFIRM: "Besoin et accord reconfirmés",
    Event.LAUNCH: "Recherche lancée",
    Event.WAVE: "Vague envoyée",
    Event.START_CALLS: "Passage aux appels",
    Event.WIDEN: "Recherche élargie à la zone voisine",
    Event.OFFER_DECLARED: "Place déclarée par {doctor}",
    Event.MAIL_ACCEPTED: "Mail parti pour {doctor}",
    Event.MAIL_DROPPED: "Mail devenu inutile pour {doctor}",
    Event.MAIL_DEAD: "Mail impossible à remettre à {doctor}",
    Event.ANSWER: "{doctor} répond : {purpose}",
    Event.SETTLE_HELD: "Réponse tranchée par la CPTS",
    Event.CALL: "Appel à {doctor} : {purpose}",
    Event.CHOOSE: "{doctor} choisi par la personne",
    Event.DECLINE: "Proposition déclinée par la personne",
    Event.RENEW_RELEASE: "Envoi de la fiche renouvelé",
    Event.LOCK_RELEASE: "Lien de la fiche bloqué après cinq codes faux",
    Event.CALL_ME: "{doctor} demande à être rappelé pour le code",
    Event.OPEN_RECORD: "Fiche ouverte par {doctor}",
    Event.ACKNOWLEDGE: "{doctor} accuse réception de la fiche",
    Event.DESIST: "Désistement",
    Event.APPOINTMENT: "Rendez-vous noté",
    Event.CONFIRM: "Déclaration notée : médecin traitant trouvé",
    Event.CONTACT_ATTEMPT: "Essai de joindre la personne",
    Event.REST: "Recherche mise en pause",
    Event.WAKE: "Recherche reprise",
    Event.WITHDRAW: "Recherche retirée",
    Event.UNDO_WITHDRAWAL: "Retrait annulé",
    Event.CLOSE: "Recherche close sans solution",
    Event.RELAUNCH: "Recherche relancée",
    Event.REOPEN: "Recherche rouverte",
    Event.SPLIT: "Foyer partagé en deux recherches",
    Event.JOIN: "Demandes réunies",
    "wrong_code": "Code faux sur la fiche",
    "new_code": "Nouveau code pour {doctor}",
    "print_record": "Fiche imprimée par {doctor}",
    "open_contact_staff": "Identité et coordonnées affichées par l’équipe",
    "open_record_staff": "Fiche affichée par l’équipe, {purpose}",
    "priority": "Priorité modifiée",
    "sms_code": "Code envoyé par SMS à {doctor}",
    "mailbox_flagged": "L’adresse de {doctor} ne reçoit plus",
    "reply_to_read": "Message reçu, à lire",
    "reply_read": "Message lu",
    "reply_settled": "Message lu et traité",
    "refusal_read": "Refus de {doctor} relu",
    "recourse_letter": "Lettre de recours préparée",
    "record_exported": "Tout ce qui est gardé remis à la personne",
    "erased": "Fiche effacée à la demande de la personne",
    "forgotten": "Fin de la conservation",
    "put_off": "Échéance manquée : remise au matin",
    "time/settle": "La réponse de {doctor} prend effet",
    "time/reminder": "Rappel aux médecins sans réponse",
    "time/next_wave": "Vague suivante",
    "time/calls": "Délai écoulé : passage aux appels",
    "time/nobody_reached": "Aucun mail accepté depuis une heure",
    "time/yes_held": "Oui redemandé à {doctor}",
    "time/yes_lapses": "Oui de {doctor} sans confirmation",
    "time/choice_chase": "Choix de la personne relancé",
    "time/opening_reminder": "Rappel : fiche non ouverte",
    "time/opening_call": "Fiche non ouverte : à appeler",
    "time/call_back": "Rappel promis à {doctor}",
    "time/wake": "Fin de la pause",
    "time/relaunch": "Date de relance atteinte",
    "time/grace_over": "Données effacées",
    "time/retention_over": "Données effacées",
}
#: The same where it is the doctor who reads.
_TOLD_THE_DOCTOR = {
    Event.OFFER_DECLARED: "Vous déclarez une place",
    Event.MAIL_ACCEPTED: "Un mail vous est envoyé",
    Event.MAIL_DROPPED: "Un mail est devenu inutile : il ne part pas",
    Event.MAIL_DEAD: "Un mail n’a pas pu vous être remis",
    Event.ANSWER: "Vous répondez : {purpose}",
    Event.CALL: "Nous vous appelons : {purpose}",
    Event.CHOOSE: "La personne vous choisit",
    Event.CALL_ME: "Vous demandez à être rappelé·e pour le code",
    Event.OPEN_RECORD: "Vous ouvrez la fiche",
    Event.ACKNOWLEDGE: "Vous accusez réception de la fiche",
    "new_code": "Nouveau code pour vous",
    "print_record": "Vous imprimez la fiche",
    "sms_code": "Un code vous est envoyé par SMS",
    "mailbox_flagged": "Votre adresse ne reçoit plus",
    "refusal_read": "Votre désistement est relu par la coordination",
    "time/settle": "Votre réponse prend effet",
    "time/yes_held": "Nous vous demandons si votre oui tient toujours",
    "time/yes_lapses": "Votre oui, sans confirmation, n’est plus compté",
    "time/call_back": "Rappel promis",
}
_PURPOSES = {
    "yes": "oui",
    "no": "non",
    "pause": "pause",
    "undo": "réponse retirée",
    "no_answer": "pas de réponse",
    "message_left": "message laissé",
    "call_back": "à rappeler",
    "secretary_will_ask": "le secrétariat demandera",
    "not_taking": "ne prend pas de nouveaux patients",
    "do_not_call": "ne souhaite pas être appelé",
    "wrong_number": "mauvais numéro",
    "contact": "pour joindre la personne",
    "complete": "pour compléter ou corriger la demande",
    "proposal": "pour présenter une proposition",
    "handover": "pour transmettre la fiche au médecin choisi",
    "complaint": "pour répondre à une question ou une réclamation",
    "other": "pour un autre motif",
}
#: How a doctor's title follows a preposition.
_JOINED = (
    ("à Dr ", "au Dr "),
    ("de Dr ", "du Dr "),
    ("par Dr ", "par le Dr "),
    ("pour Dr ", "pour le Dr "),
)
#: Of interest to nobody who reads how a search went.
_SILENT: frozenset[str] = frozenset(
    {Event.MAIL_ACCEPTED, Event.MAIL_DROPPED, "time/held_overdue", "time/mail_overdue"}
)


def timeline(
    entries: Iterable[Entry], people: Mapping[DoctorId, Card], silent: frozenset[str] = _SILENT
) -> list[dict[str, Any]]:
    """``[{at, what, text, actor, doctor?, state?}]``, in the order of the entries, without the ``silent``."""
    return [_told(entry, people) for entry in entries if entry.action not in silent]


def to_the_doctor(entry: Entry) -> str:
    """The sentence of an entry for the doctor whom it concerns."""
    return _sentence(_TOLD | _TOLD_THE_DOCTOR, entry)


def _sentence(sentences: Mapping[str, str], entry: Entry, name: str = "") -> str:
    purpose = _PURPOSES.get(entry.purpose or "", entry.purpose or "")
    told = sentences.get(entry.action, entry.action).replace("{doctor}", name).replace("{purpose}", purpose)
    for apart, joined in _JOINED:
        told = told.replace(apart, joined)
    return told


def _told(entry: Entry, people: Mapping[DoctorId, Card]) -> dict[str, Any]:
    card = people.get(DoctorId(entry.doctor)) if entry.doctor else None
    told: dict[str, Any] = {
        "at": entry.at,
        "what": entry.action,
        "text": _sentence(_TOLD, entry, "un médecin" if card is None else card.name),
        "actor": entry.actor_kind,
    }
    if card is not None:
        told["doctor"] = {"id": card.id, "name": card.name}
    if entry.state:
        told["state"] = entry.state
    return told
