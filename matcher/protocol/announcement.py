"""What doctors are shown: age band, place, conditions. Nothing else exists in it (P3)."""

from dataclasses import dataclass
from enum import StrEnum


class ConditionKind(StrEnum):
    """The closed list of conditions; no free text can reach an announcement."""

    HOME_VISITS = "home_visits"
    EHPAD_VISITS = "ehpad_visits"
    STEP_FREE = "step_free"
    WITHIN_DAYS = "within_days"
    EVENINGS = "evenings"
    SATURDAYS = "saturdays"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition; ``days`` only for WITHIN_DAYS (1 to 90)."""

    kind: ConditionKind
    days: int | None = None


class PlaceKind(StrEnum):
    """What a place of a territory is, coarsest last."""

    STREET = "street"
    LANDMARK = "landmark"
    EHPAD = "ehpad"
    QUARTIER = "quartier"
    COMMUNE = "commune"
    TERRITORY = "territory"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A named place; WGS 84 degrees. ``quartier`` and ``insee`` say in which it lies."""

    name: str
    kind: PlaceKind
    lat: float
    lon: float
    insee: str | None = None
    quartier: str | None = None
    #: A street's own count of residents, where known.
    residents: int | None = None


@dataclass(frozen=True, kw_only=True)
class AgeBand:
    """Whole years, both ends included; ``to`` is None for "and over"."""

    from_: int
    to: int | None


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What is announced, and how many residents it describes.

    For a household ``age`` is None and ``adults`` and ``children`` are given; ``residents`` then
    counts households of that size.
    """

    age: AgeBand | None
    place: Place
    conditions: tuple[Condition, ...] = ()
    adults: int = 1
    children: int = 0
    residents: int
    #: Estimated residents described who lack a médecin traitant.
    candidates: int
