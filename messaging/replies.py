"""What a plain reply says: yes, no, a pause, or something that a person must read. Pure.

When in doubt, nothing. A yes is read only where all that was written is a known way of saying it
(``messaging.plain_yes``), a no where every word is a known one: what nobody thought of beforehand is for a
person. Only what the writer wrote counts, not what is quoted.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from messaging.plain_yes import says_yes


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: "Le … a écrit :": what follows is quoted, if it looks so.
_WROTE = re.compile(r"^(le .{4,160} a écrit\s*:|on .{4,160} wrote\s*:)$", re.IGNORECASE)
#: From here on nothing is the writer's.
_REST = re.compile(
    r"^(-{2,}\s*(message d.origine|original message|message transféré|forwarded message).*"
    r"|_{10,}|[*_]*(de|from|expéditeur|objet|subject|envoyé|sent)[*_]*\s*:.*|--\s?|message du \d.*)$",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"^(envoyé (de|depuis|à partir)\b.*|sent from\b.*|(télécharger|obtenez|obtenir) outlook.*"
    r"|provenance\s*:.*|get outlook.*)$",
    re.IGNORECASE,
)
_SMALL_PRINT = re.compile(
    r"^(ce (message|courriel|mail)\b.*confidenti|avis de confidentialité|avant d.imprimer|this e?-?mail\b)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(cordialement|confraternellement|amicalement|respectueusement|sinceres salutations|bien a vous"
    r"|cdlt|cdt|bonne (journee|soiree|reception|continuation)|bon courage)\b"
)
#: Below a name too, these lines say something, whatever else stands in them.
_POSTSCRIPT = re.compile(
    r"^(p\.?\s?s|n\.?b|edit|post-?scriptum|finalement|en fait|par contre|attention|rectificatif|correction"
    r"|toutefois|cependant|mais|non|oui|sous r[ée]serve|[àa] condition|[àa] partir|apr[èe]s|avant|pas|plus"
    r"|erreur|d[ée]sol[ée]e?s?|pardon|voir|voyez|merci de|si (elle|il|c.est|possible)|dans la limite|d[èe]s"
    r"|uniquement (si|pour|en|à)|seulement)\b"
    r"|\b(je|nous|on|elle|il)\b|\bj['’]",
    re.IGNORECASE,
)
#: What stands in signatures. A line below the name that holds none of it was written for us.
_OF_SIGNATURES = re.compile(
    r"\b(medecins?|medecine|generaliste|specialiste|cabinet|maison|centre|pole|msp|scp|selarl|secretariat"
    r"|secretaire|rue|avenue|av|boulevard|bd|place|chemin|allee|impasse|cours|quai|route|cedex|tel|telephone"
    r"|fax|mobile|portable|standard|rpps|adeli|finess|mail|courriel|email|www|https?|doctolib"
    r"|consultations? (sur|du|le|libres?)|rendez vous (au|par|sur|uniquement)|horaires|ouverte?"
    r"|fermee?s? (le|les)|absente?s? (le|les) (lundi|mardi|mercredi|jeudi|vendredi|samedi)|(du )?lundi au"
    r"|conventionnee?|secteur|diplomee?|ancien|ancienne|faculte|universite|\d{5}|0\d( ?\d\d){4})\b"
)
#: Words of sentences, not of names: a line with one of them, or with an adverb, is no signature.
_ORDINARY = _words_of(
    """
    je nous on vous moi toi lui elle il elles ils ce cette ces mon ma mes notre nos votre un une deux trois
    en au aux et ou pour par sans avec sur dans pas plus ne non oui si mais donc apres avant jusque
    janvier fevrier avril juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi
    vendredi samedi dimanche jour jours semaine semaines mois an annee fois matin midi soir rentree
    prochain prochaine prochainement bientot demain tard visite visites visio teleconsultation domicile
    consultation consultations urgence urgences sauf ok accord femme mari enfant enfants erreur
    """
)
_ADVERB = re.compile(r"(?!clement$)\w{3,}ment")
#: Signs that may go with a yes without a doubt; of others nobody knows what they say.
_CHEERFUL = frozenset("👍👌🙂😊😀😄😉🙏✅✔☺©®°")
_NAME = re.compile(
    r"^(dr\.?|docteur|cabinet|secrétariat|le secrétariat|maison de santé)(\s[\w.’'-]+){0,4}$", re.IGNORECASE
)
_SIGNED = re.compile(r"^([A-ZÀ-Ý][\w.’'-]*[ ,]*){1,4}$")
#: Signs of a line that may be somebody's name.
_LONGEST_NAME = 60
#: Signs of a reply that are looked at: who writes more does not answer by yes or no.
_LONGEST = 20_000
_GREETING = re.compile(
    r"^\s*(bonjour|bonsoir|hello|salut|chere?s?|docteur|madame|monsieur)\b(\s\w+){0,3}\s*[,.!\n]"
)

#: Said with a yes or a no, and neither.
_HARMLESS = re.compile(
    r"\b((pas de|sans|aucun) (soucis?|problemes?)|non conventionnee?|pour (moi|nous)"
    r"|en consultations?|(desolee?s?|pardon|toutes mes excuses|excusez moi) (pour|du|de) "
    r"(le |la |ma |mon |ce |cette )?(retard|reponse tardive|delai)( de ma reponse)?)\b"
)
_SORRY_BUT = re.compile(r"\bdesolee?s? mais\b")
_REMOVE_ME = re.compile(
    r"\b(oui )?(vous pouvez|merci de|veuillez|pouvez vous) (me |nous )?(bien )?"
    r"(retirer|supprimer|enlever|desinscrire|radier)\b[^.]*"
)
_WHOM = r"(cette|ce|la|le|les|madame|monsieur) ?(personne|patiente?|dame|monsieur)?"
_YES = re.compile(
    r"^(bonjour|bonsoir|docteur|\s)*(c est )?(ok|d accord)\b"
    r"|\b(oui|volontiers|avec plaisir|(j|on|nous|docteur) accept(e|ons))\b"
    r"|\b(je|on|nous) (peux|peut|pouvons|veux bien|veut bien|voulons bien) "
    r"(le |la |l |les )(prendre|suivre|recevoir|accueillir|voir)\b"
    r"|\b(je|on|nous) (peux|peut|pouvons|veux bien|veut bien|voulons bien) "
    rf"(prendre|suivre|recevoir|accueillir) {_WHOM}\b"
    r"|\b(je|on|nous) (le |la |l |les )"
    r"(prends|prend|prenons|prendrai|recevrai|accueille|accueillerai|suivrai)\b"
    rf"|\b(je|on|nous) (prends|prend|prenons|accueille|accueillons) {_WHOM}\b"
)
#: All the words that a no may be said with; the rest is for a person to read.
_KNOWN_NO = _words_of(
    """
    je j on nous le la l les un une cette ce ces c est suis sommes de d du des en au a pour mon ma notre
    nos mes cabinet docteur dr medecin bonjour bonsoir merci tres bien vous votre personne personnes
    patient patiente patients madame monsieur dame prendre prends prend prenons prendrai recevoir
    recevrai accueillir accueille accueillons accueillerai accueillerons suivre suivrai accepte
    acceptons accepter peux peut pouvons pourrai pourrons veux veut voulons charge bon bonne courage
    bientot chers confrere
    non n ne ni pas plus ai avons aucun aucune desole desolee desoles helas navre navree regrette regret
    malheureusement trop loin au complet travail monde complet complete complets pleine plein surcharge
    surchargee deborde debordee surbooke actuellement moment instant maintenant present cette fois ci
    place places possible impossible finalement vraiment deja donc souhaite disponible disponibles
    disponibilite mesure refuse decline passe tour nouveau nouvelle nouveaux nouvelles patientele
    distance demande demandes capacite comprehension chez trouver annonce longtemps personne sommes
    """
)
_LAST_NAME = re.compile(r"(?<!\ble) (dr|docteur)( \w+){1,3}$")
_NUMBER = re.compile(r"\b0\d(?:[ .]?\d\d){4}\b")
_REFUSAL = re.compile(
    r"\b(ne (peux|peut|pouvons|pourrai|pourrons|prends|prend|prenons|souhaite|veux) "
    r"(malheureusement |donc |vraiment )?(pas|plus)"
    r"|ne suis (pas|plus) (disponible|en mesure)|n (ai|avons) (pas|plus) de place|(pas|plus) de place"
    r"|pas cette fois|impossible|pas possible|trop loin|(je|j) (refuse|decline|passe mon tour)"
    r"|n accept(e|ons) (pas|plus)|aucune (place|disponibilite)"
    r"|(suis|sommes|cabinet|patientele)( est)? (malheureusement |au )?(complete?s?|pleine?|surchargee?s?))\b"
)
_NO = re.compile(r"^(bonjour|bonsoir|malheureusement|helas|desolee?s?|navree?|je regrette|c est|\s)*non\b")
#: "Le Dr Martin ne prend pas …": a name after the title is no unknown word of a no.
_TITLED = re.compile(r"\b(dr|docteur) \w+")
#: A question, a condition, a doubt, another matter: not an answer.
_DOUBT = re.compile(
    r"\?|\b(mais|si|sauf|peut etre|selon|a condition|plutot|pas sure?|absente?|absence|automatique"
    r"|seulement|uniquement|sous reserve|a partir|des que|avant|apres|quand|lorsque|pourquoi pas"
    r"|di[ts]e?s? (pas )?(non|oui)|dire (non|oui)|pas contre|ni|liens?|clique[rz]?|boutons?|page|site"
    r"|piece jointe|http\w*|recue?|encore|deja (repondu|dit|envoye|donne)|demain|rappel\w*|voir avec"
    r"|vous (recevoir|prendre|voir|accueillir|suivre)|depann\w*|et non|ouvrir|lire|repondre"
    r"|acceder|joindre)\b"
)
#: With words of a no, these say something else: "pas trop loin", "non, pas de souci", "pas le Dr Martin".
_NOT_A_NO = re.compile(
    r"\b(pas (trop|si|tellement|impossible|complete?s?|pleine?s?|surchargee?s?|debordee?s?|trouver|chez"
    r"|(le|la|ce|cet|cette|un|du|au|celui|celle)? ?(docteur|dr|medecin|cabinet))"
    r"|c est possible|deja (ma|mon|notre|nos|une?|patiente?)|soucis?|problemes?"
    r"|pas ne pas|(mon|notre) confrere)\b"
    r"|\b(je|on|nous) (prends|prend|prenons|peux|peut|pouvons|veux|veut|voulons|accueill\w+)"
    r"(?! (pas|plus|malheureusement|vraiment|donc)\b)"
)
#: And a yes that sends the office on its way: "ok, bon courage".
_GO_ON = re.compile(r"\b(bon courage|bonne continuation)\b")
_PAUSE = re.compile(
    r"\b(suspen\w+|pause|conges?|arret|absente?|indisponible|n?e? ?m envoyez plus|plus d annonces?)\b"
)
#: More than a pause: what comes after it, or who is away.
_NOT_ONLY_A_PAUSE = re.compile(
    r"\b(mais|ensuite|puis|possible|retour|ok|accord|volontiers|associee?|confrere|consoeur|collegue"
    r"|apres|sinon|remplacee?|remplacante?|ne suis (pas|plus))\b"
)
#: An automatic mail that tells the office something: the doctor has left, or a machine keeps mails away.
_TELLS = re.compile(
    r"\b(retraite|n exerce plus|cesse (mon|son|notre)|nouvelle adresse|change d adresse|ne fait plus partie"
    r"|a quitte|n est plus (utilisee?|consultee?|relevee?|activee?|lue?)"
    r"|pour que votre (message|mail|courriel) soit (remis|delivre)|confirmer votre (message|envoi))\b"
)
_UNTIL = re.compile(
    r"\bjusqu (?:a|au|en) (?:le )?(\d{1,2})(?:er)?(?:/(\d{1,2})(?:/(\d{4}))?| ([a-z]+)(?: (\d{4}))?)"
)
_MONTHS = (
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
)
#: A pause that is longer than this is not one: a person reads it.
_LONGEST_PAUSE = timedelta(days=366)
_AGAIN = re.compile(r"\b(?:re|rép|rep|sv|aw)\s*:", re.IGNORECASE)
_FORWARD = re.compile(r"^\s*(tr|fwd?|transf)\s*:", re.IGNORECASE)

Says = Literal["yes", "no", "pause"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was understood of a reply."""

    #: None where a person must read it: empty, both, doubtful, conditional or about something else.
    says: Says | None = None
    #: The last day of a pause.
    until: date | None = None
    #: The writer said more than the answer: a person should read it too.
    more: bool = False


def read(text: str, *, subject: str = "", ours: Sequence[str] = (), today: date) -> Reading:
    """What a reply says. ``ours`` are phrases of the mail that it answers: from the first on it is quoted."""
    if _FORWARD.match(subject) or len(subject) > _LONGEST:
        return Reading()
    said, below = _signed_off(own_words(text, ours))
    body = Reading() if below else _understood(said, today)
    head = _understood(_own_subject(subject), today)
    if body is None:
        return head or Reading()
    return body if head is None or head.says in (None, body.says) else Reading()


def tells(text: str) -> bool:
    """Whether an automatic mail says what a person of the office should read: gone, moved, held back."""
    return _TELLS.search(_plain(text)) is not None


def own_words(text: str, ours: Sequence[str] = ()) -> str:
    """What the writer wrote, signature included: without quotations, mobile footers and small print."""
    marks = [_plain(mark) for mark in ours]
    lines = [_spaced(line) for line in text[:_LONGEST].splitlines()]
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        heads = next((n for n in (1, 2, 3) if _WROTE.match(" ".join(lines[at : at + n]))), 0)
        if heads:
            at += heads
            following = next((one for one in lines[at:] if one), "")
            if not following.startswith(">"):
                break
            continue
        at += 1
        if line.startswith(">") or _FOOTER.match(line):
            continue
        if _REST.match(line) or _SMALL_PRINT.match(line) or any(mark in _plain(line) for mark in marks):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _spaced(line: str) -> str:
    return " ".join(line.replace("\u00a0", " ").replace("\u202f", " ").split())


def _signed_off(text: str) -> tuple[str, bool]:
    """The text up to its signature, which a closing word or a name begins, and whether there is more below
    than a signature holds.
    """
    lines = text.splitlines()
    kept: list[str] = []
    for at, line in enumerate(lines):
        said = any(kept)
        named = len(line) <= _LONGEST_NAME and (
            _NAME.match(line) or (_SIGNED.match(line) and _may_be_a_name(line))
        )
        if said and named:
            return "\n".join(kept), not all(map(_of_a_signature, lines[at:]))
        closing = _CLOSING.search(_plain(line))
        kept.append(line)
        if closing is not None:
            return "\n".join(kept), not all(map(_of_a_signature, lines[at + 1 :]))
    return "\n".join(kept), False


def _means(line: str) -> bool:
    plain = _plain(line)
    return any(pattern.search(plain) for pattern in (_YES, _NO, _REFUSAL, _DOUBT))


def _may_be_a_name(text: str) -> bool:
    words = _plain(text).split()
    ordinary = any(word in _ORDINARY or _ADVERB.fullmatch(word) for word in words)
    return not ordinary and not _means(text)


def _of_a_signature(line: str) -> bool:
    """Whether a line, as it stands below closing words or a name, says nothing to us."""
    plain = _plain(line)
    if not plain or _NAME.match(line):
        return True
    if _POSTSCRIPT.search(line):
        return False
    if "@" in line or _OF_SIGNATURES.search(plain) or _CLOSING.search(plain):
        return True
    return _SIGNED.match(line) is not None and _may_be_a_name(line)


def _own_subject(subject: str) -> str:
    """What the writer put before "Re:", or instead of our subject: a few words, else nothing."""
    parts = [part.strip() for part in _AGAIN.split(subject)]
    own = parts[0] or parts[-1]
    return own if len(own.split()) <= 4 else ""


def _understood(text: str, today: date) -> Reading | None:
    """The reading of the writer's own words; None where there are none."""
    lines = _lower(text)
    greeting = _GREETING.match(lines)
    greeted = greeting is not None and _may_be_a_name(greeting[0])
    plain = _words(_GREETING.sub(" ", lines) if greeted else lines)
    if not plain.strip():
        return None
    if not all(map(_is_understood, lines)):
        return Reading()
    remove = _REMOVE_ME.search(plain) is not None
    not_a_no = _NOT_A_NO.search(plain) is not None
    plain = _HARMLESS.sub(" ", _SORRY_BUT.sub("desole", _REMOVE_ME.sub(" ", plain)))
    yes = _YES.search(plain) is not None
    until = _until(lines, today)
    if until is not None and _PAUSE.search(plain) and not yes and "?" not in plain:
        if _NOT_ONLY_A_PAUSE.search(plain):
            return Reading()
        return Reading(says="pause", until=until)
    if _DOUBT.search(plain):
        return Reading()
    said = _LAST_NAME.sub("", _NUMBER.sub(" ", plain).rstrip())
    closing = _CLOSING.search(said)
    wishes = "" if closing is None else said[closing.start() :]
    # A name may follow the closing words on their line.
    said = said if closing is None else f"{said[: closing.start()]} {_after(said[closing.end() :])}"
    refuses = _REFUSAL.search(plain) is not None
    known_no = all(word in _KNOWN_NO for word in _TITLED.sub("docteur", said).split())
    if (refuses or _NO.match(plain)) and not yes and known_no and not not_a_no:
        return Reading(says="no", more=remove)
    if not remove and _GO_ON.search(wishes) is None and says_yes(said, wishes):
        return Reading(says="yes", more=len(said.split()) > 12)
    return Reading()


def _is_understood(sign: str) -> bool:
    """Whether a sign is of those that are read here: words in another script, or a thumb turned down, say
    something too.
    """
    if sign.isascii() or sign in _CHEERFUL:
        return True
    return not sign.isalpha() and unicodedata.category(sign) != "So"


def _after(said: str) -> str:
    """What follows the closing words, where it is more than a name."""
    return said if len(said.split()) > 4 or not _may_be_a_name(said) else " "


def _until(text: str, today: date) -> date | None:
    match = _UNTIL.search(re.sub(r"[ \n]+", " ", text.replace("-", "/")))
    if match is None:
        return None
    named = match[4] in _MONTHS
    if match[2] is None and not named:
        return None
    month = _MONTHS.index(match[4]) + 1 if named else int(match[2])
    year = match[3] or match[5]
    try:
        day = date(int(year) if year else today.year, month, int(match[1]))
        if not year and day < today:
            day = day.replace(year=today.year + 1)
    except ValueError:
        return None
    return day if today <= day <= today + _LONGEST_PAUSE else None


def _plain(text: str) -> str:
    """Lower case, without accents and punctuation but "?"."""
    return _words(_lower(text))


def _lower(text: str) -> str:
    apart = text.lower().replace("’", " ").replace("'", " ").replace("œ", "oe").replace("æ", "ae")
    decomposed = unicodedata.normalize("NFKD", apart)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9?]+", " ", text).replace("?", " ? ").strip()
