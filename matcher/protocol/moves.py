"""The events of a search, and the table of what each does in each state."""

from dataclasses import dataclass
from enum import StrEnum

from matcher.protocol.effects import Effect
from matcher.protocol.search import Search, State


class Event(StrEnum):
    """Everything that can happen to a search."""

    SUBMIT = "submit"
    RETURN = "return"
    VALIDATE = "validate"
    CORRECT = "correct"
    ANNOUNCE = "announce"
    CONSENT = "consent"
    RECONFIRM = "reconfirm"
    LAUNCH = "launch"
    WAVE = "wave"
    START_CALLS = "start_calls"
    WIDEN = "widen"
    OFFER_DECLARED = "offer_declared"
    MAIL_ACCEPTED = "mail_accepted"
    MAIL_DROPPED = "mail_dropped"
    MAIL_DEAD = "mail_dead"
    ANSWER = "answer"
    SETTLE_HELD = "settle_held"
    CALL = "call"
    CHOOSE = "choose"
    DECLINE = "decline"
    RENEW_RELEASE = "renew_release"
    LOCK_RELEASE = "lock_release"
    CALL_ME = "call_me"
    OPEN_RECORD = "open_record"
    ACKNOWLEDGE = "acknowledge"
    DESIST = "desist"
    APPOINTMENT = "appointment"
    CONFIRM = "confirm"
    CONTACT_ATTEMPT = "contact_attempt"
    REST = "rest"
    WAKE = "wake"
    WITHDRAW = "withdraw"
    UNDO_WITHDRAWAL = "undo_withdrawal"
    CLOSE = "close"
    RELAUNCH = "relaunch"
    REOPEN = "reopen"
    SPLIT = "split"
    JOIN = "join"
    TIME = "time"


class Refused(Exception):
    """An event that this search does not take now. ``reason`` is a French sentence for a person."""

    def __init__(self, code: str, reason: str, state: State) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.state = state


@dataclass(frozen=True)
class Step:
    """What an event made of a search, and what must now be done."""

    search: Search
    effects: tuple[Effect, ...] = ()
