"""The other CSVs beside a ``territory.toml``: places, residents, households, requesters, staff. Pure."""

from dataclasses import dataclass
from typing import Final

from matcher.directory.lines import INSEE, Line, Once, Problem, read
from matcher.protocol.places import Place, PlaceKind, normalised
from matcher.protocol.population import Households, Residents

PLACE_KINDS: Final = ("quartier", "street", "landmark", "ehpad")
STRUCTURE_KINDS: Final = (
    "pass", "urgences", "ccas", "social", "ehpad", "permanence", "infirmier", "pharmacien", "medecin",
    "autre",
)  # fmt: skip
STAFF_ROLES: Final = ("coordinatrice", "coordinatrice_sociale", "secretaire", "directrice")


@dataclass(frozen=True, kw_only=True)
class StructureRow:
    """A structure that may submit requests; ``kind`` is one of STRUCTURE_KINDS."""

    name: str
    kind: str
    email: str
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class UserRow:
    """A person of the office; ``role`` is one of STAFF_ROLES."""

    email: str
    role: str
    name: str


def read_places(text: str) -> tuple[list[Place], list[Problem]]:
    """The places that announcements may name, in the file's order; names are unique."""
    names, landmarks = Once(), set[tuple[str | None, str]]()

    def build(line: Line) -> Place:
        name, kind = line.needed("name"), line.one_of("kind", PLACE_KINDS)
        insee = line.matching("insee", INSEE, "un code INSEE") or line.needed("insee")
        lat, lon = line.number("lat", -90, 90), line.number("lon", -180, 180)
        line.needed("lat")
        line.needed("lon")
        quartier = name if kind == "quartier" else line.text("quartier")
        if kind in ("street", "landmark") and quartier is None:
            line.refuse("quartier", "manque")
        names.check(line, "name", normalised(name))
        if kind == "landmark" and not line.refused:
            where = (insee, normalised(quartier or ""))
            if where in landmarks:
                line.note("quartier", f"{quartier} a déjà un repère, le seul qui servira")
            landmarks.add(where)
        return Place(
            name=name,
            kind=PlaceKind(kind) if kind in PLACE_KINDS else PlaceKind.QUARTIER,
            lat=lat or 0.0,
            lon=lon or 0.0,
            insee=insee,
            quartier=quartier,
            residents=line.whole("residents", 0, 10_000_000),
        )

    columns = ("name", "kind", "quartier", "insee", "lat", "lon", "residents")
    return read(text, columns, ("name", "kind", "insee", "lat", "lon"), build)


def read_population(text: str) -> tuple[list[Residents], list[Problem]]:
    """Residents by quartier and age band; overlapping bands would count people twice, and are refused."""
    taken: dict[tuple[str, str], list[tuple[int, float, int]]] = {}

    def build(line: Line) -> Residents:
        line.needed("residents")
        row = Residents(
            quartier=line.needed("quartier"),
            insee=line.matching("insee", INSEE, "un code INSEE") or line.needed("insee"),
            age_from=line.count("age_from", 130),
            age_to=line.whole("age_to", 0, 130),
            residents=line.number("residents", 0, 10_000_000) or 0.0,
        )
        last = float("inf") if row.age_to is None else row.age_to
        if last < row.age_from:
            line.refuse("age_to", "la tranche finit avant de commencer")
        bands = taken.setdefault((row.insee, normalised(row.quartier)), [])
        overlapped = next((number for a, b, number in bands if row.age_from <= b and a <= last), None)
        if overlapped is not None:
            line.refuse("age_from", f"des âges sont déjà comptés à la ligne {overlapped}")
        if not line.refused:
            bands.append((row.age_from, last, line.at))
        return row

    columns = ("quartier", "insee", "age_from", "age_to", "residents")
    return read(text, columns, columns, build)


def read_households(text: str) -> tuple[list[Households], list[Problem]]:
    """Households of each commune by adults and children."""
    once = Once()

    def build(line: Line) -> Households:
        row = Households(
            insee=line.matching("insee", INSEE, "un code INSEE") or line.needed("insee"),
            adults=line.count("adults", 50),
            children=line.count("children", 50),
            households=line.count("households"),
        )
        once.check(line, "adults", (row.insee, row.adults, row.children))
        return row

    columns = ("insee", "adults", "children", "households")
    return read(text, columns, columns, build)


def read_structures(text: str) -> tuple[list[StructureRow], list[Problem]]:
    """The structures that may submit requests; names are unique."""
    once = Once()

    def build(line: Line) -> StructureRow:
        row = StructureRow(
            name=line.needed("name"),
            kind=line.one_of("kind", STRUCTURE_KINDS),
            email=line.email("email") or line.needed("email"),
            phone=line.phone("phone"),
        )
        once.check(line, "name", normalised(row.name))
        return row

    return read(text, ("name", "kind", "email", "phone"), ("name", "kind", "email"), build)


def read_users(text: str) -> tuple[list[UserRow], list[Problem]]:
    """The office's staff; addresses are unique."""
    once = Once()

    def build(line: Line) -> UserRow:
        row = UserRow(
            email=line.email("email") or line.needed("email"),
            role=line.one_of("role", STAFF_ROLES),
            name=line.needed("name"),
        )
        once.check(line, "email", row.email.lower())
        return row

    columns = ("email", "role", "name")
    return read(text, columns, columns, build)
