"""Who may be asked, in which order, and why."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.protocol.announcement import Condition, ConditionKind
from matcher.protocol.doctors import Candidate, Candidates, Doctor, Offer, Zone, meets
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.places import Place, PlaceKind, distance_km
from matcher.protocol.ranking import candidates
from matcher.protocol.reasons import why
from matcher.protocol.wishes import Wish, WishKind

TODAY = date(2026, 11, 23)
PLACE = Place(name="Parilly", kind=PlaceKind.QUARTIER, lat=45.7, lon=4.88, insee="69259", quartier="Parilly")
#: One kilometre to the north, in degrees.
KM = 1 / 111.195


def doctor(name: str, km: float | None = 1.0, **more: Any) -> Doctor:
    """A member of the territory who may be mailed and phoned."""
    usual: dict[str, Any] = {
        "id": DoctorId(name),
        "sex": "F",
        "languages": frozenset({"fr", "ar"}),
        "lat": None if km is None else PLACE.lat + km * KM,
        "lon": None if km is None else PLACE.lon,
        "step_free": True,
        "home_visits": True,
        "sector": 1,
        "teleconsultation": True,
        "member": True,
        "zone": Zone.TERRITORY,
        "has_mailbox": True,
        "has_phone": True,
    }
    return Doctor(**{**usual, **more})


def rank(*doctors: Doctor, wishes: tuple[Wish, ...] = (), **more: Any) -> Candidates:
    usual: dict[str, Any] = {
        "conditions": (),
        "place": PLACE,
        "declined": (),
        "offers": (),
        "today": TODAY,
    }
    return candidates(doctors, wishes=wishes, **{**usual, **more})


def names(found: Candidates) -> list[str]:
    return [str(candidate.doctor) for candidate in found.ordered]


def only(found: Candidates) -> Candidate:
    (candidate,) = found.ordered
    return candidate


def soft(kind: WishKind, value: Any = True) -> Wish:
    return Wish(kind=kind, value=value, hard=False)


def hard(kind: WishKind, value: Any = True) -> Wish:
    return Wish(kind=kind, value=value, hard=True)


def test_a_doctor_who_misses_a_hard_wish_is_not_among_them() -> None:
    found = rank(
        doctor("f"), doctor("m", sex="M"), doctor("?", sex=None), wishes=(hard(WishKind.DOCTOR_SEX, "F"),)
    )
    assert names(found) == ["f"]


def test_a_doctor_who_declines_a_condition_is_not_among_them() -> None:
    visits = Condition(kind=ConditionKind.HOME_VISITS)
    found = rank(doctor("yes"), doctor("no", home_visits=False), conditions=(visits,))
    assert names(found) == ["yes"]


def test_doctors_left_out_or_declined_by_the_patient_are_not_among_them() -> None:
    exclude = soft(WishKind.EXCLUDE, ("out",))
    found = rank(doctor("in"), doctor("out"), doctor("no"), wishes=(exclude,), declined=frozenset({"no"}))
    assert names(found) == ["in"]


def test_who_meets_every_wish_comes_first_then_who_misses_the_least_important() -> None:
    wishes = (soft(WishKind.DOCTOR_SEX, "F"), soft(WishKind.LANGUAGE, "ar"))
    french = frozenset({"fr"})
    found = rank(
        doctor("neither", 0.1, sex="M", languages=french),
        doctor("language", 0.1, sex="M"),
        doctor("sex", 0.1, languages=french),
        doctor("both", 9),
        wishes=wishes,
    )
    assert names(found) == ["both", "sex", "language", "neither"]
    assert [candidate.meets_all for candidate in found.ordered] == [True, False, False, False]
    assert found.ordered[1].met == (WishKind.DOCTOR_SEX,)
    assert found.ordered[1].unmet == (WishKind.LANGUAGE,)


def test_a_doctor_named_by_the_patient_comes_first_and_the_others_lack_nothing() -> None:
    found = rank(doctor("near", 0.1), doctor("named", 5), wishes=(soft(WishKind.PREFER, ("named",)),))
    assert names(found) == ["named", "near"]
    assert all(candidate.meets_all for candidate in found.ordered)
    assert found.ordered[0].preferred


def test_then_the_nearer_then_the_less_asked_then_the_less_chosen_then_by_id() -> None:
    found = rank(
        doctor("nowhere", None),
        doctor("b", 1.0),
        doctor("a", 1.1),
        doctor("chosen", 1.0, accepted_this_month=1),
        doctor("asked", 1.0, asked_this_week=2),
        doctor("far", 3),
    )
    assert names(found) == ["a", "b", "chosen", "asked", "far", "nowhere"]


def test_before_a_place_is_announced_no_distance_is_known() -> None:
    assert only(rank(doctor("a"), place=None)).distance_km is None
    assert names(rank(doctor("a"), place=None, wishes=(hard(WishKind.TRAVEL, "car"),))) == []


@pytest.mark.parametrize(
    "reason",
    [
        {"member": False},
        {"zone": Zone.NEIGHBOUR},
        {"has_mailbox": False},
        {"asked_per_week": 2, "asked_this_week": 2},
        {"accepted_per_month": 1, "accepted_this_month": 1},
        {"away_until": TODAY},
    ],
)
def test_only_a_member_with_a_mailbox_and_time_is_mailed(reason: dict[str, Any]) -> None:
    assert only(rank(doctor("a"))).mailable
    assert not only(rank(doctor("a", **reason))).mailable


@pytest.mark.parametrize(
    "reason",
    [
        {"has_phone": False},
        {"do_not_call": True},
        {"away_until": TODAY},
        {"accepted_per_month": 0},
    ],
)
def test_who_asked_for_quiet_is_not_phoned(reason: dict[str, Any]) -> None:
    assert not only(rank(doctor("a", **reason))).callable


def test_others_of_the_territory_and_neighbours_may_be_phoned() -> None:
    for reason in (
        {"member": False},
        {"zone": Zone.NEIGHBOUR},
        {"asked_per_week": 0},
        {"has_mailbox": False},
    ):
        assert only(rank(doctor("a", **reason))).callable


def test_an_absence_ends_after_its_last_day() -> None:
    assert only(rank(doctor("a", away_until=TODAY - timedelta(days=1)))).mailable


def test_usable_mailboxes_are_told_of_every_doctor() -> None:
    found = rank(
        doctor("a"),
        doctor("m", sex="M"),
        doctor("b", has_mailbox=False),
        wishes=(hard(WishKind.DOCTOR_SEX, "F"),),
    )
    assert found.with_mailbox == {"a", "m"}


def offer(name: str = "o", by: str = "a", **more: Any) -> Offer:
    usual: dict[str, Any] = {"id": OfferId(name), "doctor": DoctorId(by), "left": 1, "from_": TODAY}
    return Offer(**{**usual, **more})


def test_a_standing_offer_that_fits_is_a_yes_beforehand() -> None:
    found = rank(doctor("a"), offers=(offer(by_link=True),))
    (fitting,) = found.offers
    assert (fitting.offer, fitting.doctor, fitting.by_link) == ("o", "a", True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": 0},
        {"from_": TODAY + timedelta(days=1)},
        {"from_": TODAY - timedelta(days=9), "until": TODAY - timedelta(days=1)},
        {"by": "nobody"},
        {"declines": frozenset({ConditionKind.STEP_FREE})},
    ],
)
def test_an_offer_out_of_period_places_or_conditions_does_not_fit(wrong: dict[str, Any]) -> None:
    conditions = (Condition(kind=ConditionKind.STEP_FREE),)
    assert rank(doctor("a"), offers=(offer(**wrong),), conditions=conditions).offers == ()


def test_an_offer_holds_until_its_last_day() -> None:
    assert rank(doctor("a"), offers=(offer(until=TODAY),)).offers


def test_an_offer_of_one_place_is_no_yes_to_a_family() -> None:
    assert not rank(doctor("a"), offers=(offer(left=2),), persons=3).offers
    assert rank(doctor("a"), offers=(offer(left=3),), persons=3).offers


def test_an_offer_of_a_doctor_who_is_away_waits() -> None:
    assert not rank(doctor("a", away_until=TODAY), offers=(offer(),)).offers


def test_an_offer_follows_hard_wishes_and_the_order_of_doctors() -> None:
    men = (hard(WishKind.DOCTOR_SEX, "M"),)
    assert not rank(doctor("a"), offers=(offer(),), wishes=men).offers
    two = rank(doctor("far", 5), doctor("near", 1), offers=(offer("1", "far"), offer("2", "near")))
    assert [fitting.doctor for fitting in two.offers] == ["near", "far"]


def test_the_page_says_why() -> None:
    wishes = (
        soft(WishKind.LANGUAGE, "ar"),
        soft(WishKind.DOCTOR_SEX, "F"),
        soft(WishKind.MAX_DISTANCE_KM, 3.0),
    )
    assert why(only(rank(doctor("a"), wishes=wishes))) == (
        "parle arabe, une femme, à 1 km, pas sollicité·e cette semaine"
    )
    others = (soft(WishKind.DOCTOR_SEX, "M"), soft(WishKind.SECTOR1), soft(WishKind.LANGUAGE, "eo"))
    esperanto = doctor("a", 0.1, sex="M", languages=frozenset({"eo"}), asked_this_week=2)
    assert why(only(rank(esperanto, wishes=others))) == (
        "un homme, secteur 1, parle eo, à moins de 500 m, déjà sollicité·e 2 fois cette semaine"
    )
    named = doctor("a", None, zone=Zone.NEIGHBOUR)
    assert why(only(rank(named, wishes=(soft(WishKind.PREFER, ("a",)),)))) == (
        "demandé·e par la personne, pas sollicité·e cette semaine, zone voisine"
    )


def test_a_candidate_says_when_he_was_last_phoned() -> None:
    phoned = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert only(rank(doctor("a", last_phoned_at=phoned))).last_phoned_at == phoned


maybe = st.sampled_from([True, False, None])
doctors = st.builds(
    doctor,
    st.uuids().map(lambda u: u.hex),
    st.one_of(st.none(), st.floats(0, 20)),
    sex=st.sampled_from(["F", "M", None]),
    languages=st.frozensets(st.sampled_from(["fr", "ar", "tr"])),
    step_free=maybe,
    home_visits=maybe,
    sector=st.sampled_from([1, 2, None]),
    teleconsultation=maybe,
    member=st.booleans(),
    zone=st.sampled_from(list(Zone)),
    has_mailbox=st.booleans(),
    asked_this_week=st.integers(0, 3),
)
wanted = st.lists(
    st.one_of(
        st.builds(Wish, kind=st.just(WishKind.DOCTOR_SEX), value=st.sampled_from("FM"), hard=st.booleans()),
        st.builds(
            Wish, kind=st.just(WishKind.LANGUAGE), value=st.sampled_from(["ar", "tr"]), hard=st.booleans()
        ),
        st.builds(Wish, kind=st.just(WishKind.MAX_DISTANCE_KM), value=st.floats(0.5, 20), hard=st.booleans()),
        st.builds(Wish, kind=st.just(WishKind.STEP_FREE), value=st.just(True), hard=st.booleans()),
        st.builds(Wish, kind=st.just(WishKind.SECTOR1), value=st.just(True), hard=st.booleans()),
    ),
    max_size=4,
)


@given(st.lists(doctors, max_size=12, unique_by=lambda d: d.id), wanted, st.randoms())
def test_never_a_missed_hard_wish_always_one_order(
    everybody: list[Doctor], wishes: list[Wish], shuffler: random.Random
) -> None:
    found = rank(*everybody, wishes=tuple(wishes))
    by_id = {one.id: one for one in everybody}
    for candidate in found.ordered:
        asked = by_id[candidate.doctor]
        exact = None
        if asked.lat is not None and asked.lon is not None:
            exact = distance_km(PLACE.lat, PLACE.lon, asked.lat, asked.lon)
        assert all(meets(asked, wish, exact) for wish in wishes if wish.hard)
        assert not candidate.mailable or (asked.member and asked.zone is Zone.TERRITORY and asked.has_mailbox)
    perfect = [candidate.meets_all for candidate in found.ordered]
    assert perfect == sorted(perfect, reverse=True)
    shuffled = list(everybody)
    shuffler.shuffle(shuffled)
    assert rank(*shuffled, wishes=tuple(wishes)) == found
