"""What a request still lacks before it can be handed in, what in it cannot be, and what only looks odd."""

import re
from datetime import date, datetime, timedelta
from typing import TypedDict

from matcher.records.bulletin import Record, SearchIn, moment
from matcher.records.dates import age_on, implausible
from matcher.records.identifiers import NirKind, read_nir, read_phone

#: Clocks of two machines may differ by as much.
SKEW = timedelta(minutes=5)

_REQUIRED = (
    "birth_name",
    "first_names",
    "sex",
    "birth_date",
    "interpreter",
    "coverage",
    "ald",
    "difficulty",
    "care_needed",
)
_POSTCODE = re.compile(r"\d{5}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Oddity(TypedDict):
    """Something odd that blocks nothing: the field, a code for programs, a French sentence."""

    field: str
    code: str
    message: str


def missing(body: SearchIn) -> list[str]:
    """The dotted names of the fields that a submission must have and this one has not.

    A patient may have no telephone (then somebody else reaches them), no address (then the place where
    they sleep is chosen), no NIR, a birth year only.
    """
    record = body.record
    lacking = [f"record.{name}" for name in _REQUIRED if _blank(getattr(record, name))]
    if record.referring is None or _blank(record.referring.name):
        lacking.append("record.referring.name")
    if _blank(record.phone) and _blank(record.phone2) and record.reach_via in (None, "patient"):
        lacking.append("record.reach_via")
    if record.safe_contact is not None:
        asked = {"message": record.safe_contact.message, "sms": record.safe_contact.sms}
        lacking += [f"record.safe_contact.{name}" for name, value in asked.items() if value is None]
    if record.address is not None and _blank(record.address.city):
        lacking.append("record.address.city")
    if record.address is None and _blank(body.place):
        lacking.append("place")
    for index, member in enumerate(record.household or []):
        if member.birth_date is None:
            lacking.append(f"record.household.{index}.birth_date")
    return lacking + _missing_consent(body)


def _missing_consent(body: SearchIn) -> list[str]:
    """A request waits well without a "yes", not without knowing what was said; a "yes" needs its proof."""
    if body.consent is None:
        return ["consent"]
    if body.consent.given != "yes":
        return []
    proof = {name: getattr(body.consent, name) for name in ("by", "how", "text_version")}
    return [f"consent.{name}" for name, value in proof.items() if _blank(value)]


def impossible(body: SearchIn, now: datetime, today: date) -> dict[str, str]:
    """What cannot be, by dotted field, with a French sentence: births in the future or before living
    memory, a consent not yet given. ``now`` is aware; ``today`` is the territory's day.
    """
    births = {"record.birth_date": body.record.birth_date}
    for index, member in enumerate(body.record.household or []):
        births[f"record.household.{index}.birth_date"] = member.birth_date
    found: dict[str, str] = {}
    for field, born in births.items():
        why = None if born is None else implausible(born, today)
        if why is not None:
            found[field] = why
    if body.consent is not None and body.consent.at is not None and moment(body.consent.at) > now + SKEW:
        found["consent.at"] = "ce consentement est daté de l’avenir"
    return found


def warnings(body: SearchIn, today: date) -> list[Oddity]:
    """What looks odd and is taken all the same; empty where nothing does."""
    record = body.record
    found = _nir_warnings(record)
    phones = {"record.phone": record.phone, "record.phone2": record.phone2}
    for field, text in phones.items():
        if text and read_phone(text).odd:
            found.append(_warn(field, "phone_odd", "Ce numéro de téléphone paraît incomplet ou erroné."))
    if record.email and not _EMAIL.fullmatch(record.email):
        found.append(_warn("record.email", "email_odd", "Cette adresse e-mail paraît erronée."))
    postcode = record.address.postcode if record.address else None
    if postcode and not _POSTCODE.fullmatch(postcode):
        found.append(_warn("record.address.postcode", "postcode_odd", "Un code postal compte cinq chiffres."))
    if record.housing == "domiciled" and _blank(body.place):
        message = "Une domiciliation ne dit pas où l’on dort : sans autre lieu, la commune est annoncée."
        found.append(_warn("place", "place_unknown", message))
    agreed = body.consent is not None and body.consent.first_match_agreed
    if body.choice == "first_match" and not agreed:
        message = "La personne n’a pas accepté d’avance le premier médecin : elle choisira."
        found.append(_warn("choice", "first_match_not_agreed", message))
    if (
        body.consent is not None
        and body.consent.by == "patient"
        and record.birth_date is not None
        and age_on(record.birth_date, today) < 17
    ):
        message = "Pour une personne mineure, l’autorité parentale ou l’ASE consent."
        found.append(_warn("consent.by", "minor_consents", message))
    return found


def _nir_warnings(record: Record) -> list[Oddity]:
    number = read_nir(record.nir)
    if number.kind is NirKind.OTHER:
        message = "Ce numéro n’a pas la forme d’un numéro de sécurité sociale ; il est gardé tel quel."
        return [_warn("record.nir", "nir_shape", message)]
    if number.key_ok is False:
        message = "La clé de ce numéro de sécurité sociale ne correspond pas ; il est gardé tel quel."
        return [_warn("record.nir", "nir_key", message)]
    if number.kind is NirKind.NIR and record.sex in ("F", "M"):
        if number.digits[0] != {"M": "1", "F": "2"}[record.sex]:
            return [_warn("record.nir", "nir_sex", "Ce numéro ne correspond pas au sexe indiqué.")]
        if record.birth_date is not None and number.digits[1:3] != record.birth_date[2:4]:
            return [
                _warn("record.nir", "nir_birth_year", "Ce numéro ne correspond pas à l’année de naissance.")
            ]
    return []


def _warn(field: str, code: str, message: str) -> Oddity:
    return Oddity(field=field, code=code, message=message)


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
