"""The doctors of a simulation as they stand now: what they were asked and accepted, pauses, quotas."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from matcher.protocol import ranking
from matcher.protocol.announcement import Announcement
from matcher.protocol.doctors import Candidate, Candidates, Doctor, meets
from matcher.protocol.fairness import COUNTED_FOR, usual
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import distance_km
from matcher.protocol.rules import Around, Rules
from matcher.protocol.search import Search
from matcher.protocol.wishes import Wish
from matcher.simulation.behaviour import Temper
from matcher.simulation.remembered import Remembered

WEEK = timedelta(days=7)
MONTH = timedelta(days=30)


class LazyCandidates(Candidates):
    """Who may be asked, worked out only where a rule asks for their order.

    Most events (a mail accepted, a first answer) never look at it, and ranking is what costs.
    """

    def __init__(self, work: Callable[[], Candidates], with_mailbox: frozenset[DoctorId]) -> None:
        super().__init__(with_mailbox=with_mailbox)
        object.__setattr__(self, "_work", work)
        del self.__dict__["ordered"]

    @cached_property
    def ordered(self) -> tuple[Candidate, ...]:
        """As ``ranking.candidates`` has them."""
        found: Candidates = self.__dict__["_work"]()
        return found.ordered


class OneDoctor:
    """One doctor's running state."""

    def __init__(self, index: int, doctor: Doctor, temper: Temper) -> None:
        self.index = index
        self.doctor = doctor
        self.temper = temper
        self.asked: deque[datetime] = deque()
        self.chosen: deque[datetime] = deque()
        self.mails = 0
        self.calls = 0
        self.accepted = 0
        self.past = Remembered()
        #: Reminders mailed to him lately.
        self.reminded: deque[datetime] = deque()
        self._as_ranked = self._ranked_from = doctor

    def asked_lately(self, now: datetime) -> int:
        """Announcements mailed to him in the last 7 days."""
        while self.asked and self.asked[0] <= now - WEEK:
            self.asked.popleft()
        return len(self.asked)

    def chosen_lately(self, now: datetime) -> int:
        """Times chosen in the last 30 days."""
        while self.chosen and self.chosen[0] <= now - MONTH:
            self.chosen.popleft()
        return len(self.chosen)

    def remember(self, now: datetime) -> None:
        """Count his past answers anew."""
        self.past.pass_to(now)
        if (self.doctor.asked_before, self.doctor.yes_before) != (self.past.asked, self.past.yes):
            self.set(asked_before=self.past.asked, yes_before=self.past.yes)

    def set(self, **changes: Any) -> None:
        """Change what the directory knows of him (pause, do not call, last phoned)."""
        self.doctor = replace(self.doctor, **changes)

    def as_ranked(self, now: datetime) -> Doctor:
        """The doctor with his load of this moment."""
        asked, chosen, known = self.asked_lately(now), self.chosen_lately(now), self._as_ranked
        loaded = (known.asked_this_week, known.accepted_this_month) == (asked, chosen)
        if not loaded or self._ranked_from is not self.doctor:
            self._as_ranked = replace(self.doctor, asked_this_week=asked, accepted_this_month=chosen)
            self._ranked_from = self.doctor
        return self._as_ranked


class Roster:
    """All doctors, and the ranking of them for one search."""

    def __init__(self, doctors: Collection[tuple[Doctor, Temper]], rules: Rules, *, steered: bool) -> None:
        self.all = [OneDoctor(index, doctor, temper) for index, (doctor, temper) in enumerate(doctors)]
        self.by_id = {one.doctor.id: one for one in self.all}
        self._rules = rules
        self._steered = steered
        self._common = usual(doctor for doctor, _ in doctors)
        self._counted_at: datetime | None = None
        self._with_mailbox = frozenset(doctor.id for doctor, _ in doctors if doctor.has_mailbox)
        #: Of each search: the doctors who fit at all. Wishes do not change here, so it holds for good.
        self._fitting: dict[str, list[OneDoctor]] = {}
        #: What the ranking made of each doctor: of each search, whose wishes and announcement do not change,
        #: and of each place, for all searches there that wish nothing and ask for nothing.
        self._known: dict[str, dict[DoctorId, ranking.Known]] = {}
        self._plain: dict[str, dict[DoctorId, ranking.Known]] = {}

    def candidates(self, search: Search, now: datetime) -> Candidates:
        """Who may be asked now, by the protocol's own ranking; by hand, everybody in list order."""
        if search.announcement is None:
            return Candidates()
        if self._steered and (self._counted_at is None or now >= self._counted_at + COUNTED_FOR):
            self._remember(now)
        fitting = self._fitting.get(search.id, self.all)
        wishes, place = search.wishes if self._steered else (), search.announcement.place
        if wishes or search.conditions:
            known = self._known.setdefault(search.id, {})
        else:
            known = self._plain.setdefault(place.name, {})
        found = ranking.candidates(
            [one.as_ranked(now) for one in fitting],
            wishes=wishes,
            conditions=search.conditions,
            place=place,
            declined=search.declined,
            offers=(),
            today=self.today(now),
            persons=1,
            common=self._common,
            known=known,
        )
        if search.id not in self._fitting:
            ids = {candidate.doctor for candidate in found.ordered} | search.declined
            self._fitting[search.id] = [one for one in self.all if one.doctor.id in ids]
        if not self._steered:
            in_order = sorted(found.ordered, key=lambda candidate: self.by_id[candidate.doctor].index)
            return replace(found, ordered=tuple(in_order))
        return found

    def _remember(self, now: datetime) -> None:
        """Past answers are counted anew, as the service does once an hour."""
        for one in self.all:
            one.remember(now)
        self._common, self._counted_at = usual(one.doctor for one in self.all), now

    def around(self, search: Search, now: datetime) -> Around:
        """What surrounds the search now."""
        found = LazyCandidates(lambda: self.candidates(search, now), self._with_mailbox)
        return Around(now=now, rules=self._rules, candidates=found)

    def today(self, now: datetime) -> date:
        """The territory's day."""
        return now.astimezone(self._rules.office_calendar.zone).date()

    def forget(self, search: str) -> None:
        """A search has ended: nothing of it is kept."""
        self._fitting.pop(search, None)
        self._known.pop(search, None)


def unmet(doctor: Doctor, wishes: Collection[Wish], announcement: Announcement) -> tuple[Wish, ...]:
    """The wishes that this doctor does not surely meet; worked out beside the ranking, to check it."""
    exact = None
    if doctor.lat is not None and doctor.lon is not None:
        exact = distance_km(announcement.place.lat, announcement.place.lon, doctor.lat, doctor.lon)
    return tuple(wish for wish in wishes if not meets(doctor, wish, exact))


def unfit(roster: Roster, wishes: Collection[Wish], announcement: Announcement) -> frozenset[DoctorId]:
    """The doctors who miss a wish that binds (P4)."""
    if not any(wish.binding for wish in wishes):
        return frozenset()
    return frozenset(
        one.doctor.id
        for one in roster.all
        if any(wish.binding for wish in unmet(one.doctor, wishes, announcement))
    )
