"""The audit: no announcement under K, and an intruder with every mail of a search never gets under it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.protocol.announcement import AgeBand, Announcement, Ground, Subject, TooFewResidents
from matcher.protocol.anonymity import Audited, audit
from matcher.protocol.doctors import Doctor, Zone
from matcher.protocol.ids import DoctorId
from matcher.protocol.ladder import announce, choices, ladder
from matcher.protocol.places import Gazetteer, Place, PlaceKind
from matcher.protocol.population import Population, Residents
from matcher.protocol.ranking import candidates
from matcher.protocol.wording import sentence
from matcher.service import anonymity
from matcher.service.errors import Invalid
from matcher.simulation.made_territories import territory

VENISSIEUX = Path(__file__).parents[2] / "config" / "territories" / "venissieux"


def test_venissieux_announces_nobody_under_k() -> None:
    found = anonymity.audit_folder(VENISSIEUX)
    assert found.under_k == ()
    assert min(each.least for each in found.announcements) >= 100
    assert len(found.announcements) > 500
    report = "\n".join(anonymity.lines(found))
    assert report.endswith("0")
    assert "l’intrus le mieux renseigné" in report
    rows = list(anonymity.table(found))
    assert len(rows) == len(found.announcements) + 1
    assert {len(row) for row in rows} == {len(anonymity.COLUMNS)}


def test_no_made_territory_announces_anybody_under_k() -> None:
    """A few of the hundred that ``announcements audit --made 100`` walks."""
    for seed in (2, 13, 44, 70, 86):
        found = audit(*territory(seed))
        assert found.announcements, seed
        assert found.under_k == (), seed


def test_an_announcement_under_k_would_be_seen() -> None:
    ground, doctors = territory(0)
    found = audit(ground, doctors)
    spoiled = replace(found, k=max(each.remaining for each in found.announcements) + 1)
    assert spoiled.under_k == spoiled.announcements


def test_a_territory_without_residents_cannot_be_audited(tmp_path: Path) -> None:
    (tmp_path / "territory.toml").write_text((VENISSIEUX / "territory.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(Invalid):
        anonymity.audit_folder(tmp_path)


def _small(large: float, small: float) -> Ground:
    quartiers = tuple(
        Place(name=name, kind=PlaceKind.QUARTIER, lat=lat, lon=4.88, insee="69259", quartier=name)
        for name, lat in (("Grand", 45.70), ("Petit", 45.72))
    )
    rows = tuple(
        Residents(quartier=name, insee="69259", age_from=age, age_to=age + 4, residents=count)
        for name, count in (("Grand", large), ("Petit", small))
        for age in range(0, 100, 5)
    )
    return Ground(
        gazetteer=Gazetteer(territory="CPTS de Vénissieux", places=quartiers),
        population=Population(residents=rows),
    )


def _of(found: tuple[Audited, ...], kind: PlaceKind, age: AgeBand) -> Audited:
    return next(a for a in found if (a.announcement.place.kind, a.announcement.age) == (kind, age))


def test_too_few_of_a_quartier_take_others_along_to_the_commune() -> None:
    """« À Vénissieux » must not mean « in Petit, where fewer than 100 are of that age »."""
    found = audit(_small(large=500, small=30), [(45.71, 4.87)])
    assert found.under_k == ()
    together = _of(found.announcements, PlaceKind.COMMUNE, AgeBand(from_=65, to=69))
    assert (together.proposed, together.remaining) == (530, 530)
    # Asked for by a click, those of Grand may still be announced by their quartier.
    fine = _of(found.announcements, PlaceKind.QUARTIER, AgeBand(from_=65, to=69))
    assert (fine.proposed, fine.remaining) == (None, 500)


def test_where_fewer_than_k_live_in_all_nobody_is_announced() -> None:
    found = audit(_small(large=1, small=1), [])
    assert found.announcements == ()
    assert found.unannounceable == found.cells > 0


def test_where_nothing_is_proposed_only_clicks_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(subject: Subject, ground: Ground) -> Announcement:
        raise TooFewResidents(0, ground.k)

    monkeypatch.setattr("matcher.protocol.anonymity.announce", nothing)
    found = audit(_small(large=500, small=100), [])
    assert found.announcements
    assert {each.proposed for each in found.announcements} == {None}


def test_of_two_quartiers_with_one_name_the_smaller_count_is_the_one_that_holds() -> None:
    quartiers = tuple(
        Place(name="Centre", kind=PlaceKind.QUARTIER, lat=45.7, lon=4.88, insee=insee, quartier="Centre")
        for insee in ("69259", "69199")
    )
    rows = tuple(
        Residents(quartier="Centre", insee=insee, age_from=age, age_to=age + 4, residents=count)
        for insee, count in (("69259", 500), ("69199", 200))
        for age in range(0, 100, 5)
    )
    ground = Ground(
        gazetteer=Gazetteer(territory="CPTS de Vénissieux", places=quartiers),
        population=Population(residents=rows),
    )
    found = audit(ground, [])
    told = _of(found.announcements, PlaceKind.QUARTIER, AgeBand(from_=65, to=69))
    assert told.announcement.residents == 200


def test_where_every_quartier_is_large_enough_nobody_is_widened() -> None:
    found = audit(_small(large=500, small=100), [])
    fine = [each for each in found.announcements if each.proposed and not each.announcement.conditions]
    assert {each.announcement.place.kind for each in fine} == {PlaceKind.QUARTIER}


def test_the_audit_sees_what_a_ladder_tells_that_only_counts_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rule before docs/adr/0011: the finest rung whose words describe K. Its intruder finds Petit."""

    def plain(subject: Subject, ground: Ground) -> Announcement:
        fitting = [rung for rung in ladder(subject, ground) if rung.residents >= ground.k]
        if not fitting:
            raise TooFewResidents(0, ground.k)
        return fitting[0]

    monkeypatch.setattr("matcher.protocol.anonymity.announce", plain)
    found = audit(_small(large=500, small=30), [])
    told = _of(found.under_k, PlaceKind.COMMUNE, AgeBand(from_=65, to=69))
    assert (told.proposed, told.remaining) == (30, 530)


def _doctor(name: str, lat: float, lon: float) -> Doctor:
    return Doctor(
        id=DoctorId(name),
        sex="F",
        languages=frozenset(),
        lat=lat,
        lon=lon,
        step_free=None,
        home_visits=None,
        sector=None,
        teleconsultation=None,
        member=True,
        zone=Zone.TERRITORY,
        has_mailbox=True,
        has_phone=True,
    )


ages = st.integers(0, 104)
seeds = st.integers(0, 60)


@settings(deadline=None, max_examples=60)
@given(seeds, ages, st.data())
def test_every_doctors_distance_depends_on_the_announced_place_only(
    seed: int, age: int, data: st.DataObject
) -> None:
    """P3: two persons of one age band and quartier, wherever they sleep in it, make the very same mails."""
    ground, spots = territory(seed)
    places = ground.gazetteer.places
    one = data.draw(st.sampled_from(places))
    inside = [p for p in places if ground.gazetteer.quartier_of(p) == ground.gazetteer.quartier_of(one)]
    other = data.draw(st.sampled_from([p for p in inside if p.insee == one.insee] or [one]))
    moved = replace(other, lat=other.lat + 0.001) if other.kind is PlaceKind.EHPAD else other
    asked = [_doctor(f"d{n}", lat, lon) for n, (lat, lon) in enumerate(spots)]
    seen = []
    for sleeps in (one, moved):
        for made in choices(Subject(age=age, place=sleeps), ground):
            ranked = candidates(
                asked,
                wishes=(),
                conditions=made.conditions,
                place=made.place,
                declined=(),
                offers=(),
                today=date(2026, 11, 23),
            )
            assert len(ranked.ordered) == len(spots)
            seen.append((made, [sentence(made, distance_km=c.distance_km) for c in ranked.ordered]))
    half = len(seen) // 2
    assert seen[:half] == seen[half:]


@settings(deadline=None, max_examples=60)
@given(seeds, ages)
def test_a_click_finds_no_announcement_finer_than_k(seed: int, age: int) -> None:
    ground, _ = territory(seed)
    for place in ground.gazetteer.places:
        offered = choices(Subject(age=age, place=place), ground)
        assert all(made.residents >= ground.k for made in offered)
        if offered:
            assert announce(Subject(age=age, place=place), ground) in offered
