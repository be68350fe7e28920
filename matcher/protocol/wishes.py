"""The patient's wishes, and whether a doctor meets them."""

from dataclasses import dataclass
from enum import StrEnum


class WishKind(StrEnum):
    DOCTOR_SEX = "doctor_sex"
    LANGUAGE = "language"
    MAX_DISTANCE_KM = "max_distance_km"
    TRAVEL = "travel"
    STEP_FREE = "step_free"
    HOME_VISITS = "home_visits"
    SECTOR1 = "sector1"
    TELECONSULTATION = "teleconsultation"
    EXCLUDE = "exclude"
    PREFER = "prefer"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One wish. ``value`` by kind: sex "F"/"M"; ISO 639-1 code; kilometres; "walk"/"transit"/"car";
    True for the yes/no kinds; a tuple of doctor ids for EXCLUDE and PREFER."""

    kind: WishKind
    value: str | float | bool | tuple[str, ...]
    hard: bool
