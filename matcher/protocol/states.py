"""The states of a search (PROTOCOL.md, "The states of a search")."""

from enum import StrEnum


class State(StrEnum):
    """Where a search stands (PROTOCOL.md, "The states of a search")."""

    #: Being filled in, by a requester or by the coordinatrice during a call.
    DRAFT = "draft"
    #: Handed in; the coordinatrice looks at it.
    SUBMITTED = "submitted"
    #: Sent back with what is missing; the requester completes it.
    RETURNED = "returned"
    #: Complete, consented, announcement chosen; waits for the launch.
    READY = "ready"
    #: Members are being asked by mail.
    ASKING = "asking"
    #: Doctors are being phoned; the links of the mails stay valid.
    CALLING = "calling"
    #: At least one doctor said yes; the patient chooses.
    PROPOSING = "proposing"
    #: One doctor was chosen and may open the record.
    RELEASED = "released"
    #: The patient is unreachable or unavailable; no delay runs.
    RESTING = "resting"
    #: First appointment honoured and the declaration noted.
    ATTACHED = "attached"
    #: Nobody, or nobody the patient accepts; says what comes next.
    UNMET = "unmet"
    #: Taken back, found elsewhere, duplicate, left, or death.
    WITHDRAWN = "withdrawn"


#: A run is going on: doctors may be asked, answer, be proposed or chosen.
ACTIVE = frozenset({State.ASKING, State.CALLING, State.PROPOSING, State.RELEASED})
#: Nothing more happens unless a person reopens it.
ENDED = frozenset({State.ATTACHED, State.UNMET, State.WITHDRAWN})
