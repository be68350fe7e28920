"""How a record is laid out for a reader: groups and labels; the words for its codes are the record's own."""

from dataclasses import dataclass
from typing import Any, Final

from matcher.records.words import CODES, SCREENING, written
from matcher.web.words import WISHES

LABELS: Final = {
    "birth_name": "Nom de naissance",
    "first_names": "Prénoms",
    "used_name": "Nom d’usage",
    "sex": "Sexe",
    "birth_date": "Date de naissance",
    "birth_place": "Lieu de naissance",
    "nir": "Numéro de sécurité sociale",
    "phone": "Téléphone",
    "phone2": "Autre téléphone",
    "email": "Adresse e-mail",
    "reach_via": "Joindre",
    "safe_contact": "Précautions pour joindre la personne",
    "message": "Laisser un message",
    "sms": "Envoyer un SMS",
    "who": "Qui peut répondre",
    "language": "Langue",
    "address": "Adresse",
    "line": "Rue",
    "postcode": "Code postal",
    "city": "Commune",
    "insee": "Code INSEE",
    "housing": "Logement",
    "contact": "Autre contact",
    "interpreter": "Interprète nécessaire",
    "nationality": "Nationalité",
    "coverage": "Couverture",
    "rights_opened_on": "Droits ouverts le",
    "ald": "ALD",
    "pregnancy": "Grossesse",
    "discharge_on": "Sortie d’hôpital le",
    "difficulty": "Difficulté rencontrée",
    "care_needed": "Soins demandés",
    "social": "Situation sociale",
    "treatments": "Traitements",
    "referring": "Adressé·e par",
    "name": "Nom",
    "service": "Service",
    "screening": "Repérage (questions de la HAS)",
    "household": "Foyer",
    "relation": "Lien",
    "attachments": "Pièces jointes",
    "media_type": "Type",
    **SCREENING,
}

GROUPS: Final = (
    ("Identité", ("birth_name", "used_name", "first_names", "sex", "birth_date", "birth_place", "household")),
    ("Joindre la personne", ("phone", "phone2", "email", "reach_via", "safe_contact", "contact", "language",
                             "interpreter")),
    ("Où elle vit", ("address", "housing")),
    ("Santé", ("care_needed", "difficulty", "treatments", "ald", "pregnancy", "discharge_on", "screening")),
    ("Droits et situation", ("nir", "coverage", "rights_opened_on", "nationality", "social")),
    ("Qui adresse", ("referring", "attachments")),
)  # fmt: skip


#: Fields of a request outside the record, and those that a fault may name.
_OTHERS: Final = {
    "place": "Quartier ou lieu", "wishes": "Souhaits", "conditions": "Conditions", "consent": "Accord",
    "given": "Réponse de la personne", "by": "Donné par", "how": "Comment", "choice": "Choix",
    "text_version": "Texte de l’accord", "reason": "Motif", "on": "Date", "until": "Jusqu’au",
    "file": "Fichier", "within_days": "Rendez-vous dans les … jours",
    "called": "Appel au cabinet", "mobile": "Mobile", "reference": "Référence", "to": "Lettre",
    "at": "Rappeler le", "from": "À partir du", "where": "Où", "count": "Nombre de personnes",
    "outcome": "Résultat", "spoke_with": "Qui a répondu", "mssante": "Adresse MSSanté", "search": "Recherche",
    "doctor_id": "Médecin", "answer": "Réponse", "level": "Priorité", "missing": "Ce qui manque",
    "adults": "Adultes", "children": "Enfants", "declaration": "Déclaration", "state": "Rendez-vous",
    "honoured_on": "Rendez-vous honoré le", "handover": "Remise de la fiche", "next": "La suite",
    "relaunch_on": "Date de relance", "asked_by": "Qui le demande", "agreed": "Accord de la personne",
    "kind": "Ce que c’est", "role": "Rôle", "structure": "Structure", "scopes": "Ce que la clé permet",
    "password": "Mot de passe", "again": "Le même, une seconde fois", "current": "Mot de passe actuel",
    "code": "Code", "token": "Lien d’inscription", "passkey": "Clé d’accès",
    # Of a doctor.
    "last_name": "Nom", "first_name": "Prénom", "rpps": "RPPS", "languages": "Langues", "zone": "Zone",
    "delegate_email": "Secrétariat ou remplaçant·e (e-mail)", "step_free": "Accès sans marche",
    "home_visits": "Visites à domicile", "teleconsultation": "Téléconsultation", "sector": "Secteur",
    "member": "Membre", "do_not_call": "Ne pas appeler", "declines": "Ce que ce médecin décline",
    "asked_per_week": "Sollicitations par semaine", "accepted_per_month": "Nouveaux patients par mois",
    "list_size": "Patients de sa liste", "away_until": "Absent·e jusqu’au", "places": "Nombre de places",
    "lat": "Latitude", "lon": "Longitude", "email_checked": "Adresse e-mail vérifiée",
    "phone_checked": "Téléphone vérifié",
}  # fmt: skip


#: Fields whose last word says too little.
_IN_FULL: Final = {
    "record.reach_via": "Comment la joindre",
    "record.referring.name": "Votre nom",
    "record.referring.phone": "Votre téléphone",
    "record.contact.name": "Nom de l’autre personne à joindre",
}


def label_of(field: str) -> str:
    """What a person calls the field of a dotted name; a sentence stays as it is."""
    if " " in field:
        # What the office asked for in its own words.
        return field
    parts = field.split(".")
    if field in _IN_FULL:
        return _IN_FULL[field]
    if parts[0] == "wish":
        return WISHES[parts[1]].capitalize()
    last = next((part for part in reversed(parts) if not part.isdecimal()), field)
    said = {**_OTHERS, **LABELS}.get(last, last)
    # The first person of a household has the form's own fields.
    return f"{said}, personne {int(parts[2]) + 2}" if field.startswith("record.household.") else said


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value of a record, in words."""

    label: str
    value: str
    #: A telephone number, to be dialled at one touch.
    dials: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Values read together."""

    title: str
    lines: tuple[Line, ...]


#: Parts of a value that tell a reader nothing: the file's bytes and type, the number of a commune.
_FOR_MACHINES: Final = frozenset({"content", "media_type", "insee"})


def say(name: str, value: Any) -> str:
    """A value of the field ``name`` in French, whatever its JSON type."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, dict):
        shown = {k: v for k, v in value.items() if k not in _FOR_MACHINES}
        between = "\n" if name == "screening" else " ; "
        return between.join(f"{LABELS.get(k, k)} : {say(k, v)}" for k, v in shown.items())
    if isinstance(value, list):
        return " / ".join(say(name, v) for v in value)
    if name == "birth_date" or name.endswith("_on"):
        return written(str(value))
    return CODES.get(name, {}).get(str(value), str(value))


_DIALLED: Final = frozenset({"phone", "phone2"})


def laid_out(record: dict[str, Any]) -> tuple[Group, ...]:
    """The record as groups of lines, every value of it; what no group names comes last."""
    named = {field for _, fields in GROUPS for field in fields}
    rest = tuple(field for field in record if field not in named)
    groups = []
    for title, fields in (*GROUPS, ("Autres renseignements", rest)):
        lines = tuple(
            Line(label=LABELS.get(field, field), value=say(field, record[field]), dials=field in _DIALLED)
            for field in fields
            if record.get(field) not in (None, "", [], {})
        )
        if lines:
            groups.append(Group(title=title, lines=lines))
    return tuple(groups)
