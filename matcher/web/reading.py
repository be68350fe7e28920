"""Reading what a caller sent: JSON bodies and queries, strictly; answers without nulls."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from matcher.records.bulletin import Strict
from matcher.service.errors import Invalid
from matcher.web.keys import ROUTE
from matcher.web.problems import fields_of

_M = TypeVar("_M", bound=BaseModel)

#: The longest Idempotency-Key that is kept.
LONGEST_KEY = 200


class Body(Strict):
    """The base of every JSON body: exact types, no unknown field, no null; the same as a bulletin's."""


class Query(BaseModel):
    """The base of every query string: everything there is text, so types are read from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def body_of(request: web.Request, model: type[_M]) -> _M:
    """The body as ``model``; no body reads as ``{}``. Raises Invalid, or HTTPUnsupportedMediaType (415)."""
    doc = request[ROUTE].doc
    if doc is None or doc.body is not model:
        raise TypeError(f"{request.path} reads {model.__name__} but does not say so in its Doc")
    data = await _bytes(request)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise Invalid(fields_of(error, model)) from None


async def raw_of(request: web.Request) -> dict[str, object]:
    """The body as it was sent, to be kept so. Call it after ``body_of``, which has checked it."""
    raw = json.loads(await _bytes(request))
    if not isinstance(raw, dict):
        raise Invalid({"body": "Un objet est attendu."})
    return raw


async def patch_of(request: web.Request, model: type[BaseModel]) -> dict[str, object]:
    """A JSON merge patch (RFC 7396) as it was sent: at least one field, null to remove one.

    ``model`` has every field optional. What the whole becomes is checked by the use case.
    """
    data = await _bytes(request)
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid({"body": "Le corps n’est pas du JSON correct."}) from None
    if not isinstance(raw, dict) or not raw:
        raise Invalid({"body": "Un objet d’au moins un champ est attendu."})
    try:
        model.model_validate_json(_dumps(without_nulls(raw)))
    except ValidationError as error:
        raise Invalid(fields_of(error, model)) from None
    return raw


async def _bytes(request: web.Request) -> bytes:
    if not request.body_exists:
        return b"{}"
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    data = await request.read()
    # PostgreSQL keeps no NUL in a text; it is refused here, rather than found out when saving.
    if b"\\u0000" in data:
        raise Invalid({"body": "Le caractère nul n’est pas admis."})
    return data or b"{}"


def query_of(request: web.Request, model: type[_M]) -> _M:
    """The query string as ``model``; an empty parameter (``?state=&q=``) is one left out.

    Raises Invalid, also for a parameter given twice.
    """
    # The view of the keys alone holds each once.
    names = [name for name, _ in request.query.items()]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Invalid(dict.fromkeys(twice, "Ce paramètre est donné deux fois."))
    if odd := [name for name, value in request.query.items() if "\x00" in value]:
        raise Invalid(dict.fromkeys(odd, "Le caractère nul n’est pas admis."))
    try:
        return model.model_validate({name: value for name, value in request.query.items() if value})
    except ValidationError as error:
        raise Invalid(fields_of(error, model)) from None


def idempotency_key(request: web.Request) -> str | None:
    """The Idempotency-Key of a POST that creates, if it has one. Raises Invalid for an odd one."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid({"Idempotency-Key": f"De 1 à {LONGEST_KEY} caractères imprimables sont attendus."})
    return key


def answer(data: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON in which absent values are omitted, never null."""
    return web.json_response(without_nulls(data), status=status, headers=headers, dumps=_dumps)


def without_nulls(data: object) -> object:
    """``data`` without the keys that hold None. What a person submitted never holds one: null is refused."""
    if isinstance(data, Mapping):
        return {key: without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [without_nulls(value) for value in data]
    return data


def _dumps(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_word)


def _word(value: object) -> object:
    """Moments in UTC, days, sets: what JSON has no word for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
