"""Standing offers, reconfirmation, and who tells the patient."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.doctors import Candidates
from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    Choice,
    Next,
    SpeaksToPatient,
    Stand,
    State,
    TaskKind,
    TimerKind,
    Via,
)
from tests.unit.protocol_world import (
    PARIS,
    RULES,
    FittingOffer,
    World,
    consent,
    members,
)

ANNA, BEA = DoctorId("anna"), DoctorId("bea")


def refused(world: World, *event: object, **named: object) -> str:
    """The code with which an event is refused."""
    with pytest.raises(Refused) as found:
        world.do(*event, **named)  # type: ignore[arg-type]
    return found.value.code


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=PARIS)


def offers(world: World, *doctors: str, by_link: bool = False) -> Candidates:
    return replace(
        world.candidates,
        offers=tuple(
            FittingOffer(offer=OfferId(f"o-{name}"), doctor=DoctorId(name), by_link=by_link)
            for name in doctors
        ),
    )


def test_a_standing_offer_that_fits_is_a_proposal_and_nobody_is_mailed() -> None:
    world = World().ready()
    world.candidates = offers(world, "dora", "anna")
    assert steps.wave_size(world.search, world.around) == 0
    world.do(steps.launch)
    assert world.state is State.PROPOSING
    assert world.letters(Letter.ANNOUNCEMENT) == []
    assert [p.doctor for p in world.search.standing_yes] == ["anna", "dora"]
    answer = world.position("dora").answer
    assert answer is not None
    assert answer.via is Via.OFFER


def test_an_offer_of_a_declined_doctor_does_not_count() -> None:
    world = World().ready()
    world.search = replace(world.search, declined=frozenset({ANNA}))
    world.candidates = offers(world, "anna")
    world.do(steps.launch)
    assert world.state is State.ASKING
    assert "anna" not in world.letters(Letter.ANNOUNCEMENT)


@pytest.mark.parametrize(("by_link", "state"), [(True, State.RELEASED), (False, State.PROPOSING)])
def test_under_first_match_an_offer_counts_only_if_made_over_the_doctors_own_link(
    by_link: bool, state: State
) -> None:
    world = World(choice=Choice.FIRST_MATCH, consent=consent(first_match_agreed=True)).ready()
    world.candidates = offers(world, "anna", "dora", by_link=by_link)
    world.do(steps.launch)
    assert world.state is state


def test_an_offer_that_may_not_match_leaves_the_next_one_its_chance() -> None:
    world = World(choice=Choice.FIRST_MATCH, consent=consent(first_match_agreed=True)).ready()
    world.candidates = replace(offers(world, "anna", "dora", by_link=True), with_mailbox=frozenset({"dora"}))  # type: ignore[arg-type]
    world.do(steps.launch)
    assert world.search.chosen == "dora"


@pytest.mark.parametrize("way", [World.launched, World.calling, World.proposing])
def test_an_offer_declared_while_looking_counts_from_then_on(way: object) -> None:
    world = World()
    way(world)  # type: ignore[operator]
    world.candidates = offers(world, "emil")
    world.do(steps.offer_declared)
    assert world.state is State.PROPOSING
    assert world.stand("emil") is Stand.YES
    before = world.search
    world.do(steps.offer_declared)
    assert world.search == before


def test_an_offer_declared_during_a_rest_waits_for_its_end() -> None:
    world = World().launched()
    world.do(steps.rest, None)
    world.candidates = offers(world, "emil")
    world.do(steps.offer_declared)
    assert world.state is State.RESTING
    world.do(steps.wake)
    assert world.state is State.PROPOSING


def test_widening_twice_changes_nothing_more() -> None:
    world = World().calling()
    world.do(steps.widen)
    before = world.search
    world.wait(hours=1)
    world.do(steps.widen)
    assert world.search == before


def test_old_need_and_consent_hold_back_the_next_wave_until_reconfirmed() -> None:
    rules = replace(
        RULES, delays=replace(RULES.delays, reconfirm=RULES.delays.reminder or RULES.delays.calls)
    )
    world = World(rules=rules).launched()
    world.until(TimerKind.NEXT_WAVE)
    assert TaskKind.RECONFIRM in world.tasks()
    assert len(world.letters(Letter.ANNOUNCEMENT)) == 3
    assert refused(world, steps.send_wave) == "reconfirm_needed"
    assert refused(world, steps.start_calls) == "reconfirm_needed"
    world.do(steps.reconfirm)
    assert TaskKind.RECONFIRM not in world.tasks()
    assert len(world.letters(Letter.ANNOUNCEMENT)) == 5


def test_a_wave_reconfirmed_when_nobody_is_left_gives_way_to_the_calls() -> None:
    world = World().launched()
    world.at(paris(18, 10))
    assert world.state is State.CALLING
    assert TaskKind.RECONFIRM not in world.tasks()
    world = World().launched()
    world.wait(seconds=1)
    world.search = replace(world.search, confirmed_at=None)
    world.until(TimerKind.NEXT_WAVE)
    world.candidates = members("anna", "bea", "carl")
    world.do(steps.reconfirm)
    assert world.state is State.CALLING


def test_calls_that_open_by_themselves_say_that_need_and_consent_are_old() -> None:
    world = World("anna").launched()
    world.search = replace(world.search, confirmed_at=None)
    world.until(TimerKind.CALLS)
    assert world.state is State.CALLING
    assert TaskKind.RECONFIRM in world.tasks()


def test_a_new_run_waits_for_need_and_consent() -> None:
    world = World().calling()
    world.do(steps.close, Next.NOTHING, None)
    world.at(paris(30, 10))
    world.do(steps.relaunch, None)
    assert TaskKind.RECONFIRM in world.tasks()
    assert refused(world, steps.launch) == "reconfirm_needed"
    world.do(steps.reconfirm)
    world.do(steps.launch)
    assert world.state is State.ASKING
    assert world.search.run == 2
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["anna", "bea", "carl"]


def test_the_requester_may_be_the_one_who_speaks_to_the_patient() -> None:
    world = World(speaks_to_patient=SpeaksToPatient.REQUESTER).proposing("anna")
    world.until(TimerKind.CHOICE_CHASE)
    world.until(TimerKind.CHOICE_CHASE)
    assert world.news(Letter.CHOICE_CHASED) == 2
    assert TaskKind.CHOICE_WAITED_FOR not in world.tasks()


def test_every_letter_to_the_requester_has_its_own_number() -> None:
    world = World(speaks_to_patient=SpeaksToPatient.REQUESTER).proposing("anna", "bea")
    world.until(TimerKind.CHOICE_CHASE)
    world.until(TimerKind.CHOICE_CHASE)
    numbers = [effect.number for effect in world.sent if isinstance(effect, steps.turn.SendToRequester)]
    assert len(numbers) == len(set(numbers)) == 3


def test_a_second_yes_is_no_news_to_the_requester() -> None:
    assert World().proposing("anna", "bea").news(Letter.REQUESTER_NEWS) == 1


def test_mails_accepted_during_a_rest_start_the_delays_on_waking() -> None:
    world = World().launched(accepted=False)
    world.do(steps.rest, None)
    world.accept_mails()
    assert not world.runs(TimerKind.CALLS)
    world.wait(days=1)
    world.do(steps.wake)
    assert world.runs(TimerKind.CALLS)
    assert world.now - timedelta(days=1) < world.timer(TimerKind.REMINDER).at
