"""What the parties who are not the office really saw of a step: asked over the API, read in the mails."""

import re
from collections import Counter
from collections.abc import Sequence

from matcher.demo.api import Api
from matcher.demo.catcher import Catcher
from matcher.demo.transcript import NOTHING, Seen
from matcher.service.house import CaughtMail
from matcher.web.words import STATES_FOR_REQUESTER

_NAME = re.compile(r"^Dre? [^–]+ – ")


class Audience:
    """Remembers how far each has seen, so that every step shows what was new in it."""

    def __init__(self, catcher: Catcher, requester: Api) -> None:
        self._catcher = catcher
        self._requester = requester
        self._read = 0
        self._told = ""

    async def of(self, search: str, *, doctor: str = "") -> Seen:
        """What was new since the last call. ``doctor``: what one saw on a page, beside his mails."""
        new = self._catcher.messages()[self._read :]
        self._read += len(new)
        # Letters to doctors begin with their name, those to a requester with the reference.
        to_doctors = [mail for mail in new if _NAME.match(mail.subject)]
        to_others = [mail for mail in new if not _NAME.match(mail.subject)]
        return Seen(
            doctor=_joined(doctor, to_doctors),
            requester=_joined(await self._news(search), to_others),
            relay=f"{len(new)} mail(s), adresse et texte de chacun" if new else NOTHING,
        )

    async def _news(self, search: str) -> str:
        """The search as its requester sees it, if it changed."""
        mine = await self._requester.get(f"/searches/{search}")
        told = f"{mine['reference']}, {mine['label']} : {STATES_FOR_REQUESTER[mine['state']]}"
        outcome = mine.get("outcome")
        if outcome:
            told += f", {outcome['doctor']['name']}"
        if told == self._told:
            return ""
        self._told = told
        return told


def _joined(page: str, mails: Sequence[CaughtMail]) -> str:
    by_mail = f"par mail : {_subjects(mails)}" if mails else ""
    return " ; ".join(part for part in (page, by_mail) if part) or NOTHING


def _subjects(mails: Sequence[CaughtMail]) -> str:
    """Each subject once, without the doctor's name, with how often it was sent."""
    counted = Counter(_NAME.sub("", mail.subject) for mail in mails)
    return ", ".join(f"« {subject} »" + (f" × {n}" if n > 1 else "") for subject, n in counted.items())
