"""One pure function per event: ``(search, …, around) -> Step``.

Each consults the table of moves and raises ``Refused`` where an event is not taken.
"""

from matcher.protocol.hours import is_open
from matcher.protocol.steps.answers import answer, settle_held
from matcher.protocol.steps.asking import (
    launch,
    mail_accepted,
    mail_dead,
    mail_dropped,
    offer_declared,
    send_wave,
    start_calls,
    wave_need,
    wave_size,
    widen,
)
from matcher.protocol.steps.attachment import appointment, confirm
from matcher.protocol.steps.calls import Claim, attempts, call, claim, done_with, exhausted, to_phone
from matcher.protocol.steps.choice import (
    acknowledge,
    call_me,
    choose,
    decline,
    desist,
    lock_release,
    open_record,
    renew_release,
)
from matcher.protocol.steps.due import due, next_step, put_off
from matcher.protocol.steps.intake import (
    announce,
    correct,
    give_back,
    new,
    reconfirm,
    submit,
    take_consent,
    validate,
)
from matcher.protocol.steps.life import (
    close,
    contact_attempt,
    join,
    relaunch,
    reopen,
    rest,
    split,
    still_to_try,
    undo_withdrawal,
    wake,
    withdraw,
)
from matcher.protocol.steps.turn import taken

__all__ = [
    "Claim",
    "acknowledge",
    "announce",
    "answer",
    "appointment",
    "attempts",
    "call",
    "call_me",
    "choose",
    "claim",
    "close",
    "confirm",
    "contact_attempt",
    "correct",
    "decline",
    "desist",
    "done_with",
    "due",
    "exhausted",
    "give_back",
    "is_open",
    "join",
    "launch",
    "lock_release",
    "mail_accepted",
    "mail_dead",
    "mail_dropped",
    "new",
    "next_step",
    "offer_declared",
    "open_record",
    "put_off",
    "reconfirm",
    "relaunch",
    "renew_release",
    "reopen",
    "rest",
    "send_wave",
    "settle_held",
    "split",
    "start_calls",
    "still_to_try",
    "submit",
    "take_consent",
    "taken",
    "to_phone",
    "undo_withdrawal",
    "validate",
    "wake",
    "wave_need",
    "wave_size",
    "widen",
    "withdraw",
]
