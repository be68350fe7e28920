"""Every code that a page may show has its French words."""

import re
from datetime import UTC, datetime
from pathlib import Path

from matcher.protocol.effects import Letter
from matcher.protocol.events import Event
from matcher.protocol.search import CallOutcome, PatientContact, Says, State, TaskKind, TimerKind
from matcher.records.priority import Level
from matcher.service import stories
from matcher.service.actors import Role
from matcher.service.views import PURPOSES
from matcher.storage.journal import Entry
from matcher.web import journal_words, words
from matcher.web.api_directory import DoctorCorrection, DoctorIn
from matcher.web.record_words import label_of
from matcher.web.search_actions import ACTIONS
from matcher.web.search_page import ANYBODY

MATCHER = Path(words.__file__).resolve().parents[1]


def test_whatever_was_done_is_said_on_the_page_that_follows() -> None:
    written = "\n".join(path.read_text("utf-8") for path in (MATCHER / "web").glob("*.py"))
    done = set(re.findall(r'(?:fait=|_noted\()"(\w+)"', written)) | {action.done for action in ACTIONS}
    assert len(done) > 40, done
    assert done <= set(words.DONE), done - set(words.DONE)


def test_a_field_at_fault_is_named_as_the_page_names_it() -> None:
    written = "\n".join(path.read_text("utf-8") for path in (MATCHER / "web").glob("*.py"))
    named = {
        *re.findall(r'Invalid\(\{"(\w+)"', written),
        *DoctorCorrection.model_fields,
        *DoctorIn.model_fields,
    }
    named |= {"password", "role", "structure", "passkey", "code"}
    # A body is of the API alone.
    assert {name for name in named if label_of(name) == name} == {"body"}


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
        (Letter, journal_words.LETTERS),
        (Event, journal_words.ACTIONS),
    ):
        assert set(codes) <= set(said), set(codes) - set(said)
    # What a form offers is what the use case takes.
    assert set(words.PRIORITIES) == set(Level)
    assert set(words.PURPOSES) == PURPOSES


def _journaled() -> dict[str, bool]:
    """Every action that a use case journals, and whether it may be of a search."""
    found: dict[str, bool] = {}
    for path in MATCHER.rglob("*.py"):
        source = path.read_text("utf-8")
        named = dict(re.findall(r'^([A-Z_]+)(?:: Final)? = "(\w+)"$', source, re.MULTILINE))
        written = r'\.entry\(\s*[\w.() ]+?,\s*(?:"(\w+)"|([A-Z_]+)\b)([^)]*)'
        for word, constant, others in re.findall(written, source):
            action = word or named[constant]
            found[action] = found.get(action, False) or "search=" in others
    return found


def test_everything_that_is_journaled_has_words() -> None:
    actions = _journaled()
    assert {"login", "priority", "open_record_staff", "refusal_read", "sms_code"} <= set(actions)
    assert not set(actions) - set(journal_words.ACTIONS)
    assert journal_words.action("time/reminder") == words.NEXT_STEPS["reminder"]
    assert (journal_words.detail("announcement"), journal_words.detail("contact")) == (
        "annonce",
        "joindre la personne",
    )
    assert journal_words.detail("refusal_distance") == "trop loin"


def test_everything_of_a_search_is_told_in_its_story() -> None:
    now = datetime(2026, 11, 26, 9, tzinfo=UTC)
    for action in (action for action, of_a_search in _journaled().items() if of_a_search):
        entry = Entry(territory="t", at=now, actor_kind="staff", actor_id="a", action=action, search="s")
        (told,) = stories.timeline([entry], {})
        assert told["text"] != action


def test_a_secretaire_is_offered_what_she_may_do_and_nothing_else() -> None:
    hers = {action.name for action in ACTIONS if Role.SECRETAIRE in action.allowed}
    # Settling a held answer has its own buttons, and the board is a page.
    assert hers == (ANYBODY - {"board"}) | {"trancher"}


def test_what_was_done_is_said_after_every_form_of_a_search() -> None:
    assert {action.done for action in ACTIONS} <= set(words.DONE)
