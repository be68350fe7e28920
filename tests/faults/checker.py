"""Checks a history against P1–P9 of the protocol, and P10. Pure; returns what does not hold, in words."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from tests.faults.history import History, Row
from tests.faults.relay import Received

#: Steps that a clock does again only after a delay; done twice, they lie closer together.
_APART = timedelta(minutes=5)
_ONCE_PER_DELAY = frozenset(
    {"reminder", "next_wave", "calls", "choice_chase", "opening_reminder", "opening_call", "nobody_reached"}
)
#: A step this late at the end was skipped.
_LATE = timedelta(minutes=10)
#: Between the making of a mail and its arrival an answer may come; by the wall, times the clock's speed.
_CROSSING = timedelta(minutes=30)
_UNDER_WAY = frozenset({"asking", "calling", "proposing", "released", "resting"})
_WAITING = frozenset({"queued", "sending", "ambiguous", "settling"})


@dataclass
class Checker:
    """One history, and what was found wrong with it."""

    history: History
    found: list[str] = field(default_factory=list)

    def check(self) -> list[str]:
        """Every violation, each beginning with the rule's name."""
        for rule in _RULES:
            for words in rule(self):
                self.found.append(f"{rule.__name__.upper()[:3].rstrip('_')}: {words}")
        return self.found

    def rows(self, table: str) -> list[Row]:
        """The rows of this territory in a table."""
        return [r for r in self.history.tables.get(table, ()) if r["territory_id"] == self.history.territory]

    @cached_property
    def journal(self) -> list[Row]:
        """In the order in which it was written."""
        return sorted(self.rows("journal"), key=lambda row: int(row["seq"]))

    @cached_property
    def outbox(self) -> dict[str, Row]:
        """By Message-ID."""
        return {str(row["message_id"]): row for row in self.rows("outbox")}

    @cached_property
    def copies(self) -> dict[str, list[Received]]:
        """What the relay took, by Message-ID, in order."""
        found: dict[str, list[Received]] = defaultdict(list)
        for mail in self.history.mails:
            found[mail.message_id].append(mail)
        return found

    def about(self, message_id: str) -> tuple[str, str]:
        """The search and the doctor that a mail speaks of; empty where it is not ours."""
        ids = _ids(self.outbox[message_id]) if message_id in self.outbox else {}
        return ids.get("search", ""), ids.get("doctor", "")

    def entries(self, action: str, search: str, doctor: str | None = None) -> list[Row]:
        """The journal's entries of an action on a search."""
        return [
            row for row in self._by_action[action, search] if doctor is None or row["doctor_id"] == doctor
        ]

    @cached_property
    def _by_action(self) -> dict[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.journal:
            found[str(row["action"]), str(row["search_id"])].append(row)
        return found


def p1_no_record_without_acceptance(c: Checker) -> Iterator[str]:
    """A release follows a yes of that doctor, who was chosen; nobody else opens the record."""
    asked = {(*c.about(said.message_id), said.answer) for said in c.history.said}
    for release in c.rows("releases"):
        search, doctor = str(release["search_id"]), str(release["doctor_id"])
        chosen = c.entries("choose", search, doctor)
        yes = [e for e in c.entries("answer", search, doctor) if e["purpose"] == "yes"]
        if not chosen or not yes or yes[0]["seq"] > chosen[0]["seq"]:
            yield f"{search} was released to {doctor} without acceptance or choice"
        if (search, doctor, "yes") not in asked:
            yield f"{search} was released to {doctor}, who never said yes"
    released = {(r["search_id"], r["doctor_id"]) for r in c.rows("releases")}
    for opened in c.history.opened:
        if opened.status == 200 and c.about(opened.message_id) not in released:
            yield f"the record of {c.about(opened.message_id)} was opened without a release"


def p2_at_most_one_chosen(c: Checker) -> Iterator[str]:
    """One doctor at a time."""
    chosen = Counter((r["search_id"], r["run"]) for r in c.rows("positions") if r["stand"] == "chosen")
    open_ = Counter((r["search_id"], r["run"]) for r in c.rows("releases") if r["ended_at"] is None)
    for counted, what in ((chosen, "chosen doctors"), (open_, "open releases")):
        yield from (f"{key} has {number} {what}" for key, number in counted.items() if number > 1)
    chosen_now = {r["search_id"]: r["doctor_id"] for r in c.rows("positions") if r["stand"] == "chosen"}
    for search, doctor in c.history.chosen:
        if chosen_now.get(search, doctor) != doctor and not c.entries("desist", search):
            yield f"{search}: the office was told {doctor}, and another is chosen"


def p3_nothing_leaks(c: Checker) -> Iterator[str]:
    """Neither a mail nor a log holds a word of a record."""
    for secret in sorted(c.history.secrets):
        if secret in c.history.logs:
            yield f"a log holds {secret!r}"
        for mail in c.history.mails:
            if secret in mail.text() or secret.encode() in mail.raw:
                yield f"{mail.message_id} holds {secret!r}"


def p4_hard_wishes_hold(c: Checker) -> Iterator[str]:
    """Nobody is asked who does not satisfy a hard wish (here: the doctor's sex)."""
    sexes = {r["id"]: r["sex"] for r in c.rows("doctors")}
    for search in c.rows("searches"):
        for wish in _structured(search["wishes"]):
            if not (wish["kind"] == "doctor_sex" and wish["hard"]):
                continue
            for asked in c.rows("solicitations"):
                wrong = sexes.get(asked["doctor_id"]) != wish["value"]
                if asked["search_id"] == search["id"] and wrong:
                    yield f"{search['id']}: {asked['doctor_id']} was asked against a hard wish"


def p5_mailed_once(c: Checker) -> Iterator[str]:
    """One announcement and one reminder per run, each under one Message-ID; none after a no."""
    for what, number in Counter(
        (row["letter"], *sorted(_ids(row).items())) for row in c.outbox.values()
    ).items():
        if number > 1:
            yield f"{number} Message-IDs for {what}"
    # Two searches may have the same thanks said for them: what is the same is so within one search.
    bodies: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for mail in c.history.mails:
        bodies[mail.recipient, c.about(mail.message_id)[0], mail.text()].add(mail.message_id)
        if mail.message_id not in c.outbox:
            yield f"{mail.message_id} is no mail of the outbox"
    for (recipient, _, _), ids in bodies.items():
        if len(ids) > 1:
            yield f"{recipient} was mailed the same under {len(ids)} Message-IDs"
    ended = _refusals(c)
    for message_id, copies in c.copies.items():
        row = c.outbox.get(message_id)
        if row is None or row["letter"] not in ("announcement", "reminder") or row["may_have_left"]:
            continue
        refused_at = ended.get(c.about(message_id))
        if refused_at is not None and copies[0].at > refused_at + _CROSSING:
            yield f"{message_id} went to a doctor who had said no"


def p6_only_a_post_answers(c: Checker) -> Iterator[str]:
    """Every answer of the journal was POSTed by somebody: scanners, who only GET, answer nothing."""
    posted = {(*c.about(said.message_id), said.answer) for said in c.history.said}
    for row in c.journal:
        if row["action"] == "answer" and (row["search_id"], row["doctor_id"], row["purpose"]) not in posted:
            yield f"an answer that nobody gave: {row['search_id']} {row['doctor_id']} {row['purpose']}"


def p7_nothing_is_lost(c: Checker) -> Iterator[str]:
    """Requests, answers, steps and mails survive."""
    known = {str(row["id"]) for row in c.rows("searches")}
    for search in c.history.submitted:
        if search not in known or not c.entries("submit", search):
            yield f"the request {search} is lost"
    positions = {(r["search_id"], r["doctor_id"]): r for r in c.rows("positions")}
    # Once a search is over a late yes is thanked for, and moves nothing.
    under_way = {r["id"] for r in c.rows("searches") if r["state"] in _UNDER_WAY}
    for said in c.history.said:
        about = c.about(said.message_id)
        if said.status not in (200, 202):
            continue
        if not [e for e in c.entries("answer", *about) if e["purpose"] == said.answer]:
            yield f"the answer {said.answer} of {about} is lost"
        elif said.answer in ("yes", "no") and said.status == 200 and about[0] in under_way:
            position = positions.get(about)
            if position is None or (position["stand"] == "open" and not _pending(position)):
                yield f"the answer {said.answer} of {about} has no effect"
    yield from _mails_kept(c)


def _mails_kept(c: Checker) -> Iterator[str]:
    assert c.history.ended_at is not None
    for message_id, row in c.outbox.items():
        copies = c.copies.get(message_id, [])
        # Nothing waited when the processes were asked to end; what came after that they may have left.
        if row["state"] in _WAITING and _at(row["enqueued_at"]) < c.history.ended_at:
            yield f"{message_id} ({row['letter']}) still waits, {row['state']}"
        if row["state"] == "accepted" and not copies:
            yield f"{message_id} ({row['letter']}) is accepted, and no relay took it"
        if row["state"] == "dropped" and copies:
            yield f"{message_id} ({row['letter']}) is dropped, and the relay has it"
        for first, again in pairwise(copies):
            if first.acknowledged and not _disturbed(c.history, first.at, again.at):
                yield (
                    f"{message_id} ({row['letter']}) went twice for no reason,"
                    f" at {first.at:%d %H:%M:%S} and {again.at:%d %H:%M:%S}"
                )


def p7_steps_once(c: Checker) -> Iterator[str]:
    """A due step is done, and done once."""
    assert c.history.ended_at is not None
    stopped = {row["id"] for row in c.history.tables.get("territories", ()) if row.get("stopped_at")}
    for timer in c.rows("timers"):
        if _at(timer["due_at"]) < c.history.ended_at - _LATE and timer["territory_id"] not in stopped:
            yield f"the step {timer['kind']} of {timer['search_id']} was skipped"
    timed = {str(row["search_id"]) for row in c.rows("timers")}
    for search in c.rows("searches"):
        if search["state"] == "asking" and search["id"] not in timed:
            yield f"{search['id']} waits for nothing: its next step was lost"
    done: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in c.journal:
        if str(row["action"]).startswith("time/"):
            done[str(row["search_id"]), str(row["action"])[5:], str(row["doctor_id"])].append(row)
    for (search, kind, doctor), rows in done.items():
        if kind == "settle" and len(rows) > len(c.entries("answer", search, doctor)):
            yield f"{search}: an answer of {doctor} took effect {len(rows)} times"
        if kind in _ONCE_PER_DELAY:
            for one, two in pairwise(rows):
                if _at(two["at"]) - _at(one["at"]) < _APART:
                    yield f"{search}: the step {kind} was done twice"


def p8_openings_are_journaled(c: Checker) -> Iterator[str]:
    """The journal holds, and tells of every opening."""
    if c.history.broken is not None:
        yield f"the journal does not hold: {c.history.broken}"
    for opened in c.history.opened:
        if opened.status == 200 and not c.entries("open_record", *c.about(opened.message_id)):
            yield f"the opening of {c.about(opened.message_id)} is not in the journal"


def p9_taken_back_is_destroyed(c: Checker) -> Iterator[str]:
    """Consent taken back: the data keys are gone at once."""
    back = set(c.history.taken_back)
    for row in c.rows("sealed"):
        if row["search_id"] in back and row["section"] == "record" and row["sealed_key"] is not None:
            yield f"the record of {row['search_id']} can still be opened"
    for search in c.rows("searches"):
        if search["id"] in back and search["state"] != "withdrawn":
            yield f"{search['id']} is {search['state']}, its consent taken back"


def p10_territories_apart(c: Checker) -> Iterator[str]:
    """Nothing of one territory is seen from another."""
    yield from (f"another territory was answered {s}" for s in c.history.from_elsewhere if s != 404)


_RULES: tuple[Callable[[Checker], Iterator[str]], ...] = (
    p1_no_record_without_acceptance,
    p2_at_most_one_chosen,
    p3_nothing_leaks,
    p4_hard_wishes_hold,
    p5_mailed_once,
    p6_only_a_post_answers,
    p7_nothing_is_lost,
    p7_steps_once,
    p8_openings_are_journaled,
    p9_taken_back_is_destroyed,
    p10_territories_apart,
)


def check(history: History) -> list[str]:
    """What does not hold in a history; nothing where all does."""
    return Checker(history).check()


def _refusals(c: Checker) -> dict[tuple[str, str], datetime]:
    """When a doctor first said no in a search, by search and doctor."""
    found: dict[tuple[str, str], datetime] = {}
    for row in c.journal:
        if row["action"] == "answer" and row["purpose"] == "no":
            found.setdefault((str(row["search_id"]), str(row["doctor_id"])), _at(row["at"]))
    return found


def _disturbed(history: History, first: datetime, again: datetime) -> bool:
    """Whether something happened between two copies of a mail that may have cost the word on the first."""
    return any(begun <= again and ended >= first for begun, ended in history.disturbed)


def _pending(position: Row) -> bool:
    return bool(_structured(position["settling"])) or bool(_structured(position["held"]))


def _ids(row: Row) -> dict[str, str]:
    return dict(_structured(row["ids"]))


def _structured(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _at(value: Any) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)
