"""Users, keys and structures: who may come in, and as whom."""

import asyncio
import hashlib
import secrets
from datetime import timedelta
from functools import cache
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.service.actors import STAFF, Actor, Role
from matcher.service.errors import Invalid, NotFound, TooMany
from matcher.service.house import House
from matcher.storage import journal, people

#: How long an enrolment link lives.
ENROLMENT = timedelta(days=7)
#: Passwords by length, over composition (CNIL, ANSSI); argon2's own limit is far above.
SHORTEST, LONGEST = 12, 256
#: Failed logins of one account in one window before it waits; other accounts are not touched.
TRIES, WINDOW = 10, timedelta(minutes=15)

_hasher = PasswordHasher()
#: One hash takes 64 MiB and a core: a flood of logins waits here, not in memory.
_at_once = asyncio.Semaphore(2)


async def login(house: House, email: str, password: str) -> Actor | None:
    """The person, or None. Every failure is in the journal, in a transaction of its own. Raises TooMany.

    An unknown address takes as long as a wrong password.
    """
    subject = email.strip().lower()
    now = house.now()
    async with house.sessions.begin() as session:
        found = [u for u in await people.users_by_email(session, subject) if u.territory in house.territories]
        marks = [(u.territory, house.vault.hmac_term(u.territory, f"login:{subject}")) for u in found]
        for territory, mark in marks:
            if await people.failures(session, territory, "login", mark, now - WINDOW) >= TRIES:
                raise TooMany(int(WINDOW.total_seconds()))
    for user in found:
        if user.password_hash and not user.disabled and await _verify(user.password_hash, password):
            return _actor_of(user)
    if not any(user.password_hash for user in found):
        await _verify(await asyncio.to_thread(_nobody), password)
    async with house.sessions.begin() as session:
        for user, (territory, mark) in zip(found, marks, strict=True):
            await people.failed(session, territory, "login", mark, now)
            stranger = Actor(territory=territory, id=user.id, role=Role(user.role))
            await journal.append(session, house.entry(stranger, "login_failed"))
    return None


async def logged_in(house: House, actor: Actor) -> None:
    """Write that somebody logged in."""
    async with house.sessions.begin() as session:
        await journal.append(session, house.entry(actor, "login"))


async def enrol(house: House, token: str, password: str) -> Actor:
    """Choose the first password over a one-time link. Raises NotFound for a used or made-up one, Invalid."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid({"password": f"Choisissez une phrase d’au moins {SHORTEST} caractères."})
    hashed = await _hash(password)
    async with house.sessions.begin() as session:
        user = await people.enrol(session, _digest(token), hashed, house.now())
        if user is None:
            raise NotFound
        actor = _actor_of(user)
        await journal.append(session, house.entry(actor, "enrolled"))
    return actor


async def actor_of_key(house: House, bearer: str) -> Actor | None:
    """Whose API key this is; None for a made-up or disabled one."""
    async with house.sessions.begin() as session:
        key = await people.key(session, _digest(bearer))
    if key is None or key.disabled or key.territory not in house.territories:
        return None
    return Actor(
        territory=key.territory, id=key.id, role=Role(key.role), name=key.name, structure=key.structure
    )


async def actor_of_user(house: House, territory: str, user_id: str) -> Actor | None:
    """The person of a session, as the database knows them now: a disabled one is out at once."""
    async with house.sessions.begin() as session:
        user = await people.user(session, territory, user_id)
    return None if user is None or user.disabled else _actor_of(user)


async def add_user(
    house: House, territory: str, email: str, role: Role, *, name: str = "", structure: str | None = None
) -> str:
    """A new user; returns the one-time enrolment address, to be given to that person only.

    Adding the same address again gives a new link: the old one, and the password, die.
    """
    if role not in STAFF and role is not Role.REQUESTER:
        raise Invalid({"role": "Ce rôle n’est pas celui d’une personne."})
    token = secrets.token_urlsafe(32)
    async with house.sessions.begin() as session:
        structure_id = await _structure(session, territory, structure) if structure else None
        if role is Role.REQUESTER and structure_id is None:
            raise Invalid({"structure": "Une personne qui adresse appartient à une structure."})
        user_id = await people.put_user(
            session,
            territory,
            user_id=uuid4().hex,
            email=email.strip().lower(),
            name=name,
            role=role,
            structure=structure_id,
            enrolment_hash=_digest(token),
            enrolment_expires_at=house.now() + ENROLMENT,
            now=house.now(),
        )
        await journal.append(session, house.entry(_operator(territory), "user_added", purpose=user_id))
    return f"{house.public_url}/bienvenue#{token}"


async def add_key(house: House, territory: str, name: str, role: Role, *, kind: str | None = None) -> str:
    """A new API key, returned once. A requester's key is its structure's, made on the way."""
    if role not in STAFF and role is not Role.REQUESTER:
        raise Invalid({"role": "Ce rôle ne prend pas de clé."})
    if role is Role.REQUESTER and kind not in people.KINDS:
        raise Invalid({"kind": f"Dites ce qu’est la structure : {', '.join(people.KINDS)}."})
    key = f"tu_{secrets.token_urlsafe(32)}"
    async with house.sessions.begin() as session:
        structure = None
        if role is Role.REQUESTER and kind is not None:
            structure = await people.put_structure(
                session, territory, structure_id=uuid4().hex, name=name, kind=kind, now=house.now()
            )
        key_id = uuid4().hex
        await people.add_key(
            session,
            territory,
            key_id=key_id,
            name=name,
            role=role,
            structure=structure,
            key_hash=_digest(key),
            now=house.now(),
        )
        await journal.append(session, house.entry(_operator(territory), "key_added", purpose=key_id))
    return key


async def set_password(house: House, territory: str, email: str, password: str) -> None:
    """Give an account of a rehearsal its password at once; the demo shows it on its transcript."""
    hashed = await _hash(password)
    async with house.sessions.begin() as session:
        await people.set_password(session, territory, email.strip().lower(), hashed)


async def _structure(session: AsyncSession, territory: str, name: str) -> str:
    found = await people.structure_by_name(session, territory, name)
    if found is None:
        raise Invalid({"structure": "Cette structure n’est pas connue du territoire."})
    return found


def _actor_of(user: people.User) -> Actor:
    return Actor(
        territory=user.territory, id=user.id, role=Role(user.role), name=user.name, structure=user.structure
    )


def _operator(territory: str) -> Actor:
    return Actor(territory=territory, id="operator", role=Role.OPERATOR)


def _digest(secret: str) -> str:
    # A random token of 256 bits needs no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()


async def _hash(password: str) -> str:
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def _verify(hashed: str, password: str) -> bool:
    async with _at_once:
        try:
            return await asyncio.to_thread(_hasher.verify, hashed, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """Verified in place of an account that does not exist, so that it takes as long."""
    return _hasher.hash(secrets.token_urlsafe(16))
