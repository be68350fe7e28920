"""The second factor of a release, in its four kinds (CONTRACT.md): what it is now, and whether one is right.

``phone`` (the office reads a code out), ``sms``, ``totp`` and ``psc``. Whatever the kind, the code that the
office reads out on a call opens too: an authenticator gets lost, a gateway is down. A kind that is not set up
for this doctor is ``phone`` for him.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pyotp import TOTP
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import steps
from matcher.protocol.ids import DoctorId
from matcher.protocol.moves import Event
from matcher.service import doors, pro_sante_connect
from matcher.service.errors import Conflict, Locked, TooMany
from matcher.service.house import House
from matcher.storage import attempts, doctor_factors, doctors, journal, releases
from messaging import sms
from messaging.links import Purpose
from messaging.sms import NotSent
from messaging.strongbox import Strongbox

#: Where Pro Santé Connect sends the doctor's browser back to; registered there.
BACK: Final = "/dossier/pro-sante-connect"
#: Between two messages to one doctor.
SMS_APART: Final = timedelta(minutes=1)
#: Messages to one doctor in a day (UTC): whoever has the mailbox cannot make a telephone ring all day.
SMS_A_DAY: Final = 10
#: Seconds of one step of an authenticator (RFC 6238), and how many steps its clock may be off.
STEP: Final = 30
SKEW: Final = 1


@dataclass(frozen=True, kw_only=True)
class CardAnswer:
    """What a browser came back with from Pro Santé Connect, and the seed that it had left with."""

    seed: str
    code: str
    state: str


async def ways(session: AsyncSession, house: House, territory: str, doctor: DoctorId) -> dict[str, Any]:
    """How this doctor shows who he is, for the page: ``{second_factor, mobile?}``."""
    kind = house.territory(territory).settings.release.second_factor
    known = await doctor_factors.get(session, territory, doctor)
    if kind == "sms" and house.settings.sms is not None and known.mobile is not None:
        return {"second_factor": "sms", "mobile": hidden(_mobile(house, territory, doctor, known.mobile))}
    if kind == "totp" and known.totp_since is not None:
        return {"second_factor": "totp"}
    if kind == "psc" and pro_sante_connect.is_configured(house):
        card = (await doctors.cards(session, territory, [doctor]))[doctor]
        if card.rpps:
            return {"second_factor": "psc"}
    return {"second_factor": "phone"}


async def send_code(house: House, token: str) -> dict[str, Any]:
    """A new code by SMS: ``{sent, mobile}``. Where the gateway fails, calling the doctor becomes a task.

    Raises BadLink, Over, Locked, Conflict ``no_sms`` (none is set up, or no more today); TooMany within a
    minute of the one before.
    """
    now = house.now()
    async with house.sessions.begin() as session:
        opened = await doors.opened(session, house, token, {Purpose.RECORD})
        row = await doors.release_of(session, opened)
        if row.locked:
            raise Locked
        way = await ways(session, house, row.territory, row.doctor)
        known = await doctor_factors.get(session, row.territory, row.doctor)
        if way["second_factor"] != "sms" or known.mobile is None or house.settings.sms is None:
            raise Conflict("no_sms", "Aucun SMS ne peut partir : la CPTS vous lit le code au téléphone.")
        if not await doctor_factors.claim_sms(session, row.territory, row.doctor, now, SMS_APART):
            raise TooMany(int(SMS_APART.total_seconds()))
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if await attempts.count(session, row.territory, "sms", row.doctor, today) > SMS_A_DAY:
            raise Conflict("no_sms", "Plus de SMS aujourd’hui : la CPTS vous lit le code au téléphone.")
        territory = house.territory(row.territory)
        until = now + territory.rules.code_life
        await releases.new_code(session, row.territory, row.search, row.number, until)
        row = await doors.release_of(session, opened)
        entry = house.entry(opened.actor, "sms_code", search=row.search, doctor=row.doctor)
        await journal.append(session, entry)
    number = _mobile(house, row.territory, row.doctor, known.mobile)
    code = house.links.code(row.territory, row.id, row.code_number)
    try:
        # Neutral: a telephone lies about, and its operator reads along.
        await sms.send(
            house.settings.sms,
            number,
            f"{territory.name} : votre code est {code}. Il vaut un quart d’heure, une seule fois.",
        )
    except NotSent:
        async with house.sessions.begin() as session:
            opened = await doors.opened(session, house, token, {Purpose.RECORD})
            await doors.release_of(session, opened)
            await doors.step(session, house, opened, Event.CALL_ME, steps.call_me)
        house.bell.ring(row.territory)
        return {"sent": False, "mobile": way["mobile"]}
    return {"sent": True, "mobile": way["mobile"]}


async def start_card(house: House, token: str) -> tuple[str, str]:
    """Where the doctor's browser goes to show a card, and the seed that it keeps in a cookie.

    Raises BadLink, Over, Locked, Conflict ``no_psc``, NotProven where the provider does not answer.
    """
    async with house.sessions.begin() as session:
        link = await _with_card(session, house, token)
    seed = pro_sante_connect.new_seed()
    return await pro_sante_connect.start(house, seed, _purpose(link), BACK), seed


async def card_rpps(house: House, token: str, answer: CardAnswer) -> str | None:
    """The RPPS number that the provider proved, None where it proved somebody without one.

    Raises NotProven, and like ``start_card``.
    """
    async with house.sessions.begin() as session:
        link = await _with_card(session, house, token)
    who = await pro_sante_connect.finish(house, answer.seed, _purpose(link), BACK, answer.code, answer.state)
    return who.rpps


async def opens(
    session: AsyncSession, house: House, row: releases.Row, *, code: str | None, rpps: str | None
) -> bool:
    """Whether this second factor is right; it is used up by that, and the release opened."""
    now = house.now()
    if code is None:
        card = (await doctors.cards(session, row.territory, [row.doctor]))[row.doctor]
        same = rpps is not None and rpps == card.rpps
        return same and await releases.use_other_factor(session, row, now)
    if row.code_alive(now) and house.links.check_code(code, row.territory, row.id, row.code_number):
        return await releases.use_code(session, row, now)
    if (await ways(session, house, row.territory, row.doctor))["second_factor"] != "totp":
        return False
    step = await shown_step(session, house, row.territory, row.doctor, code)
    used = step is not None and await doctor_factors.use_totp(session, row.territory, row.doctor, step)
    return used and await releases.use_other_factor(session, row, now)


async def shown_step(
    session: AsyncSession, house: House, territory: str, doctor: DoctorId, code: str
) -> int | None:
    """The step of which this is the authenticator's code, None where it is of none near now."""
    known = await doctor_factors.get(session, territory, doctor)
    if known.totp is None:
        return None
    made = TOTP(secret_of(house, territory, doctor, known.totp))
    now = int(house.now().timestamp()) // STEP
    given = "".join(code.split()).encode("utf-8", "replace")
    near = range(now - SKEW, now + SKEW + 1)
    return next((s for s in near if hmac.compare_digest(made.at(s * STEP).encode(), given)), None)


def secret_of(house: House, territory: str, doctor: DoctorId, sealed: bytes) -> str:
    """The secret of the doctor's authenticator, in base 32."""
    return Strongbox(house.keyring).open(sealed, territory, doctor, "totp").decode()


def hidden(number: str) -> str:
    """A number of which only the end is shown: « •• •• •• •• 34 »."""
    return f"•• •• •• •• {number[-2:]}"


def _mobile(house: House, territory: str, doctor: DoctorId, sealed: bytes) -> str:
    return Strongbox(house.keyring).open(sealed, territory, doctor, "mobile").decode()


async def _with_card(session: AsyncSession, house: House, token: str) -> str:
    """The id of the link, where its doctor may show a card now."""
    opened = await doors.opened(session, house, token, {Purpose.RECORD})
    row = await doors.release_of(session, opened)
    if row.locked:
        raise Locked
    if (await ways(session, house, row.territory, row.doctor))["second_factor"] != "psc":
        raise Conflict("no_psc", "Pro Santé Connect n’est pas en service ici : demandez le code à la CPTS.")
    return opened.link.id


def _purpose(link: str) -> str:
    return f"record {link}"
