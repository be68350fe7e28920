"""Everything that is wrong with a request at once, under the names of the form's own fields. Pure.

The use case stops at the first kind of fault: what cannot be read, then what cannot be, then what is
missing. Somebody who fills a form in wants to be told all of it in one go.
"""

import copy
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from matcher.records import completeness
from matcher.service.errors import Invalid
from matcher.service.requests import checked
from matcher.web.request_steps import PARTS, step_of

_NEEDED: Final = "Ce champ est nécessaire pour transmettre la demande."
_DAYS: Final = "Écrivez un nombre de jours, de 1 à 90."
_FILES: Final = "Seuls des fichiers PDF, PNG ou JPEG de 5 Mo au plus peuvent être joints."


def every(raw: Mapping[str, Any], found: Mapping[str, str], now: datetime, today: date) -> dict[str, str]:
    """The faults ``found`` and those that hid behind them, by dotted name."""
    rest = copy.deepcopy(dict(raw))
    for name in found:
        _drop(rest, name.split("."))
    _close_ranks(rest)
    try:
        body = checked(rest)
    except Invalid:
        return dict(found)
    more = completeness.impossible(body, now, today)
    lacking = [name for name in completeness.missing(body) if name not in more]
    more |= dict.fromkeys(lacking, _NEEDED)
    # What was dropped here is not missing: it is there, and wrong.
    return {**found, **{name: why for name, why in more.items() if not _under(name, found)}}


def _drop(value: Any, path: list[str]) -> None:
    """Take out what is at fault. A list keeps the place of an item, for the others' numbers."""
    for part in path[:-1]:
        value = value[int(part)] if isinstance(value, list) else value.get(part)
    if isinstance(value, list):
        value[int(path[-1])] = None
    elif isinstance(value, dict):
        value.pop(path[-1], None)


def _close_ranks(rest: dict[str, Any]) -> None:
    """Without the wishes and conditions that were taken out; a list of files is right or not as a whole."""
    for name in ("wishes", "conditions"):
        rest[name] = [one for one in rest.get(name, ()) if one is not None]
    record = rest.get("record", {})
    if any("media_type" not in one or "content" not in one for one in record.get("attachments", ())):
        del record["attachments"]


def _under(name: str, found: Mapping[str, str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.") for one in found)


def refused_files(found: Mapping[str, str]) -> frozenset[int]:
    """Which attachments, by their place in the list, cannot be taken."""
    names = [name.split(".") for name in found if name.startswith("record.attachments.")]
    return frozenset(int(parts[2]) for parts in names)


def folded(found: Mapping[str, str], raw: Mapping[str, Any]) -> dict[str, str]:
    """The same under the names of the fields that the form has, step by step."""
    shown: dict[str, str] = {}
    for field, why in found.items():
        name, said = _asked(field, raw), why
        if name == "within_days":
            said = _DAYS
        elif name == "record.attachments" and field != name:
            said = _FILES
        shown.setdefault(name, said)
    order = [part.key for part in PARTS]
    return dict(sorted(shown.items(), key=lambda one: order.index(step_of(one[0]))))


def _asked(field: str, raw: Mapping[str, Any]) -> str:
    head, _, tail = field.partition(".")
    number = tail.partition(".")[0]
    if field.startswith("record.attachments"):
        return "record.attachments"
    if field in ("consent.at", "consent.text_version"):
        return "consent"
    if head in ("wishes", "conditions") and number.isdecimal():
        one = raw[head][int(number)]
        if head == "wishes":
            return f"wish.{one['kind']}.value"
        return "within_days" if str(one).startswith("within_days") else "conditions"
    return field
