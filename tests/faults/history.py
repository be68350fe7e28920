"""What a run leaves behind: what people were told, what the relay took, what the tables and journal say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.faults.relay import Received

#: A row of a table, by column.
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a doctor answered over the link of a mail."""

    at: datetime
    recipient: str
    #: Of the mail whose link was used.
    message_id: str
    answer: str
    #: 200 taken, 202 held; None where nobody ever heard whether it was.
    status: int | None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A doctor tried to open a record."""

    at: datetime
    message_id: str
    #: None where nobody ever heard.
    status: int | None


@dataclass
class History:
    """Everything, for the checker."""

    territory: str
    #: Searches whose 201 a requester read.
    submitted: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    #: Doctors chosen by the office, each answered with 200.
    chosen: list[tuple[str, str]] = field(default_factory=list)
    #: Searches whose consent was taken back, answered with 200.
    taken_back: list[str] = field(default_factory=list)
    #: Statuses that a key of another territory got for the searches of this one.
    from_elsewhere: list[int] = field(default_factory=list)
    mails: Sequence[Received] = ()
    #: By name of the table.
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    #: The first entry at which the journal's chain does not hold; None where it holds.
    broken: str | None = None
    #: Words of the records that nobody outside may read.
    secrets: frozenset[str] = frozenset()
    logs: str = ""
    #: Spans of time in which the word on a mail may have been lost: kills, restarts, outages.
    disturbed: list[tuple[datetime, datetime]] = field(default_factory=list)
    #: When the processes had had the time to do all that was due.
    ended_at: datetime | None = None
