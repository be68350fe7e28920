"""``travel.csv``: minutes from a place that may be announced to a doctor's practice. Pure."""

from dataclasses import dataclass

from matcher.directory.lines import Line, Once, Problem, read
from matcher.protocol.places import normalised
from matcher.protocol.travel import Travel
from matcher.records.identifiers import national_rpps


@dataclass(frozen=True, kw_only=True)
class TravelRow:
    """One line: a place of ``places.csv`` or a commune, a doctor, and the minutes that are known."""

    line: int
    place: str
    rpps: str
    travel: Travel


def read_travel(text: str) -> tuple[list[TravelRow], list[Problem]]:
    """The table ``place;rpps;walk;drive``, minutes door to door; an empty cell is unknown."""
    once = Once()

    def build(line: Line) -> TravelRow:
        place, rpps = line.needed("place"), national_rpps(line.needed("rpps"))
        travel = Travel(walk=line.whole("walk", 0, 600), drive=line.whole("drive", 0, 600))
        if travel == Travel():
            line.refuse("walk", "ni à pied ni en voiture : cette ligne ne dit rien")
        once.check(line, "rpps", f"{normalised(place)} / {rpps}")
        return TravelRow(line=line.at, place=normalised(place), rpps=rpps, travel=travel)

    return read(text, ("place", "rpps", "walk", "drive"), ("place", "rpps"), build)
