"""A territory's own settings: every key of its ``territory.toml``, checked when the service starts.

A complete file, one key a line::

    id = "venissieux"                   # [a-z0-9-]; the name of its folder
    name = "CPTS de Vénissieux"
    timezone = "Europe/Paris"
    holidays = ""                       # a subdivision with holidays of its own: "6AE", "57" …; "" for none
    clock = "working"                   # or "wall": calendars always open, PT2S works (rehearsals)
    mail = "coordination@cpts.example"
    phone = "04 65 71 00 00"
    return_domain = "retour.cpts.example"

    [hours.doctors]                     # "HH:MM-HH:MM" or "closed"; a day left out is closed
    monday = "08:00-19:00"
    tuesday = "08:00-19:00"
    wednesday = "08:00-19:00"
    thursday = "08:00-19:00"
    friday = "08:00-19:00"
    saturday = "08:00-12:00"
    sunday = "closed"

    [hours.office]                      # the same keys

    [delays]                            # PnD: weekdays of the calendar; PTnH, PTnM, PTnS: open time
    reminder = "P2D"                    # or "none": no reminder at all
    next_wave = "P2D"
    calls = "P4D"
    yes_held = "P3D"
    choice_chase = "P1D"
    opening_reminder = "P1D"
    opening_call = "P2D"
    appointment_asked = "P3D"
    appointment_check = "P2D"
    reconfirm = "P10D"

    [urgent]                            # the same keys
    reminder = "none"
    calls = "PT2H"                      # …

    [waves]
    size = 20                           # doctors mailed in one wave

    [digest]
    more_than = 3                       # announcements to one doctor that go one by one within
    window = "PT30M"                    # this time; the others wait for its end, in one mail

    [answers]
    settle = "PT5S"
    min_reading = "PT2S"

    [announcement]
    k = 100                             # residents that an announcement must describe

    [release]
    second_factor = "phone"             # phone, sms, totp or psc
    link_life = "P30D"
    code_life = "PT15M"

    [accounts]
    second_factor = "over_https"        # of staff: "required", "over_https" (wherever it is reached by https)
                                        # or "optional"
    idle = "PT2H"                       # a session left alone is over after this time
    session = "PT12H"                   # and every session after this
    confirm = "PT30M"                   # a password or second factor older than this is asked again
                                        # before a record is shown

    [calls]
    rounds = 2
    claim = "PT15M"

    [quota]                             # of a doctor who set none
    asked_per_week = 5
    accepted_per_month = 4

    [unreachable]
    tries = 3

    [retention]                         # days by the wall clock
    draft = "P90D"                      # drafts and returned requests
    record = "P90D"                     # after the end
    contact = "P365D"                   # who was asked, answers, mails
    journal = "P1095D"
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from holidays import country_holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from config.checks import BadSetting, is_duration

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_OPENING = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: The opening and the closing of a day, or None for a closed day.
Opening = tuple[time, time] | None


def _duration(text: str) -> str:
    if not is_duration(text):
        raise ValueError("a duration is written PnD, PTnH, PTnM or PTnS")
    return text


def _or_none(value: object) -> object:
    return None if value == "none" else value


def _opening(value: object) -> object:
    if value == "closed":
        return None
    match = _OPENING.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('an opening is written "08:00-19:00", or "closed"')
    opens, closes = (
        time(int(match[1]), int(match[2])),
        time(int(match[3]), int(match[4])),
    )
    if opens >= closes:
        raise ValueError("a day opens before it closes")
    return opens, closes


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):
        raise ValueError("no such time zone") from None
    return text


def _subdivision(text: str) -> str:
    try:
        country_holidays("FR", subdiv=text or None)
    except NotImplementedError:
        raise ValueError("no such subdivision of French public holidays") from None
    return text


def _mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError("not a mail address")
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise ValueError("not a domain")
    return text.lower()


def _phone(text: str) -> str:
    digits = re.sub(r"[\s.-]", "", text)
    if not re.fullmatch(r"\+?[0-9]{6,15}", digits):
        raise ValueError("not a telephone number")
    return text


#: ``PnD``, ``PTnH``, ``PTnM`` or ``PTnS``, kept as written: the rules decide what a day is.
Duration = Annotated[str, AfterValidator(_duration)]
_Opening = Annotated[Opening, BeforeValidator(_opening)]
_Count = Annotated[int, Field(ge=0)]
_Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    """Frozen, of exact types; an unknown key is an error, since it is most often a slip."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Week(_Section):
    """When somebody is there, by weekday; None is a closed day."""

    monday: _Opening = None
    tuesday: _Opening = None
    wednesday: _Opening = None
    thursday: _Opening = None
    friday: _Opening = None
    saturday: _Opening = None
    sunday: _Opening = None

    def openings(self) -> Mapping[int, tuple[time, time]]:
        """Opening and closing by weekday, Monday 0; closed days are missing."""
        days = ((number, getattr(self, name)) for number, name in enumerate(_DAYS))
        return {number: opening for number, opening in days if opening is not None}


class Hours(_Section):
    """The two calendars that delays run on."""

    doctors: Week
    office: Week


class DelaySettings(_Section):
    """How long each step waits. ``reminder`` is None where none is sent."""

    reminder: Annotated[Duration | None, BeforeValidator(_or_none)]
    next_wave: Duration
    calls: Duration
    yes_held: Duration
    choice_chase: Duration
    opening_reminder: Duration
    opening_call: Duration
    appointment_asked: Duration
    appointment_check: Duration
    reconfirm: Duration


class Waves(_Section):
    """Waves of announcements."""

    size: _Positive


class Digest(_Section):
    """When announcements to one doctor go as one mail: more than so many within a window."""

    more_than: _Positive = 3
    window: Duration = "PT30M"


class Answers(_Section):
    """When an answer takes effect, and when it came too fast to have been read."""

    settle: Duration
    min_reading: Duration


class AnnouncementSettings(_Section):
    """``k``: residents that an announcement must at least describe."""

    k: _Positive


class ReleaseSettings(_Section):
    """How a record is opened, how long its link and its codes live."""

    second_factor: Literal["phone", "sms", "totp", "psc"]
    link_life: Duration
    code_life: Duration


class Accounts(_Section):
    """How staff come in, and for how long. A rehearsal on this host is not reached by https."""

    second_factor: Literal["required", "over_https", "optional"] = "over_https"
    idle: Duration = "PT2H"
    session: Duration = "PT12H"
    confirm: Duration = "PT30M"


class Calls(_Section):
    """Rounds of calls, and how long a person keeps a doctor to call for herself."""

    rounds: _Positive
    claim: Duration


class Quota(_Section):
    """What a doctor who set no limit is asked at most."""

    asked_per_week: _Count = 5
    accepted_per_month: _Count = 4


class Unreachable(_Section):
    """Tries before an unreachable patient's search rests."""

    tries: _Positive


class Retention(_Section):
    """How long things are kept, by the wall clock."""

    draft: Duration = "P90D"
    record: Duration = "P90D"
    contact: Duration = "P365D"
    journal: Duration = "P1095D"


class TerritorySettings(_Section):
    """One territory: the keys of its ``territory.toml``."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    timezone: Annotated[str, AfterValidator(_zone)]
    holidays: Annotated[str, AfterValidator(_subdivision)]
    clock: Literal["working", "wall"]
    mail: Annotated[str, AfterValidator(_mail)]
    phone: Annotated[str, AfterValidator(_phone)]
    return_domain: Annotated[str, AfterValidator(_domain)]
    hours: Hours
    delays: DelaySettings
    urgent: DelaySettings
    waves: Waves
    digest: Digest = Digest()
    answers: Answers
    announcement: AnnouncementSettings
    release: ReleaseSettings
    accounts: Accounts = Accounts()
    calls: Calls
    quota: Quota = Quota()
    unreachable: Unreachable
    retention: Retention = Retention()


def load_territory(path: Path) -> TerritorySettings:
    """The settings in a ``territory.toml``, or in the folder that holds one. Raises BadSetting."""
    return parse_territory(read_territory(path), str(path))


def read_territory(path: Path) -> str:
    """The text of a ``territory.toml``, or of the one in a folder. Raises BadSetting."""
    path = path / "territory.toml" if path.is_dir() else path
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise BadSetting(str(path), "no such file") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise BadSetting(str(path), str(problem)) from None


def parse_territory(text: str, source: str) -> TerritorySettings:
    """The settings in the text of a ``territory.toml``; ``source`` names it in a BadSetting."""
    try:
        return TerritorySettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as problem:
        raise BadSetting(source, str(problem)) from None
    except ValidationError as problem:
        raise _complaint(source, problem) from None


def load_territories(folder: Path) -> dict[str, TerritorySettings]:
    """Every territory of the folder, by id. Raises BadSetting, also when two share an id."""
    found: dict[str, TerritorySettings] = {}
    for path in sorted(folder.glob("*/territory.toml")):
        territory = load_territory(path)
        if territory.id in found:
            raise BadSetting(f"{path}: id", f"{territory.id} is another territory's")
        found[territory.id] = territory
    return dict(sorted(found.items()))


def _complaint(source: str, problem: ValidationError) -> BadSetting:
    first: Any = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    return BadSetting(f"{source}: {name}", first["msg"].removeprefix("Value error, "))
