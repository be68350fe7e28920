"""What one made doctor was asked within a year, and what he said: counted as ``storage.past`` counts it."""

from collections import deque
from datetime import datetime
from typing import TypeAlias

from matcher.protocol.fairness import PATIENCE, YEAR

#: A search and its run: mail and telephone ask one question.
Key: TypeAlias = tuple[str, int]


class _Question:
    __slots__ = ("at", "counted", "key", "yes")

    def __init__(self, key: Key, at: datetime) -> None:
        self.key, self.at = key, at
        self.yes = self.counted = False


class Remembered:
    """The questions of a year; each is counted once it is answered, or after a week of silence."""

    def __init__(self) -> None:
        self._known: dict[Key, _Question] = {}
        self._year: deque[_Question] = deque()
        self._open: deque[_Question] = deque()
        self.asked = self.yes = 0

    def ask(self, key: Key, now: datetime) -> None:
        """A question reaches him; once, however often it is put."""
        if key not in self._known:
            question = self._known[key] = _Question(key, now)
            self._year.append(question)
            self._open.append(question)

    def answer(self, key: Key, yes: bool) -> None:
        """He answered; a yes once said counts, whatever became of it."""
        if (question := self._known.get(key)) is not None:
            if yes and not question.yes:
                question.yes = True
                self.yes += question.counted
            self._count(question)

    def pass_to(self, now: datetime) -> None:
        """Time goes on: silence becomes an answer, and what is older than a year is forgotten."""
        while self._open and self._open[0].at <= now - PATIENCE:
            self._count(self._open.popleft())
        while self._year and self._year[0].at <= now - YEAR:
            gone = self._year.popleft()
            self.asked -= 1
            self.yes -= gone.yes
            del self._known[gone.key]

    def _count(self, question: _Question) -> None:
        if not question.counted:
            question.counted = True
            self.asked += 1
            self.yes += question.yes
