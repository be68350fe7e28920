"""What a doctor's second factor needs to be checked. Sealed: the table alone makes no code."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from matcher.storage.tables.columns import Bytes, Key, TerritoryId, of_doctor


class DoctorFactorRow(Base):
    """One doctor's mobile number and authenticator, under a key that is not in the database."""

    __tablename__ = "doctor_factors"
    __table_args__ = (of_doctor(),)

    territory_id: Mapped[TerritoryId]
    doctor_id: Mapped[Key]
    #: In E.164, sealed: somebody gave it for codes alone.
    mobile: Mapped[Bytes | None]
    #: When the last SMS was asked for.
    sms_at: Mapped[datetime | None]
    totp: Mapped[Bytes | None]
    #: When the doctor showed a first code; until then the secret opens nothing.
    totp_since: Mapped[datetime | None]
    #: The step of the last code that was used: it and those before it are void.
    totp_step: Mapped[int | None]
    #: Wrong codes in a row of the call in which the office sets the authenticator up.
    tries: Mapped[int] = mapped_column(default=0)
