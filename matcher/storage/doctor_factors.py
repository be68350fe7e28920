"""Doctors' second factors: sealed secrets, and the statements that use a code once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from config.database import require_transaction
from matcher.storage.sql import changed, upsert
from matcher.storage.tables import DoctorFactorRow, table

_FACTORS = table(DoctorFactorRow)


@dataclass(frozen=True, kw_only=True)
class Factor:
    """What is known of a doctor's second factor; bytes are sealed."""

    mobile: bytes | None = None
    totp: bytes | None = None
    totp_since: datetime | None = None


async def get(session: AsyncSession, territory: str, doctor: str) -> Factor:
    """The doctor's, empty where nothing was set up."""
    wanted = select(_FACTORS.c.mobile, _FACTORS.c.totp, _FACTORS.c.totp_since)
    row = (await session.execute(wanted.where(_is(territory, doctor)))).mappings().one_or_none()
    return Factor() if row is None else Factor(**row)


async def put_mobile(session: AsyncSession, territory: str, doctor: str, mobile: bytes | None) -> None:
    """Where codes go by SMS from now on; None: nowhere."""
    require_transaction(session)
    row = {"territory_id": territory, "doctor_id": doctor, "mobile": mobile, "sms_at": None}
    await upsert(session, _FACTORS, [row])


async def put_totp(session: AsyncSession, territory: str, doctor: str, secret: bytes) -> None:
    """A new secret, which opens nothing until it is confirmed. The one before is void at once."""
    require_transaction(session)
    row = {"territory_id": territory, "doctor_id": doctor, "totp": secret, "totp_since": None}
    await upsert(session, _FACTORS, [row | {"totp_step": None, "tries": 0}])


async def wrong_try(session: AsyncSession, territory: str, doctor: str) -> int:
    """Count a wrong code of the call in which the authenticator is set up; how many there were."""
    require_transaction(session)
    counted = update(_FACTORS).where(_is(territory, doctor)).values(tries=_FACTORS.c.tries + 1)
    return int((await session.execute(counted.returning(_FACTORS.c.tries))).scalar_one())


async def confirm_totp(session: AsyncSession, territory: str, doctor: str, step: int, now: datetime) -> bool:
    """The doctor has shown a first code, of that step; False where another was quicker."""
    confirmed = await changed(
        session,
        update(_FACTORS)
        .where(_is(territory, doctor), _FACTORS.c.totp.is_not(None), _FACTORS.c.totp_since.is_(None))
        .values(totp_since=now, totp_step=step),
    )
    return confirmed == 1


async def use_totp(session: AsyncSession, territory: str, doctor: str, step: int) -> bool:
    """Use the code of a step; False where it or a later one was used, however many come together."""
    used = await changed(
        session,
        update(_FACTORS)
        .where(_is(territory, doctor), _FACTORS.c.totp_since.is_not(None), _FACTORS.c.totp_step < step)
        .values(totp_step=step),
    )
    return used == 1


async def claim_sms(
    session: AsyncSession, territory: str, doctor: str, now: datetime, apart: timedelta
) -> bool:
    """Whether an SMS may go now; False less than ``apart`` after the one before."""
    free = or_(_FACTORS.c.sms_at.is_(None), _FACTORS.c.sms_at <= now - apart)
    claimed = update(_FACTORS).where(_is(territory, doctor), free).values(sms_at=now)
    return await changed(session, claimed) == 1


def _is(territory: str, doctor: str) -> ColumnElement[bool]:
    return and_(_FACTORS.c.territory_id == territory, _FACTORS.c.doctor_id == doctor)
