"""Whom to phone, for hundreds of searches at once.

``ranking`` and ``steps.to_phone`` ask every doctor about every search, which takes seconds for a whole
territory. Here a set of doctors is the bits of one whole number, each wish is asked once of each doctor for
all the searches that share it, and a search is a few ANDs. Who is found is the same; a test holds the two
together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from matcher.protocol import ranking
from matcher.protocol.announcement import Condition
from matcher.protocol.doctors import Candidate, Doctor, Zone, declines, meets, traits
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.places import Place, distance_km, rounded_km
from matcher.protocol.search import Search
from matcher.protocol.steps import done_with
from matcher.protocol.travel import Travel
from matcher.protocol.wishes import Wish, WishKind

#: The wishes whose answer depends on where the person lives.
_OF_PLACE = frozenset({WishKind.MAX_DISTANCE_KM, WishKind.TRAVEL})

#: The minutes of the territory's table, by the name of the announced place.
Times = Mapping[str, Mapping[DoctorId, Travel]]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What was found of the doctors so far: sets that hold as long as their traits do."""

    #: What the answers to wishes and conditions are worked out from, by doctor.
    traits: tuple[object, ...]
    meeting: dict[tuple[Wish, Place | None], int] = field(default_factory=dict)
    declining: dict[Condition, int] = field(default_factory=dict)
    distances: dict[Place, dict[DoctorId, float | None]] = field(default_factory=dict)
    #: Of each search, as it was then: those whom one is done with, on that day.
    done: dict[SearchId, tuple[Search, int]] = field(default_factory=dict)


class Switchboard:
    """The doctors of a territory on one day, as sets. ``before`` is an earlier one, whose work is used
    again where what it found of the doctors still holds; ``times`` must then be the same as its.
    """

    def __init__(
        self,
        doctors: Iterable[Doctor],
        *,
        today: date,
        rounds: int,
        times: Times | None = None,
        before: "Switchboard | None" = None,
    ) -> None:
        self.doctors = {doctor.id: doctor for doctor in doctors}
        self._listed = tuple(self.doctors.values())
        self.today, self._rounds = today, rounds
        self.times: Times = times or {}
        self._bits = {id: 1 << place for place, id in enumerate(self.doctors)}
        self._callable = self._those(
            lambda d: ranking.available(d, today) and d.has_phone and not d.do_not_call
        )
        self._near = self._callable & self._those(lambda d: d.zone is Zone.TERRITORY)
        self.work = Work(traits=tuple(map(traits, self._listed)))
        if before is not None and before.work.traits == self.work.traits:
            self.work = before.work if before.today == today else replace(before.work, done={})

    def to_phone(self, search: Search) -> int:
        """The set of those to phone for a search that is calling or proposing."""
        found = self._callable if search.widened else self._near
        for wish in search.wishes:
            if wish.binding:
                found &= self.meeting(search, wish)
        for condition in search.conditions:
            found &= ~self._that_decline(condition)
        return found & ~self._done_with(search)

    def meeting(self, search: Search, wish: Wish) -> int:
        """The set of those who surely meet a wish of this search."""
        place = None
        if wish.kind in _OF_PLACE and search.announcement is not None:
            place = search.announcement.place
        known = self.work.meeting.get((wish, place))
        if known is None:
            times = ranking.NO_TIMES if place is None else self.times.get(place.name, ranking.NO_TIMES)
            known = self._those(lambda d: meets(d, wish, _exact(d, place), times.get(d.id)))
            self.work.meeting[wish, place] = known
        return known

    def candidate(self, search: Search, doctor: DoctorId) -> Candidate | None:
        """The doctor as ``ranking`` sees him for this search; None where he is not there or does not fit."""
        known = self.doctors.get(doctor)
        if known is None or search.announcement is None or doctor in search.declined:
            return None
        place = search.announcement.place
        times = self.times.get(place.name, ranking.NO_TIMES)
        return ranking.candidate_of(known, search.wishes, search.conditions, place, self.today, times)

    def distance_km(self, search: Search, doctor: DoctorId) -> float | None:
        """Rounded kilometres from the announced place, as ``candidate`` has them."""
        if search.announcement is None:
            return None
        place = search.announcement.place
        if place not in self.work.distances:
            exact = {known.id: _exact(known, place) for known in self._listed}
            self.work.distances[place] = {
                id: None if km is None else rounded_km(km) for id, km in exact.items()
            }
        return self.work.distances[place].get(doctor)

    def only(self, doctor: DoctorId) -> int:
        """The set of one doctor."""
        return self._bits.get(doctor, 0)

    def has(self, found: int, doctor: DoctorId) -> bool:
        """Whether the doctor is in a set."""
        return bool(found & self._bits.get(doctor, 0))

    def members(self, found: int) -> Iterator[DoctorId]:
        """The doctors of a set."""
        while found:
            lowest = found & -found
            yield self._listed[lowest.bit_length() - 1].id
            found ^= lowest

    def most_met(self, pairs: Sequence[tuple[Search, int]]) -> dict[DoctorId, int]:
        """Of each doctor in the sets: the most wishes that he meets of one of their searches."""
        at_least: list[int] = [0]
        for search, found in pairs:
            ours = [found]
            for wish in search.wishes:
                meeting = self.meeting(search, wish)
                ours.append(0)
                for count in range(len(ours) - 1, 0, -1):
                    ours[count] |= ours[count - 1] & meeting
            at_least += [0] * (len(ours) - len(at_least))
            for count, some in enumerate(ours):
                at_least[count] |= some
        return {doctor: count for count, some in enumerate(at_least) for doctor in self.members(some)}

    def _that_decline(self, condition: Condition) -> int:
        if condition not in self.work.declining:
            self.work.declining[condition] = self._those(lambda d: declines(d, condition))
        return self.work.declining[condition]

    def _done_with(self, search: Search) -> int:
        known = self.work.done.get(search.id)
        if known is not None and known[0] is search:
            return known[1]
        found = 0
        for doctor in done_with(search, self.today, self._rounds):
            found |= self._bits.get(doctor, 0)
        self.work.done[search.id] = search, found
        return found

    def _those(self, asked: Callable[[Doctor], bool]) -> int:
        return sum(self._bits[doctor.id] for doctor in self._listed if asked(doctor))


def _exact(doctor: Doctor, place: Place | None) -> float | None:
    if place is None or doctor.lat is None or doctor.lon is None:
        return None
    return distance_km(place.lat, place.lon, doctor.lat, doctor.lon)
