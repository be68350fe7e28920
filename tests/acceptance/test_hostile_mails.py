"""A hostile reader of mails: two patients of one announcement, as different as two people can be, are one."""

import re
from collections import defaultdict
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from tests.acceptance.api_world import MONDAY
from tests.acceptance.house import House, request

#: What stands for one mail and no other: the token of a link, the id in an address that mails come back to.
_OWN = re.compile(r"[1-9][0-9]{0,3}-[0-9a-f]{32}-[A-Za-z0-9_-]{43}|(bounces|reponse)\+[a-z0-9.]+(?=@)")
#: Headers that are of one mail alone.
_ONE = frozenset({"date", "message-id", "references", "in-reply-to", "content-type"})


def seen(mail: EmailMessage) -> str:
    """A mail as anybody may compare it with another."""
    lines = [f"{name}: {value}" for name, value in mail.items() if name.lower() not in _ONE]
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return _OWN.sub("…", "\n".join([*lines, *parts]))


def another(**record: Any) -> dict[str, Any]:
    """The same announcement, of somebody whom nothing else has in common with the first."""
    of_her = {
        "birth_name": "Zinzolin", "first_names": "Percaline", "sex": "M", "birth_date": "1960-11-30",
        "phone": None, "reach_via": "requester", "nir": None, "language": "ar", "interpreter": True,
        "nationality": None, "coverage": "ame", "ald": "yes", "housing": "shelter", "address": None,
        "difficulty": "À la rue depuis mars.", "care_needed": "Diabète, pansements.", "attachments": None,
        "social": "Sans ressources.", "treatments": "Insuline.", "discharge_on": "2026-11-24",
        "referring": {"name": "M. Gabardine", "service": "Urgences", "phone": "04 65 71 00 12"},
    }  # fmt: skip
    told = request()["record"] | of_her | record
    return {name: value for name, value in told.items() if value is not None}


async def mails_of(house: House, record: dict[str, Any], who: str, sent: list[int]) -> dict[str, list[str]]:
    """Address → every mail of a search about it, from the first announcement to the reminder."""
    search = await house.launched(who=who, record=record)
    await house.advance(days=3)
    await house.do(search, "withdraw", reason="left")
    await house.work()
    found: dict[str, list[str]] = defaultdict(list)
    for mail in house.mails()[sent[0] :]:
        found[str(mail["To"])].append(seen(mail))
    sent[0] = len(house.mails())
    return found


async def test_mails_tell_nothing_that_the_announcement_does_not(small_house: House) -> None:
    house = small_house
    sent = [0]
    first = await mails_of(house, dict(request()["record"]), "requester", sent)
    # The same hour of another week: what is due when is the calendar's.
    house.clock.at = MONDAY + timedelta(days=7)
    second = await mails_of(house, another(birth_date=request()["record"]["birth_date"]), "requester2", sent)
    # Who was asked last comes later, so that not everybody is reached twice by the third day.
    pairs = [
        pair for one in first.keys() & second.keys() for pair in zip(first[one], second[one], strict=False)
    ]
    assert len(pairs) > 20
    assert [one for one, other in pairs if one != other] == []
