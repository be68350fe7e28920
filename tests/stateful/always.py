"""What must always hold of the protocol, whatever is done and in whatever order (P1 to P6, P9)."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

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
from matcher.protocol.ids import DoctorId, OfferId
from matcher.protocol.moves import TIMES, Refused, Step
from matcher.protocol.search import (
    Channel,
    Choice,
    Given,
    Household,
    Says,
    Search,
    Stand,
    State,
    TimerKind,
    WithdrawalReason,
)
from matcher.protocol.steps.turn import TASKS
from tests.unit.protocol_world import FittingOffer, World, candidate, consent

NAMES = ("anna", "bea", "carl", "dora", "emil", "farid", "gina")
#: Never a candidate: a hard wish rules her out.
UNFIT = "gina"
doctors = st.sampled_from(NAMES).map(DoctorId)
#: What an effect may hold: opaque names, numbers, moments, closed words. No text of a person.
WORD = re.compile(r"[a-z0-9_-]+")


class Always(RuleBasedStateMachine):
    """One search with its doctors. Each step is looked at as it is taken, the search after every one."""

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
