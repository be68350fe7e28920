"""What one search would like when doctors are shared out between several."""

from dataclasses import dataclass

from matcher.protocol.ids import DoctorId, SearchId


@dataclass(frozen=True, kw_only=True)
class Need:
    """A search and the doctors it could ask, best first, all of whom satisfy its hard wishes."""

    search: SearchId
    doctors: tuple[DoctorId, ...]
    #: How many of them it would ask.
    wanted: int
