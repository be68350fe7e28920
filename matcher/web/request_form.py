"""Between the form of a request and the JSON that the use case takes; pure, both ways.

Names of fields are the dotted names of the JSON (``record.birth_date``), so that a fault finds its
field. What is left empty is absent. What cannot be read stays as typed, for the use case to name it.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from matcher.records.bulletin import MAGIC
from matcher.web import consent_text

#: Which text of the consent was read out: the newest of ``templates/documents/consent``.
TEXT_VERSION: Final = consent_text.NEWEST
#: Further members that a household may have, as in the bulletin.
MEMBERS: Final = 20

_BIRTH: Final = re.compile(r"^(?:(?:(\d{1,2})[/. -])?(\d{1,2})[/. -])?(\d{4})$")
_DAYS: Final = ("record.rights_opened_on", "record.discharge_on")
_YES_NO: Final = ("record.safe_contact.message", "record.safe_contact.sms", "record.interpreter")
_TEXTS: Final = (
    "birth_name", "first_names", "used_name", "sex", "birth_place", "nir", "phone", "phone2", "email",
    "reach_via", "safe_contact.who", "safe_contact.language", "address.line", "address.postcode",
    "address.city", "housing", "contact.name", "contact.phone", "contact.relation", "language",
    "nationality", "coverage", "ald", "pregnancy", "difficulty", "care_needed", "social", "treatments",
    "referring.name", "referring.service", "referring.phone", "screening.emergency_stay",
    "screening.severe_conditions", "screening.restricted_mobility", "screening.cognitive_mood",
    "screening.social_economic", "screening.access_to_care",
)  # fmt: skip
#: Wishes that are a plain "yes".
FLAGS: Final = ("step_free", "home_visits", "sector1", "teleconsultation")
#: Every kind of wish that the form offers, in the order in which it offers them.
WISHES: Final = ("doctor_sex", "language", "max_distance_km", "travel", *FLAGS, "exclude", "prefer")
CONDITIONS: Final = ("home_visits", "ehpad_visits", "step_free", "evenings", "saturdays")
SHARED_LABELS: Final = {
    "outcome_shared": "que le demandeur sache quel médecin l’accueille, et quand",
    "nationality_shared": "que sa nationalité soit transmise au médecin choisi",
    "first_match_agreed": "le premier médecin d’accord, sans être rappelée avant l’envoi de sa fiche",
}
SHARED: Final = tuple(SHARED_LABELS)
#: Who chooses the doctor, as the person is asked: the second answer is her agreement to it as well.
CHOICES: Final = {
    "patient_chooses": "La personne choisit parmi les médecins d’accord",
    "first_match": "Le premier médecin d’accord lui convient, sans être rappelée avant l’envoi de sa fiche",
}
TRAVEL: Final = {"walk": "à pied", "transit": "en transports en commun", "car": "en voiture"}


def birth_date(typed: str) -> str:
    """« 2/3/1958 », « 03/1958 » or « 1958 » as ISO; anything else as typed."""
    found = _BIRTH.match(typed)
    if not found:
        return typed
    return "-".join(f"{int(part):02d}" for part in reversed(found.groups()) if part)


def shown_date(iso: str) -> str:
    """An ISO day, month or year as a person writes it."""
    return "/".join(reversed(iso.split("-")))


def _put(into: dict[str, Any], dotted: str, value: Any) -> None:
    *path, last = dotted.split(".")
    for name in path:
        into = into.setdefault(name, {})
    into[last] = value


def read(fields: Mapping[str, str], many: Mapping[str, Sequence[str]], now: datetime) -> dict[str, Any]:
    """The request as JSON, from the posted fields and the repeated ones. Raises nothing."""
    raw: dict[str, Any] = {
        "record": {},
        "wishes": wishes(fields, many),
        "conditions": conditions(fields, many),
    }
    for name in (*(f"record.{text}" for text in _TEXTS), *_DAYS):
        if fields.get(name):
            _put(raw, name, fields[name])
    for name in _YES_NO:
        if fields.get(name):
            _put(raw, name, fields[name] == "yes")
    if fields.get("record.birth_date"):
        raw["record"]["birth_date"] = birth_date(fields["record.birth_date"])
    if household := members(fields):
        raw["record"]["household"] = household
    if files := [json.loads(one) for one in many.get("attachment", ()) if one]:
        raw["record"]["attachments"] = files
    if fields.get("choice") == "first_match":
        fields = {**fields, "consent.first_match_agreed": "yes"}
    if given := consent(fields, now):
        raw["consent"] = given
    for name in ("place", "choice", "speaks_to_patient"):
        if fields.get(name):
            raw[name] = fields[name]
    if "urgent" in fields:
        raw["urgent"] = True
    return raw


def members(fields: Mapping[str, str]) -> list[dict[str, str]]:
    """The other persons of the household."""
    found = []
    listed = {name.split(".")[2] for name in fields if name.startswith("record.household.")}
    for index in sorted(int(one) for one in listed if one.isdecimal()):
        born, relation = (
            fields.get(f"record.household.{index}.{part}", "") for part in ("birth_date", "relation")
        )
        member = ({"birth_date": birth_date(born)} if born else {}) | (
            {"relation": relation} if relation else {}
        )
        if member:
            found.append(member)
    return found


def conditions(fields: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> list[str]:
    """The conditions of the closed list, ``within_days`` with its number."""
    found = [name for name in CONDITIONS if name in many.get("conditions", ())]
    days = fields.get("within_days", "")
    return [*found, f"within_days:{days}"] if days else found


def wishes(fields: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The wishes in the order of their ranks; equal ranks keep the form's order."""
    found: list[tuple[float, int, dict[str, Any]]] = []
    for place, kind in enumerate(WISHES):
        name = f"wish.{kind}.value"
        value: Any = fields.get(name, "")
        if kind in ("exclude", "prefer"):
            value = [one for one in many.get(name, ()) if one]
        elif kind in FLAGS:
            value = name in fields
        elif kind == "max_distance_km" and value:
            value = _number(value)
        if value in ("", [], False):
            continue
        rank = fields.get(f"wish.{kind}.rank", "")
        order = float(rank) if rank.isdecimal() else float(len(WISHES))
        hard = fields.get(f"wish.{kind}.hard") == "hard"
        found.append((order, place, {"kind": kind, "value": value, "hard": hard}))
    return [wish for _, _, wish in sorted(found, key=lambda one: one[:2])]


def _number(typed: str) -> float | str:
    try:
        number = float(typed.replace(",", "."))
    except ValueError:
        return typed
    return int(number) if number.is_integer() else number


def consent(fields: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """What the person said, the text that was read out, and when."""
    if not fields.get("consent.given"):
        return {}
    found: dict[str, Any] = {"given": fields["consent.given"], "text_version": TEXT_VERSION}
    found["at"] = fields.get("consent.at") or now.isoformat()
    for name in ("by", "how", "language"):
        if fields.get(f"consent.{name}"):
            found[name] = fields[f"consent.{name}"]
    for name in SHARED:
        found[name] = f"consent.{name}" in fields
    return found


def attachment(name: str, content: bytes) -> dict[str, str]:
    """A file as the JSON takes it; its type is told by its first bytes, not by its name."""
    kinds = [kind for kind, begins in MAGIC.items() if content.startswith(begins)]
    return {
        "name": name[-200:],
        "media_type": kinds[0] if kinds else "application/octet-stream",
        "content": base64.b64encode(content).decode(),
    }


def shown(raw: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """A request as the fields and repeated fields of the form: ``read`` backwards."""
    fields: dict[str, str] = {}
    many: dict[str, list[str]] = {"conditions": [], "attachment": []}
    record = dict(raw.get("record", {}))
    many["attachment"] = [json.dumps(one) for one in record.pop("attachments", [])]
    for index, member in enumerate(record.pop("household", [])):
        for part, value in member.items():
            fields[f"record.household.{index}.{part}"] = shown_date(value) if part == "birth_date" else value
    if isinstance(record.get("contact"), str):
        record["contact"] = {"name": record["contact"]}
    if isinstance(record.get("treatments"), list):
        record["treatments"] = "\n".join(record["treatments"])
    if "birth_date" in record:
        record["birth_date"] = shown_date(record["birth_date"])
    _flatten("record", record, fields)
    _flatten("consent", raw.get("consent", {}), fields)
    for name in ("place", "choice", "speaks_to_patient", "urgent"):
        if raw.get(name):
            fields[name] = str(raw[name])
    if raw.get("choice") == "first_match" and "consent.first_match_agreed" not in fields:
        # What was not agreed to is not shown as agreed.
        fields["choice"] = "patient_chooses"
    for one in raw.get("conditions", []):
        kind, _, days = str(one).partition(":")
        if kind == "within_days":
            fields["within_days"] = days
        else:
            many["conditions"].append(kind)
    for rank, wish in enumerate(raw.get("wishes", []), start=1):
        _show_wish(wish, rank, fields, many)
    return fields, many


def _flatten(under: str, value: Any, fields: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, one in value.items():
            _flatten(f"{under}.{name}", one, fields)
    elif isinstance(value, bool):
        # A box that is not ticked is absent; a question answered "no" is not.
        if value or under in _YES_NO or under == "record.pregnancy":
            fields[under] = "yes" if value else "no"
    else:
        fields[under] = str(value)


def _show_wish(
    wish: Mapping[str, Any], rank: int, fields: dict[str, str], many: dict[str, list[str]]
) -> None:
    name = f"wish.{wish['kind']}"
    value = wish["value"]
    if isinstance(value, list | tuple):
        many[f"{name}.value"] = [str(one) for one in value]
    else:
        fields[f"{name}.value"] = str(value)
    fields[f"{name}.rank"] = str(rank)
    fields[f"{name}.hard"] = "hard" if wish.get("hard") else "soft"


def changes(held: Mapping[str, Any], raw: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The merge patch of what a person changed in the form that showed ``held``.

    What the form has no field for, or shows in other words, stays as it was sent.
    """
    fields, many = shown(held)
    patch = replacing(read(fields, many, now), raw)
    address = patch.get("record", {}).get("address")
    if isinstance(address, dict) and ("city" in address or "postcode" in address):
        # The commune's code belongs to the former address.
        address["insee"] = None
    return patch


def replacing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7396) that makes ``old`` into ``new``."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if inner := replacing(before, value):
                patch[name] = inner
        elif value != before:
            patch[name] = value
    return patch
