"""``streets.csv`` beside a ``territory.toml``: the quartiers as lists of streets. Pure."""

from dataclasses import dataclass

from matcher.addresses import key
from matcher.directory.lines import INSEE, Line, Once, Problem, read


@dataclass(frozen=True, kw_only=True)
class StreetRow:
    """A street and its quartier.

    ``excluded``: the street is one foyer or residence. Whoever sleeps there belongs to the quartier, and
    no announcement names the street.
    """

    street: str
    insee: str
    quartier: str
    excluded: bool = False


@dataclass(frozen=True, kw_only=True)
class IrisRow:
    """One of INSEE's areas and the quartier that it is counted in."""

    iris: str
    quartier: str


def read_streets(text: str) -> tuple[list[StreetRow], list[Problem]]:
    """The streets, each once in its commune however it is written."""
    once = Once()

    def build(line: Line) -> StreetRow:
        row = StreetRow(
            street=line.needed("street"),
            insee=line.matching("insee", INSEE, "un code INSEE") or line.needed("insee"),
            quartier=line.needed("quartier"),
            excluded=line.yes_no("excluded") or False,
        )
        once.check(line, "street", (row.insee, key(row.street)))
        return row

    needed = ("street", "insee", "quartier")
    return read(text, (*needed, "excluded"), needed, build)


def read_iris(text: str) -> tuple[list[IrisRow], list[Problem]]:
    """Which quartier each IRIS (nine digits) is counted in; each once."""
    once = Once()

    def build(line: Line) -> IrisRow:
        row = IrisRow(iris=line.needed("iris"), quartier=line.needed("quartier"))
        if row.iris and len(row.iris) != 9:
            line.refuse("iris", f"« {row.iris} » n’a pas neuf chiffres")
        once.check(line, "iris", row.iris)
        return row

    return read(text, ("iris", "quartier"), ("iris", "quartier"), build)
