"""What the directrice does about who may come in: people, structures, shared forms, keys. The operator does
the same at the command line. Every act is in the journal, with an opaque id.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.service import attempts, people
from matcher.service.actors import Actor, Role, require
from matcher.service.errors import Conflict, Invalid, NotFound, WrongCode
from matcher.service.factors import LETTERS
from matcher.service.house import House
from matcher.storage import api_keys, factors, form_links, journal, sessions
from matcher.storage import people as stored
from matcher.storage.api_keys import Key
from matcher.storage.form_links import FormLink
from matcher.storage.people import Structure, User

MANAGERS: Final = frozenset({Role.DIRECTRICE, Role.OPERATOR})
#: How long the former key still opens after a rotation: time to put the new one in its place.
OVERLAP: Final = timedelta(days=7)
#: How long the code of a shared form lives, and how many letters it has (50 bits).
FORM_LIFE: Final = timedelta(days=90)
FORM_LENGTH: Final = 10


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Everything by which somebody may come into one territory."""

    users: list[User]
    #: Ids of users that have a second factor.
    protected: frozenset[str]
    structures: list[Structure]
    keys: list[Key]
    forms: list[FormLink]


async def doors(house: House, by: Actor) -> Doors:
    """The territory's people, structures, keys and shared forms."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        users = await stored.users(session, by.territory)
        return Doors(
            users=users,
            protected=await factors.holders(session, by.territory),
            structures=await stored.structures(session, by.territory),
            keys=await api_keys.of_territory(session, by.territory),
            forms=await form_links.of_territory(session, by.territory),
        )


async def user_by_address(house: House, by: Actor, email: str) -> User:
    """The user of that address in the territory. Raises NotFound."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        found = await stored.users_by_email(session, email.strip().lower())
    here = [one for one in found if one.territory == by.territory]
    if not here:
        raise NotFound
    return here[0]


async def renew_user(house: House, by: Actor, user_id: str) -> str:
    """Another enrolment address; the password and every session of the user die. Raises NotFound."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        user = await stored.user(session, by.territory, user_id)
        structure = None
        if user is not None and user.structure is not None:
            structure = await stored.structure(session, by.territory, user.structure)
    if user is None:
        raise NotFound
    return await people.add_user(
        house,
        by.territory,
        user.email,
        Role(user.role),
        name=user.name,
        structure=None if structure is None else structure.name,
        by=by,
    )


async def disable_user(house: House, by: Actor, user_id: str) -> None:
    """The user is out at once, everywhere. Raises NotFound; Conflict for oneself."""
    require(by, MANAGERS)
    if user_id == by.id:
        raise Conflict("oneself", "On ne ferme pas son propre compte : demandez-le à quelqu’un d’autre.")
    async with house.sessions.begin() as session:
        if await stored.user(session, by.territory, user_id) is None:
            raise NotFound
        await stored.disable_user(session, by.territory, user_id, house.now())
        await journal.append(session, house.entry(by, "user_disabled", purpose=user_id))


async def reset_factors(house: House, by: Actor, user_id: str) -> None:
    """Take away the user's second factors, after a lost telephone; the password alone still opens."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        if await stored.user(session, by.territory, user_id) is None:
            raise NotFound
        await factors.remove(session, by.territory, user_id)
        # Whoever has the telephone may have a session on it too.
        await sessions.end_of(session, by.territory, user_id)
        await journal.append(session, house.entry(by, "factors_reset", purpose=user_id))


async def put_structure(
    house: House, by: Actor, name: str, kind: str, email: str | None = None, phone: str | None = None
) -> str:
    """A structure, by its name; its id. What is left out of one that is there stays. Raises Invalid."""
    require(by, MANAGERS)
    faults = {}
    if not name.strip():
        faults["name"] = "Donnez un nom à la structure."
    if kind not in stored.KINDS:
        faults["kind"] = "Dites ce qu’est la structure."
    if faults:
        raise Invalid(faults)
    async with house.sessions.begin() as session:
        structure = await stored.put_structure(
            session,
            by.territory,
            structure_id=uuid4().hex,
            name=name.strip(),
            kind=kind,
            now=house.now(),
            email=email or None,
            phone=phone or None,
        )
        await journal.append(session, house.entry(by, "structure_put", purpose=structure))
    return structure


async def rotate_key(house: House, by: Actor, key_id: str, *, at_once: bool = False) -> str:
    """A new key with the name, role and scopes of another, which lapses in seven days, or ``at_once``."""
    require(by, MANAGERS)
    now, key = house.now(), f"tu_{secrets.token_urlsafe(32)}"
    async with house.sessions.begin() as session:
        former = await api_keys.get(session, by.territory, key_id)
        if former is None or not former.opens(now):
            raise NotFound
        life = None if former.expires_at is None else former.expires_at - former.created_at
        fresh = uuid4().hex
        await api_keys.add(
            session,
            by.territory,
            key_id=fresh,
            name=former.name,
            role=former.role,
            structure=former.structure,
            key_hash=people.digest(key),
            now=now,
            scopes=former.scopes,
            expires_at=None if life is None else now + life,
        )
        await api_keys.ends(session, by.territory, key_id, now if at_once else now + OVERLAP)
        await journal.append(session, house.entry(by, "key_rotated", purpose=fresh))
    return key


async def revoke_key(house: House, by: Actor, key_id: str) -> None:
    """The key opens nothing any more. Raises NotFound."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        if not await api_keys.disable(session, by.territory, key_id, house.now()):
            raise NotFound
        await journal.append(session, house.entry(by, "key_revoked", purpose=key_id))


async def add_form(house: House, by: Actor, structure_id: str) -> tuple[str, str]:
    """A form that the structure shares: its address, and the code, shown once. Raises NotFound."""
    require(by, MANAGERS)
    link_id, code = uuid4().hex, _code()
    async with house.sessions.begin() as session:
        if await stored.structure(session, by.territory, structure_id) is None:
            raise NotFound
        await form_links.add(
            session,
            by.territory,
            link_id=link_id,
            structure=structure_id,
            code_hash=_code_hash(house, link_id, code),
            now=house.now(),
            expires_at=house.now() + FORM_LIFE,
        )
        await journal.append(session, house.entry(by, "form_added", purpose=link_id))
    return _address(house, link_id), _read(code)


async def renew_form(house: House, by: Actor, link_id: str) -> tuple[str, str]:
    """Another code for a shared form: the old one and the sessions that it opened are over."""
    require(by, MANAGERS)
    code, now = _code(), house.now()
    async with house.sessions.begin() as session:
        hashed = _code_hash(house, link_id, code)
        if not await form_links.renew(session, by.territory, link_id, hashed, now, now + FORM_LIFE):
            raise NotFound
        await journal.append(session, house.entry(by, "form_renewed", purpose=link_id))
    return _address(house, link_id), _read(code)


async def revoke_form(house: House, by: Actor, link_id: str) -> None:
    """The shared form is over, with every session that it opened. Raises NotFound."""
    require(by, MANAGERS)
    async with house.sessions.begin() as session:
        if not await form_links.revoke(session, by.territory, link_id, house.now()):
            raise NotFound
        await journal.append(session, house.entry(by, "form_revoked", purpose=link_id))


async def open_form(house: House, link_id: str, typed: str, place: str) -> tuple[Actor, str]:
    """Come in over a shared form: who, and the mark of its code for ``form_actor``.

    Raises WrongCode, for a made-up or closed form too, and TooMany.
    """
    code = "".join(sign for sign in typed.lower() if sign.isalnum())
    async with house.sessions.begin() as session:
        link = await form_links.find(session, link_id)
    here = () if link is None else (link.territory,)
    tried = await attempts.begin(house, "form", link_id, place, here)
    async with house.sessions.begin() as session:
        right = secrets.compare_digest(
            _code_hash(house, link_id, code), "" if link is None else link.code_hash
        )
        if link is not None and right and link.opens(house.now()):
            await attempts.succeeded(session, house, tried)
            await form_links.used(session, link.territory, link.id, house.now())
            actor = await _form_actor(session, link)
            await journal.append(session, house.entry(actor, "login", purpose="form"))
            return actor, link.changed_at.isoformat()
    async with house.sessions.begin() as session:
        if link is not None:
            stranger = Actor(territory=link.territory, id=f"form:{link.id}", role=Role.REQUESTER)
            await journal.append(session, house.entry(stranger, "login_failed", purpose="form"))
    raise WrongCode


async def form_actor(house: House, territory: str, link_id: str, changed_at: str) -> Actor | None:
    """Whom a session of a shared form stands for: the structure; nobody once the code was made anew."""
    async with house.sessions.begin() as session:
        link = await form_links.get(session, territory, link_id)
        if link is None or not link.opens(house.now()) or link.changed_at.isoformat() != changed_at:
            return None
        return await _form_actor(session, link)


async def team(house: House, actor: Actor) -> list[User]:
    """The members of a requester's own structure."""
    require(actor, frozenset({Role.REQUESTER}))
    async with house.sessions.begin() as session:
        users = await stored.users(session, actor.territory)
    return [one for one in users if one.structure == actor.structure and not one.disabled]


async def invite(house: House, actor: Actor, email: str, name: str) -> str:
    """A member invites a colleague into the same structure; the enrolment address.

    Raises Conflict for an address that has an account: an invitation never touches one.
    """
    require(actor, frozenset({Role.REQUESTER}))
    async with house.sessions.begin() as session:
        if await stored.user(session, actor.territory, actor.id) is None:
            # Who came over a shared form is nobody in particular, and invites nobody.
            raise NotFound
        structure = await stored.structure(session, actor.territory, actor.structure or "")
    if structure is None:
        raise NotFound
    return await people.add_user(
        house,
        actor.territory,
        email,
        Role.REQUESTER,
        name=name,
        structure=structure.name,
        by=actor,
        only_new=True,
    )


async def _form_actor(session: AsyncSession, link: FormLink) -> Actor:
    structure = await stored.structure(session, link.territory, link.structure)
    return Actor(
        territory=link.territory,
        id=f"form:{link.id}",
        role=Role.REQUESTER,
        name="" if structure is None else structure.name,
        structure=link.structure,
    )


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(FORM_LENGTH))


def _read(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"


def _code_hash(house: House, link_id: str, code: str) -> str:
    return house.vault.hmac_term("", f"form:{link_id}:{code}")


def _address(house: House, link_id: str) -> str:
    return f"{house.public_url}/formulaire/{link_id}"
