"""The launch, the waves and their delays, the reminder, and what becomes of mails."""

from dataclasses import replace
from datetime import datetime

import pytest

from matcher.protocol import steps
from matcher.protocol.doctors import Candidates
from matcher.protocol.effects import FlagMailbox, Letter, RevokeLinks
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    Delivery,
    Given,
    Says,
    Stand,
    State,
    TaskKind,
    TimerKind,
)
from tests.unit.protocol_world import (
    ANNOUNCED,
    PARIS,
    RULES,
    FittingOffer,
    Terms,
    World,
    candidate,
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


def test_the_first_wave_goes_to_the_best_members_who_meet_every_wish() -> None:
    world = World()
    world.candidates = replace(
        world.candidates,
        ordered=(
            candidate("soft", meets_all=False),
            candidate("phone", mailable=False),
            *(candidate(name) for name in ("anna", "bea", "carl", "dora")),
        ),
    )
    world.ready()
    assert steps.wave_size(world.search, world.around) == 3
    world.do(steps.launch)
    assert world.letters(Letter.ANNOUNCEMENT) == ["anna", "bea", "carl"]
    assert world.state is State.ASKING
    assert world.search.announcement_frozen
    world.accept_mails()
    world.until(TimerKind.NEXT_WAVE)
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "soft"]


def test_an_empty_first_wave_is_skipped_at_once() -> None:
    world = World()
    world.candidates = replace(world.candidates, ordered=(candidate("anna", meets_all=False),))
    world.launched()
    assert world.letters(Letter.ANNOUNCEMENT) == ["anna"]
    assert not world.runs(TimerKind.NEXT_WAVE)


def test_with_no_fitting_member_the_calls_open_at_once() -> None:
    world = World()
    world.candidates = Candidates(ordered=(candidate("far", mailable=False),))
    world.launched()
    assert world.state is State.CALLING
    assert [c.doctor for c in steps.to_phone(world.search, world.around)] == ["far"]


def test_the_default_delays_of_a_search_that_nobody_answers() -> None:
    world = World().launched()
    assert world.timer(TimerKind.REMINDER).at == paris(4, 10)
    assert world.timer(TimerKind.NEXT_WAVE).at == paris(4, 10)
    assert world.timer(TimerKind.CALLS).at == paris(8, 10)
    world.at(paris(4, 10))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    world.accept_mails()
    world.at(paris(8, 9, 59))
    assert world.state is State.ASKING
    world.at(paris(8, 10))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl", "dora", "emil"]
    assert world.state is State.CALLING


def test_the_calls_wait_for_the_delays_of_a_late_second_wave_and_its_reminder_is_its_own() -> None:
    world = World().launched()
    world.at(paris(4, 10))
    world.wait(hours=3)
    world.accept_mails()
    # The second wave's two weekdays end after the fourth day of the first acceptance.
    assert world.timer(TimerKind.CALLS).at == paris(8, 13)
    world.at(paris(8, 13))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl", "dora", "emil"]
    assert world.state is State.CALLING


def test_the_reminder_goes_before_a_second_wave_that_is_due_together_with_it() -> None:
    world = World().launched()
    world.now = paris(4, 10)
    world.take(steps.due(world.search, world.timer(TimerKind.NEXT_WAVE), world.around))
    assert world.letters(Letter.REMINDER) == ["anna", "bea", "carl"]
    assert not world.runs(TimerKind.REMINDER)


def test_who_said_no_or_holds_a_pending_answer_or_fits_no_more_is_not_reminded() -> None:
    world = World().launched()
    world.says("anna", Says.NO)
    world.says("bea", Says.YES, opened=0.5)
    world.candidates = members("anna", "bea", "dora", "emil")
    world.until(TimerKind.REMINDER)
    assert world.letters(Letter.REMINDER) == []


def test_a_pause_in_mid_wave_drops_the_reminder_and_the_old_link_may_still_say_yes() -> None:
    world = World().launched()
    world.says("anna", Says.PAUSE, until=paris(30, 0).date())
    assert world.stand("anna") is Stand.PAUSED
    world.until(TimerKind.REMINDER)
    assert world.letters(Letter.REMINDER) == ["bea", "carl"]
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING


def test_a_doctor_away_since_another_search_is_not_reminded() -> None:
    world = World().launched()
    away = candidate("anna", mailable=False, phonable=False)
    world.candidates = replace(world.candidates, ordered=(away, *world.candidates.ordered[1:]))
    world.until(TimerKind.REMINDER)
    assert world.letters(Letter.REMINDER) == ["bea", "carl"]


def test_an_urgent_search_has_one_wave_of_all_no_reminder_and_early_calls() -> None:
    world = World(urgent=True).launched()
    assert len(world.letters(Letter.ANNOUNCEMENT)) == 5
    assert not world.runs(TimerKind.REMINDER)
    assert world.timer(TimerKind.CALLS).at == paris(2, 12)
    world.at(paris(2, 12))
    assert world.state is State.CALLING


def test_a_territory_may_send_no_reminder() -> None:
    rules = replace(RULES, delays=replace(RULES.delays, reminder=None))
    world = World(rules=rules).launched()
    assert not world.runs(TimerKind.REMINDER)
    assert world.runs(TimerKind.CALLS)
    world.search = replace(world.search, urgent=True)
    steps.due(world.search, world.timer(TimerKind.CALLS), world.around)


def test_the_delays_run_once_the_last_mail_is_settled() -> None:
    world = World().launched(accepted=False)
    for doctor in ("anna", "bea"):
        world.do(steps.mail_accepted, Letter.ANNOUNCEMENT, DoctorId(doctor))
    assert not world.runs(TimerKind.CALLS)
    world.wait(minutes=10)
    world.do(steps.mail_dropped, Letter.ANNOUNCEMENT, DoctorId("carl"))
    assert world.timer(TimerKind.REMINDER).at == paris(4, 10, 10)
    assert world.timer(TimerKind.CALLS).at == paris(8, 10)


def test_a_mail_retried_for_more_than_four_hours_no_longer_counts() -> None:
    world = World().launched(accepted=False)
    world.do(steps.mail_accepted, Letter.ANNOUNCEMENT, ANNA)
    world.at(paris(2, 14))
    assert world.timer(TimerKind.REMINDER).at == paris(4, 14)
    world.until(TimerKind.REMINDER)
    assert world.letters(Letter.REMINDER) == ["anna"]


def test_relay_down_for_a_day_nothing_escalates_before_anybody_was_asked() -> None:
    world = World().launched(accepted=False)
    world.wait(hours=1)
    assert TaskKind.NOBODY_REACHED in world.tasks()
    world.wait(hours=24)
    assert world.state is State.ASKING
    assert not world.runs(TimerKind.CALLS)
    world.do(steps.mail_accepted, Letter.ANNOUNCEMENT, ANNA)
    assert TaskKind.NOBODY_REACHED not in world.tasks()
    assert world.timer(TimerKind.CALLS).at == paris(9, 11)


def test_where_every_mail_dies_the_calls_open_and_the_office_is_told() -> None:
    world = World().launched(accepted=False)
    for doctor in ("anna", "bea", "carl"):
        world.do(steps.mail_dead, Letter.ANNOUNCEMENT, DoctorId(doctor))
    assert world.state is State.CALLING
    assert TaskKind.MAIL_UNREACHED in world.tasks()
    assert FlagMailbox(doctor=ANNA) in world.sent
    assert RevokeLinks(doctor=ANNA) in world.sent
    assert [c.doctor for c in steps.to_phone(world.search, world.around)][:1] == ["anna"]


def test_a_wave_whose_last_mails_die_goes_on_at_once_where_the_others_have_answered() -> None:
    world = World().launched(accepted=False)
    world.do(steps.mail_accepted, Letter.ANNOUNCEMENT, ANNA)
    world.says("anna", Says.NO)
    for doctor in ("bea", "carl"):
        world.do(steps.mail_dead, Letter.ANNOUNCEMENT, DoctorId(doctor))
    assert world.search.wave == 2
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]


def test_a_bounce_after_acceptance_moves_the_doctor_to_the_calls() -> None:
    world = World().launched()
    world.do(steps.mail_dead, Letter.REMINDER, ANNA)
    world.do(steps.mail_dead, Letter.REMINDER, ANNA)
    found = world.search.solicitation(ANNA, steps.calls.Channel.MAIL)
    assert found is not None
    assert found.delivery is Delivery.UNREACHED
    world.until(TimerKind.REMINDER)
    assert world.letters(Letter.REMINDER) == ["bea", "carl"]


def test_the_fate_of_other_letters_moves_nothing() -> None:
    world = World().launched()
    before = world.search
    world.do(steps.mail_accepted, Letter.REMINDER, ANNA)
    world.do(steps.mail_accepted, Letter.ANNOUNCEMENT, DoctorId("stranger"))
    world.do(steps.mail_dropped, Letter.REMINDER, ANNA)
    world.do(steps.mail_dropped, Letter.ANNOUNCEMENT, DoctorId("stranger"))
    world.do(steps.mail_dead, Letter.THANKED, ANNA)
    assert world.search == before


def test_when_every_asked_doctor_has_answered_the_asking_goes_on_at_once() -> None:
    world = World().launched()
    world.says("anna", Says.NO)
    world.says("bea", Says.PAUSE)
    assert world.search.wave == 1
    world.says("carl", Says.NO)
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    world.accept_mails()
    world.says("dora", Says.NO)
    world.says("emil", Says.YES, terms=Terms(once=True))
    assert world.stand("emil") is Stand.ONCE
    assert world.state is State.CALLING


def test_a_wave_by_hand_postpones_the_calls_and_is_refused_when_nobody_is_left() -> None:
    world = World().launched()
    world.do(steps.send_wave)
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    assert not world.runs(TimerKind.CALLS)
    world.accept_mails()
    assert world.runs(TimerKind.CALLS)
    assert refused(world, steps.send_wave) == "nobody_left"


def test_a_wave_by_hand_while_calling_or_proposing_leaves_the_state() -> None:
    world = World().proposing("anna")
    world.do(steps.send_wave)
    assert world.state is State.PROPOSING
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    assert not world.runs(TimerKind.MAIL_OVERDUE)
    world.accept_mails()
    assert not world.runs(TimerKind.CALLS)


def test_a_second_wave_with_nobody_left_waits_for_the_calls() -> None:
    world = World("anna").launched()
    world.until(TimerKind.NEXT_WAVE)
    assert world.state is State.ASKING
    world.until(TimerKind.CALLS)
    assert world.state is State.CALLING


def test_the_launch_needs_consent_and_an_announcement_of_enough_residents() -> None:
    world = World().ready()
    world.search = replace(world.search, announcement=replace(ANNOUNCED, residents=99))
    assert refused(world, steps.launch) == "too_few_residents"
    world.search = replace(world.search, announcement=None)
    assert refused(world, steps.launch) == "too_few_residents"
    world.search = replace(world.search, consent=consent(Given.NO))
    assert refused(world, steps.launch) == "consent"
