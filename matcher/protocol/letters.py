"""Whether a letter to a doctor still has a reason to go when it is about to leave (P5)."""

from matcher.protocol.answers import Stand
from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.search import Search
from matcher.protocol.states import State

#: While proposing too: others may still say yes, and a wave may be sent by hand then.
_RUNNING = frozenset({State.ASKING, State.CALLING, State.PROPOSING})


def unwanted(search: Search, letter: Letter, doctor: DoctorId, *, run: int, number: int) -> str | None:
    """Why the letter of that run has no reason to go any more, as a short code; None where it has.

    ``number`` is the letter's own, for a release the release's.
    """
    if letter is not Letter.PLEASE_DELETE and search.run != run:
        return "other_run"
    position = search.position(doctor)
    stand = Stand.OPEN if position is None else position.stand
    answered = stand is not Stand.OPEN or (position is not None and position.settling is not None)
    release = search.release
    match letter:
        case Letter.ANNOUNCEMENT:
            wanted = search.state in _RUNNING and not answered
        case Letter.REMINDER:
            # While calling too: the last wave's reminder is often due in the very moment of the calls.
            wanted = search.state in (State.ASKING, State.CALLING) and not answered
        case Letter.CONFIRM_ANSWER | Letter.STILL_AVAILABLE:
            wanted = stand is Stand.UNCONFIRMED
        case Letter.KEPT_IN_RESERVE:
            wanted = stand in (Stand.YES, Stand.UNCONFIRMED)
        case Letter.CHOSEN | Letter.NOT_OPENED:
            wanted = release is not None and release.doctor == doctor and release.number == number
            wanted = wanted and not (letter is Letter.NOT_OPENED and release and release.opened_at)
        case _:
            wanted = True
    return None if wanted else "no_longer_wanted"
