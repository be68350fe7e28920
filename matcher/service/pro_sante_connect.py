"""Pro Santé Connect: who a health professional is, shown by a CPS card or an e-CPS (OpenID Connect).

The authorization code flow with PKCE, state and nonce. Three steps::

    seed = pro_sante_connect.new_seed()                    # into an HttpOnly cookie of ten minutes
    url = await pro_sante_connect.start(house, seed, purpose, path)         # where the browser goes
    who = await pro_sante_connect.finish(house, seed, purpose, path, code, state)   # what it came back with

State, nonce and verifier are derived from the seed and the purpose, so nothing is written before somebody
has shown who they are, and an answer is worth something only in the browser and for the purpose it was
asked for. ``path`` is under PUBLIC_URL and registered with the provider. ``who.rpps`` is compared by the
caller with whom it expects; the card and its PIN are two factors by themselves.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from config.access import ProSanteConnect
from matcher.service.errors import NotFound, NotProven
from matcher.service.house import House

#: Levels of assurance that are enough: the card and the e-CPS give eidas1 (PSC's reference), the others more.
LEVELS: Final = ("eidas1", "eidas2", "eidas3")
#: ``none`` and shared secrets are no signature of the provider.
ALGORITHMS: Final = ("RS256", "PS256", "ES256")
#: Seconds: the provider's and our clock may differ, and it may be slow.
LEEWAY: Final = 60
PATIENCE: Final = ClientTimeout(total=10)
#: The national identifier is 8 and the RPPS number.
_RPPS = re.compile(r"8([0-9]{11})")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Professional:
    """Whom the provider proved."""

    #: ``SubjectNameID``: the national identifier of the person.
    subject: str
    #: None for who has none (a structure's own identifier, an ADELI number).
    rpps: str | None
    level: str


def new_seed() -> str:
    """What ties an answer to the browser that asked: 256 random bits."""
    return secrets.token_urlsafe(32)


def is_configured(house: House) -> bool:
    """Whether a button for it should be shown at all."""
    return house.settings.psc is not None


async def start(house: House, seed: str, purpose: str, path: str) -> str:
    """The address that the browser is sent to. Raises NotFound where nothing is configured, NotProven."""
    known = _known(house)
    async with ClientSession(timeout=PATIENCE) as http:
        provider = await _discovered(http, known)
    query = {
        "response_type": "code",
        "client_id": known.client_id,
        "redirect_uri": house.public_url + path,
        "scope": "openid scope_all",
        "acr_values": LEVELS[0],
        "state": _derived(seed, purpose, "state"),
        "nonce": _derived(seed, purpose, "nonce"),
        "code_challenge": _challenge(_derived(seed, purpose, "verifier")),
        "code_challenge_method": "S256",
    }
    return f"{provider['authorization_endpoint']}?{urlencode(query)}"


async def finish(house: House, seed: str, purpose: str, path: str, code: str, state: str) -> Professional:
    """Whom the provider proved, from what the browser came back with. Raises NotFound, NotProven."""
    known = _known(house)
    expected = _derived(seed, purpose, "state")
    if not seed or not code or not hmac.compare_digest(expected.encode(), state.encode()):
        raise NotProven
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": house.public_url + path,
        "client_id": known.client_id,
        "code_verifier": _derived(seed, purpose, "verifier"),
    }
    async with ClientSession(timeout=PATIENCE) as http:
        provider = await _discovered(http, known)
        # The secret goes in the header, where access logs do not keep it.
        secret = {"Authorization": _basic(known)}
        tokens = await _fetched(http, "POST", provider["token_endpoint"], data=sent, headers=secret)
        keys = await _fetched(http, "GET", provider["jwks_uri"])
        nonce = _derived(seed, purpose, "nonce")
        claims = _verified(house, known, tokens.get("id_token"), keys, nonce)
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        told = await _fetched(http, "GET", provider["userinfo_endpoint"], headers=bearer)
    if told.get("sub") != claims["sub"]:
        raise _refused("subjects differ")
    return _professional(claims, told)


def purpose_of(seed: str, state: str, purposes: Iterable[str]) -> str | None:
    """For which of the purposes this browser asked; None for none of them."""
    for purpose in purposes:
        if seed and hmac.compare_digest(_derived(seed, purpose, "state").encode(), state.encode()):
            return purpose
    return None


def _known(house: House) -> ProSanteConnect:
    if house.settings.psc is None:
        raise NotFound
    return house.settings.psc


async def _discovered(http: ClientSession, known: ProSanteConnect) -> Mapping[str, Any]:
    found = await _fetched(http, "GET", f"{known.issuer}/.well-known/openid-configuration")
    if found.get("issuer") != known.issuer:
        raise _refused("another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        if not str(found.get(name, "")).startswith(("https://", f"{known.issuer}/")):
            raise _refused(f"no safe {name}")
    return found


async def _fetched(http: ClientSession, method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        async with http.request(method, url, allow_redirects=False, **more) as answer:
            if answer.status != 200:
                raise _refused(f"answered {answer.status}")
            found = await answer.json(content_type=None)
    except (ClientError, TimeoutError, ValueError) as problem:
        raise _refused(type(problem).__name__) from None
    if not isinstance(found, dict):
        raise _refused("not an object")
    return found


def _verified(
    house: House, known: ProSanteConnect, token: object, keys: Mapping[str, Any], nonce: str
) -> dict[str, Any]:
    """The claims of an ID token: signed by the provider, for us, now, for this request, with a card."""
    registry = jwt.JWTClaimsRegistry(
        now=int(house.now().timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": known.issuer},
        aud={"essential": True, "value": known.client_id},
        exp={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
        acr={"essential": True, "values": list(LEVELS)},
    )
    try:
        ring = KeySet.import_key_set({"keys": keys.get("keys", [])})
        claims = jwt.decode(str(token), ring, algorithms=ALGORITHMS).claims
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as problem:
        raise _refused(type(problem).__name__) from None
    return claims


def _professional(claims: Mapping[str, Any], told: Mapping[str, Any]) -> Professional:
    subject = told.get("SubjectNameID") or claims.get("SubjectNameID")
    if not isinstance(subject, str) or not subject:
        raise _refused("no SubjectNameID")
    rpps = _RPPS.fullmatch(subject)
    return Professional(subject=subject, rpps=None if rpps is None else rpps[1], level=str(claims["acr"]))


def _basic(known: ProSanteConnect) -> str:
    # RFC 6749, 2.3.1: both are encoded before they are joined.
    pair = f"{quote(known.client_id, safe='')}:{quote(known.client_secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _refused(why: str) -> NotProven:
    # Why, for the operator; the person gets one answer. No token, no name.
    _log.warning("pro_sante_connect_refused", why=why)
    return NotProven()


def _derived(seed: str, purpose: str, what: str) -> str:
    digest = hmac.new(seed.encode(), f"pro-sante-connect {what} {purpose}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
