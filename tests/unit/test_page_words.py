"""Every code that a page may show has its French words."""

import re
from pathlib import Path

from matcher.protocol.effects import Letter
from matcher.protocol.events import Event
from matcher.protocol.search import CallOutcome, PatientContact, Says, State, TaskKind, TimerKind
from matcher.records.priority import Level
from matcher.service.actors import Role
from matcher.service.views import PURPOSES
from matcher.web import words
from matcher.web.search_actions import ACTIONS
from matcher.web.search_page import ANYBODY

MATCHER = Path(words.__file__).resolve().parents[1]


def test_the_codes_of_the_protocol_have_words() -> None:
    for codes, said in (
        (State, words.STATES),
        (State, words.STATES_FOR_REQUESTER),
        (State, words.NEXT_FOR_REQUESTER),
        (TaskKind, words.TASKS),
        (TimerKind, words.NEXT_STEPS),
        (CallOutcome, words.CALL_OUTCOMES),
        (PatientContact, words.CONTACTS),
        (Says, words.SAYS),
        (Letter, words.LETTERS),
        (Event, words.ACTIONS),
    ):
        assert set(codes) <= set(said), set(codes) - set(said)
    # What a form offers is what the use case takes.
    assert set(words.PRIORITIES) == set(Level)
    assert set(words.PURPOSES) == PURPOSES


def test_everything_that_is_journaled_has_words() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in MATCHER.rglob("*.py"))
    actions = set(re.findall(r'\.entry\(\s*\w+,\s*"(\w+)"', sources))
    assert {"login", "priority", "open_record_staff"} <= actions
    assert actions <= set(words.ACTIONS), actions - set(words.ACTIONS)
    assert words.action("time/reminder") == words.NEXT_STEPS["reminder"]
    assert (words.detail("announcement"), words.detail("contact")) == ("annonce", "joindre la personne")


def test_a_secretaire_is_offered_what_she_may_do_and_nothing_else() -> None:
    hers = {action.name for action in ACTIONS if Role.SECRETAIRE in action.allowed}
    # Settling a held answer has its own buttons, and the board is a page.
    assert hers == (ANYBODY - {"board"}) | {"trancher"}


def test_what_was_done_is_said_after_every_form_of_a_search() -> None:
    assert {action.done for action in ACTIONS} <= set(words.DONE)
