"""What a person has beside a password: an authenticator app (TOTP), recovery codes, Pro Santé Connect.

Passkeys are in ``matcher.service.passkeys``. A code is used once; every change and failure is journaled.
"""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import pyotp

from matcher.service import attempts
from matcher.service.actors import Actor
from matcher.service.errors import Conflict, Invalid, NotFound
from matcher.service.house import House
from matcher.service.logins import SECOND, demands_factor
from matcher.service.people import actor_of
from matcher.service.pro_sante_connect import Professional
from matcher.storage import factors, journal, people
from matcher.storage.factors import Factor
from messaging.strongbox import Strongbox
from messaging.vault import Unreadable

ISSUER: Final = "Trait d’union"
#: Seconds of a step; one before and one after are taken, for clocks that differ.
STEP, AROUND = 30, 1
#: Recovery codes of a set, and their letters: none that is taken for another. 50 bits each.
CODES, LETTERS, LENGTH = 10, "abcdefghjkmnpqrstuvwxyz23456789", 10


@dataclass(frozen=True, kw_only=True)
class NewApp:
    """An authenticator app to be: shown once, counts once a code of it was typed."""

    #: For the picture: ``otpauth://…``.
    uri: str
    #: For fingers, in groups of four.
    secret: str


async def listing(house: House, actor: Actor) -> list[Factor]:
    """What the person has and was shown to work."""
    async with house.sessions.begin() as session:
        held = await factors.of_user(session, actor.territory, actor.id)
    return [one for one in held if one.confirmed_at is not None]


async def start_totp(house: House, actor: Actor, name: str) -> None:
    """A fresh secret; an earlier one that waits for its confirmation is worth nothing from now on."""
    secret, factor_id = pyotp.random_base32(), uuid4().hex
    async with house.sessions.begin() as session:
        await factors.put(
            session,
            actor.territory,
            factor_id=factor_id,
            user=actor.id,
            kind="totp",
            name=name[:60] or "Application",
            subject=factor_id,
            held=Strongbox(house.keyring).seal(secret.encode(), *_place(actor, factor_id)),
            now=house.now(),
            confirmed=False,
        )


async def waiting_totp(house: House, actor: Actor) -> NewApp | None:
    """The app that waits for its first code."""
    async with house.sessions.begin() as session:
        user = await people.user(session, actor.territory, actor.id)
        held = await factors.of_user(session, actor.territory, actor.id)
    waiting = [one for one in held if one.kind == "totp" and one.confirmed_at is None]
    if user is None or not waiting:
        return None
    secret = _secret(house, actor, waiting[-1])
    if secret is None:
        return None
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=user.email, issuer_name=f"{ISSUER} {house.territory(actor.territory).name}"
    )
    return NewApp(uri=uri, secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)))


async def confirm_totp(house: House, actor: Actor, code: str) -> None:
    """The first code of the app that waits. Raises Invalid for a wrong one."""
    if not await _take_totp(house, actor, code, waiting=True):
        raise Invalid({"code": "Ce code ne convient pas. Vérifiez l’heure du téléphone, puis recommencez."})


async def check_code(house: House, actor: Actor, typed: str, place: str) -> str | None:
    """Which kind of code this is, ``totp`` or ``recovery``, used up by that; None for a wrong one.

    Raises TooMany after too many wrong ones.
    """
    own = f"{actor.territory}:{actor.id}"
    tried = await attempts.begin(house, "factor", own, place, (actor.territory,))
    code = "".join(sign for sign in typed.lower() if sign.isalnum())
    kind = "totp" if code.isdecimal() and await _take_totp(house, actor, code) else None
    async with house.sessions.begin() as session:
        hashed = _recovery_hash(house, actor, code)
        if kind is None and await factors.spend(session, actor.territory, actor.id, "recovery", hashed):
            await journal.append(session, house.entry(actor, "recovery_used"))
            kind = "recovery"
        if kind is None:
            await journal.append(session, house.entry(actor, "factor_failed"))
        else:
            await attempts.succeeded(session, house, tried)
    return kind


async def new_recovery(house: House, actor: Actor) -> list[str]:
    """Ten fresh codes, to be shown once; the former ones are worth nothing."""
    codes = ["".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(CODES)]
    async with house.sessions.begin() as session:
        await factors.remove(session, actor.territory, actor.id, kind="recovery")
        for code in codes:
            await factors.put(
                session,
                actor.territory,
                factor_id=uuid4().hex,
                user=actor.id,
                kind="recovery",
                name="",
                subject=_recovery_hash(house, actor, code),
                held=None,
                now=house.now(),
                confirmed=True,
            )
        await journal.append(session, house.entry(actor, "recovery_made"))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


async def add_professional(house: House, actor: Actor, who: Professional) -> None:
    """From now on the account is also opened by this card. Raises Conflict where it opens another."""
    async with house.sessions.begin() as session:
        made = await factors.put(
            session,
            actor.territory,
            factor_id=uuid4().hex,
            user=actor.id,
            kind="psc",
            name="Pro Santé Connect",
            subject=who.subject,
            held=None,
            now=house.now(),
            confirmed=True,
        )
        if not made:
            raise Conflict("card_taken", "Cette identité Pro Santé Connect ouvre déjà un compte.")
        await journal.append(session, house.entry(actor, "factor_added", purpose="psc"))


async def of_professional(house: House, who: Professional) -> list[Actor]:
    """The accounts that this card opens, in each territory."""
    found = []
    async with house.sessions.begin() as session:
        for factor in await factors.by_subject(session, "psc", who.subject):
            user = await people.user(session, factor.territory, factor.user)
            if user is not None and not user.disabled and factor.territory in house.territories:
                await factors.advance(session, factor, 0, house.now(), beyond=0)
                found.append(actor_of(user))
    return found


async def remove(house: House, actor: Actor, factor_id: str) -> None:
    """Give up one. Raises NotFound; Conflict for the last one where the territory demands one."""
    async with house.sessions.begin() as session:
        held = await factors.of_user(session, actor.territory, actor.id)
        second = [one.id for one in held if one.kind in SECOND and one.confirmed_at is not None]
        found = next((one for one in held if one.id == factor_id and one.kind in SECOND), None)
        if found is None:
            raise NotFound
        if second == [factor_id] and demands_factor(house, actor):
            raise Conflict(
                "last_factor", "Votre CPTS demande un second facteur : ajoutez-en un autre d’abord."
            )
        await factors.remove(session, actor.territory, actor.id, id=factor_id)
        await journal.append(session, house.entry(actor, "factor_removed", purpose=found.kind))


async def _take_totp(house: House, actor: Actor, code: str, *, waiting: bool = False) -> bool:
    """Use up a code of an app: the step is kept, so that neither it nor an earlier one serves again."""
    now = int(house.now().timestamp()) // STEP
    code = "".join(sign for sign in code if sign.isdecimal())
    async with house.sessions.begin() as session:
        for one in await factors.of_user(session, actor.territory, actor.id):
            if one.kind != "totp" or (one.confirmed_at is None) != waiting:
                continue
            secret = _secret(house, actor, one)
            if secret is None:
                continue
            app = pyotp.TOTP(secret)
            for step in range(now - AROUND, now + AROUND + 1):
                fits = pyotp.utils.strings_equal(app.at(step * STEP), code)
                if fits and await factors.advance(session, one, step, house.now(), beyond=step - 1):
                    if waiting:
                        await journal.append(session, house.entry(actor, "factor_added", purpose="totp"))
                    return True
    return False


def _secret(house: House, actor: Actor, one: Factor) -> str | None:
    """The secret of an app; None where its key is not here."""
    try:
        return Strongbox(house.keyring).open(one.held or b"", *_place(actor, one.id)).decode()
    except Unreadable:
        return None


def _place(actor: Actor, factor_id: str) -> tuple[str, ...]:
    return (actor.territory, actor.id, "totp", factor_id)


def _recovery_hash(house: House, actor: Actor, code: str) -> str:
    return house.vault.hmac_term(actor.territory, f"recovery:{actor.id}:{code}")
