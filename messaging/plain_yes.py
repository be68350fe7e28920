"""The ways in which a yes is said: turns of phrase, of which a whole answer must be made. Pure.

Words alone would not do: "oui, mon confrère la prend", "oui, je vais voir", "oui, c’est fait" are made of the
words of a yes. All of what was written must be covered by these turns, and one of them must say it.
"""

import re
from enum import Enum

_WHOM = r"(?:(?:cette|ce|la|le|votre) (?:nouvelle |nouveau )?(?:personne|patiente?|dame|monsieur)|madame)"
_TAKE = r"(?:prendre|suivre|recevoir|accueillir|accepter)"
_TAKES = (
    r"(?:prends|prend|prenons|prendrai|prendrons|recevrai|recevrons|accueille|accueillons|accueillerai"
    r"|accueillerons|suivrai|suivrons)"
)
_TO_TAKE = rf"(?: (?:de|d) (?:(?:la|le|l|les) {_TAKE}|{_TAKE} {_WHOM})| {_WHOM})"
_I = r"(?:je|on|nous|(?:le )?docteur|le dr)"
_CAN = r"(?:peux|peut|pouvons|pourrai|pourrons|veux bien|veut bien|voulons bien|vais)"
_SHE = r"(?:que |qu )?(?:elle|il|(?:cette|la) personne|(?:cette|ce|la|le) patiente?)(?: peut| pourra)?"
_MEETING = r"(?:un )?(?:premier )?(?:rendez vous|rdv)"
#: What is left of "au 04 65 71 00 00" without its number.
_AT_A_NUMBER = r"(?: au(?! cabinet\b))?"
_THE_OFFICE = rf"(?:(?:le|mon|notre|au) )?(?:secretariat|cabinet){_AT_A_NUMBER}"

#: Says a yes by itself.
_SAYS = (
    r"(?:c est )?oui",
    r"volontiers",
    r"avec (?:tres )?(?:grand )?plaisir",
    rf"{_I} {_CAN} (?:(?:la|le|l|les) {_TAKE}|{_TAKE} {_WHOM})",
    rf"(?:je|j|nous|on|(?:le )?docteur) (?:(?:la|le|l|les) )?accept(?:e|ons){_TO_TAKE}?",
    rf"(?:je|on|nous) (?:la |le |l |les ){_TAKES}",
    rf"(?:je|j|on|nous) (?:prends|prend|prenons|accueille|accueillons) (?:volontiers |avec plaisir )?{_WHOM}",
)
#: Says it where nothing but a greeting goes with it: "ok merci", "d’accord, bonne journée" may only mean
#: that the mail was seen.
_MAY_SAY = (r"ok", r"d accord", r"c est ok", r"c est d accord")
#: Goes with a yes, and says nothing else.
_GOES_WITH = (
    r"c est (?:bon|possible|entendu|parfait)",
    rf"(?:je suis|nous sommes|on est) d accord(?: pour (?:la |le |l |les ){_TAKE})?",
    rf"{_I} (?:{_CAN}(?: {_TAKE})?|prends|prend|prenons)",
    r"(?:je|nous) (?:vous )?(?:confirme|confirmons)(?: mon accord| notre accord)?",
    r"(?:ma|notre) reponse est",
    rf"pour (?:{_WHOM}|moi|nous|{_TAKE} {_WHOM})",
    r"comme (?:nouvelle |nouveau )?patiente?(?: de mon cabinet)?",
    r"(?:au|a mon|a notre|dans mon|dans notre) cabinet",
    r"dans (?:ma|notre) patientele",
    r"en charge",
    rf"(?:sur|en) {_MEETING}",
    rf"{_SHE} (?:appeler|appelle|contacter|contacte) {_THE_OFFICE}(?: pour (?:prendre )?{_MEETING})?",
    rf"{_SHE} (?:prendre|prenne) {_MEETING}{_AT_A_NUMBER}",
)
#: And politeness.
_POLITE = (
    r"bonjour",
    r"bonsoir",
    r"(?:tres )?chere?s? (?:confreres?|consoeurs?|collegues?)",
    r"docteur",
    r"madame",
    r"monsieur",
    r"a bientot",
    r"a vous",
    r"bien sur",
    r"bien entendu",
    r"tout a fait",
    r"entendu",
    r"parfait",
    r"tres bien",
    r"tres",
    r"bien",
)
_THANKS = (r"merci(?: beaucoup| bien)?(?: a vous)?",)


class _Turn(Enum):
    SAYS = _SAYS
    MAY_SAY = _MAY_SAY
    GOES_WITH = _GOES_WITH
    POLITE = _POLITE
    THANKS = _THANKS


#: The longest first, so that "je suis d accord" is not read as "d accord".
_TURNS = sorted(
    ((phrase, turn) for turn in _Turn for phrase in turn.value), key=lambda one: len(one[0]), reverse=True
)
_ANY = re.compile("|".join(rf"(\b{phrase}\b)" for phrase, _ in _TURNS))
#: "Bonne journée" and the like: with "ok", somebody who takes leave.
_WISH = re.compile(r"\b(bonne (journee|soiree)|merci)\b")


def says_yes(said: str, wishes: str = "") -> bool:
    """Whether words, in lower case and without accents and signs, are a yes and nothing but a yes.

    ``wishes`` are the closing words that went with them.
    """
    said = " ".join(said.split())
    found = {_TURNS[match.lastindex - 1][1] for match in _ANY.finditer(said) if match.lastindex}
    if _ANY.sub(" ", said).strip():
        return False
    if _Turn.SAYS in found:
        return True
    return _Turn.MAY_SAY in found and _Turn.THANKS not in found and _WISH.search(wishes) is None
