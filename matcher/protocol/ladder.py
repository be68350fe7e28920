"""Which announcement is made: as coarse as still lets a doctor decide, never about fewer than K residents.

The fixed ladder of PROTOCOL.md is climbed until enough residents *remain* (``crowds``): the finest rung whose
words describe K would tell, by its very coarseness, that the finer ones did not do (docs/adr/0011).
"""

from matcher.protocol import crowds
from matcher.protocol.announcement import (
    AgeBand,
    Announcement,
    CannotAnnounce,
    Ground,
    NoHouseholdTable,
    Subject,
    TooFewResidents,
)
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.rungs import measured, rungs


def ladder(subject: Subject, ground: Ground) -> tuple[Announcement, ...]:
    """Every rung, finest first, with the residents it describes, even where those are under K.

    Raises NoHouseholdTable.
    """
    if subject.household and not ground.population.households:
        raise NoHouseholdTable
    return tuple(measured(subject, ground, *rung) for rung in rungs(subject, ground) if rung is not None)


def choices(subject: Subject, ground: Ground) -> tuple[Announcement, ...]:
    """What the office may click on: the announcement proposed, and the coarser ones of the ladder.

    The quartier's comes also in the wording "près de" its landmark. Empty where nothing may be announced.
    """
    rungs_ = ladder(subject, ground)
    proposed = crowds.rung_of(subject, ground)
    first = next((i for i, rung in enumerate(rungs_) if (rung.age, rung.place) == proposed), len(rungs_))
    offered: list[Announcement] = []
    for rung in rungs_[first:]:
        offered.append(rung)
        mark = ground.gazetteer.landmark_of(rung.place)
        if mark is not None:
            offered.append(measured(subject, ground, rung.age, mark))
    return tuple(a for a in offered if a.residents >= ground.k)


def announce(subject: Subject, ground: Ground) -> Announcement:
    """The finest rung at which at least K residents are announced alike.

    Raises TooFewResidents, NoHouseholdTable.
    """
    rungs_ = ladder(subject, ground)
    proposed = crowds.rung_of(subject, ground)
    if proposed is None:
        raise TooFewResidents(rungs_[-1].residents, ground.k)
    return measured(subject, ground, *proposed)


def finer(
    subject: Subject, ground: Ground, *, age: AgeBand | None = None, place: Place | None = None
) -> Announcement:
    """The announcement a person asks for by a click; what is left out is as ``announce`` would have it.

    May be finer than the ladder (an exact age, a street with its own count) or coarser, never under K.
    Raises TooFewResidents, NoHouseholdTable, and CannotAnnounce with ``age_not_in_band`` or
    ``place_not_announced``: an EHPAD is never named, and a quartier has one landmark only.
    """
    if age is None or place is None:
        proposed = announce(subject, ground)
        age, place = age or proposed.age, place or proposed.place
    if subject.household:
        age = None
    # An approximate birth date leaves two ages possible: both are true enough.
    elif age is None or not (age.holds(subject.age) or age.holds(subject.age + 1)):
        raise CannotAnnounce("age_not_in_band", "Cette tranche d’âge n’est pas celle de la personne.")
    if place.kind is PlaceKind.EHPAD:
        raise CannotAnnounce("place_not_announced", "Un EHPAD n’est jamais nommé dans une annonce.")
    if place.kind is PlaceKind.LANDMARK:
        quartier = ground.gazetteer.quartier_of(place)
        if quartier is None or ground.gazetteer.landmark_of(quartier) != place:
            raise CannotAnnounce("place_not_announced", "Un quartier n’a qu’un repère, le même pour tous.")
    asked = measured(subject, ground, age, place)
    if asked.residents < ground.k:
        raise TooFewResidents(asked.residents, ground.k)
    return asked
