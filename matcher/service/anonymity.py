"""The audit of a territory's announcements, and its report: how many residents each leaves possible."""

from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from config.territory import load_territory
from matcher import directory
from matcher.protocol import wording
from matcher.protocol.announcement import Announcement, Ground, format_age, format_condition
from matcher.protocol.anonymity import Audit, Audited, audit
from matcher.protocol.places import Gazetteer
from matcher.protocol.population import Population
from matcher.service.errors import Invalid
from matcher.service.finding import announceable
from matcher.service.house import House
from matcher.storage import doctors

#: The classes of the distribution, in multiples of K.
_CLASSES = (1, 2, 5, 10, 20, 50)
COLUMNS = (
    "place", "kind", "age", "conditions", "adults", "children", "residents", "candidates", "remaining",
    "remaining_if_always_proposed", "text",
)  # fmt: skip


async def audit_territory(house: House, territory: str) -> Audit:
    """Every announcement of a territory as it stands in the database. Raises Invalid for an unknown one."""
    if territory not in house.territories:
        raise Invalid({"territory": "ce territoire n’existe pas ; « trait-union init » le crée"})
    ground = house.territory(territory).ground
    async with house.sessions.begin() as session:
        cards = await doctors.list_(session, territory)
    placed = [(card.lat, card.lon) for card in cards if card.lat is not None and card.lon is not None]
    return _audited(ground, placed)


def audit_folder(folder: Path) -> Audit:
    """The same of a territory's folder, before anything is installed."""
    settings = load_territory(folder)

    def text(name: str) -> str:
        file = folder / name
        return directory.decode(file.read_bytes()) if file.is_file() else ""

    streets, _ = directory.read_streets(text("streets.csv"))
    places, _ = directory.read_places(text("places.csv"))
    residents, _ = directory.read_population(text("population.csv"))
    households, _ = directory.read_households(text("households.csv"))
    cards, _ = directory.read_doctors(text("doctors.csv"))
    ground = Ground(
        gazetteer=Gazetteer(territory=settings.name, places=announceable(places, streets)),
        population=Population(residents=tuple(residents), households=tuple(households)),
        k=settings.announcement.k,
    )
    return _audited(ground, [(c.lat, c.lon) for c in cards if c.lat is not None and c.lon is not None])


def _audited(ground: Ground, placed: list[tuple[float, float]]) -> Audit:
    if not ground.gazetteer.places or not ground.population.residents:
        raise Invalid({"territory": "il n’a pas de lieux ou pas d’habitants : rien ne peut y être annoncé"})
    return audit(ground, placed)


def lines(found: Audit) -> Iterator[str]:
    """The report, in French."""
    made, k = found.announcements, found.k
    yield f"{len(made)} annonces différentes pour {found.cells} situations (quartier, âge, conditions, foyer)"
    yield f"{found.unannounceable} situations que rien ne peut annoncer à {k} : le lancement est refusé"
    if not made:
        return
    yield _distribution("décrits", [each.announcement.residents for each in made])
    yield _distribution("encore possibles, tous les mails connus", [each.remaining for each in made])
    yield "Annonces par nombre de personnes encore possibles :"
    bounds = [k * times for times in _CLASSES]
    for low, high in zip([0, *bounds], [*bounds, None], strict=True):
        count = sum(low <= each.remaining and (high is None or each.remaining < high) for each in made)
        to = f"{low} et plus" if high is None else f"{low} à {high - 1}"
        name = f"moins de {high}" if low == 0 else to
        yield f"  {name:>14} : {count}"
    proposed = [each.proposed for each in made if each.proposed is not None]
    if proposed:
        yield _distribution("encore possibles, si le bureau prend toujours ce qui est proposé", proposed)
    yield f"Annonces sous {k}, pour l’intrus le mieux renseigné : {len(found.under_k)}"
    yield from (f"  {each.least} : {wording.sentence(each.announcement)}" for each in found.under_k)


def table(found: Audit) -> Iterator[tuple[str, ...]]:
    """The rows of the CSV, COLUMNS first, the fewest remaining first."""
    yield COLUMNS
    for each in sorted(found.announcements, key=lambda each: each.remaining):
        yield _row(each, each.announcement)


def _row(each: Audited, made: Announcement) -> tuple[str, ...]:
    return (
        made.place.name,
        made.place.kind.value,
        "" if made.age is None else format_age(made.age),
        " ".join(format_condition(condition) for condition in made.conditions),
        str(made.adults) if made.age is None else "",
        str(made.children) if made.age is None else "",
        str(made.residents),
        str(made.candidates),
        str(each.remaining),
        "" if each.proposed is None else str(each.proposed),
        wording.sentence(made),
    )


def _distribution(name: str, counts: list[int]) -> str:
    low, middle, high = quantiles(counts, n=4) if len(counts) > 1 else counts * 3
    return f"Habitants {name} : au moins {min(counts)}, quartiles {low:.0f}, {middle:.0f}, {high:.0f}"
