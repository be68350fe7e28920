"""The checker finds what was planted: a checker that finds nothing proves nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.made import HERE, NO, SEARCH, YES, at, entry, history, mail, outbox


def rows(h: History, table: str) -> list:
    return h.tables[table]


def row(h: History, table: str, **wanted):
    """The one row with these columns."""
    (found,) = [r for r in rows(h, table) if all(r[name] == value for name, value in wanted.items())]
    return found


def without(h: History, action: str, doctor: str | None = None) -> None:
    """The journal forgets something."""
    h.tables["journal"][:] = [
        r for r in rows(h, "journal") if not (r["action"] == action and r["doctor_id"] == doctor)
    ]


def test_a_history_in_which_all_holds_is_clean() -> None:
    assert check(history()) == []


PLANTED: dict[str, tuple[str, Callable[[History], object]]] = {
    "a release without a yes": ("P1", lambda h: without(h, "answer", YES)),
    "a release without a choice": ("P1", lambda h: without(h, "choose", YES)),
    "a release to somebody else": (
        "P1",
        lambda h: rows(h, "releases").append({**rows(h, "releases")[0], "doctor_id": NO, "ended_at": at(1)}),
    ),
    "a yes that came after the choice": ("P1", lambda h: row(h, "journal", seq=3).update(seq=9)),
    "a record opened by another": (
        "P1",
        lambda h: h.opened.append(replace(h.opened[0], message_id="<a2@x>")),
    ),
    "two chosen doctors": ("P2", lambda h: row(h, "positions", doctor_id=NO).update(stand="chosen")),
    "two open releases": ("P2", lambda h: rows(h, "releases").append(dict(rows(h, "releases")[0]))),
    "another doctor than the office was told": ("P2", lambda h: h.chosen.append((SEARCH, NO))),
    "a name in a log": ("P3", lambda h: setattr(h, "logs", "… Mirabelle …")),
    "a name in a mail": (
        "P3",
        lambda h: h.mails.append(replace(h.mails[0], raw=h.mails[0].raw + b"Mirabelle\r\n")),
    ),
    "a doctor asked against a hard wish": (
        "P4",
        lambda h: row(h, "searches", id=SEARCH).update(
            wishes='[{"kind": "doctor_sex", "value": "F", "hard": true}]'
        ),
    ),
    "one letter under two Message-IDs": (
        "P5",
        lambda h: (
            rows(h, "outbox").append(outbox("<a9@x>", "announcement", YES)),
            h.mails.append(mail("<a9@x>", YES, 2)),
        ),
    ),
    "the same words under two Message-IDs": (
        "P5",
        lambda h: (
            rows(h, "outbox").append(outbox("<a9@x>", "kept_in_reserve", YES)),
            h.mails.append(replace(h.mails[0], message_id="<a9@x>")),
        ),
    ),
    "a reminder after a no": (
        "P5",
        lambda h: (
            rows(h, "outbox").append(outbox("<r2@x>", "reminder", NO)),
            h.mails.append(mail("<r2@x>", NO, 120)),
        ),
    ),
    "an answer that nobody gave": (
        "P6",
        lambda h: rows(h, "journal").append(entry(9, "answer", 50, NO, "yes")),
    ),
    "a request that vanished": ("P7", lambda h: h.submitted.append("s2")),
    "a request that nobody journaled": ("P7", lambda h: without(h, "submit")),
    "an answer that vanished": ("P7", lambda h: without(h, "answer", NO)),
    "an answer without effect": ("P7", lambda h: row(h, "positions", doctor_id=NO).update(stand="open")),
    "a mail that nobody sends": (
        "P7",
        lambda h: row(h, "outbox", message_id="<a2@x>").update(state="queued"),
    ),
    "a mail said to be accepted": ("P7", lambda h: h.mails.remove(h.mails[1])),
    "a mail dropped that had left": (
        "P7",
        lambda h: row(h, "outbox", message_id="<a2@x>").update(state="dropped"),
    ),
    "a mail sent twice for no reason": ("P7", lambda h: h.mails.append(mail("<a2@x>", NO, 5))),
    "a step that was skipped": ("P7", lambda h: rows(h, "timers")[0].update(due_at=at(300))),
    "a search whose next step was lost": (
        "P7",
        lambda h: (row(h, "searches", id=SEARCH).update(state="asking"), rows(h, "timers").clear()),
    ),
    "an answer that took effect twice": (
        "P7",
        lambda h: rows(h, "journal").append(entry(9, "time/settle", 13, NO)),
    ),
    "a step done twice": (
        "P7",
        lambda h: rows(h, "journal").extend([entry(9, "time/reminder", 60), entry(10, "time/reminder", 61)]),
    ),
    "a journal that was changed": ("P8", lambda h: setattr(h, "broken", "4: changed")),
    "an opening that nobody journaled": ("P8", lambda h: without(h, "open_record", YES)),
    "a record that outlived its consent": (
        "P9",
        lambda h: (h.taken_back.append(SEARCH), row(h, "searches", id=SEARCH).update(state="withdrawn")),
    ),
    "a search that outlived its consent": (
        "P9",
        lambda h: (h.taken_back.append(SEARCH), rows(h, "sealed")[0].update(sealed_key=None)),
    ),
    "a territory that sees another": ("P10", lambda h: h.from_elsewhere.append(200)),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(planted: str) -> None:
    rule, spoil = PLANTED[planted]
    spoiled = history()
    spoil(spoiled)
    assert rule in {words.partition(":")[0] for words in check(spoiled)}, check(spoiled)


def test_a_repeat_whose_word_was_lost_is_no_violation() -> None:
    lost = history()
    lost.mails = [mail("<a1@x>", YES, 0.9, acknowledged=False), *lost.mails]
    assert check(lost) == []


def test_a_repeat_after_a_kill_is_no_violation() -> None:
    killed = history()
    killed.mails = [*killed.mails, mail("<a2@x>", NO, 5)]
    killed.disturbed = [(at(0), at(0) + timedelta(minutes=4))]
    assert check(killed) == []


def test_a_mail_that_came_once_all_were_asked_to_end_may_wait() -> None:
    late = history()
    rows(late, "outbox").append(outbox("<l@x>", "reminder", NO, state="queued", enqueued_at=at(601)))
    assert check(late) == []


def test_what_is_another_territory_s_is_left_to_it() -> None:
    shared = history()
    shared.tables["outbox"].append(outbox("<z@x>", "announcement", YES) | {"territory_id": "ailleurs"})
    assert check(shared) == []
    assert {r["territory_id"] for r in shared.tables["outbox"]} == {HERE, "ailleurs"}


def test_the_same_thanks_for_two_searches_are_two_mails() -> None:
    made = history()
    ids = json.dumps({"search": "s2", "run": "1", "doctor": YES, "number": "1", "purpose": "answer"})
    rows(made, "outbox").append(outbox("<t2@x>", "thanked", YES, ids=ids))
    made.mails.append(replace(made.mails[0], message_id="<t2@x>"))
    assert check(made) == []
