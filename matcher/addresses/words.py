"""The words of an address, as people type them and as the Base Adresse Nationale writes them. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from matcher.protocol.places import normalised

#: Words that tell no street from another.
EMPTY: Final = frozenset(
    ("de", "du", "des", "d", "la", "le", "les", "l", "et", "a", "au", "aux", "en", "n", "no")
)

#: What kind of way it is: often left out or mistaken, so it counts little.
WAYS: Final = frozenset((
    "allee", "allees", "avenue", "boulevard", "carrefour", "chaussee", "chemin", "cite", "corniche", "cote",
    "cour", "cours", "domaine", "escalier", "esplanade", "faubourg", "hameau", "impasse", "lotissement",
    "mail", "montee", "parc", "passage", "passerelle", "place", "placette", "promenade", "quai", "residence",
    "rocade", "rond", "point", "route", "rue", "ruelle", "sente", "sentier", "square", "traverse", "venelle",
    "villa", "voie",
))  # fmt: skip

#: Abbreviations that are not beginnings of their word (those are found as such); the likeliest first.
_SHORT: Final[dict[str, tuple[str, ...]]] = {
    "ad": ("adjudant",),
    "al": ("allee", "albert"),
    "all": ("allee",),
    "alle": ("allee",),
    "av": ("avenue",),
    "ave": ("avenue",),
    "bd": ("boulevard",),
    "bld": ("boulevard",),
    "blvd": ("boulevard",),
    "boul": ("boulevard",),
    "bvd": ("boulevard",),
    "carr": ("carrefour",),
    "cdt": ("commandant",),
    "ch": ("chemin", "charles", "chateau"),
    "che": ("chemin",),
    "chm": ("chemin",),
    "cmdt": ("commandant",),
    "cne": ("capitaine",),
    "cpt": ("capitaine",),
    "col": ("colonel",),
    "cr": ("cours",),
    "crs": ("cours",),
    "dr": ("docteur",),
    "fbg": ("faubourg",),
    "fg": ("faubourg",),
    "fr": ("freres", "francois"),
    "gal": ("general",),
    "gd": ("grand",),
    "gde": ("grande",),
    "gds": ("grands",),
    "gl": ("general",),
    "gnal": ("general",),
    "gral": ("general",),
    "imp": ("impasse",),
    "jq": ("jacques",),
    "jph": ("joseph",),
    "lgt": ("lotissement",),
    "lt": ("lieutenant",),
    "mal": ("marechal",),
    "mchal": ("marechal",),
    "me": ("maitre",),
    "mgr": ("monseigneur",),
    "mt": ("mont",),
    "mte": ("montee",),
    "mtee": ("montee",),
    "pas": ("passage",),
    "pdt": ("president",),
    "pl": ("place",),
    "pr": ("professeur",),
    "pt": ("petit", "pont", "point"),
    "pte": ("petite", "porte"),
    "qu": ("quai",),
    "rd": ("rond",),
    "rn": ("route", "nationale"),
    "rte": ("route",),
    "sgt": ("sergent",),
    "sq": ("square",),
    "sqr": ("square",),
    "st": ("saint",),
    "ste": ("sainte",),
    "sts": ("saints",),
    "vlle": ("vieille",),
    "vx": ("vieux",),
}
#: Abbreviations of two words.
_SHORT_PAIRS: Final = {"nd": "notre dame", "rpt": "rond point", "rdpt": "rond point", "hdv": "hotel ville"}

_UNITS: Final = {
    "premier": 1, "premiere": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7,
    "huit": 8,
    "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16,
    "vingt": 20, "trente": 30,
    "ii": 2, "iii": 3, "iv": 4, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "xi": 11, "xii": 12, "xiii": 13,
    "xiv": 14, "xv": 15, "xvi": 16, "xxiii": 23,
}  # fmt: skip
_ORDINAL: Final = re.compile(r"([0-9]{1,2})(?:er|ere|e|eme|ieme|nd|nde)")
#: A house number, and what may follow it.
_NUMBER: Final = re.compile(r"([0-9]{1,4})(bis|ter|quater|quinquies|[a-h])?")
_REPEATS: Final = {"b": "bis", "t": "ter", "q": "quater"}
_REPEAT_WORDS: Final = frozenset(("bis", "ter", "quater", "quinquies"))
_POSTCODE: Final = re.compile(r"[0-9]{5}")
#: Flats, buildings, boxes: not the street's, with the word that follows.
_ASIDE: Final = frozenset((
    "app", "appt", "apt", "appart", "appartement", "bat", "batiment", "bp", "cs", "cedex", "esc", "etage",
    "tsa", "hall", "logt", "logement", "interphone", "digicode",
))  # fmt: skip

#: Arrondissements: name → (the commune's INSEE code, the first arrondissement's minus one, how many).
_ARRONDISSEMENTS: Final = {
    "lyon": ("69123", 69380, 9),
    "paris": ("75056", 75100, 20),
    "marseille": ("13055", 13200, 16),
}
_LONGEST = 200


def whole_commune(insee: str) -> str:
    """The commune of an arrondissement (69388 → 69123); any other code as it is."""
    if insee.isdigit():
        for commune, base, count in _ARRONDISSEMENTS.values():
            if base < int(insee) <= base + count:
                return commune
    return insee


def same_commune(one: str, other: str) -> bool:
    """Whether two INSEE codes may mean one commune: Lyon is 69123 and each of its arrondissements."""
    return one == other or (whole_commune(one) == whole_commune(other) and whole_commune(one) in (one, other))


def words(name: str) -> tuple[str, ...]:
    """The words that tell a street's name: spelled out, without accents and little words, numbers as digits.

    « Av. du Gal de Gaulle » → avenue, general, gaulle.
    """
    return tuple(readings[0] for readings in _readings(normalised(name)))


def key(name: str) -> str:
    """One key for the ways in which a street's name is written."""
    return " ".join(words(name))


@dataclass(frozen=True, kw_only=True)
class Typed:
    """An address as typed, taken apart. ``words`` also holds what may be the commune's name."""

    #: The readings of each word, likeliest first.
    words: tuple[tuple[str, ...], ...]
    #: What stands before the number (« Résidence Les Lilas, 12 rue … »); at most a commune.
    before: tuple[tuple[str, ...], ...] = ()
    number: int | None = None
    #: What follows the number: bis, ter, a …; empty for nothing.
    repeat: str = ""
    postcode: str | None = None
    #: From « Lyon 8e ».
    insee: str | None = None


def typed(text: str) -> Typed:
    """Take a typed address apart; nothing in it is refused."""
    tokens = [token for token in _without_asides(normalised(text[:_LONGEST])) if token]
    insee = _arrondissement(tokens)
    postcode = _postcode(tokens)
    ways = _before_ways(tokens)
    start = ways[0] if ways else 0
    number, repeat = _house_number(tokens)
    return Typed(
        words=tuple(_readings(" ".join(tokens[start:]))),
        before=tuple(_readings(" ".join(tokens[:start]))),
        number=number,
        repeat=repeat,
        postcode=postcode,
        insee=insee,
    )


def _without_asides(text: str) -> Iterator[str]:
    skip = False
    for token in text.split():
        if skip and (len(token) <= 2 or token[0].isdigit()):
            skip = False
            continue
        skip = token in _ASIDE
        if not skip:
            yield token


def _arrondissement(tokens: list[str]) -> str | None:
    """« lyon 8e » taken out of the tokens but for its name; the arrondissement's INSEE code."""
    for at, token in enumerate(tokens[:-1]):
        if token not in _ARRONDISSEMENTS:
            continue
        following = tokens[at + 1]
        ordinal = _ORDINAL.fullmatch(following)
        digits = ordinal[1] if ordinal else str(_UNITS.get(following, following))
        _, base, count = _ARRONDISSEMENTS[token]
        if digits.isdigit() and 1 <= int(digits) <= count:
            del tokens[at + 1]
            if at + 1 < len(tokens) and tokens[at + 1].startswith("arr"):
                del tokens[at + 1]
            return str(base + int(digits))
    return None


def _postcode(tokens: list[str]) -> str | None:
    """The last token of five digits, or two and three; taken out."""
    for at in range(len(tokens) - 1, -1, -1):
        if _POSTCODE.fullmatch(tokens[at]):
            return tokens.pop(at)
        pair = tokens[at - 1 : at + 1]
        if at > 1 and len(pair) == 2 and re.fullmatch(r"[0-9]{2} [0-9]{3}", " ".join(pair)):
            del tokens[at - 1 : at + 1]
            return "".join(pair)
    return None


def _house_number(tokens: list[str]) -> tuple[int | None, str]:
    """The number in front of the way, else the one at either end; taken out, with its bis or ter."""
    for at in (*_before_ways(tokens), 0, len(tokens) - 1, len(tokens) - 2):
        found = _NUMBER.fullmatch(tokens[at]) if 0 <= at < len(tokens) else None
        if found is None or (at == len(tokens) - 2 and tokens[-1] not in _REPEAT_WORDS and at > 0):
            continue
        # « rue du 8 mai 1945 »: what looks like a date belongs to the name.
        if at > 0 and (len(found[1]) == 4 or tokens[at - 1] in _MONTHS):
            continue
        if tokens[at + 1 : at + 2] and tokens[at + 1] in _MONTHS:
            continue
        repeat = found[2] or ""
        del tokens[at]
        if not repeat and at < len(tokens) and (tokens[at] in _REPEAT_WORDS or _is_letter(tokens, at)):
            repeat = tokens.pop(at)
        return int(found[1]), _REPEATS.get(repeat, repeat)
    return None, ""


def _before_ways(tokens: list[str]) -> list[int]:
    """Where a number stands in front of « rue », « bis rue » or « b rue »; the first of « 12-14 rue »."""
    found = []
    for at in range(len(tokens)):
        after = at + 1
        while after < len(tokens) and (tokens[after] in _REPEAT_WORDS or _NUMBER.fullmatch(tokens[after])):
            after += 1
        if _is_letter(tokens, after):
            after += 1
        if after < len(tokens) and is_way(tokens[after]) and _NUMBER.fullmatch(tokens[at]):
            found.append(at)
    return found


def is_way(word: str) -> bool:
    """Whether a word, or what it is short for, is a kind of way."""
    return word == "r" or _SHORT.get(word, (word,))[0] in WAYS


_MONTHS: Final = frozenset((
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre",
    "novembre", "decembre",
))  # fmt: skip


def _is_letter(tokens: list[str], at: int) -> bool:
    """Whether the token is the letter of « 12 b rue … »: a way follows it."""
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    return at < len(tokens) and tokens[at] in tuple("abcdefgh") and is_way(following)


def _readings(text: str) -> Iterator[tuple[str, ...]]:
    """Each word that counts, with its readings."""
    for pair, spelled in _SHORT_PAIRS.items():
        text = re.sub(rf"\b{pair}\b", spelled, text)
    tokens = text.split()
    at = 0
    while at < len(tokens):
        word, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if word in ("dix", "vingt", "trente") and 0 < _UNITS.get(following, 0) < 10:
            at += 1
            yield (str(_UNITS[word] + _UNITS[following]),)
        elif word in _UNITS:
            yield (str(_UNITS[word]),)
        elif ordinal := _ORDINAL.fullmatch(word):
            yield (ordinal[1],)
        elif word == "r" and (at == 1 or tokens[at - 2].isdigit()):
            yield ("rue",)
        elif word.isdigit():
            yield (word.lstrip("0") or "0",)
        elif word not in EMPTY or at == len(tokens) > 1:
            # At the end it is the name itself: « rue A ».
            yield _SHORT.get(word, (word,))
