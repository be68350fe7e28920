"""The places of a territory, and distances between them.

The list is closed: an announcement can only name a place that the territory put into ``places.csv``
(PROTOCOL.md, "The announcement"), or a commune, or the territory itself.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

#: Mean radius of the Earth in kilometres (IUGG).
EARTH_KM = 6371.0088


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
    #: A street's own count of residents, or an EHPAD's places, where known.
    residents: int | None = None


def normalised(text: str) -> str:
    """The text without accents, case, punctuation and doubled spaces, for comparing names."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance in kilometres between two points in WGS 84 degrees (haversine formula)."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((other_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def rounded_km(kilometres: float) -> float:
    """The distance as it may be said: 0.0 for "under 500 m", half kilometres below 2, then whole ones.

    It is computed from the announced place, so that a doctor who compares notes with others finds
    that place again and nothing finer; the rounding only spares false precision.
    """
    if kilometres < 0.5:
        return 0.0
    if kilometres < 2:
        return math.floor(kilometres * 2 + 0.5) / 2
    return float(math.floor(kilometres + 0.5))


@dataclass(frozen=True, kw_only=True)
class Gazetteer:
    """Every place that one territory may announce.

    ``places`` are the rows of ``places.csv`` in their order; ``communes`` maps INSEE codes to names,
    for the communes that ``places`` do not list themselves.
    """

    territory: str
    places: tuple[Place, ...]
    communes: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> Place | None:
        """The place of that name, whatever the case and accents: listed ones first, then communes."""
        wanted = normalised(name)
        communes = (self.commune(code) for code in self.insee_codes)
        known = (*self.places, *(place for place in communes if place is not None))
        return next((p for p in known if normalised(p.name) == wanted), None)

    def quartier(self, name: str | None, insee: str | None = None) -> Place | None:
        """The quartier of that name, in that commune where it is given."""
        wanted = normalised(name or "")
        quartiers = self._quartiers.get(wanted, ())
        return next((p for p in quartiers if insee is None or p.insee == insee), None)

    @cached_property
    def _quartiers(self) -> Mapping[str, Sequence[Place]]:
        """The quartiers by their normalised name."""
        found: dict[str, list[Place]] = {}
        for place in self.places:
            if place.kind is PlaceKind.QUARTIER:
                found.setdefault(normalised(place.name), []).append(place)
        return found

    def quartier_of(self, place: Place) -> Place | None:
        """The quartier in which a place lies; None for a commune, the territory, or where it is unknown."""
        if place.kind is PlaceKind.QUARTIER:
            return place
        return self.quartier(place.quartier, place.insee) if place.quartier else None

    def landmark_of(self, quartier: Place) -> Place | None:
        """The one landmark that stands for a quartier: the first listed.

        One for all, since the distances in two announcements "près de" two landmarks would tell
        the parts of a quartier apart.
        """
        return next((p for p in self._inside.get(quartier, ()) if p.kind is PlaceKind.LANDMARK), None)

    def streets_of(self, quartier: Place) -> tuple[Place, ...]:
        """The listed streets of a quartier."""
        return tuple(p for p in self._inside.get(quartier, ()) if p.kind is PlaceKind.STREET)

    @cached_property
    def _inside(self) -> Mapping[Place, Sequence[Place]]:
        """What lies in each quartier, in the file's order."""
        found: dict[Place, list[Place]] = {}
        for place in self.places:
            if (quartier := self.quartier_of(place)) is not None:
                found.setdefault(quartier, []).append(place)
        return found

    def commune(self, insee: str | None) -> Place | None:
        """The commune as a place: the listed one, else the centre of its quartiers.

        Without quartiers, the centre of all its places; None where nothing of it is listed, or its
        name is not known. The only commune of « CPTS de Vénissieux » is Vénissieux.
        """
        if insee is None:
            return None
        if insee not in self._communes:
            self._communes[insee] = self._commune(insee)
        return self._communes[insee]

    @cached_property
    def _communes(self) -> dict[str, Place | None]:
        """Communes once found: every rung of every announcement asks for them again."""
        return {}

    def _commune(self, insee: str) -> Place | None:
        inside = [p for p in self.places if p.insee == insee]
        listed = next((p for p in inside if p.kind is PlaceKind.COMMUNE), None)
        name = self.communes.get(insee)
        if name is None and self.insee_codes == (insee,):
            name = _without_cpts(self.territory)
        if listed is not None or not inside or name is None:
            return listed
        lat, lon = _centre([p for p in inside if p.kind is PlaceKind.QUARTIER] or inside)
        return Place(name=name, kind=PlaceKind.COMMUNE, lat=lat, lon=lon, insee=insee)

    def whole(self) -> Place:
        """The territory as a place, at the centre of its communes. Raises ValueError without any place."""
        return self._whole

    @cached_property
    def _whole(self) -> Place:
        if not self.places:
            raise ValueError("the territory has no place")
        communes = [place for code in self.insee_codes if (place := self.commune(code)) is not None]
        lat, lon = _centre(communes or self.places)
        return Place(name=self.territory, kind=PlaceKind.TERRITORY, lat=lat, lon=lon)

    def ehpad_places(self, insee: str | None = None) -> int:
        """The places, where known, of the EHPADs of a commune, or of the territory."""
        ehpads = (p for p in self.places if p.kind is PlaceKind.EHPAD)
        return sum(p.residents or 0 for p in ehpads if insee is None or p.insee == insee)

    @cached_property
    def insee_codes(self) -> tuple[str, ...]:
        """The communes of which at least one place is listed, in order."""
        return tuple(sorted({p.insee for p in self.places if p.insee is not None}))


def _without_cpts(territory: str) -> str:
    """« CPTS de Vénissieux » → Vénissieux, « CPTS du Havre » → Le Havre; any other name as it is."""
    found = re.fullmatch(r"CPTS (de |d[’']|du |des )?(.+)", territory)
    if found is None:
        return territory
    return {"du ": "Le ", "des ": "Les "}.get(found[1] or "", "") + found[2]


def _centre(places: Iterable[Place]) -> tuple[float, float]:
    """The mean point of some places, exact enough at the size of a territory."""
    points = [(p.lat, p.lon) for p in places]
    return sum(lat for lat, _ in points) / len(points), sum(lon for _, lon in points) / len(points)
