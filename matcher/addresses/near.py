"""Words that are nearly the same: a slip of the finger, or another spelling of the same sound. Pure."""

import re
from collections.abc import Iterator
from typing import Final

#: Shorter words are too near to too many others.
SHORTEST_TYPO: Final = 4
_SHORTEST_SOUND: Final = 5

#: French spellings of one sound, in the order in which they are folded.
_SOUNDS: Final = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"ph", "f"),
        (r"(.)\1", r"\1"),
        (r"h", ""),
        (r"eaux?|aux?(?![iy])", "o"),
        (r"ain|ein|aim|yn|ym|im(?=[pb])", "in"),
        (r"em(?=[pb])|en(?=[tcdsgv])|am(?=[pb])", "an"),
        (r"ai|ei|ay|ey|oe", "e"),
        (r"y", "i"),
        (r"qu|q|ck|c(?![eiy])", "k"),
        (r"c", "s"),
        (r"g(?=[ei])", "j"),
        (r"ge(?=[ao])", "j"),
        (r"z", "s"),
        (r"(?:e?s|x|t|d|er|e)$", ""),
        (r"(?:e?s|x|t|d|er|e)$", ""),
    )
)


def sound(word: str) -> str:
    """What is left of a word when spellings of one sound are made the same."""
    for pattern, by in _SOUNDS:
        word = pattern.sub(by, word)
    return word


def keys(word: str) -> Iterator[str]:
    """Keys that two near words share one of: each word with one letter left out, and its sound."""
    if len(word) < SHORTEST_TYPO or word.isdigit():
        return
    yield word
    yield from {word[:at] + word[at + 1 :] for at in range(len(word))}
    if len(word) >= _SHORTEST_SOUND:
        yield "~" + sound(word)


def likeness(one: str, other: str) -> float:
    """How alike two words are, 0 to 1; 0 for what is no slip of the other."""
    if one == other:
        return 1.0
    if one.isdigit() or other.isdigit():
        # « 8 mai 45 » is 1945's.
        short, long = sorted((one, other), key=len)
        return 0.9 if len(short) == 2 and len(long) == 4 and long.endswith(short) else 0.0
    if len(one) == 1 or len(other) == 1:
        # An initial: « J. Jaurès ».
        return 0.6 if one[0] == other[0] else 0.0
    slips = _slips(one, other)
    longest = max(len(one), len(other))
    if min(len(one), len(other)) >= SHORTEST_TYPO and slips <= (1 if longest < 7 else 2):
        return 0.95 - 0.4 * slips / longest
    if min(len(one), len(other)) >= _SHORTEST_SOUND and sound(one) == sound(other):
        return 0.85
    if len(one) >= 3 and other.startswith(one):
        return 0.8
    return 0.0


def _slips(one: str, other: str) -> int:
    """Letters added, left out, changed or swapped with their neighbour; 3 for "more than two"."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, against in enumerate(other, start=1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last[-1], 3)
