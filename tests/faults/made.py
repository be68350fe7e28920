"""A small history in which everything holds, made by hand, for the tests of the checker to spoil."""

import json
from datetime import timedelta
from typing import Any

from tests.faults.clock import EPOCH
from tests.faults.history import History, Opened, Said
from tests.faults.relay import Received

HERE = "venissieux"
#: One search, asked of two doctors: the first says yes, is chosen and opens the record; the second says no.
SEARCH, YES, NO = "s1", "d1", "d2"
_START = EPOCH


def at(minutes: float) -> Any:
    """So long after the beginning."""
    return _START + timedelta(minutes=minutes)


def mail(message_id: str, doctor: str, minutes: float, *, acknowledged: bool = True) -> Received:
    """One copy of a mail."""
    raw = (
        f"From: c@cpts.example\r\nTo: {doctor}@cabinet.example\r\nMessage-ID: {message_id}\r\n"
        f"Content-Type: text/plain\r\n\r\nhttps://x.example/r#token-{message_id[1:-3]}\r\n"
    )
    return Received(
        at=at(minutes),
        recipient=f"{doctor}@cabinet.example",
        message_id=message_id,
        raw=raw.encode(),
        acknowledged=acknowledged,
    )


def _row(**columns: Any) -> dict[str, Any]:
    return {"territory_id": HERE, **columns}


def outbox(message_id: str, letter: str, doctor: str, **changes: Any) -> dict[str, Any]:
    """A row of the outbox, accepted."""
    ids = {"search": SEARCH, "run": "1", "doctor": doctor, "number": "1", "purpose": "answer"}
    row = _row(
        message_id=message_id,
        letter=letter,
        ids=json.dumps(ids),
        state="accepted",
        may_have_left=False,
        enqueued_at=at(0),
    )
    return row | changes


def entry(
    seq: int, action: str, minutes: float, doctor: str | None = None, purpose: str | None = None
) -> Any:
    """A line of the journal."""
    return _row(
        seq=seq,
        action=action,
        search_id=SEARCH,
        doctor_id=doctor,
        purpose=purpose,
        at=at(minutes).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )


def history() -> History:
    """Fresh each time: a test spoils its own."""
    return History(
        HERE,
        submitted=[SEARCH],
        said=[
            Said(at=at(10), recipient="d1@cabinet.example", message_id="<a1@x>", answer="yes", status=200),
            Said(at=at(12), recipient="d2@cabinet.example", message_id="<a2@x>", answer="no", status=200),
        ],
        opened=[Opened(at=at(40), message_id="<c1@x>", status=200)],
        chosen=[(SEARCH, YES)],
        taken_back=[],
        from_elsewhere=[404],
        mails=[mail("<a1@x>", YES, 1), mail("<a2@x>", NO, 1), mail("<c1@x>", YES, 31)],
        secrets=frozenset({"Mirabelle"}),
        ended_at=at(600),
        tables={
            "searches": [_row(id=SEARCH, state="released", run=1, wishes="[]")],
            "doctors": [_row(id=YES, sex="F"), _row(id=NO, sex="M")],
            "solicitations": [_row(search_id=SEARCH, doctor_id=d) for d in (YES, NO)],
            "positions": [
                _row(search_id=SEARCH, run=1, doctor_id=YES, stand="chosen", settling=None, held="[]"),
                _row(search_id=SEARCH, run=1, doctor_id=NO, stand="no", settling=None, held="[]"),
            ],
            "timers": [_row(search_id=SEARCH, kind="untouched", due_at=at(90 * 24 * 60))],
            "releases": [_row(search_id=SEARCH, run=1, doctor_id=YES, ended_at=None)],
            "outbox": [
                outbox("<a1@x>", "announcement", YES),
                outbox("<a2@x>", "announcement", NO),
                outbox("<c1@x>", "chosen", YES),
            ],
            "sealed": [_row(search_id=SEARCH, section="record", sealed_key=b"key")],
            "journal": [
                entry(1, "submit", 0),
                entry(2, "launch", 0.5),
                entry(3, "answer", 10, YES, "yes"),
                entry(4, "time/settle", 10.1, YES),
                entry(5, "answer", 12, NO, "no"),
                entry(6, "time/settle", 12.1, NO),
                entry(7, "choose", 30, YES),
                entry(8, "open_record", 40, YES, "care"),
            ],
        },
    )
