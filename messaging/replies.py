"""What a plain reply to an announcement says. Pure. When in doubt, nothing: a person reads it then."""

import re
import unicodedata

_QUOTE_HEAD = re.compile(
    r"^(le .{4,120} a écrit\s*:|on .{4,120} wrote\s*:"
    r"|-{2,}\s*(message d.origine|original message|message transféré).*"
    r"|_{10,}|de\s*:.*|from\s*:.*|envoyé (de|depuis) mon .*|--\s?)$",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\b(oui|ok|d accord|volontiers|j accepte|avec plaisir"
    r"|je (peux|veux bien)( le| la| les)? (prendre|suivre|recevoir|accueillir|voir))\b"
)
_NO = re.compile(
    r"\b(non|desolee?|impossible|je (ne )?(peux|prends|suis|souhaite|pourrai) (pas|plus)|malheureusement"
    r"|complet|(pas|plus) de place|je refuse|je decline|ne prends (pas|plus))\b"
)
#: A question, a condition or a doubt is not an answer.
_DOUBT = re.compile(
    r"\?|\b(mais|si|sauf|peut etre|selon|a condition|plutot|pas sure?|absente?|conges?|automatique)\b"
)


def understand(text: str) -> str | None:
    """``"yes"``, ``"no"``, or None where a person must read it: empty, both, doubtful or conditional.

    Only what the writer wrote counts: quoted lines, what follows "Le … a écrit :" and the signature do not.
    """
    said = _plain(_own_words(text))
    if _DOUBT.search(said):
        return None
    yes, no = _YES.search(said) is not None, _NO.search(said) is not None
    if yes == no:
        return None
    return "yes" if yes else "no"


def _own_words(text: str) -> str:
    kept: list[str] = []
    for line in text.splitlines():
        bare = line.strip().replace("\u00a0", " ").replace("\u202f", " ")
        if _QUOTE_HEAD.match(bare):
            break
        if not bare.startswith(">"):
            kept.append(bare)
    return "\n".join(kept)


def _plain(text: str) -> str:
    """Lower case, without accents, apostrophes as spaces."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("’", " ").replace("'", " "))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return re.sub(r"[ \t\n,.;:!-]+", " ", bare)
