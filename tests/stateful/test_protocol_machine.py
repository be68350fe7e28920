"""Hypothesis plays the protocol in any order and tries to break what must always hold (P1 to P6, P9)."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from matcher.protocol import steps
from matcher.protocol.doctors import Candidates
from matcher.protocol.effects import (
    DestroyRecord,
    Effect,
    EndRelease,
    Letter,
    OpenRelease,
    SendToDoctor,
    SendToRequester,
)
from matcher.protocol.ids import AnswerId, DoctorId, OfferId
from matcher.protocol.moves import TIMES, Refused, Step
from matcher.protocol.search import (
    AppointmentState,
    CallOutcome,
    Channel,
    Choice,
    Declaration,
    Delivery,
    Given,
    Household,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
    Search,
    Stand,
    State,
    Terms,
    TimerKind,
    Via,
    WithdrawalReason,
)
from matcher.protocol.steps.turn import TASKS
from matcher.protocol.wishes import Wish, WishKind
from tests.unit.protocol_world import ANNOUNCED, FittingOffer, World, candidate, consent

NAMES = ("anna", "bea", "carl", "dora", "emil", "farid", "gina")
#: Never a candidate: a hard wish rules her out.
UNFIT = "gina"
doctors = st.sampled_from(NAMES).map(DoctorId)
#: What an effect may hold: opaque names, numbers, moments, closed words. No text of a person.
WORD = re.compile(r"[a-z0-9_-]+")


class Protocol(RuleBasedStateMachine):
    """One search, its doctors and its office, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.asked: Counter[tuple[int, str, Letter]] = Counter()
        #: Per run: who said no or paused since, and has said nothing else.
        self.open_release: str | None = None
        self.destroyed = False

    @initialize(
        choice=st.sampled_from(Choice),
        agreed=st.booleans(),
        urgent=st.booleans(),
        soft=st.sets(st.sampled_from(NAMES)),
        without_mailbox=st.sets(st.sampled_from(NAMES), max_size=2),
        offering=st.sampled_from([None, None, "anna", "emil"]),
        way=st.sampled_from(["draft", "ready", "launched", "accepted", "accepted", "calling"]),
    )
    def begin(
        self,
        choice: Choice,
        agreed: bool,
        urgent: bool,
        soft: set[str],
        without_mailbox: set[str],
        offering: str | None,
        way: str,
    ) -> None:
        """A request and the doctors who fit it."""
        self.world = World(
            choice=choice,
            urgent=urgent,
            consent=consent(first_match_agreed=agreed),
            household=Household(adults=2, children=1),
        )
        offer = FittingOffer(offer=OfferId("offer"), doctor=DoctorId(offering or ""), by_link=True)
        self.world.candidates = Candidates(
            ordered=tuple(
                candidate(name, mailable=name not in without_mailbox, meets_all=name not in soft)
                for name in NAMES
                if name != UNFIT
            ),
            offers=(offer,) if offering else (),
            with_mailbox=frozenset(DoctorId(name) for name in NAMES if name not in without_mailbox),
        )
        if way != "draft":
            self.event(steps.submit)
            self.event(steps.validate)
        if way not in ("draft", "ready"):
            self.event(steps.launch)
        if way in ("accepted", "calling"):
            self.all_mails_accepted()
        if way == "calling":
            self.event(steps.start_calls)

    # One event, and what must hold of it --------------------------------------------------------------

    def event(self, function: Callable[..., Step], *args: object, **named: object) -> bool:
        """Try an event; a refusal is an answer too, and must be one that a person understands."""
        before = self.world.search
        try:
            step = function(before, *args, around=self.world.around, **named)
        except Refused as refused:
            self.understands(refused)
            return False
        self.check(before, step)
        self.world.take(step)
        return True

    def understands(self, refused: Refused) -> None:
        """Every refusal is a sentence, in the state that the event found."""
        assert refused.state is self.world.state
        assert refused.reason.endswith(".")

    def check(self, before: Search, step: Step) -> None:
        after = step.search
        for effect in step.effects:
            self.holds_no_text(effect)
            match effect:
                case OpenRelease(release=release):
                    self.release_is_rightful(before, after, release.doctor)
                    self.open_release = release.doctor
                case EndRelease():
                    self.open_release = None
                case SendToDoctor(letter=Letter.ANNOUNCEMENT | Letter.REMINDER as letter, doctor=doctor):
                    self.may_be_asked(before, after, letter, doctor)
                case DestroyRecord(consent_taken_back=taken_back):
                    reason = after.withdrawal and after.withdrawal.reason
                    assert taken_back is (reason is WithdrawalReason.CONSENT)
                    self.destroyed = True

    def release_is_rightful(self, before: Search, after: Search, doctor: DoctorId) -> None:
        """P1: said yes, was chosen, consent stands, released or attached, for this doctor."""
        position = after.position(doctor)
        assert position is not None
        assert position.stand is Stand.CHOSEN
        assert position.answer is not None
        assert position.answer.says is Says.YES
        assert after.consent is not None
        assert after.consent.given is Given.YES
        assert after.state in (State.RELEASED, State.ATTACHED)
        assert after.release is not None
        assert after.release.number > (before.release.number if before.release else 0)
        assert not self.destroyed

    def may_be_asked(self, before: Search, after: Search, letter: Letter, doctor: DoctorId) -> None:
        """P4 and P5: only who fits; once, and one reminder; never after a no, a pause or the end."""
        assert doctor in {c.doctor for c in self.world.candidates.ordered}
        assert doctor not in before.declined
        self.asked[after.run, doctor, letter] += 1
        assert self.asked[after.run, doctor, letter] == 1
        position = before.position(doctor)
        same_run = before.run == after.run
        if same_run and position is not None and letter is Letter.REMINDER:
            assert position.stand is Stand.OPEN
        if same_run and position is not None:
            assert position.stand not in (Stand.NO, Stand.PAUSED, Stand.DECLINED, Stand.CHOSEN)
        assert after.state in (State.ASKING, State.CALLING, State.PROPOSING)
        assert after.consent is not None
        assert after.consent.given is Given.YES

    def holds_no_text(self, effect: Effect) -> None:
        """P3: effects are closed words and opaque ids; whatever else a mail says is composed elsewhere."""
        allowed = (SendToDoctor, SendToRequester)
        for value in asdict(effect).values():
            if isinstance(value, str):
                assert WORD.fullmatch(value)
            elif isinstance(effect, allowed):
                assert isinstance(value, int)

    # Events ---------------------------------------------------------------------------------------------

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

    @invariant()
    def one_chosen_at_most(self) -> None:
        """P2, and a release is for the chosen one only."""
        search = self.world.search
        chosen = [p.doctor for p in search.positions if p.stand is Stand.CHOSEN]
        assert len(chosen) <= 1
        if search.state in (State.RELEASED, State.ATTACHED):
            assert chosen
            if not search.record_destroyed:
                assert search.release is not None
                assert search.release.doctor == chosen[0] == self.open_release
        else:
            assert self.open_release is None

    @invariant()
    def proposals_wait_in_proposing(self) -> None:
        search = self.world.search
        if search.state is State.PROPOSING:
            assert search.standing_yes
        if search.state in (State.ASKING, State.CALLING):
            assert not search.standing_yes

    @invariant()
    def nothing_of_a_destroyed_record_runs(self) -> None:
        """P9."""
        assert self.destroyed is self.world.search.record_destroyed
        if self.destroyed:
            assert self.world.search.release is None
            assert self.open_release is None or self.world.state is State.ATTACHED

    @invariant()
    def nobody_unfit_is_asked(self) -> None:
        assert all(s.doctor != UNFIT or s.channel is Channel.PHONE for s in self.world.search.solicitations)
        assert UNFIT not in {c.doctor for c in steps.to_phone(self.world.search, self.world.around)}

    @invariant()
    def timers_and_tasks_fit_the_state_and_are_one_of_a_kind(self) -> None:
        search = self.world.search
        assert all(search.state in TIMES[timer.kind] for timer in search.timers)
        assert all(search.state in TASKS[task.kind] for task in search.tasks)
        keys = [(timer.kind, timer.doctor) for timer in search.timers]
        assert len(keys) == len(set(keys))
        pairs = [(s.doctor, s.channel) for s in search.solicitations]
        assert len(pairs) == len(set(pairs))

    @invariant()
    def what_settles_has_its_timer_and_asking_goes_on_by_itself(self) -> None:
        search = self.world.search
        kinds = {(timer.kind, timer.doctor) for timer in search.timers}
        for position in search.positions:
            if position.settling is not None and search.state not in (State.WITHDRAWN, State.ATTACHED):
                assert (TimerKind.SETTLE, position.doctor) in kinds or search.record_destroyed
        if search.state is State.ASKING:
            moving = {kind for kind, _ in kinds} & {TimerKind.MAIL_OVERDUE, TimerKind.CALLS}
            waits_for_a_person = any(task.kind.value == "reconfirm" for task in search.tasks)
            assert moving or waits_for_a_person


Protocol.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestProtocol = Protocol.TestCase
