"""Users: who they are, how they are added, how they choose a password."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.service import attempts, passwords
from matcher.service.actors import SCOPES, STAFF, Actor, Role, operator
from matcher.service.errors import Conflict, Invalid, NotFound
from matcher.service.house import House
from matcher.storage import api_keys, journal, people

#: How long an enrolment link lives.
ENROLMENT = timedelta(days=7)
#: How exactly it is known when a key was last used.
USED = timedelta(hours=1)
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")


async def enrol(house: House, token: str, password: str, place: str = "") -> Actor:
    """Choose the first password over a one-time link. Raises NotFound for a used or made-up one, Invalid."""
    async with house.sessions.begin() as session:
        user = await people.enrolling(session, digest(token), house.now())
        if user is None or user.territory not in house.territories:
            raise NotFound
        own = await _own_words(session, house, user)
    passwords.check(password, own)
    hashed = await passwords.hashed(password)
    async with house.sessions.begin() as session:
        user = await people.enrol(session, digest(token), hashed, house.now())
        if user is None:
            raise NotFound
        actor = actor_of(user)
        # Who chose the password here comes in from here.
        await attempts.remember(session, house, "login", user.email, place, user.territory)
        await journal.append(session, house.entry(actor, "enrolled"))
    return actor


async def change_password(house: House, actor: Actor, password: str) -> None:
    """Another password; who calls has confirmed who they are. Raises Invalid."""
    async with house.sessions.begin() as session:
        user = await people.user(session, actor.territory, actor.id)
        if user is None:
            raise NotFound
        own = await _own_words(session, house, user)
    passwords.check(password, own)
    hashed = await passwords.hashed(password)
    async with house.sessions.begin() as session:
        await people.change_password(session, actor.territory, actor.id, hashed)
        await journal.append(session, house.entry(actor, "password_changed"))


async def _own_words(session: AsyncSession, house: House, user: people.User) -> list[str]:
    own = [user.email, user.name, house.territory(user.territory).name]
    if user.structure is not None:
        structure = await people.structure(session, user.territory, user.structure)
        own += [] if structure is None else [structure.name]
    return own


async def actor_of_key(house: House, bearer: str) -> Actor | None:
    """Whose API key this is; None for a made-up or disabled one."""
    now = house.now()
    async with house.sessions.begin() as session:
        key = await api_keys.find(session, digest(bearer))
        if key is None or not key.opens(now) or key.territory not in house.territories:
            return None
        if key.used_at is None or key.used_at <= now - USED:
            await api_keys.used(session, key.territory, key.id, now)
    return Actor(
        territory=key.territory,
        id=key.id,
        role=Role(key.role),
        name=key.name,
        structure=key.structure,
        scopes=key.scopes,
    )


async def actor_of_user(house: House, territory: str, user_id: str) -> Actor | None:
    """The person of a session, as the database knows them now: a disabled one is out at once."""
    async with house.sessions.begin() as session:
        user = await people.user(session, territory, user_id)
    return None if user is None or user.disabled else actor_of(user)


async def add_user(
    house: House,
    territory: str,
    email: str,
    role: Role,
    *,
    name: str = "",
    structure: str | None = None,
    by: Actor | None = None,
    only_new: bool = False,
) -> str:
    """A new user; returns the one-time enrolment address, to be given to that person only.

    Adding the same address again gives a new link: the old one, and the password, die. ``only_new`` refuses
    that (Conflict). ``structure`` is a name. ``by``: who adds; the operator otherwise.
    """
    if role not in STAFF and role is not Role.REQUESTER:
        raise Invalid({"role": "Ce rôle n’est pas celui d’une personne."})
    if not _ADDRESS.fullmatch(email.strip()):
        raise Invalid({"email": "Cette adresse ne se lit pas."})
    token = secrets.token_urlsafe(32)
    async with house.sessions.begin() as session:
        structure_id = await _structure(session, territory, structure) if structure else None
        if role is Role.REQUESTER and structure_id is None:
            raise Invalid({"structure": "Une personne qui adresse appartient à une structure."})
        if role is not Role.REQUESTER and structure_id is not None:
            raise Invalid({"structure": "Une personne de l’équipe n’appartient pas à une structure."})
        user_id = await people.put_user(
            session,
            territory,
            user_id=uuid4().hex,
            email=email.strip().lower(),
            name=name,
            role=role,
            structure=structure_id,
            enrolment_hash=digest(token),
            enrolment_expires_at=house.now() + ENROLMENT,
            now=house.now(),
            only_new=only_new,
        )
        if user_id is None:
            raise Conflict("user_exists", "Cette adresse a déjà un compte dans cette CPTS.")
        entry = house.entry(by or operator(territory), "user_added", purpose=user_id)
        await journal.append(session, entry)
    return f"{house.public_url}/bienvenue#{token}"


async def add_key(
    house: House,
    territory: str,
    name: str,
    role: Role,
    *,
    kind: str | None = None,
    scopes: frozenset[str] | None = None,
    expires_at: datetime | None = None,
    by: Actor | None = None,
) -> str:
    """A new API key, returned once. A requester's key is its structure's, made on the way.

    ``scopes`` narrow it (``actors.SCOPES``); ``by``: who adds; the operator otherwise.
    """
    if role not in STAFF and role is not Role.REQUESTER:
        raise Invalid({"role": "Ce rôle ne prend pas de clé."})
    if role is Role.REQUESTER and kind not in people.KINDS:
        raise Invalid({"kind": f"Dites ce qu’est la structure : {', '.join(people.KINDS)}."})
    if scopes is not None and not (scopes and scopes <= SCOPES):
        raise Invalid({"scopes": f"Dites ce que la clé permet : {', '.join(sorted(SCOPES))}."})
    key = f"tu_{secrets.token_urlsafe(32)}"
    async with house.sessions.begin() as session:
        structure = None
        if role is Role.REQUESTER and kind is not None:
            structure = await people.put_structure(
                session, territory, structure_id=uuid4().hex, name=name, kind=kind, now=house.now()
            )
        key_id = uuid4().hex
        await api_keys.add(
            session,
            territory,
            key_id=key_id,
            name=name,
            role=role,
            structure=structure,
            key_hash=digest(key),
            now=house.now(),
            scopes=scopes,
            expires_at=expires_at,
        )
        entry = house.entry(by or operator(territory), "key_added", purpose=key_id)
        await journal.append(session, entry)
    return key


async def set_password(house: House, territory: str, email: str, password: str) -> None:
    """Give an account of a rehearsal its password at once; the demo shows it on its transcript."""
    hashed = await passwords.hashed(password)
    async with house.sessions.begin() as session:
        await people.set_password(session, territory, email.strip().lower(), hashed)


async def _structure(session: AsyncSession, territory: str, name: str) -> str:
    found = await people.structure_by_name(session, territory, name)
    if found is None:
        raise Invalid({"structure": "Cette structure n’est pas connue du territoire."})
    return found


def actor_of(user: people.User) -> Actor:
    """The person as somebody who acts."""
    return Actor(
        territory=user.territory,
        id=user.id,
        role=Role(user.role),
        name=user.name,
        email=user.email,
        structure=user.structure,
    )


def digest(secret: str) -> str:
    """How a token or a key is stored."""
    # A random token of 256 bits needs no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()
