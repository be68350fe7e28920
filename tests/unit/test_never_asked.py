"""P4 on every way to a doctor: whoever misses a hard wish or declines a condition is never asked.

By mail (a wave, alone or shared out), by phone, by a standing offer, by a place of a list.
"""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol import steps
from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Candidates, Doctor, Offer, declines, meets
from matcher.protocol.ids import DoctorId, OfferId, SearchId
from matcher.protocol.nearest import Nearest
from matcher.protocol.places import distance_km
from matcher.protocol.ranking import candidates
from matcher.protocol.rules import Around
from matcher.protocol.search import Channel, Search, Via
from matcher.protocol.sharing import share
from matcher.protocol.wishes import Wish
from tests.unit.protocol_world import ANNOUNCED, RULES, START, World, consent
from tests.unit.test_ranking import PLACE, TODAY, doctors, wanted

_ANNOUNCED = replace(ANNOUNCED, place=PLACE)
_conditions = st.frozensets(
    st.sampled_from([ConditionKind.HOME_VISITS, ConditionKind.STEP_FREE, ConditionKind.EVENINGS]).map(
        lambda kind: Condition(kind=kind)
    ),
    max_size=2,
)


def fits(doctor: Doctor, search: Search) -> bool:
    """Worked out beside the ranking, to check it."""
    exact = None
    if doctor.lat is not None and doctor.lon is not None:
        exact = distance_km(PLACE.lat, PLACE.lon, doctor.lat, doctor.lon)
    hard = all(meets(doctor, wish, exact) for wish in search.wishes if wish.hard)
    return hard and not any(declines(doctor, condition) for condition in search.conditions)


def ready(number: int, wishes: list[Wish], conditions: frozenset[Condition]) -> Search:
    """A search that may be launched."""
    world = World(
        consent=consent(), announcement=_ANNOUNCED, wishes=tuple(wishes), conditions=conditions
    ).ready()
    return replace(world.search, id=SearchId(str(number)))


def found(everybody: list[Doctor], search: Search, offers: list[Offer]) -> Candidates:
    return candidates(
        everybody,
        wishes=search.wishes,
        conditions=search.conditions,
        place=PLACE,
        declined=search.declined,
        offers=offers,
        today=TODAY,
    )


def around(candidates_: Candidates) -> Around:
    return Around(now=START, rules=RULES, candidates=candidates_)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(doctors, min_size=1, max_size=10, unique_by=lambda d: d.id),
    st.lists(st.tuples(wanted, _conditions), min_size=1, max_size=4),
    st.data(),
)
def test_nobody_unfit_is_asked_by_mail_by_phone_or_by_an_offer(
    everybody: list[Doctor], wished: list[tuple[list[Wish], frozenset[Condition]]], data: Any
) -> None:
    by_id = {doctor.id: doctor for doctor in everybody}
    searches = [ready(n, wishes, conditions) for n, (wishes, conditions) in enumerate(wished)]
    offering = data.draw(st.lists(st.sampled_from(sorted(by_id)), max_size=4, unique=True))
    offers = [Offer(id=OfferId(f"o{d}"), doctor=DoctorId(d), left=2, from_=TODAY) for d in offering]
    index = Nearest(everybody)
    needs = [steps.wave_need(search, around(found(everybody, search, []))) for search in searches]
    shares = share(needs, dict.fromkeys(by_id, 3))
    places = share(
        [
            replace(need, doctors=tuple(o.doctor for o in found(everybody, search, offers).offers), wanted=1)
            for need, search in zip(needs, searches, strict=True)
        ],
        {offer.doctor: offer.left for offer in offers},
        places_lower=0.0,
    )
    for search in searches:
        plain = found(everybody, search, [])
        shared = replace(plain, shared=frozenset(shares[search.id]))
        launched = steps.launch(search, around(shared)).search
        asked = {s.doctor for s in launched.solicitations if s.channel is Channel.MAIL}
        if launched.state == "asking":
            launched = steps.start_calls(launched, around(plain)).search
        phoned = {candidate.doctor for candidate in steps.to_phone(launched, around(plain))}
        offered = steps.launch(search, around(found(everybody, search, offers))).search
        given_ = {p.doctor for p in offered.positions if p.answer is not None and p.answer.via is Via.OFFER}
        first = index.first(
            5,
            wishes=search.wishes,
            conditions=search.conditions,
            place=PLACE,
            declined=search.declined,
            today=TODAY,
        )
        ways = asked | phoned | given_ | {c.doctor for c in first} | {*shares[search.id], *places[search.id]}
        assert all(fits(by_id[doctor], search) for doctor in ways)
        assert len([s for s in launched.solicitations if s.channel is Channel.MAIL]) == len(asked)
