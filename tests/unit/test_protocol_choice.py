"""The patient's choice, the release in its kinds, the giving up, and the way to a médecin traitant."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import CountOffer, EndRelease, Letter, OpenRelease
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.moves import Refused
from matcher.protocol.search import (
    AppointmentState,
    CallOutcome,
    Declaration,
    Given,
    ReleaseKind,
    Says,
    Stand,
    State,
    TaskKind,
    Timer,
    TimerKind,
    Via,
    WithdrawalReason,
)
from tests.unit.protocol_world import PARIS, FittingOffer, World, consent

ANNA, BEA = DoctorId("anna"), DoctorId("bea")


def refused(world: World, *event: object, **named: object) -> str:
    with pytest.raises(Refused) as found:
        world.do(*event, **named)  # type: ignore[arg-type]
    return found.value.code


def test_the_patient_chooses_and_only_that_doctor_gets_the_record() -> None:
    world = World().proposing("anna", "bea")
    effects = world.do(steps.choose, ANNA, None)
    assert world.state is State.RELEASED
    release = world.search.release
    assert release is not None
    assert (release.doctor, release.number, release.kind) == (ANNA, 1, ReleaseKind.PAGE)
    assert OpenRelease(release=release) in effects
    assert world.letters(Letter.CHOSEN) == ["anna"]
    assert world.letters(Letter.KEPT_IN_RESERVE) == ["bea"]
    assert world.stand("bea") is Stand.YES
    assert world.runs(TimerKind.APPOINTMENT_ASKED)
    assert not world.runs(TimerKind.YES_HELD)


def test_only_a_doctor_whose_yes_stands_can_be_chosen() -> None:
    world = World().proposing("anna")
    assert refused(world, steps.choose, BEA, None) == "no_such_proposal"
    world.says("bea", Says.NO)
    assert refused(world, steps.choose, BEA, None) == "no_such_proposal"
    world.says("anna", Says.NO, settle=False)
    assert refused(world, steps.choose, ANNA, None) == "answer_pending"
    world.search = replace(world.search, consent=consent(Given.UNDECIDED))
    assert refused(world, steps.choose, ANNA, None) == "consent"


@pytest.mark.parametrize("kind", [ReleaseKind.PAPER, ReleaseKind.READ_BY_PHONE])
def test_a_doctor_without_mailbox_needs_a_hand_over(kind: ReleaseKind) -> None:
    world = World().calling()
    world.candidates = replace(world.candidates, with_mailbox=frozenset())
    world.phones("anna", CallOutcome.YES)
    assert refused(world, steps.choose, ANNA, None) == "no_channel"
    assert refused(world, steps.choose, ANNA, ReleaseKind.MSSANTE) == "no_channel"
    world.do(steps.choose, ANNA, kind)
    assert world.state is State.RELEASED
    assert world.letters(Letter.CHOSEN) == []
    assert not world.runs(TimerKind.OPENING_REMINDER)


def test_yes_while_another_is_being_phoned_both_stand_as_proposals() -> None:
    world = World().calling()
    world.says("anna", Says.YES)
    assert world.state is State.PROPOSING
    assert "bea" in [c.doctor for c in steps.to_phone(world.search, world.around)]
    world.phones("bea", CallOutcome.YES)
    assert [p.doctor for p in world.search.standing_yes] == ["anna", "bea"]
    assert world.letters(Letter.KEPT_IN_RESERVE) == []


def test_all_proposals_declined_asks_the_members_who_are_left_with_fresh_delays() -> None:
    world = World().proposing("anna", "bea")
    world.do(steps.decline, [ANNA])
    assert world.state is State.PROPOSING
    world.do(steps.decline, [BEA])
    assert world.state is State.ASKING
    assert world.search.declined == {"anna", "bea"}
    assert world.letters(Letter.ANNOUNCEMENT)[3:] == ["dora", "emil"]
    assert world.letters(Letter.THANKED) == ["anna", "bea"]
    world.accept_mails()
    assert world.timer(TimerKind.CALLS).at > world.now + timedelta(days=1)
    assert refused(world, steps.decline, [ANNA]) == "no_proposal"


def test_all_proposals_declined_with_nobody_left_opens_the_calls_without_the_declined() -> None:
    world = World("anna", "bea").proposing("anna", "bea")
    assert refused(world, steps.decline, [DoctorId("emil")]) == "no_such_proposal"
    world.do(steps.decline, [ANNA, BEA])
    assert world.state is State.CALLING
    assert steps.to_phone(world.search, world.around) == ()
    assert steps.exhausted(world.search, world.around)


def test_a_yes_past_its_hold_is_asked_again_and_cannot_be_chosen_until_confirmed() -> None:
    world = World().proposing("anna")
    world.until(TimerKind.YES_HELD, "anna")
    assert world.stand("anna") is Stand.UNCONFIRMED
    assert world.letters(Letter.STILL_AVAILABLE) == ["anna"]
    assert refused(world, steps.choose, ANNA, None) == "unconfirmed"
    world.says("anna", Says.YES)
    assert world.stand("anna") is Stand.YES
    assert not world.runs(TimerKind.YES_LAPSES)
    world.do(steps.choose, ANNA, None)


def test_a_yes_not_confirmed_a_working_day_later_lapses() -> None:
    world = World().proposing("anna")
    world.until(TimerKind.YES_HELD, "anna")
    world.until(TimerKind.YES_LAPSES, "anna")
    assert world.stand("anna") is Stand.OPEN
    assert world.state is State.ASKING
    assert TaskKind.LAST_YES_GONE in world.tasks()


def test_an_old_yes_of_a_doctor_without_mailbox_is_asked_again_by_phone() -> None:
    world = World().proposing("anna")
    world.candidates = replace(world.candidates, with_mailbox=frozenset())
    world.until(TimerKind.YES_HELD, "anna")
    assert TaskKind.CALL_BACK in world.tasks()
    assert "anna" in [c.doctor for c in steps.to_phone(world.search, world.around)]


def test_timers_of_a_yes_that_is_gone_do_nothing() -> None:
    world = World().proposing("anna", "bea")
    for kind in (TimerKind.YES_HELD, TimerKind.YES_LAPSES):
        timer = Timer(kind=kind, at=world.now, doctor=DoctorId("carl"))
        found = steps.due(replace(world.search, timers=(timer,)), timer, world.around).search
        assert found.positions == world.search.positions


def test_the_choice_is_chased_every_working_day() -> None:
    world = World().proposing("anna")
    first = world.timer(TimerKind.CHOICE_CHASE).at
    world.until(TimerKind.CHOICE_CHASE)
    assert TaskKind.CHOICE_WAITED_FOR in world.tasks()
    assert world.timer(TimerKind.CHOICE_CHASE).at > first


def test_a_record_not_opened_is_a_reminder_then_a_call() -> None:
    world = World().released("anna")
    world.until(TimerKind.OPENING_REMINDER)
    assert world.letters(Letter.NOT_OPENED) == ["anna"]
    world.until(TimerKind.OPENING_CALL)
    assert TaskKind.RECORD_NOT_OPENED in world.tasks()
    world.do(steps.open_record, ANNA)
    assert TaskKind.RECORD_NOT_OPENED not in world.tasks()


def test_an_opened_record_is_chased_no_more_and_opening_again_keeps_the_first_hour() -> None:
    world = World().released("anna")
    world.do(steps.open_record, ANNA)
    opened = world.search.release
    world.wait(days=3)
    world.do(steps.open_record, ANNA)
    assert world.search.release == opened
    assert world.letters(Letter.NOT_OPENED) == []
    assert refused(world, steps.open_record, BEA) == "over"
    for kind in (TimerKind.OPENING_REMINDER, TimerKind.OPENING_CALL):
        timer = Timer(kind=kind, at=world.now)
        late = steps.due(replace(world.search, timers=(timer,)), timer, world.around)
        assert late.effects == ()
        assert late.search.tasks == world.search.tasks


def test_reading_is_acknowledged_once() -> None:
    world = World().released("anna")
    world.do(steps.acknowledge, ANNA)
    before = world.search
    world.wait(hours=1)
    world.do(steps.acknowledge, ANNA)
    assert world.search.release == before.release


def test_consent_taken_back_between_choice_and_opening_closes_the_record_at_once() -> None:
    world = World().released("anna", "bea")
    world.do(steps.take_consent, consent(Given.NO))
    assert world.state is State.WITHDRAWN
    assert EndRelease(doctor=ANNA) in world.sent
    assert world.letters(Letter.PLEASE_DELETE) == []
    assert refused(world, steps.open_record, ANNA) == "over"
    assert world.search.timers == ()


def test_a_locked_link_is_a_task_until_it_is_renewed_under_a_new_number() -> None:
    world = World().released("anna")
    world.do(steps.lock_release)
    assert TaskKind.LINK_LOCKED in world.tasks()
    assert refused(world, steps.open_record, ANNA) == "locked"
    world.do(steps.renew_release, None)
    release = world.search.release
    assert release is not None
    assert (release.number, release.locked) == (2, False)
    assert world.tasks() == set()
    world.do(steps.open_record, ANNA)


def test_a_dead_release_mail_is_a_task_and_may_be_handed_over_on_paper() -> None:
    world = World().released("anna")
    world.do(steps.mail_dead, Letter.CHOSEN, BEA)
    assert TaskKind.RELEASE_UNREACHED not in world.tasks()
    world.do(steps.mail_dead, Letter.CHOSEN, ANNA)
    assert TaskKind.RELEASE_UNREACHED in world.tasks()
    world.candidates = replace(world.candidates, with_mailbox=frozenset({BEA}))
    assert refused(world, steps.renew_release, None) == "no_channel"
    world.do(steps.renew_release, ReleaseKind.PAPER)
    assert TaskKind.RELEASE_UNREACHED not in world.tasks()
    assert not world.runs(TimerKind.OPENING_REMINDER)


def test_renewing_after_the_opening_chases_no_opening() -> None:
    world = World().released("anna")
    world.do(steps.open_record, ANNA)
    world.do(steps.renew_release, None)
    assert not world.runs(TimerKind.OPENING_REMINDER)


def test_a_doctor_may_ask_to_be_called_for_the_code() -> None:
    world = World().released("anna")
    world.do(steps.call_me)
    assert TaskKind.CALL_ME_FOR_THE_CODE in world.tasks()


# Giving up --------------------------------------------------------------------------------------------


def test_giving_up_with_a_reserve_proposes_it() -> None:
    world = World().released("anna", "bea")
    world.do(steps.open_record, ANNA)
    world.do(steps.desist, "doctor", "retraite")
    assert world.state is State.PROPOSING
    assert world.stand("anna") is Stand.GAVE_UP
    assert world.search.release is None
    assert world.letters(Letter.PLEASE_DELETE) == ["anna"]
    assert TaskKind.DOCTOR_GAVE_UP in world.tasks()
    assert world.runs(TimerKind.YES_HELD)
    world.do(steps.choose, BEA, None)
    release = world.search.release
    assert release is not None
    assert release.number == 2


def test_a_reserve_older_than_five_working_days_is_asked_again() -> None:
    world = World().released("anna", "bea")
    world.wait(days=7)
    world.do(steps.desist, "doctor", "")
    assert world.stand("bea") is Stand.UNCONFIRMED
    assert world.letters(Letter.STILL_AVAILABLE) == ["bea"]
    assert world.runs(TimerKind.YES_LAPSES)


def test_a_patient_who_does_not_wish_to_go_on_is_not_offered_that_doctor_again() -> None:
    world = World().released("anna")
    world.do(steps.desist, "patient", "")
    assert world.state is State.ASKING
    assert world.stand("anna") is Stand.DECLINED
    assert "anna" in world.search.declined
    assert TaskKind.DOCTOR_GAVE_UP not in world.tasks()


def test_giving_up_with_nobody_left_opens_the_calls() -> None:
    world = World("anna").released("anna")
    world.do(steps.desist, "doctor", "")
    assert world.state is State.CALLING
    assert world.letters(Letter.PLEASE_DELETE) == []


def test_a_record_on_paper_is_asked_back() -> None:
    world = World().proposing("anna")
    world.do(steps.choose, ANNA, ReleaseKind.PAPER)
    world.do(steps.renew_release, ReleaseKind.PAGE)
    world.do(steps.desist, "doctor", "")
    assert world.letters(Letter.PLEASE_DELETE) == ["anna"]


def test_a_place_of_a_standing_offer_is_counted_down_when_chosen_and_given_back() -> None:
    world = World().ready()
    world.candidates = replace(
        world.candidates, offers=(FittingOffer(offer=OfferId("o"), doctor=ANNA, by_link=True),)
    )
    world.do(steps.launch)
    world.do(steps.choose, ANNA, None)
    assert world.sent.count(CountOffer(offer=OfferId("o"), by=-1)) == 1
    world.do(steps.withdraw, WithdrawalReason.LEFT)
    assert world.sent.count(CountOffer(offer=OfferId("o"), by=1)) == 1
    world.do(steps.undo_withdrawal)
    assert world.sent.count(CountOffer(offer=OfferId("o"), by=-1)) == 2
    world.do(steps.desist, "doctor", "")
    assert world.sent.count(CountOffer(offer=OfferId("o"), by=1)) == 2


# Attachment -------------------------------------------------------------------------------------------


def test_a_date_is_asked_for_and_the_appointment_checked_two_working_days_after_it() -> None:
    world = World().released("anna")
    world.until(TimerKind.APPOINTMENT_ASKED)
    assert TaskKind.APPOINTMENT_DATE_WANTED in world.tasks()
    world.do(steps.appointment, date(2026, 6, 12), AppointmentState.PLANNED)
    assert TaskKind.APPOINTMENT_DATE_WANTED not in world.tasks()
    assert world.timer(TimerKind.APPOINTMENT_CHECK).at == datetime(2026, 6, 16, 9, tzinfo=PARIS)
    world.until(TimerKind.APPOINTMENT_CHECK)
    assert TaskKind.APPOINTMENT_TO_CHECK in world.tasks()
    world.do(steps.appointment, date(2026, 6, 12), AppointmentState.HONOURED)
    assert world.tasks() == {TaskKind.RECORD_NOT_OPENED}
    world.do(steps.confirm, Declaration.PAPER, None)
    assert world.state is State.ATTACHED


def test_a_missed_appointment_stays_released_and_a_new_date_is_asked() -> None:
    world = World().released("anna")
    world.do(steps.appointment, world.now.date(), AppointmentState.MISSED)
    assert world.state is State.RELEASED
    assert TaskKind.APPOINTMENT_MISSED in world.tasks()
    world.until(TimerKind.APPOINTMENT_ASKED)
    assert TaskKind.APPOINTMENT_DATE_WANTED in world.tasks()


def test_nobody_is_attached_before_an_honoured_appointment() -> None:
    world = World().released("anna")
    assert refused(world, steps.confirm, Declaration.DONE, None) == "appointment_not_honoured"
    world.do(steps.appointment, date(2026, 6, 3), AppointmentState.PLANNED)
    assert refused(world, steps.confirm, Declaration.DONE, None) == "appointment_not_honoured"
    late = (date(2026, 6, 3), AppointmentState.HONOURED)
    assert refused(world, steps.appointment, *late) == "appointment_in_the_future"
    assert refused(world, steps.confirm, Declaration.DONE, date(2026, 6, 3)) == "appointment_in_the_future"


def test_attached_thanks_the_others_and_keeps_the_record_for_its_retention() -> None:
    world = World().released("anna", "bea")
    world.says("carl", Says.YES, settle=False)
    world.says("dora", Says.NO, settle=False)
    world.do(steps.confirm, Declaration.LATER, world.now.date())
    assert world.state is State.ATTACHED
    assert world.letters(Letter.THANKED) == ["bea", "carl"]
    assert {timer.kind for timer in world.search.timers} == {TimerKind.RETENTION_OVER}
    assert world.search.release is not None
    world.do(steps.open_record, ANNA)


def test_the_chosen_doctor_is_not_thanked_with_the_others() -> None:
    world = World().attached("bea")
    assert "anna" not in world.letters(Letter.THANKED)
    answer = world.position("bea").answer
    assert answer is not None
    assert answer.via is Via.LINK
