"""Coming in: a password, then what the account has or must have beside it."""

import asyncio
from enum import StrEnum
from typing import Final

from matcher.service import attempts, passwords
from matcher.service.actors import STAFF, Actor, Role
from matcher.service.house import House
from matcher.service.people import actor_of
from matcher.storage import factors, journal, people

#: What stands beside a password; a recovery code stands in for the others and is none by itself.
SECOND: Final = frozenset({"totp", "passkey", "psc"})


class Step(StrEnum):
    """How far somebody has come in."""

    #: The password is right in several territories; one is to be chosen.
    CHOOSE = "choose"
    #: The password was right; what they have beside it is to be shown.
    FACTOR = "factor"
    #: Their territory demands a second factor, and they have none yet.
    ENROL = "enrol"
    #: Inside.
    FULL = "full"


async def login(house: House, email: str, password: str, place: str = "") -> list[Actor]:
    """Who this is, in each territory where the password is right; nobody for a wrong one. Raises TooMany.

    An unknown address takes as long as a wrong password. Every failure is in the journal, in a transaction
    of its own.
    """
    subject = email.strip().lower()
    async with house.sessions.begin() as session:
        found = [u for u in await people.users_by_email(session, subject) if u.territory in house.territories]
    territories = tuple(user.territory for user in found)
    tried = await attempts.begin(house, "login", subject, place, territories)
    able = [user for user in found if user.password_hash and not user.disabled]
    right = await asyncio.gather(*(passwords.verify(user.password_hash or "", password) for user in able))
    if not able:
        await passwords.verify_nobody(password)
    actors = [actor_of(user) for user, fits in zip(able, right, strict=True) if fits]
    if not actors:
        async with house.sessions.begin() as session:
            for user in found:
                stranger = Actor(territory=user.territory, id=user.id, role=Role(user.role))
                await journal.append(session, house.entry(stranger, "login_failed"))
        return []
    async with house.sessions.begin() as session:
        await attempts.succeeded(session, house, tried)
    return actors


async def confirm(house: House, actor: Actor, password: str, place: str) -> bool:
    """Whether somebody who is inside knows the password of the account. Raises TooMany."""
    own = f"{actor.territory}:{actor.id}"
    tried = await attempts.begin(house, "factor", own, place, (actor.territory,))
    async with house.sessions.begin() as session:
        user = await people.user(session, actor.territory, actor.id)
    hashed = None if user is None else user.password_hash
    right = hashed is not None and await passwords.verify(hashed, password)
    async with house.sessions.begin() as session:
        if right:
            await attempts.succeeded(session, house, tried)
        else:
            await journal.append(session, house.entry(actor, "confirm_failed"))
    return right


async def step_after_password(house: House, actor: Actor) -> Step:
    """What comes after the password of this account."""
    async with house.sessions.begin() as session:
        held = await factors.of_user(session, actor.territory, actor.id)
    if any(one.kind in SECOND and one.confirmed_at for one in held):
        return Step.FACTOR
    return Step.ENROL if demands_factor(house, actor) else Step.FULL


def demands_factor(house: House, actor: Actor) -> bool:
    """Whether the territory demands a second factor of this person.

    ``over_https`` leaves a rehearsal on one's own machine easy and asks it of a service that is real.
    """
    asked = house.territory(actor.territory).settings.accounts.second_factor
    real = asked == "required" or (asked == "over_https" and house.public_url.startswith("https://"))
    return real and actor.role in STAFF


async def logged_in(house: House, actor: Actor, how: str) -> None:
    """Write that somebody is inside, and by what: ``password``, ``totp``, ``passkey``, ``psc``."""
    async with house.sessions.begin() as session:
        await journal.append(session, house.entry(actor, "login", purpose=how))
