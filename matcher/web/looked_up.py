"""What somebody looks for, in an address that says it to nobody: a patient's name in ``?q=`` would stay in
the browser's history and in the log of a proxy.

The form is posted, and answered with an address that holds the words sealed to the session: only its cookie
opens them, so that the next page of a list and a reload go on working, and the address of yesterday says
nothing, to us neither.
"""

import base64
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from matcher.web import pages, sessions

#: The parameter of the address.
FIELD: Final = "trouve"
#: The field of the form; what is longer is no name, and would make an address too long.
TYPED: Final = "q"
_LONGEST: Final = 200


async def look_up(request: web.Request) -> web.StreamResponse:
    """Answer a posted form with the address of the list that it asks for; its path is the form's without the
    last part.
    """
    fields = await pages.fields_of(request)
    path = request.path.rpartition("/")[0]
    raise web.HTTPSeeOther(await address(request, path, fields.get(TYPED, ""), state=fields.get("state", "")))


async def address(request: web.Request, path: str, words: str, **more: str) -> str:
    """The address of a list with what was looked for in it, and with whatever of ``more`` is not empty."""
    given = {name: value for name, value in more.items() if value}
    if words:
        sealed = Fernet(await _key(request)).encrypt(words[:_LONGEST].encode())
        given[FIELD] = sealed.decode()
    return f"{path}?{urlencode(given)}" if given else path


async def words_of(request: web.Request) -> str:
    """What was looked for; empty where nothing was, or in another session."""
    try:
        return Fernet(await _key(request)).decrypt(request.query.get(FIELD, "").encode()).decode()
    except InvalidToken:
        return ""


async def _key(request: web.Request) -> bytes:
    secret = (await sessions.secret(request)).encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"trait-union looked up").derive(secret)
    return base64.urlsafe_b64encode(derived)
