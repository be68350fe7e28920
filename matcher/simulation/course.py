"""One period played through: the requests of a year, under one policy, with one seed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from matcher.protocol.doctors import Zone
from matcher.protocol.hours import next_open
from matcher.simulation.assumptions import Assumptions
from matcher.simulation.behaviour import tempers
from matcher.simulation.demand import year
from matcher.simulation.mails import Mails
from matcher.simulation.measures import Load, Period
from matcher.simulation.office import Office
from matcher.simulation.patients import Patients
from matcher.simulation.play import Play
from matcher.simulation.policies import Policy
from matcher.simulation.roster import Roster
from matcher.simulation.terrain import Terrain

#: How long a search is followed after the last request of the period.
FOLLOWED: Final = timedelta(days=120)
#: The first day of a simulated period, unless another is given.
START: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def play(
    terrain: Terrain,
    policy: Policy,
    assumed: Assumptions,
    *,
    seed: int,
    start: datetime = START,
    years: float = 1.0,
    progress: Callable[[float], None] | None = None,
) -> Period:
    """Play ``years`` from ``start``; the same arguments give the same period, to the last call.

    ``progress`` is told the share that is done, from 0 to 1.
    """
    rules = policy.rules(terrain.rules)
    made = tempers(len(terrain.doctors), assumed, seed)
    roster = Roster(list(zip(terrain.doctors, made, strict=True)), rules, steered=policy.steered)
    stage = Play(rules, assumed, roster)
    office = Office(stage, policy, seed, terrain.id)
    stage.players += [Mails(stage), Patients(stage), office]
    demands, refused = year(terrain, assumed, seed, start, years)
    stage.at(next_open(start, rules.office_calendar), office.open_day)
    for demand in demands:
        stage.at(demand.at, office.receive, demand)
    end = start + timedelta(days=365.0 * years) + FOLLOWED
    parts = 50
    for part in range(1, parts + 1):
        stage.run(start + (end - start) * (part / parts))
        if progress is not None:
            progress(part / parts)
    return Period(
        policy=policy.name,
        seed=seed,
        years=years,
        outcomes=office.outcomes,
        loads=[
            Load(
                doctor=one.doctor.id,
                kind=one.temper.kind,
                mails=one.mails,
                calls=one.calls,
                accepted=one.accepted,
            )
            for one in roster.all
            if one.doctor.zone is Zone.TERRITORY
        ],
        not_announced=refused,
        events=stage.events,
    )
