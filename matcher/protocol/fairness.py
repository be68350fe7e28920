"""Whose turn it is among doctors who are equally near: what they answered, and what they carry. Pure.

What somebody answered before predicts what he answers next, but a few answers tell little: they are drawn
towards what is usual in the territory (a Beta prior), so that a new doctor counts as an average one, neither
punished nor flooded. Against it stands his load: asked and accepted lately, beside his own limits, and the
size of his list where it is known. Whoever always says yes is thus asked often, and not always.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from matcher.protocol.doctors import Doctor

#: The prior weighs as much as so many answered questions.
PRIOR_WEIGHT = 8.0
#: A territory without any history expects one yes in six, and learns as slowly as a doctor does.
FIRST_GUESS = 1 / 6
#: As long as the answers of a doctor are kept (PROTOCOL.md: twelve months).
YEAR = timedelta(days=365)
#: Who has not answered after so long counts as silent.
PATIENCE = timedelta(days=7)
#: Past answers move slowly: they are counted anew after so long.
COUNTED_FOR = timedelta(hours=1)
#: Limits of a doctor who has none, as far as the load goes.
WEEKLY, MONTHLY = 5, 4
#: A list twice as long as usual, or none at all, weighs as half of a week's or a month's limit.
LIST_WEIGHT = 0.5


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What is usual in a territory."""

    #: Mean of the Beta prior: the share of questions that end in a yes.
    yes: float = FIRST_GUESS
    #: Mean size of the lists that are known.
    list_size: float | None = None


def usual(doctors: Iterable[Doctor]) -> Usual:
    """What is usual among these doctors."""
    asked = yes = 0
    sizes = []
    for doctor in doctors:
        asked += doctor.asked_before
        yes += doctor.yes_before
        if doctor.list_size is not None:
            sizes.append(doctor.list_size)
    return Usual(
        yes=(yes + PRIOR_WEIGHT * FIRST_GUESS) / (asked + PRIOR_WEIGHT),
        list_size=sum(sizes) / len(sizes) if any(sizes) else None,
    )


def chance(doctor: Doctor, common: Usual) -> float:
    """The probability of a yes: the doctor's own answers, drawn towards what is usual."""
    return (doctor.yes_before + PRIOR_WEIGHT * common.yes) / (doctor.asked_before + PRIOR_WEIGHT)


def load(doctor: Doctor, common: Usual) -> float:
    """What he carries, in shares of his limits: 1 is a week's announcements or a month's patients."""
    carried = doctor.asked_this_week / (doctor.asked_per_week or WEEKLY)
    carried += doctor.accepted_this_month / (doctor.accepted_per_month or MONTHLY)
    if doctor.list_size is not None and common.list_size:
        beside = doctor.list_size / common.list_size - 1
        carried += LIST_WEIGHT * max(-1.0, min(1.0, beside))
    return carried


def turn(doctor: Doctor, common: Usual) -> float:
    """Lower is sooner: what he carries, against how readily he says yes."""
    return (1.0 + load(doctor, common)) * common.yes / chance(doctor, common)
