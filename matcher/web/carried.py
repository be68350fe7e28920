"""A form that was posted after its session had ended: carried through the login and handed back.

It goes from the browser to the login page and back as hidden fields, and nowhere else: no patient data in
an address, in the browser's storage or, without a session, in ours.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.web_request import FileField

from matcher.web.limits import LARGEST_BODY, LARGEST_CARRIED

#: Hidden fields of the login page that are a carried form's.
_PREFIX: Final = "garde."
#: The field that names a file which is not carried; no form has one of this name.
FILE: Final = "fichier-a-reprendre"

Fields = list[tuple[str, str]]


async def of_lapsed(request: web.Request, seconds: float) -> Fields | None:
    """The text fields of a form that one of our own pages posted, and its files by their names; None where
    it is not one, or too large.

    A page elsewhere may post here too: its form must not wait behind a login to be sent as one's own.
    """
    length = request.content_length
    if request.headers.get("Sec-Fetch-Site") != "same-origin" or length is None or length > LARGEST_BODY:
        return None
    try:
        async with asyncio.timeout(seconds):
            posted = await request.post()
    except (TimeoutError, ValueError, LookupError, BadHttpMessage, web.RequestPayloadError):
        return None
    kept = _texts(posted)
    return kept if sum(len(name) + len(value) for name, value in kept) <= LARGEST_CARRIED else None


async def of_page(request: web.Request) -> Fields:
    """The text fields of a form that has come whole and in order, to be sent again once confirmed. What is
    too long to be carried (a file that waits in a hidden field) goes the way of files: it is named.
    """
    kept = _texts(await request.post())
    left = LARGEST_CARRIED - sum(len(name) + len(value) for name, value in kept)
    for place, (name, value) in sorted(enumerate(kept), key=lambda one: -len(one[1][1])):
        if left >= 0:
            break
        left += len(name) + len(value)
        kept[place] = (FILE, _named(value))
    return kept


def _named(value: str) -> str:
    """What a hidden field that is a file is called."""
    try:
        known = json.loads(value)
    except ValueError:
        known = None
    name = known.get("name") if isinstance(known, dict) else None
    return name if isinstance(name, str) else "un texte trop long"


def _texts(posted: Mapping[str, str | bytearray | bytes | FileField]) -> Fields:
    kept: Fields = []
    for name, value in posted.items():
        if isinstance(value, FileField):
            value.file.close()
            kept.append((FILE, value.filename))
        elif isinstance(value, str) and name != "csrf":
            kept.append((name, value))
    return kept


async def of_login(request: web.Request) -> Fields:
    """The carried form that the login page has posted; empty where there is none."""
    return [
        (name.removeprefix(_PREFIX), value)
        for name, value in (await request.post()).items()
        if name.startswith(_PREFIX) and isinstance(value, str)
    ]


def hidden(fields: Fields) -> Fields:
    """The fields under the names that the login page gives them."""
    return [(_PREFIX + name, value) for name, value in fields]
