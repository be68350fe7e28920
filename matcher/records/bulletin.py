"""The body of a request, exactly as it may be sent: the fields of the bulletin and what each may hold.

Strict: an unknown field, a wrong type or a null is refused by name; everything may be left out, since
a draft may lack anything. What a submission must hold is in ``completeness``. What was sent is kept as
it was sent: these models check and convert, they are not what is stored.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from matcher.protocol.announcement import Condition, parse_condition, parse_conditions
from matcher.protocol.search import Consent, Given, Household
from matcher.protocol.wishes import Wish
from matcher.protocol.wishes import parse as parse_wish
from matcher.records.dates import age_on, earliest_and_latest

#: Limits of attachments: how many, and bytes of each once decoded.
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 5 * 1024 * 1024
#: How a file of each media type begins.
MAGIC = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

#: How a household's list may name the patient.
_SELF = frozenset({"self", "patient", "moi", "soi-même"})


def _birth_date(text: str) -> str:
    earliest_and_latest(text)
    return text


def _day(text: str) -> str:
    if len(text) != 10 or earliest_and_latest(text) is None:
        raise ValueError("écrivez AAAA-MM-JJ")
    return text


def _moment(text: str) -> str:
    moment(text)
    return text


def _condition(text: str) -> str:
    parse_condition(text)
    return text


def moment(text: str) -> datetime:
    """An ISO 8601 time as an aware datetime; without a zone it is UTC.

    Raises ValueError with a French sentence.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("écrivez une date et une heure ISO 8601, par exemple 2026-11-23T10:00:00Z") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


#: A name, a number, a line; and a text of several lines.
Line = Annotated[str, StringConstraints(max_length=200)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
BirthDate = Annotated[str, AfterValidator(_birth_date), Field(examples=["1958-03-02", "1958-03", "1958"])]
Day = Annotated[str, AfterValidator(_day), Field(examples=["2026-11-23"])]
Moment = Annotated[str, AfterValidator(_moment), Field(examples=["2026-11-23T10:00:00Z"])]
ConditionName = Annotated[
    str, AfterValidator(_condition), Field(examples=["home_visits", "ehpad_visits", "within_days:14"])
]
YesNoUnknown = Literal["yes", "no", "unknown"]


class Strict(BaseModel):
    """What every part of a body has in common. Errors never repeat a value: it may name a patient."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, sent: Any) -> Any:
        if isinstance(sent, dict):
            empty = [str(name) for name, value in sent.items() if value is None]
            if empty:
                raise PydanticCustomError("null_value", "omit what is empty", {"names": empty})
        return sent


class SafeContact(Strict):
    """What may be left or sent where others may read or hear it, and who may answer."""

    message: bool | None = None
    sms: bool | None = None
    who: Line | None = None
    language: Line | None = None


class Address(Strict):
    """Where the person lives. ``insee`` is the commune's code."""

    line: Line | None = None
    postcode: Line | None = None
    city: Line | None = None
    insee: Line | None = None


class Contact(Strict):
    """A person to reach instead of the patient."""

    name: Line | None = None
    phone: Line | None = None
    relation: Line | None = None


class Referring(Strict):
    """The professional who sends the request."""

    name: Line | None = None
    service: Line | None = None
    phone: Line | None = None


class Screening(Strict):
    """The six questions of the HAS for spotting who may need support (2014)."""

    #: Emergency hospital stay in the last six months.
    emergency_stay: YesNoUnknown | None = None
    #: Three or more conditions, a severe organ failure, or ten or more drugs.
    severe_conditions: YesNoUnknown | None = None
    restricted_mobility: YesNoUnknown | None = None
    #: Cognitive, mood or behaviour disorders, addictions included.
    cognitive_mood: YesNoUnknown | None = None
    social_economic: YesNoUnknown | None = None
    access_to_care: YesNoUnknown | None = None


class HouseholdMember(Strict):
    """One more person of the household, beside the patient."""

    birth_date: BirthDate | None = None
    relation: Line | None = None


class Attachment(Strict):
    """A file: at most 5 MiB once decoded, of the type it says it is."""

    name: Line
    media_type: Literal["application/pdf", "image/png", "image/jpeg"]
    #: Base64, RFC 4648 section 4.
    content: Annotated[str, StringConstraints(max_length=4 * (MAX_ATTACHMENT_BYTES // 3 + 1))]

    @field_validator("content")
    @classmethod
    def _base64(cls, content: str) -> str:
        try:
            decoded = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("le contenu n’est pas du base64") from None
        if len(decoded) > MAX_ATTACHMENT_BYTES:
            raise ValueError("une pièce jointe pèse au plus 5 Mo")
        return content

    @model_validator(mode="after")
    def _is_what_it_says(self) -> "Attachment":
        begins = base64.b64decode(self.content[:64])
        if not begins.startswith(MAGIC[self.media_type]):
            raise ValueError(f"le fichier n’est pas du type {self.media_type}")
        return self


class Record(Strict):
    """The patient's record: always sealed at rest, released to the chosen doctor only."""

    birth_name: Line | None = None
    first_names: Line | None = None
    used_name: Line | None = None
    sex: Literal["F", "M", "I"] | None = None
    birth_date: BirthDate | None = None
    birth_place: Line | None = None
    nir: Line | None = None
    phone: Line | None = None
    phone2: Line | None = None
    email: Line | None = None
    reach_via: Literal["patient", "requester", "relative", "tutor"] | None = None
    safe_contact: SafeContact | None = None
    address: Address | None = None
    housing: Literal["own", "hosted", "hotel", "shelter", "domiciled", "none"] | None = None
    contact: Text | Contact | None = None
    language: Line | None = None
    interpreter: bool | None = None
    nationality: Line | None = None
    coverage: Literal["regime_general", "msa", "other", "puma", "c2s", "ame", "pending", "none"] | None = None
    rights_opened_on: Day | None = None
    ald: Literal["yes", "no", "pending"] | None = None
    pregnancy: bool | YesNoUnknown | None = None
    discharge_on: Day | None = None
    difficulty: Text | None = None
    care_needed: Text | None = None
    social: Text | None = None
    treatments: Text | list[Line] | None = None
    referring: Referring | None = None
    screening: Screening | None = None
    household: Annotated[list[HouseholdMember], Field(max_length=20)] | None = None
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] | None = None


class WishIn(Strict):
    """One wish, as ``matcher.protocol.wishes`` reads it."""

    kind: Literal[
        "doctor_sex",
        "language",
        "max_distance_km",
        "travel",
        "step_free",
        "home_visits",
        "sector1",
        "teleconsultation",
        "exclude",
        "prefer",
    ]
    value: bool | int | float | Line | Annotated[list[Line], Field(max_length=50)]
    hard: bool = False

    @model_validator(mode="after")
    def _readable(self) -> "WishIn":
        self.wish()
        return self

    def wish(self) -> Wish:
        """The wish as a value of the protocol."""
        return parse_wish(self.kind, self.value, self.hard)


class ConsentIn(Strict):
    """What the patient said to sharing, and how it was asked. ``by`` is never a curator alone."""

    given: Literal["yes", "undecided", "no"]
    at: Moment | None = None
    by: Literal["patient", "parental_authority", "tutor", "ase"] | None = None
    how: Literal["oral", "written"] | None = None
    text_version: Line | None = None
    language: Line | None = None
    nationality_shared: bool | None = None
    outcome_shared: bool | None = None
    first_match_agreed: bool | None = None


class SearchIn(Strict):
    """The body of ``POST /api/v1/searches``."""

    record: Record = Record()
    #: In order of importance.
    wishes: Annotated[list[WishIn], Field(max_length=20)] = []
    consent: ConsentIn | None = None
    conditions: list[ConditionName] = []
    #: A name of the territory's places.
    place: Line | None = None
    #: Must see a doctor soon: one wave, no reminder, calls after two hours.
    urgent: bool = False
    choice: Literal["patient_chooses", "first_match"] = "patient_chooses"
    speaks_to_patient: Literal["coordinatrice", "requester"] = "coordinatrice"
    #: The list of patients that it comes with (a doctor who retires), by a name of the requester's.
    origin: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None
    #: Keep it as a draft instead of handing it in.
    draft: bool = False

    @field_validator("conditions")
    @classmethod
    def _each_once(cls, conditions: list[str]) -> list[str]:
        parse_conditions(conditions)
        return conditions


class TermsIn(Strict):
    """The conditions of a doctor's yes."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    where: Literal["practice", "visits", "teleconsultation"] | None = None
    count: Annotated[int, Field(ge=1, le=20)] | None = None
    once: bool = False


def faults(error: ValidationError) -> dict[str, str]:
    """The fields at fault by dotted name, such as ``record.birth_date``, each with a French sentence.

    No sentence holds a value that was sent: it may name a patient.
    """
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        kind, where = fault["type"], fault["loc"]
        # Between the names of fields pydantic writes which branch of a union it tried.
        path = [str(part) for part in where[:-1] if isinstance(part, int) or part in _FIELDS]
        path += [str(part) for part in where[-1:] if kind == "extra_forbidden" or _named(part)]
        if kind == "null_value":
            for name in fault["ctx"]["names"]:
                found.setdefault(".".join((*path, name)), "omettez ce champ au lieu d’écrire null")
            continue
        said = fault["msg"].removeprefix("Value error, ") if kind == "value_error" else _french(kind)
        found.setdefault(".".join(path) or "body", said)
    return found


def _named(part: int | str) -> bool:
    return isinstance(part, int) or part in _FIELDS


def _french(kind: str) -> str:
    """What a fault of pydantic's own means to a person."""
    match kind:
        case "extra_forbidden":
            return "champ inconnu"
        case "literal_error":
            return "valeur inconnue"
        case "string_too_long" | "too_long":
            return "trop long"
        case "missing":
            return "manque"
        case _:
            return "type ou valeur inattendus"


_MODELS: tuple[type[BaseModel], ...] = (
    SafeContact,
    Address,
    Contact,
    Referring,
    Screening,
    HouseholdMember,
    Attachment,
    Record,
    WishIn,
    ConsentIn,
    SearchIn,
    TermsIn,
)
_FIELDS = frozenset(field.alias or name for model in _MODELS for name, field in model.model_fields.items())


def wishes_of(body: SearchIn) -> tuple[Wish, ...]:
    """The wishes in order of importance."""
    return tuple(sent.wish() for sent in body.wishes)


def conditions_of(body: SearchIn) -> tuple[Condition, ...]:
    """The conditions that the announcement will state."""
    return parse_conditions(body.conditions)


def consent_of(consent: ConsentIn | None, now: datetime) -> Consent | None:
    """What the rules need of the consent; one without its time was taken now. None where none was sent."""
    if consent is None:
        return None
    return Consent(
        given=Given(consent.given),
        at=now if consent.at is None else moment(consent.at),
        first_match_agreed=bool(consent.first_match_agreed),
        outcome_shared=bool(consent.outcome_shared),
        nationality_shared=bool(consent.nationality_shared),
    )


def household_of(record: Record, today: date) -> Household | None:
    """How many adults and children one search stands for, the patient among them; None for one person.

    A member without a birth date counts as an adult; one listed as the patient is not counted twice.
    """
    others = [m for m in record.household or [] if (m.relation or "").strip().lower() not in _SELF]
    if not others:
        return None
    births = [record.birth_date, *(member.birth_date for member in others)]
    children = sum(born is not None and age_on(born, today) < 18 for born in births)
    return Household(adults=len(births) - children, children=children)


def label(record: Mapping[str, Any]) -> str:
    """What a requester sees of a patient in its list: initials and birth year, « M. D. 1958 »."""
    initials = (str(record.get(field) or "").strip()[:1].upper() for field in ("first_names", "birth_name"))
    year = str(record.get("birth_date") or "")[:4]
    return " ".join([*(f"{initial}." for initial in initials if initial), *([year] if year else [])])
