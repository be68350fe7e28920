"""A territory at full load: hundreds of doctors, thousands of open searches, as the rules leave them.

Every search is played by the protocol itself (launched, mails taken, calls, yes, choice, timers that were
due) and then stored by the storage's own functions, with a sealed record and its journal. Only the way
through HTTP and the mails are left out, which would take an hour.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from config.database import keep_statistics
from matcher.protocol import ranking, steps
from matcher.protocol.announcement import AgeBand, Announcement
from matcher.protocol.doctors import Candidates, Doctor, Zone
from matcher.protocol.ids import DoctorId, SearchId
from matcher.protocol.moves import Event
from matcher.protocol.places import Place, PlaceKind
from matcher.protocol.search import CallOutcome, Says, State
from matcher.protocol.wishes import Wish, WishKind
from matcher.records.priority import Level
from matcher.service import asking, vaulted
from matcher.service.actors import Actor, Role, system
from matcher.service.house import House
from matcher.storage import doctors, journal, references, searches
from matcher.storage.doctors import Card
from tests.acceptance.api_world import HERE, request
from tests.unit.protocol_world import World, consent

#: Of a hundred open searches, how many stand where.
SHARES: Final = {
    State.SUBMITTED: 6,
    State.READY: 4,
    State.ASKING: 25,
    State.CALLING: 20,
    State.PROPOSING: 12,
    State.RELEASED: 25,
    State.RESTING: 8,
}
_BATCH: Final = 100
_WISHES: Final = (
    (),
    (Wish(kind=WishKind.SECTOR1, value=True, hard=True),),
    (Wish(kind=WishKind.DOCTOR_SEX, value="F", hard=False),),
    (
        Wish(kind=WishKind.LANGUAGE, value="ar", hard=False),
        Wish(kind=WishKind.TRAVEL, value="transit", hard=False),
    ),
    (Wish(kind=WishKind.STEP_FREE, value=True, hard=True),),
    (Wish(kind=WishKind.MAX_DISTANCE_KM, value=3, hard=False),),
)


async def fill(house: House, *, open_searches: int, doctors_: int, structure: str) -> None:
    """Fill the territory until it has so many doctors and open searches, half of them the structure’s."""
    random = Random(7)
    async with house.sessions.begin() as session:
        listed = await doctors.list_(session, HERE)
        await doctors.put(session, HERE, _more(random, doctors_ - len(listed)), house.now())
        roster = await asking.roster(session, house, HERE)
    ranked = _Ranked(roster.doctors, asking.today(house, HERE))
    places = [p for p in house.territory(HERE).places.places if p.kind is PlaceKind.QUARTIER]
    plan = [state for state, share in SHARES.items() for _ in range(share)] * (open_searches // 100)
    requester = Actor(territory=HERE, id="structure", role=Role.REQUESTER, structure=structure)
    for start in range(0, len(plan), _BATCH):
        async with house.sessions.begin() as session:
            for number, state in enumerate(plan[start : start + _BATCH], start):
                played = Played(house, ranked, number, random.choice(places), random)
                events = list(played.until(state))
                search = played.search
                await searches.insert(
                    session,
                    search,
                    reference=await references.next_one(session, HERE, house.now().year),
                    structure=structure if number % 2 else None,
                    priority=random.choice(list(Level)),
                )
                await vaulted.put_record(session, house, search, _request(number), [])
                for at, event, *told in events:
                    who = requester if event is Event.SUBMIT else system(HERE)
                    doctor, purpose = told or (None, None)
                    entry = house.entry(who, event, search=search.id, doctor=doctor, purpose=purpose)
                    await journal.append(session, replace(entry, at=at, state=search.state))
    # As a worker does at its start and each hour.
    await keep_statistics(house.engine)


class _Ranked:
    """The doctors of the territory, ranked once for each kind of search."""

    def __init__(self, roster: tuple[Doctor, ...], today: date) -> None:
        self._roster, self._today = roster, today

    @cache  # noqa: B019 - it lives as long as one filling
    def candidates(self, wishes: tuple[Wish, ...], place: Place) -> Candidates:
        return ranking.candidates(
            self._roster,
            wishes=wishes,
            conditions=(),
            place=place,
            declined=(),
            offers=(),
            today=self._today,
        )


class Played(World):
    """One search of the crowd, played from some days ago until now."""

    def __init__(self, house: House, ranked: _Ranked, number: int, place: Place, random: Random) -> None:
        wishes = random.choice(_WISHES)
        super().__init__(rules=house.territory(HERE).rules)
        self.candidates = ranked.candidates(wishes, place)
        self.random, self.today = random, house.now()
        age = AgeBand(from_=5 * (number % 17), to=5 * (number % 17) + 4)
        announced = Announcement(age=age, place=place, residents=900, candidates=100)
        self.begins = self.today - timedelta(days=random.uniform(0.2, 1.2))
        self.now = self.begins
        self.search = steps.new(
            SearchId(f"search{number:05}"),
            HERE,
            self.around,
            consent=consent(),
            wishes=wishes,
            urgent=number % 50 == 7,
            announcement=announced,
        )

    def until(self, state: State) -> Iterator[tuple[datetime, Event] | tuple[datetime, Event, str, str]]:
        """Play it until it stands there today; what happened when, by whom, with which word."""
        self.do(steps.submit)
        yield self.now, Event.SUBMIT
        if state is State.SUBMITTED:
            return
        self.do(steps.validate)
        yield self.now, Event.VALIDATE
        if state is not State.READY:
            self.do(steps.launch)
            yield self.now, Event.LAUNCH
            self.accept_mails()
            yield self.now, Event.MAIL_ACCEPTED
            for doctor in self._asked(self.random.randrange(4)):
                self.says(doctor, Says.NO)
                yield self.now, Event.ANSWER, doctor, "no"
        if state is State.CALLING:
            self.do(steps.start_calls)
            for doctor in self._to_phone(self.random.randrange(8)):
                outcome = self.random.choice((CallOutcome.NO_ANSWER, CallOutcome.MESSAGE_LEFT))
                self.phones(doctor, outcome)
                yield self.now, Event.CALL, doctor, outcome
            if self.random.random() < 0.1:
                for doctor in self._to_phone(1):
                    self.phones(doctor, CallOutcome.CALL_BACK, call_back_at=self.today - timedelta(hours=1))
        if state in (State.PROPOSING, State.RELEASED):
            for doctor in self._asked(self.random.randint(1, 3), last=True):
                self.says(doctor, Says.YES)
                yield self.now, Event.ANSWER, doctor, "yes"
        if state is State.RELEASED:
            self.do(steps.choose, self.search.standing_yes[0].doctor, None)
            yield self.now, Event.CHOOSE
        if state is State.RESTING:
            self.do(steps.rest, None)
        self.at(self.today)
        assert self.state is state, (state, self.state)

    def _asked(self, number: int, *, last: bool = False) -> list[str]:
        mailed = [s.doctor for s in self.search.solicitations]
        return mailed[-number:] if last and number else mailed[:number]

    def _to_phone(self, number: int) -> list[str]:
        return [c.doctor for c in steps.to_phone(self.search, self.around)[:number]]


def _request(number: int) -> dict[str, object]:
    sent = request()
    sent["record"] = {
        **sent["record"],
        "birth_name": f"Aubépine{number}",
        "birth_date": f"19{30 + number % 60}-03-02",
        "phone": f"06 39 98 {number // 100 % 100:02} {number % 100:02}",
        "attachments": [],
    }
    # Nobody here is anybody's double.
    del sent["record"]["nir"]
    return sent


def _more(random: Random, number: int) -> Iterator[Card]:
    for n in range(number):
        yield Card(
            id=DoctorId(f"crowd{n:04}"),
            last_name=f"Fougère-{n}",
            first_name=random.choice(("Camille", "Claude", "Dominique")),
            sex=random.choice("FM"),
            phone=f"04 65 71 {n // 100:02} {n % 100:02}",
            email=f"fougere{n}@cabinet.example",
            lat=45.70 + random.uniform(-0.06, 0.06),
            lon=4.88 + random.uniform(-0.06, 0.06),
            languages=frozenset(random.sample(("ar", "en", "tr", "pt"), random.randrange(3))),
            step_free=random.choice((True, True, False, None)),
            home_visits=random.choice((True, False)),
            sector=random.choice((1, 1, 1, 2)),
            teleconsultation=random.random() < 0.5,
            member=random.random() < 0.7,
            zone=Zone.NEIGHBOUR if n % 5 == 4 else Zone.TERRITORY,
        )
