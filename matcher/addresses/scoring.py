"""How well a street fits what was typed. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from matcher.addresses import near, words

#: Less than this and the street is not what was meant.
ENOUGH = 0.55
#: What a street in another commune than the typed one keeps of its score.
_ELSEWHERE = 0.6
#: A word that no street and no commune knows: a name on the door, a building.
_UNKNOWN = 0.35


@dataclass(frozen=True, kw_only=True)
class Term:
    """One typed word: the words of the index it may be, with likeness and the number of their streets."""

    word: str
    known: Mapping[str, tuple[float, int]]

    def likeness(self, word: str) -> float:
        """How much this is that word, 0 to 1."""
        if word in self.known:
            return self.known[word][0]
        if len(self.word) == 1 or self.word.isdigit():
            return near.likeness(self.word, word)
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Query:
    """What was typed, with the readings of its words; what it says of the commune."""

    terms: tuple[Term, ...]
    before: tuple[Term, ...]
    town: tuple[Term, ...]
    number: int | None
    postcodes: frozenset[str]
    insees: frozenset[str]
    home: frozenset[str]

    def places(self) -> Iterator[str]:
        """The tokens of the index's ``place`` that stand for what is said of the commune."""
        for insee in self.insees:
            yield f"i{insee}"
            yield f"i{words.whole_commune(insee)}"
        yield from (f"p{postcode}" for postcode in self.postcodes)
        for term in self.town:
            yield from (f"c{word}" for word in term.known)
        if not (self.insees or self.postcodes or self.town):
            yield from (f"i{insee}" for insee in self.home)
            for term in (*self.terms, *self.before):
                yield from (f"c{word}" for word in term.known)

    @property
    def says_where(self) -> bool:
        """Whether anything but the street's own line says where it is."""
        return bool(self.insees or self.postcodes or self.town)


@dataclass(frozen=True)
class Candidate:
    """A street of the index: its words and what each weighs, then its columns in their order."""

    words: tuple[str, ...]
    weights: Mapping[str, float]
    id: int
    name: str
    commune: str
    insee: str
    former: str
    postcode: str
    lat: float
    lon: float
    numbers: int


def place_tokens(insee: str, postcode: str, commune: str) -> Iterator[str]:
    """What the index keeps of where a street is."""
    yield f"i{insee}"
    if words.whole_commune(insee) != insee:
        yield f"i{words.whole_commune(insee)}"
    yield f"p{postcode}"
    yield from (f"c{word}" for word in words.words(commune))


def weight(word: str, streets: int) -> float:
    """How much a word tells: a kind of way little, a word of many streets less than a rare one."""
    if word in words.WAYS:
        return 0.3
    return max(0.4, 1 - 0.15 * math.log10(max(1, streets)))


def ranked(query: Query, candidates: Iterable[Candidate]) -> list[tuple[Candidate, float]]:
    """The streets that may be meant, the likeliest first, then the longest."""
    scored = ((candidate, _score(query, candidate)) for candidate in candidates)
    good = [(candidate, score) for candidate, score in scored if score >= ENOUGH]
    return sorted(good, key=lambda found: (-round(found[1], 3), -found[0].numbers, found[0].id))


def _score(query: Query, street: Candidate) -> float:
    used: set[int] = set()
    had = total = 0.0
    telling = False
    for word in street.words:
        weighs = street.weights[word]
        total += weighs
        best, at = max(
            ((term.likeness(word), at) for at, term in enumerate(query.terms) if at not in used),
            default=(0.0, -1),
        )
        if best > 0:
            used.add(at)
            had += weighs * best
            telling = telling or word not in words.WAYS or all(w in words.WAYS for w in street.words)
    if not telling:
        return 0.0
    left = [term for at, term in enumerate(query.terms) if at not in used]
    town = words.words(street.commune)
    in_town = sum(max((_likes(t, word) for t in (*left, *query.before)), default=0.0) for word in town)
    over = sum(_superfluous(term) for term in left if not any(_likes(term, word) for word in town))
    covered, pertinent = had / total, had / (had + over)
    return float(covered**0.6 * pertinent**0.4 * _where(query, street, in_town / max(1, len(town))))


def _likes(term: Term, word: str) -> float:
    return term.likeness(word) if len(term.word) > 1 else 0.0


def _superfluous(term: Term) -> float:
    """What a typed word that the street does not have takes away."""
    if term.word.isdigit() or len(term.word) == 1:
        return 0.05
    if not term.known:
        return _UNKNOWN
    return max(weight(word, streets) for word, (_, streets) in term.known.items())


def _where(query: Query, street: Candidate, in_line: float) -> float:
    """How well the commune fits; a little over 1 where everything says so."""
    bonus = 0.04 * in_line + (0.03 if street.insee in query.home else 0.0)
    if not query.says_where:
        return 1 + bonus
    signs = []
    if query.insees:
        signs.append(float(any(words.same_commune(street.insee, insee) for insee in query.insees)))
    if query.postcodes and street.postcode:
        signs.append(float(street.postcode in query.postcodes))
    if query.town and street.commune:
        town = words.words(street.commune)
        signs.append(sum(max(_likes(t, w) for t in query.town) for w in town) / max(1, len(town)))
    if not signs:
        return 1 + bonus
    right = sum(signs) / len(signs)
    return (_ELSEWHERE + (1 - _ELSEWHERE) * max(right, 0.9 * max(signs))) + bonus
