"""Who is announced alike, so that nobody can be told from fewer than K by knowing the tables and the rule.

An intruder who is sure that the proposed rung is always taken knows, of an announcement, who else gets the
same one. ``partition`` makes these groups large enough; here they are made of a territory's own figures, once
for each set of conditions that narrows and each size of household.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from matcher.protocol import partition
from matcher.protocol.announcement import ADULT, Condition, ConditionKind, Ground, Subject
from matcher.protocol.places import normalised
from matcher.protocol.population import OLDEST, as_bits
from matcher.protocol.rungs import Rung, in_ehpad, in_ehpads, measured, rungs, share, whole_number

#: The conditions that say something of the person; the others only say what the doctor's day must allow.
NARROWING = (ConditionKind.HOME_VISITS, ConditionKind.EHPAD_VISITS, ConditionKind.STEP_FREE)

_Cell: TypeAlias = tuple[Rung | None, ...]
#: A cell whose rungs are numbers: it is looked up thousands of times, and a number is quick to look up.
_Numbered: TypeAlias = tuple[int | None, ...]
#: Of each (INSEE code, normalised quartier), the ages of a cell as bits.
_Ages: TypeAlias = dict[tuple[str, str], int]
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Crowds:
    """The rung of every cell that the tables count somebody in, and the rungs that are ever used."""

    rung: Mapping[_Cell, Rung | None]
    used: frozenset[Rung | None]


def rung_of(subject: Subject, ground: Ground) -> Rung | None:
    """The rung at which a person or household is announced; None where nothing may be.

    Somebody whom the tables do not count (an address without a quartier, an age that nobody has there) is
    announced by the finest rung where that describes K, else together with others.
    """
    own = rungs(subject, ground)
    made = _crowds(subject, ground)
    if own in made.rung:
        return made.rung[own]
    fine = [rung for rung in own if rung is not None]
    enough = [rung for rung in fine if measured(subject, ground, *rung).residents >= ground.k]
    if enough[:1] == fine[:1]:
        return fine[0]
    return next((rung for rung in enough if rung in made.used), enough[0] if enough else None)


def _crowds(subject: Subject, ground: Ground) -> _Crowds:
    kinds = frozenset(c.kind for c in subject.conditions if c.kind in NARROWING)
    about = (kinds, subject.adults, subject.children)
    if about not in ground.worked_out:
        conditions = tuple(Condition(kind=kind) for kind in NARROWING if kind in kinds)
        made = _homes(subject, conditions, ground) if subject.household else _people(conditions, ground)
        ground.worked_out[about] = _Crowds(made, frozenset(made.values()))
    found = ground.worked_out[about]
    assert isinstance(found, _Crowds)
    return found


def _people(conditions: tuple[Condition, ...], ground: Ground) -> dict[_Cell, Rung | None]:
    cells: dict[_Cell, _Ages] = {}
    whole = ground.gazetteer.whole()
    for insee, quartier, ages_alike in _inhabited(ground):
        where = insee, normalised(quartier)
        place = ground.gazetteer.quartier(quartier, insee) or ground.gazetteer.commune(insee) or whole
        for ages in ages_alike:
            someone = Subject(age=ages[0], place=place, conditions=conditions)
            known = cells.setdefault(rungs(someone, ground), {})
            known[where] = known.get(where, 0) | as_bits(ages)

    def size(group: Collection[_Ages]) -> int:
        everybody: _Ages = {}
        for cell in group:
            for where, ages in cell.items():
                everybody[where] = everybody.get(where, 0) | ages
        described = ground.population.crowd(everybody)
        if in_ehpad(conditions):
            # Of a commune either all adults are there or none: it is announced as adult and commune.
            grown_up = {where[0] for where, ages in everybody.items() if ages >> ADULT.from_}
            described = in_ehpads(Subject(age=ADULT.from_, place=whole), ground, grown_up)
        return whole_number(described * share(conditions, ground))

    return _settled(cells, size, ground.k)


def _homes(subject: Subject, conditions: tuple[Condition, ...], ground: Ground) -> dict[_Cell, Rung | None]:
    cells: dict[_Cell, set[str]] = {}
    for row in ground.population.households:
        if (row.adults, row.children) == (subject.adults, subject.children) and row.households:
            place = ground.gazetteer.commune(row.insee) or ground.gazetteer.whole()
            home = Subject(
                age=ADULT.from_, place=place, conditions=conditions, adults=row.adults, children=row.children
            )
            cells.setdefault(rungs(home, ground), set()).add(row.insee)

    def size(group: Collection[set[str]]) -> int:
        communes = {insee for cell in group for insee in cell}
        if in_ehpad(conditions):
            described = in_ehpads(subject, ground, communes)
        else:
            count = ground.population.household_count
            described = sum(count(subject.adults, subject.children, insee=insee) for insee in communes)
        return whole_number(described * share(conditions, ground))

    return _settled(cells, size, ground.k)


def _settled(
    cells: Mapping[_Cell, _Value], size: Callable[[Collection[_Value]], float], k: int
) -> dict[_Cell, Rung | None]:
    """``partition.settled``, with numbers in place of rungs; ``size`` is of what the cells hold."""
    number: dict[Rung | None, int] = {}
    for cell in cells:
        for rung in cell:
            number.setdefault(rung, len(number))
    rung_of_number = dict(enumerate(number))
    held: dict[_Numbered, _Value] = {}
    for cell, value in cells.items():
        held[tuple(None if rung is None else number[rung] for rung in cell)] = value
    found = partition.settled(held, lambda group: size([held[cell] for cell in group]), k)
    settled = (None if at is None else rung_of_number[at] for at in found.values())
    return dict(zip(cells, settled, strict=True))


def _inhabited(ground: Ground) -> Iterator[tuple[str, str, list[tuple[int, ...]]]]:
    """Each quartier with the ages that the ladder never tells apart, where at least somebody is counted."""
    rows: dict[tuple[str, str], int] = {}
    for row in ground.population.residents:
        if row.residents > 0:
            last = OLDEST if row.age_to is None else row.age_to
            where = row.insee, row.quartier
            rows[where] = rows.get(where, 0) | as_bits(range(row.age_from, last + 1))
    alike: dict[tuple[int, bool], list[int]] = {}
    open_from = ground.population.open_from
    for age in range(OLDEST + 1):
        counted = age if open_from is None else min(age, open_from)
        alike.setdefault((counted // 5, age >= ADULT.from_), []).append(age)
    told = [(tuple(ages), as_bits(ages)) for ages in alike.values()]
    for (insee, quartier), counted_ages in rows.items():
        yield insee, quartier, [ages for ages, bits in told if bits & counted_ages]
