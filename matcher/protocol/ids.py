"""The opaque identifiers that the rules pass around."""

from typing import NewType

SearchId = NewType("SearchId", str)
DoctorId = NewType("DoctorId", str)
OfferId = NewType("OfferId", str)
AnswerId = NewType("AnswerId", str)
