"""What the parts of a JSON body may be: lengths, dates that a calendar can hold, identifiers."""

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from matcher.protocol.search import Terms, Where
from matcher.records.bulletin import TermsIn
from matcher.web.reading import Body


# A validator of the whole body has already made it a Python object: strictness would then ask for a date.
def _day(sent: object) -> object:
    try:
        return date.fromisoformat(sent) if isinstance(sent, str) and len(sent) == 10 else sent
    except ValueError:
        # Python's own message repeats what was sent.
        raise ValueError("Une date est attendue (AAAA-MM-JJ).") from None


def _moment(sent: object) -> object:
    try:
        return datetime.fromisoformat(sent) if isinstance(sent, str) else sent
    except ValueError:
        raise ValueError("Une date et une heure sont attendues (AAAA-MM-JJTHH:MM:SS+00:00).") from None


#: An opaque identifier of ours.
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
#: A capability token of a link; what it may hold is checked by the link itself, in one time.
Token = Annotated[str, StringConstraints(min_length=1, max_length=400)]
#: A reason that the office writes down; read by the office only.
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]

_FIRST: Final = date(2000, 1, 1)
_LAST: Final = date(2100, 12, 31)
#: A day that delays can be counted from without leaving the calendar.
Day = Annotated[date, BeforeValidator(_day), Field(ge=_FIRST, le=_LAST)]
#: A moment with its offset.
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


def terms_of(sent: TermsIn | None) -> Terms:
    """The conditions of a yes as the rules read them; none where none were sent."""
    if sent is None:
        return Terms()
    return Terms(
        from_=None if sent.from_ is None else date.fromisoformat(sent.from_),
        where=None if sent.where is None else Where(sent.where),
        count=sent.count,
        once=sent.once,
    )


class Nothing(Body):
    """No field at all; the body may be absent."""
