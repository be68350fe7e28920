"""Passkeys (WebAuthn): a second factor that cannot be phished. User verification is demanded, always:
the device asks for a finger, a face or its own code.
"""

import json
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from matcher.service import attempts
from matcher.service.actors import Actor
from matcher.service.errors import Invalid, NotFound
from matcher.service.factors import ISSUER
from matcher.service.house import House
from matcher.storage import factors, journal, people

KIND: Final = "passkey"
#: What a browser may send that is no answer of a device.
_MALFORMED: Final = (WebAuthnException, ValueError, KeyError, TypeError)


async def registration(house: House, actor: Actor) -> tuple[dict[str, Any], str]:
    """What ``navigator.credentials.create`` is asked, and the challenge to keep for ``register``."""
    async with house.sessions.begin() as session:
        user = await people.user(session, actor.territory, actor.id)
    if user is None:
        raise NotFound
    options = webauthn.generate_registration_options(
        rp_id=_host(house),
        rp_name=ISSUER,
        # An opaque id: the device keeps it, so it names nobody.
        user_id=f"{actor.territory}:{actor.id}".encode()[:64],
        user_name=user.email,
        user_display_name=user.name or user.email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=await _known(house, actor),
    )
    return json.loads(webauthn.options_to_json(options)), bytes_to_base64url(options.challenge)


async def register(house: House, actor: Actor, challenge: str, answer: dict[str, Any], name: str) -> None:
    """A new passkey. Raises Invalid where the device's answer is not to this challenge, here, verified."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=_host(house),
            expected_origin=_origin(house),
            require_user_verification=True,
        )
    except _MALFORMED:
        raise Invalid({"passkey": "L’appareil n’a pas confirmé la clé. Recommencez."}) from None
    async with house.sessions.begin() as session:
        await factors.put(
            session,
            actor.territory,
            factor_id=uuid4().hex,
            user=actor.id,
            kind=KIND,
            name=name[:60] or "Clé d’accès",
            subject=bytes_to_base64url(made.credential_id),
            held=made.credential_public_key,
            counter=made.sign_count,
            now=house.now(),
            confirmed=True,
        )
        await journal.append(session, house.entry(actor, "factor_added", purpose=KIND))


async def question(house: House, actor: Actor) -> tuple[dict[str, Any], str]:
    """What ``navigator.credentials.get`` is asked, and the challenge to keep for ``check``."""
    options = webauthn.generate_authentication_options(
        rp_id=_host(house),
        allow_credentials=await _known(house, actor),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(webauthn.options_to_json(options)), bytes_to_base64url(options.challenge)


async def check(house: House, actor: Actor, challenge: str, answer: dict[str, Any], place: str) -> bool:
    """Whether a device of this person answers to this challenge. Failures are counted and journaled."""
    own = f"{actor.territory}:{actor.id}"
    tried = await attempts.begin(house, "factor", own, place, (actor.territory,))
    async with house.sessions.begin() as session:
        held = await factors.of_user(session, actor.territory, actor.id)
    known = next((one for one in held if one.kind == KIND and one.subject == answer.get("id")), None)
    if known is not None and known.held is not None and challenge:
        try:
            shown = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=_host(house),
                expected_origin=_origin(house),
                credential_public_key=known.held,
                # Compared below, in the database: of two that come together one is refused.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _MALFORMED:
            pass
        else:
            count = shown.new_sign_count
            async with house.sessions.begin() as session:
                if await factors.advance(session, known, count, house.now(), beyond=max(count - 1, 0)):
                    await attempts.succeeded(session, house, tried)
                    return True
    async with house.sessions.begin() as session:
        await journal.append(session, house.entry(actor, "factor_failed", purpose=KIND))
    return False


async def _known(house: House, actor: Actor) -> list[PublicKeyCredentialDescriptor]:
    async with house.sessions.begin() as session:
        held = await factors.of_user(session, actor.territory, actor.id)
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.subject)) for one in held if one.kind == KIND
    ]


def _host(house: House) -> str:
    return urlsplit(house.public_url).hostname or ""


def _origin(house: House) -> str:
    parts = urlsplit(house.public_url)
    return f"{parts.scheme}://{parts.netloc}"
