"""The table of what each event does in each state, as data.

The steps consult it before anything else and are held to it afterwards (``steps.turn``), and the
diagram of ``docs/protocol.md`` is drawn from it. A cell is one of three things: the search may move,
the event is taken but changes nothing, or it is refused with a reason that a person understands.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from matcher.protocol.cells import Cell, Kept, Moved, Refusal, Refused, Step
from matcher.protocol.events import Event
from matcher.protocol.search import State, TimerKind

__all__ = ["MOVES", "NEED_RECORD", "TIMES", "Cell", "Event", "Kept", "Moved", "Refusal", "Refused", "Step"]

_Maker: TypeAlias = Callable[[State], Cell]

DRAFT: Final = State.DRAFT
SUBMITTED: Final = State.SUBMITTED
RETURNED: Final = State.RETURNED
READY: Final = State.READY
ASKING: Final = State.ASKING
CALLING: Final = State.CALLING
PROPOSING: Final = State.PROPOSING
RELEASED: Final = State.RELEASED
RESTING: Final = State.RESTING
ATTACHED: Final = State.ATTACHED
UNMET: Final = State.UNMET
WITHDRAWN: Final = State.WITHDRAWN

_INTAKE = (DRAFT, SUBMITTED, RETURNED)
_RUNNING = (ASKING, CALLING, PROPOSING)
_HELD = (RELEASED, ATTACHED)
_ENDED = (ATTACHED, UNMET, WITHDRAWN)


def _to(*states: State) -> _Maker:
    """The search moves to one of ``states``."""
    return lambda _: Moved(frozenset(states))


def _stay(*others: State) -> _Maker:
    """The search stays where it is, or moves to one of ``others``."""
    return lambda state: Moved(frozenset({state, *others}))


def _kept(why: str) -> _Maker:
    return lambda _: Kept(why)


def _no(code: str, reason: str) -> _Maker:
    return lambda _: Refusal(code, reason)


_OVER = _no("over", "Cette recherche est terminée.")
_NOT_LAUNCHED = _no("not_launched", "Cette recherche n’est pas encore lancée.")
_NOT_SUBMITTED = _no("not_submitted", "Cette demande n’a pas encore été déposée.")
_NOBODY_CHOSEN = _no("nobody_chosen", "Aucun médecin n’est choisi en ce moment pour cette recherche.")
_NO_PROPOSAL = _no("no_proposal", "Aucune proposition n’attend le choix de la personne.")
_RESTING = _no("resting", "Cette recherche est en repos : reprenez-la d’abord.")
_RELAUNCH_FIRST = _no("relaunch_first", "Cette recherche est close : relancez-la d’abord.")
_ALREADY_CHOSEN = _no("already_chosen", "Un médecin est déjà choisi ; notez d’abord son désistement.")
_NOTHING_TO_ADD = _kept("nobody is being looked for; an offer counts at the next launch")
_LATE_FACT = _kept("what became of an old mail no longer matters")

#: The event, what it does where it is taken, and what it does everywhere else.
_ROWS: tuple[tuple[Event, Mapping[tuple[State, ...], _Maker], _Maker], ...] = (
    (
        Event.SUBMIT,
        {(DRAFT, RETURNED): _to(SUBMITTED), _ENDED: _OVER},
        _no("already_submitted", "Cette demande a déjà été déposée."),
    ),
    (
        Event.RETURN,
        {(SUBMITTED,): _to(RETURNED), (DRAFT, RETURNED): _NOT_SUBMITTED, _ENDED: _OVER},
        _no("already_validated", "Cette demande est déjà validée : corrigez-la sur sa page."),
    ),
    (
        Event.VALIDATE,
        {(SUBMITTED,): _to(READY), (DRAFT, RETURNED): _NOT_SUBMITTED, _ENDED: _OVER},
        _no("already_validated", "Cette demande est déjà validée."),
    ),
    (
        Event.CORRECT,
        {(PROPOSING,): _stay(ASKING, CALLING), (ATTACHED, WITHDRAWN): _OVER},
        _stay(),
    ),
    (
        Event.ANNOUNCE,
        {(*_INTAKE, READY): _stay(), (UNMET,): _RELAUNCH_FIRST, (ATTACHED, WITHDRAWN): _OVER},
        _no("announcement_frozen", "L’annonce est partie : son texte ne change plus pendant la recherche."),
    ),
    (
        Event.CONSENT,
        {_INTAKE: _stay()},
        _stay(WITHDRAWN),
    ),
    (
        Event.RECONFIRM,
        {
            _INTAKE: _no("not_validated", "Cette demande n’est pas encore validée."),
            (ASKING,): _stay(CALLING),
            (ATTACHED, WITHDRAWN): _OVER,
        },
        _stay(),
    ),
    (
        Event.LAUNCH,
        {
            (READY,): _to(ASKING, CALLING, PROPOSING, RELEASED),
            _INTAKE: _no("not_ready", "Cette demande doit d’abord être validée."),
            (ATTACHED, WITHDRAWN): _OVER,
            (UNMET,): _RELAUNCH_FIRST,
        },
        _no("already_launched", "Cette recherche est déjà lancée."),
    ),
    (
        Event.WAVE,
        {
            _RUNNING: _stay(),
            (RELEASED,): _ALREADY_CHOSEN,
            (RESTING,): _RESTING,
            (ATTACHED, WITHDRAWN): _OVER,
            (UNMET,): _RELAUNCH_FIRST,
        },
        _NOT_LAUNCHED,
    ),
    (
        Event.START_CALLS,
        {
            (ASKING,): _to(CALLING),
            (CALLING,): _kept("the calls are open already"),
            (PROPOSING,): _kept("she may phone while proposals wait; they stay"),
            (RELEASED,): _ALREADY_CHOSEN,
            (RESTING,): _RESTING,
            (ATTACHED, WITHDRAWN): _OVER,
            (UNMET,): _RELAUNCH_FIRST,
        },
        _NOT_LAUNCHED,
    ),
    (
        Event.WIDEN,
        {
            _INTAKE: _no("not_ready", "Cette demande doit d’abord être validée."),
            (RELEASED,): _ALREADY_CHOSEN,
            (ATTACHED, WITHDRAWN): _OVER,
        },
        _stay(),
    ),
    (
        Event.OFFER_DECLARED,
        {(ASKING, CALLING): _stay(PROPOSING, RELEASED), (PROPOSING,): _stay(RELEASED), (RESTING,): _stay()},
        _NOTHING_TO_ADD,
    ),
    (Event.MAIL_ACCEPTED, {(*_INTAKE, READY): _LATE_FACT}, _stay()),
    (Event.MAIL_DROPPED, {(*_INTAKE, READY): _LATE_FACT, (ASKING,): _stay(CALLING)}, _stay()),
    (Event.MAIL_DEAD, {(ASKING,): _stay(CALLING)}, _stay()),
    (
        Event.ANSWER,
        {
            _INTAKE: _no("over", "Cette recherche n’attend pas de réponse."),
            (ASKING,): _stay(CALLING, PROPOSING),
            (CALLING,): _stay(PROPOSING),
            (PROPOSING,): _stay(ASKING, CALLING),
        },
        _stay(),
    ),
    (
        Event.SETTLE_HELD,
        {
            _INTAKE: _no("no_such_answer", "Aucune réponse n’est à départager ici."),
            (ASKING,): _stay(CALLING, PROPOSING),
            (CALLING,): _stay(PROPOSING),
            (PROPOSING,): _stay(ASKING, CALLING),
        },
        _stay(),
    ),
    (
        Event.CALL,
        {
            (ASKING,): _stay(CALLING, PROPOSING),
            (CALLING,): _stay(PROPOSING),
            (PROPOSING,): _stay(ASKING, CALLING),
            (RELEASED, RESTING, *_ENDED): _stay(),
        },
        _NOT_LAUNCHED,
    ),
    (
        Event.CHOOSE,
        {
            (PROPOSING,): _to(RELEASED),
            (*_INTAKE, READY): _NOT_LAUNCHED,
            (RELEASED,): _ALREADY_CHOSEN,
            (RESTING,): _RESTING,
            (UNMET,): _RELAUNCH_FIRST,
            (ATTACHED, WITHDRAWN): _OVER,
        },
        _NO_PROPOSAL,
    ),
    (
        Event.DECLINE,
        {
            (PROPOSING,): _stay(ASKING, CALLING),
            (RELEASED,): _ALREADY_CHOSEN,
            (RESTING,): _RESTING,
            (ATTACHED, WITHDRAWN): _OVER,
        },
        _NO_PROPOSAL,
    ),
    (Event.RENEW_RELEASE, {_HELD: _stay()}, _NOBODY_CHOSEN),
    (Event.LOCK_RELEASE, {_HELD: _stay()}, _NOBODY_CHOSEN),
    (Event.CALL_ME, {_HELD: _stay()}, _NOBODY_CHOSEN),
    (Event.OPEN_RECORD, {_HELD: _stay()}, _OVER),
    (Event.ACKNOWLEDGE, {_HELD: _stay()}, _OVER),
    (
        Event.DESIST,
        {
            (RELEASED,): _to(PROPOSING, ASKING, CALLING),
            (ATTACHED,): _no("reopen_instead", "La personne a ce médecin traitant : rouvrez la recherche."),
        },
        _NOBODY_CHOSEN,
    ),
    (
        Event.APPOINTMENT,
        {
            (RELEASED,): _stay(),
            (ATTACHED,): _no("already_attached", "La personne a déjà été reçue par ce médecin."),
        },
        _NOBODY_CHOSEN,
    ),
    (
        Event.CONFIRM,
        {
            (RELEASED,): _to(ATTACHED),
            (ATTACHED,): _no("already_attached", "La déclaration est déjà notée."),
        },
        _NOBODY_CHOSEN,
    ),
    (
        Event.CONTACT_ATTEMPT,
        {(READY, *_RUNNING): _stay(RESTING), (WITHDRAWN,): _OVER},
        _stay(),
    ),
    (
        Event.REST,
        {
            (READY, *_RUNNING): _to(RESTING),
            (RESTING,): _stay(),
            (RELEASED,): _no(
                "noted_there",
                "Un médecin a la fiche : notez les essais d’appel et le rendez-vous, sans mettre en repos.",
            ),
            _INTAKE: _no("not_ready", "Cette demande doit d’abord être validée."),
        },
        _OVER,
    ),
    (
        Event.WAKE,
        {(RESTING,): _to(READY, ASKING, CALLING, PROPOSING)},
        _no("not_resting", "Cette recherche n’est pas en repos."),
    ),
    (Event.WITHDRAW, {}, _to(WITHDRAWN)),
    (
        Event.UNDO_WITHDRAWAL,
        {(WITHDRAWN,): _to(*(state for state in State if state is not WITHDRAWN))},
        _no("not_withdrawn", "Cette recherche n’a pas été retirée."),
    ),
    (
        Event.CLOSE,
        {
            (READY, *_RUNNING, RESTING, UNMET): _to(UNMET),
            _INTAKE: _no("not_ready", "Retournez ou retirez cette demande : elle n’est pas encore validée."),
            (RELEASED,): _ALREADY_CHOSEN,
        },
        _OVER,
    ),
    (
        Event.RELAUNCH,
        {
            (UNMET,): _to(READY, UNMET),
            (ATTACHED,): _no("reopen_instead", "La personne a un médecin traitant : rouvrez la recherche."),
            (WITHDRAWN,): _no("undo_instead", "Cette recherche a été retirée : annulez d’abord le retrait."),
        },
        _no("not_unmet", "Seule une recherche close sans médecin se relance."),
    ),
    (
        Event.REOPEN,
        {
            (ATTACHED,): _to(ASKING, CALLING, PROPOSING),
            (UNMET,): _RELAUNCH_FIRST,
            (WITHDRAWN,): _no("undo_instead", "Cette recherche a été retirée : annulez d’abord le retrait."),
        },
        _no("not_attached", "Cette recherche n’est pas terminée."),
    ),
    (Event.SPLIT, {(DRAFT, RETURNED): _NOT_SUBMITTED, _ENDED: _OVER}, _stay()),
    (Event.JOIN, {(DRAFT,): _NOT_SUBMITTED, (WITHDRAWN,): _OVER}, _stay(WITHDRAWN)),
)

_ANSWERABLE = (READY, *_RUNNING, RELEASED, RESTING, UNMET)
_UNENDED = (SUBMITTED, READY, *_RUNNING, RELEASED, RESTING)


def _same(*states: State) -> dict[State, frozenset[State]]:
    return {state: frozenset({state}) for state in states}


#: Where a timer of each kind may live, and where the search may be once it has been due.
#: A search that enters a state missing here loses the timer.
TIMES: Final[Mapping[TimerKind, Mapping[State, frozenset[State]]]] = {
    TimerKind.SETTLE: {
        **_same(*_ANSWERABLE),
        ASKING: frozenset({ASKING, CALLING, PROPOSING, RELEASED}),
        CALLING: frozenset({CALLING, PROPOSING, RELEASED}),
        PROPOSING: frozenset({PROPOSING, ASKING, CALLING, RELEASED}),
    },
    TimerKind.HELD_OVERDUE: _same(*_ANSWERABLE),
    TimerKind.REMINDER: _same(ASKING),
    TimerKind.NEXT_WAVE: _same(ASKING),
    TimerKind.CALLS: {ASKING: frozenset({ASKING, CALLING})},
    TimerKind.MAIL_OVERDUE: {ASKING: frozenset({ASKING, CALLING})},
    TimerKind.NOBODY_REACHED: _same(ASKING),
    TimerKind.YES_HELD: _same(PROPOSING),
    TimerKind.YES_LAPSES: {PROPOSING: frozenset({PROPOSING, ASKING, CALLING})},
    TimerKind.CHOICE_CHASE: _same(PROPOSING),
    TimerKind.OPENING_REMINDER: _same(RELEASED),
    TimerKind.OPENING_CALL: _same(RELEASED),
    TimerKind.APPOINTMENT_ASKED: _same(RELEASED),
    TimerKind.APPOINTMENT_CHECK: _same(RELEASED),
    TimerKind.CALL_BACK: _same(*_RUNNING),
    TimerKind.WAKE: {RESTING: frozenset({READY, ASKING, CALLING, PROPOSING})},
    TimerKind.RELAUNCH: {UNMET: frozenset({READY})},
    TimerKind.UNTOUCHED: _same(*_UNENDED),
    TimerKind.ABANDONED: {
        **{state: frozenset({UNMET}) for state in _UNENDED},
        **_same(RELEASED),
    },
    TimerKind.GRACE_OVER: _same(WITHDRAWN),
    TimerKind.RETENTION_OVER: _same(DRAFT, RETURNED, ATTACHED, UNMET),
}

#: Events that make no sense once the data keys are gone.
NEED_RECORD: Final = frozenset(
    {
        Event.SUBMIT,
        Event.CORRECT,
        Event.RECONFIRM,
        Event.RENEW_RELEASE,
        Event.OPEN_RECORD,
        Event.UNDO_WITHDRAWAL,
        Event.RELAUNCH,
        Event.REOPEN,
        Event.JOIN,
    }
)


def _time(state: State) -> Cell:
    """What the timers that may live in ``state`` can make of it, together."""
    return Moved(frozenset({state}).union(*(cells.get(state, ()) for cells in TIMES.values())))


def _table() -> dict[tuple[State, Event], Cell]:
    cells: dict[tuple[State, Event], Cell] = {(state, Event.TIME): _time(state) for state in State}
    for event, taken, otherwise in _ROWS:
        for state in State:
            maker = next((made for states, made in taken.items() if state in states), otherwise)
            cells[state, event] = maker(state)
    return cells


#: Every state × event.
MOVES: Final[Mapping[tuple[State, Event], Cell]] = _table()
