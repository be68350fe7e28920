"""Hypothesis plays the protocol in any order and tries to break what must always hold (P1 to P6, P9)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from matcher.protocol import steps
from matcher.protocol.effects import (
    Letter,
)
from matcher.protocol.ids import AnswerId, DoctorId
from matcher.protocol.moves import Step
from matcher.protocol.search import (
    AppointmentState,
    CallOutcome,
    Channel,
    Declaration,
    Delivery,
    Given,
    Household,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
    State,
    Terms,
    Via,
    WithdrawalReason,
)
from matcher.protocol.wishes import Wish, WishKind
from tests.stateful.always import NAMES, Always, doctors
from tests.unit.protocol_world import ANNOUNCED, consent


class Protocol(Always):
    """One search, its doctors and its office, in any order."""

    @rule(give_back=st.booleans())
    def intake(self, give_back: bool) -> None:
        self.event(steps.submit)
        if give_back:
            self.event(steps.give_back, ("phone",))
            self.event(steps.submit)
        self.event(steps.validate)

    @rule()
    def launch(self) -> None:
        self.event(steps.launch)

    @rule(step=st.sampled_from([steps.send_wave, steps.start_calls, steps.widen, steps.offer_declared]))
    def lead(self, step: Callable[..., Step]) -> None:
        self.event(step)

    @rule()
    def announce(self) -> None:
        self.event(steps.announce, ANNOUNCED)

    @rule(fitting=st.sets(st.sampled_from(NAMES[:6]), min_size=2))
    def correct(self, fitting: set[str]) -> None:
        wishes = (Wish(kind=WishKind.EXCLUDE, value=tuple(sorted(set(NAMES) - fitting)), hard=True),)
        before = self.world.candidates
        ordered = tuple(c for c in before.ordered if c.doctor in fitting)
        offers = tuple(o for o in before.offers if o.doctor in fitting)
        self.world.candidates = replace(before, ordered=ordered, offers=offers)
        if not self.event(steps.correct, wishes=wishes):
            self.world.candidates = before

    @rule(given=st.sampled_from([Given.YES, Given.YES, Given.UNDECIDED, Given.NO]))
    def consent(self, given: Given) -> None:
        agreed = self.world.search.consent is not None and self.world.search.consent.first_match_agreed
        if self.event(steps.take_consent, consent(given, first_match_agreed=agreed)):
            assert self.world.search.consent is not None

    @rule()
    def reconfirm(self) -> None:
        self.event(steps.reconfirm)

    @rule(fate=st.sampled_from([steps.mail_accepted, steps.mail_dead, steps.mail_dropped]))
    def mail(self, fate: Callable[..., Step]) -> None:
        waiting = [
            s.doctor
            for s in self.world.search.solicitations
            if s.channel is Channel.MAIL and s.delivery is Delivery.QUEUED
        ]
        for doctor in waiting[:1]:
            self.event(fate, Letter.ANNOUNCEMENT, doctor)

    @rule()
    def all_mails_accepted(self) -> None:
        for solicitation in self.world.search.solicitations:
            if solicitation.delivery is Delivery.QUEUED:
                self.event(steps.mail_accepted, Letter.ANNOUNCEMENT, solicitation.doctor)

    @rule(
        doctor=doctors,
        says=st.sampled_from([Says.YES, Says.YES, Says.NO, Says.PAUSE, Says.UNDO]),
        via=st.sampled_from([Via.LINK, Via.LINK, Via.DELEGATE, Via.MAIL, Via.PHONE]),
        opened=st.sampled_from([None, 0, 60]),
        once=st.booleans(),
        settle=st.booleans(),
    )
    def answer(
        self, doctor: DoctorId, says: Says, via: Via, opened: int | None, once: bool, settle: bool
    ) -> None:
        given = self.world.answer(says, via, terms=Terms(once=once))
        opened_at = None if opened is None else self.world.now - timedelta(seconds=opened)
        if self.event(steps.answer, doctor, given, opened_at) and says is not Says.UNDO:
            # P6: the same press once more changes nothing more.
            held = self.world.search
            again = steps.answer(held, doctor, replace(given, id=AnswerId("x")), opened_at, self.world.around)
            assert again.search == held
        if settle:
            self.pass_time(timedelta(seconds=5))

    @rule(keep=st.booleans())
    def settle_held(self, keep: bool) -> None:
        held = [h.answer.id for p in self.world.search.positions for h in p.held]
        for answer in held[:1]:
            assert self.event(steps.settle_held, answer, keep)

    @rule(doctor=doctors, outcome=st.sampled_from(CallOutcome))
    def call(self, doctor: DoctorId, outcome: CallOutcome) -> None:
        self.event(steps.call, doctor, outcome, answer_id=self.world.answer(Says.YES).id)

    @precondition(lambda self: self.world.state is State.PROPOSING)
    @rule(doctor=doctors, handover=st.sampled_from([None, None, ReleaseKind.PAPER]))
    def choose(self, doctor: DoctorId, handover: ReleaseKind | None) -> None:
        self.event(steps.choose, doctor, handover)

    @precondition(lambda self: self.world.state is State.PROPOSING)
    @rule(doctor=doctors)
    def decline(self, doctor: DoctorId) -> None:
        self.event(steps.decline, [doctor])

    @precondition(lambda self: self.world.search.release is not None)
    @rule(
        step=st.sampled_from([steps.lock_release, steps.call_me]),
        kind=st.sampled_from([None, None, ReleaseKind.READ_BY_PHONE]),
        renew=st.booleans(),
    )
    def release(self, step: Callable[..., Step], kind: ReleaseKind | None, renew: bool) -> None:
        self.event(step)
        if renew:
            self.event(steps.renew_release, kind)

    @rule(doctor=doctors)
    def open_record(self, doctor: DoctorId) -> None:
        if self.event(steps.open_record, doctor):
            self.release_is_open_for(doctor)
            self.event(steps.acknowledge, doctor)

    def release_is_open_for(self, doctor: DoctorId) -> None:
        """P1, at the opening itself."""
        search = self.world.search
        assert self.open_release == doctor == search.chosen
        assert search.consent is not None
        assert search.consent.given is Given.YES
        assert not self.destroyed

    @precondition(lambda self: self.world.state is State.RELEASED)
    @rule(by=st.sampled_from(["doctor", "patient"]))
    def desist(self, by: str) -> None:
        self.event(steps.desist, by, "")

    @precondition(lambda self: self.world.state is State.RELEASED)
    @rule(state=st.sampled_from(AppointmentState))
    def appointment(self, state: AppointmentState) -> None:
        self.event(steps.appointment, self.world.now.date(), state)

    @precondition(lambda self: self.world.state is State.RELEASED)
    @rule()
    def confirm(self) -> None:
        self.event(steps.confirm, Declaration.DONE, self.world.now.date())

    @rule(outcome=st.sampled_from(PatientContact))
    def contact(self, outcome: PatientContact) -> None:
        self.event(steps.contact_attempt, outcome)

    @rule(days=st.sampled_from([None, 3, 20]))
    def rest(self, days: int | None) -> None:
        self.event(steps.rest, self.day(days))

    @precondition(lambda self: self.world.state is State.RESTING)
    @rule()
    def wake(self) -> None:
        self.event(steps.wake)

    def day(self, days: int | None) -> date | None:
        return None if days is None else (self.world.now + timedelta(days=days)).date()

    @precondition(lambda self: self.world.search.run < 4)
    @rule(reason=st.sampled_from(WithdrawalReason), undo=st.booleans())
    def withdraw(self, reason: WithdrawalReason, undo: bool) -> None:
        if self.event(steps.withdraw, reason):
            assert self.open_release is None
            assert self.destroyed is (reason is WithdrawalReason.CONSENT) or self.destroyed
        if undo:
            self.event(steps.undo_withdrawal)

    @precondition(lambda self: self.world.state is State.WITHDRAWN)
    @rule()
    def undo_withdrawal(self) -> None:
        self.event(steps.undo_withdrawal)

    @precondition(lambda self: self.world.search.wave > 0)
    @rule(days=st.sampled_from([None, 10]))
    def close(self, days: int | None) -> None:
        self.event(steps.close, Next.RELAUNCH, self.day(days))

    @precondition(lambda self: self.world.state is State.UNMET)
    @rule(days=st.sampled_from([None, 0, 30]))
    def relaunch(self, days: int | None) -> None:
        self.event(steps.relaunch, self.day(days))

    @precondition(lambda self: self.world.state is State.ATTACHED)
    @rule()
    def reopen(self) -> None:
        self.event(steps.reopen, "")

    @rule()
    def split(self) -> None:
        self.event(steps.split, Household(adults=1))

    @rule(hours=st.sampled_from([1, 24, 24, 72, 168, 1000]))
    def wait(self, hours: int) -> None:
        self.pass_time(timedelta(hours=hours))

    def pass_time(self, span: timedelta) -> None:
        """Every timer is due at its hour, through the same checks as any event."""
        end = self.world.now + span
        while due := sorted(
            (t for t in self.world.search.timers if t.at <= end), key=lambda t: (t.at, t.kind, t.doctor or "")
        ):
            self.world.now = max(self.world.now, due[0].at)
            assert self.event(lambda search, around, timer: steps.due(search, timer, around), timer=due[0])
        self.world.now = end

    # What always holds --------------------------------------------------------------------------------------


Protocol.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestProtocol = Protocol.TestCase
