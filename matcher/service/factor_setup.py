"""Setting a doctor's second factor up, once, while the office has the practice on the phone.

The office calls the number of the directory: that call is what the factor rests on. For ``sms`` it notes the
mobile number that it is told. For ``totp`` it has a link mailed and reads a code out; the link without the
code is worth nothing to who reads the mailbox, the code nothing to who overhears the call.
"""

import re
from datetime import timedelta
from typing import Any, Final

import segno
from pyotp import TOTP, random_base32
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import DoctorId
from matcher.records.identifiers import read_phone
from matcher.service import doors, post, second_factor
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.errors import BadLink, Conflict, Invalid, NotFound, WrongCode
from matcher.service.house import House
from matcher.storage import doctor_factors, doctors, journal, links
from matcher.storage.doctors import Card
from messaging.links import Purpose
from messaging.strongbox import Strongbox

#: The call is over by then.
LINK_LIFE: Final = timedelta(hours=2)
#: A mobile of France or of its overseas départements, in E.164.
_MOBILE = re.compile(r"\+(?:33|262|590|594|596)[67][0-9]{8}")
_NOT_CALLED = "Appelez d’abord le cabinet, au numéro de l’annuaire."


async def shown(house: House, actor: Actor, doctor: str) -> dict[str, Any]:
    """What the office sees of it: ``{kind, mobile?, totp_since?, rpps}``. Raises NotFound."""
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        card = await _card(session, actor, doctor)
        known = await doctor_factors.get(session, actor.territory, card.id)
        way = await second_factor.ways(session, house, actor.territory, card.id)
    found: dict[str, Any] = {
        "kind": house.territory(actor.territory).settings.release.second_factor,
        "rpps": bool(card.rpps),
    }
    found |= {"mobile": way["mobile"]} if "mobile" in way else {}
    return found | ({"totp_since": known.totp_since} if known.totp_since else {})


async def set_mobile(house: House, actor: Actor, doctor: str, mobile: str, *, called: bool) -> dict[str, Any]:
    """Note where codes go by SMS; empty: nowhere any more. Raises Invalid, NotFound."""
    require(actor, COORDINATION)
    if not called:
        raise Invalid({"called": _NOT_CALLED})
    number = _e164(mobile) if mobile else None
    async with house.sessions.begin() as session:
        card = await _card(session, actor, doctor)
        await journal.append(session, house.entry(actor, "factor_mobile", doctor=card.id))
        box = Strongbox(house.keyring)
        sealed = None if number is None else box.seal(number.encode(), actor.territory, card.id, "mobile")
        await doctor_factors.put_mobile(session, actor.territory, card.id, sealed)
    return {} if number is None else {"mobile": second_factor.hidden(number)}


async def send_link(house: House, actor: Actor, doctor: str, *, called: bool) -> dict[str, Any]:
    """Mail the link under which the doctor sets an authenticator up: ``{code, until}``, the code to be read
    out now. The authenticator before it is void at once.

    Raises Invalid, NotFound, Conflict ``no_mailbox``.
    """
    require(actor, COORDINATION)
    if not called:
        raise Invalid({"called": _NOT_CALLED})
    now = house.now()
    async with house.sessions.begin() as session:
        card = await _card(session, actor, doctor)
        if card.mailbox is None:
            raise Conflict("no_mailbox", "Ce médecin n’a pas d’adresse : complétez d’abord l’annuaire.")
        await journal.append(session, house.entry(actor, "factor_link", doctor=card.id))
        sealed = Strongbox(house.keyring).seal(random_base32().encode(), actor.territory, card.id, "totp")
        await doctor_factors.put_totp(session, actor.territory, card.id, sealed)
        # Every link mailed before is dead, whoever has it.
        await links.revoke_of_doctor(session, actor.territory, card.id, Purpose.FACTOR)
        link = await links.of_doctor(
            session, actor.territory, card.id, Purpose.FACTOR, now=now, life=LINK_LIFE
        )
        await post.set_up(session, house, actor.territory, card.id, link)
    house.bell.ring(actor.territory)
    return {"code": _code(house, link), "until": link.expires_at}


async def open_link(house: House, token: str, code: str) -> dict[str, Any]:
    """What the authenticator has to be told: ``{doctor, territory, secret, uri, picture}``.

    Raises BadLink, Over, WrongCode; the fifth wrong code kills the link.
    """
    async with house.sessions.begin() as session:
        link = await doors.checked(session, house, token, {Purpose.FACTOR})
        right = await _called(session, house, link, code)
        secret = await _secret(session, house, link)
        card = (await doctors.cards(session, link.territory, [link.doctor]))[link.doctor]
    if not right:
        raise WrongCode
    territory = house.territory(link.territory)
    uri = TOTP(secret).provisioning_uri(name=card.name, issuer_name=territory.name)
    return {
        "doctor": {"name": card.name},
        "territory": {"name": territory.name, "phone": territory.phone, "mail": territory.mail},
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "uri": uri,
        "picture": _picture(uri),
    }


async def confirm(house: House, token: str, code: str, shown_code: str) -> dict[str, Any]:
    """The doctor shows the authenticator's first code: from now on it opens records. The link is used up.

    Raises BadLink, Over, WrongCode.
    """
    now = house.now()
    async with house.sessions.begin() as session:
        link = await doors.checked(session, house, token, {Purpose.FACTOR})
        right = await _called(session, house, link, code)
        if right:
            step = await second_factor.shown_step(session, house, link.territory, link.doctor, shown_code)
            right = step is not None and await doctor_factors.confirm_totp(
                session, link.territory, link.doctor, step, now
            )
        if right:
            entry = house.entry(doors.actor_of(link), "factor_confirmed", doctor=link.doctor)
            await journal.append(session, entry)
            await links.revoke_of_doctor(session, link.territory, link.doctor, Purpose.FACTOR)
    if not right:
        raise WrongCode
    return {"confirmed": True}


async def _called(session: AsyncSession, house: House, link: links.Row, code: str) -> bool:
    """Whether this is the code that the office read out. A wrong one is counted: the caller commits."""
    if house.links.check_code(code, link.territory, _named(link), 1):
        return True
    if await doctor_factors.wrong_try(session, link.territory, link.doctor) >= doors.WRONG_CODES:
        await links.revoke_of_doctor(session, link.territory, link.doctor, Purpose.FACTOR)
    return False


async def _secret(session: AsyncSession, house: House, link: links.Row) -> str:
    known = await doctor_factors.get(session, link.territory, link.doctor)
    if known.totp is None:
        raise BadLink
    return second_factor.secret_of(house, link.territory, link.doctor, known.totp)


async def _card(session: AsyncSession, actor: Actor, doctor: str) -> Card:
    card = await doctors.get(session, actor.territory, DoctorId(doctor))
    if card is None:
        raise NotFound
    return card


def _code(house: House, link: links.Row) -> str:
    return house.links.code(link.territory, _named(link), 1)


def _named(link: links.Row) -> str:
    """What the code is derived from: another for each link that is sent."""
    return f"{link.id}.{link.nonce}"


def _e164(text: str) -> str:
    number = read_phone(text).e164
    if number is None or not _MOBILE.fullmatch(number):
        raise Invalid({"mobile": "Un numéro de mobile français est attendu : 06 ou 07."})
    return number


def _picture(uri: str) -> dict[str, Any]:
    """A QR code as one SVG path, so that no picture has to be loaded: ``{size, path}`` in modules."""
    rows = [list(row) for row in segno.make_qr(uri, error="m").matrix]
    dark = [(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell]
    return {"size": len(rows), "path": "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)}
