"""How a made doctor behaves: a few take nearly everyone, half refuse nearly everyone, all tire."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matcher.simulation.assumptions import Assumptions


class Kind(StrEnum):
    """The three kinds that surveys tell apart."""

    KEEN = "keen"
    ORDINARY = "ordinary"
    REFUSING = "refusing"


#: How often each kind answers a mail, against the average: who wants no patients does not write that.
_ANSWERS = {Kind.KEEN: 2.0, Kind.ORDINARY: 1.2, Kind.REFUSING: 0.6}
#: How tightly the doctors of a kind stand around its mean willingness.
_CONCENTRATION = {Kind.KEEN: 20.0, Kind.ORDINARY: 8.0, Kind.REFUSING: 50.0}
_CAPACITY = {Kind.KEEN: 3.0, Kind.ORDINARY: 1.0, Kind.REFUSING: 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """What one doctor is like."""

    kind: Kind
    #: The probability that an announcement mail is answered.
    answers: float
    #: The probability of a yes when he decides, while he has accepted nobody lately.
    willing: float
    #: Patients accepted within 30 days that halve it.
    capacity: float

    def yes(self, accepted_lately: int) -> float:
        """The probability of a yes of somebody who accepted that many within 30 days."""
        return float(self.willing * 0.5 ** (accepted_lately / self.capacity))

    def answers_mail(self, asked_lately: int, fatigue: float) -> float:
        """The probability that one more mail is answered."""
        return self.answers * max(0.0, 1.0 - fatigue) ** asked_lately


def tempers(doctors: int, assumed: Assumptions, seed: int) -> Sequence[Temper]:
    """The doctors of a made world, in list order; the kinds are spread by chance, their shares are not."""
    chance = np.random.default_rng((seed, 2))
    keen = round(assumed.keen * doctors)
    refusing = round(assumed.refusing * doctors)
    kinds = [Kind.KEEN] * keen + [Kind.REFUSING] * refusing
    kinds += [Kind.ORDINARY] * (doctors - len(kinds))
    willing = {
        Kind.KEEN: assumed.keen_willing,
        Kind.ORDINARY: assumed.ordinary_willing,
        Kind.REFUSING: assumed.refusing_willing,
    }
    # The answering of mails has a tail of its own, as in every survey: most answer none.
    tail = chance.gamma(2.0, 0.5, doctors)
    room = chance.gamma(4.0, 0.25, doctors)
    made = []
    for index, place in enumerate(chance.permutation(doctors)):
        kind = kinds[place]
        mean, tight = willing[kind], _CONCENTRATION[kind]
        made.append(
            Temper(
                kind=kind,
                answers=min(0.95, assumed.mail_answered * _ANSWERS[kind] * float(tail[index])),
                willing=float(chance.beta(mean * tight, (1 - mean) * tight)),
                capacity=max(0.25, assumed.capacity * _CAPACITY[kind] * float(room[index])),
            )
        )
    return made


def with_reminder(answers: float, odds: float) -> float:
    """The probability that somebody who did not answer the mail answers its reminder.

    ``odds``: the odds ratio of having answered in the end, with the reminder against without.
    """
    if answers <= 0.0 or answers >= 1.0:
        return 0.0
    raised = odds * answers / (1.0 - answers)
    return max(0.0, (raised / (1.0 + raised) - answers) / (1.0 - answers))
