"""The patient's wishes: what may be asked for. Whether a doctor meets them is in ``doctors``."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class WishKind(StrEnum):
    """What a patient may wish of a doctor."""

    DOCTOR_SEX = "doctor_sex"
    LANGUAGE = "language"
    MAX_DISTANCE_KM = "max_distance_km"
    TRAVEL = "travel"
    STEP_FREE = "step_free"
    HOME_VISITS = "home_visits"
    SECTOR1 = "sector1"
    TELECONSULTATION = "teleconsultation"
    #: Doctors never to be asked; binding even where it was not marked so.
    EXCLUDE = "exclude"
    #: Doctors to ask first; as a hard wish, nobody else.
    PREFER = "prefer"


#: The kinds whose only value is True.
YES_KINDS = frozenset({WishKind.STEP_FREE, WishKind.HOME_VISITS, WishKind.SECTOR1, WishKind.TELECONSULTATION})
#: How far one gets in about twenty minutes: on foot at 4.5 km/h; by bus with the wait and the walk to
#: the stop; by car in town. Kilometres as the crow flies, from the announced place.
REACH_KM = {"walk": 1.5, "transit": 5.0, "car": 15.0}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One wish.

    ``value`` by kind: sex "F"/"M"; ISO 639 code; kilometres; "walk"/"transit"/"car"; True for the
    yes/no kinds; a tuple of doctor ids for EXCLUDE and PREFER.
    """

    kind: WishKind
    value: str | float | bool | tuple[str, ...]
    hard: bool

    @property
    def binding(self) -> bool:
        """Whether a doctor who does not meet it is never asked (P4)."""
        return self.hard or self.kind is WishKind.EXCLUDE


def parse(kind: str, value: object, hard: bool) -> Wish:
    """A wish from its parts in the API. Raises ValueError with a French sentence."""
    if kind not in set(WishKind):
        raise ValueError("souhait inconnu")
    known = WishKind(kind)
    return Wish(kind=known, value=_value(known, value), hard=hard)


def _value(kind: WishKind, value: object) -> str | float | bool | tuple[str, ...]:
    match kind:
        case WishKind.DOCTOR_SEX:
            return _one_of(value, ("F", "M"))
        case WishKind.TRAVEL:
            return _one_of(value, tuple(REACH_KM))
        case WishKind.LANGUAGE:
            if isinstance(value, str) and re.fullmatch("[a-z]{2,3}", value):
                return value
            raise ValueError("une langue s’écrit par son code (ISO 639), par exemple ar")
        case WishKind.MAX_DISTANCE_KM:
            if isinstance(value, int | float) and not isinstance(value, bool) and _plausible(value):
                return float(value)
            raise ValueError("une distance est un nombre de kilomètres, de plus de 0 à 200")
        case WishKind.EXCLUDE | WishKind.PREFER:
            return _doctors(value)
        case _:
            if value is True:
                return True
            raise ValueError("la valeur attendue est true ; sans ce souhait, omettez-le")


def _plausible(kilometres: float) -> bool:
    return math.isfinite(kilometres) and 0 < kilometres <= 200


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"valeurs possibles : {', '.join(allowed)}")


def _doctors(value: object) -> tuple[str, ...]:
    ids = (value,) if isinstance(value, str) else value
    if isinstance(ids, Sequence) and ids and all(isinstance(i, str) and i.strip() for i in ids):
        return tuple(ids)
    raise ValueError("une liste d’identifiants de médecins est attendue")
