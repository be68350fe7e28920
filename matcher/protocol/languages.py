"""Languages by their French names; what is stored is the ISO 639 code, of two letters or else of three."""

import re
import unicodedata
from difflib import get_close_matches
from typing import Final

#: Code → name, in the order of the names. Those met in consultations; another is said by its code.
NAMES: Final = {
    "sq": "albanais", "de": "allemand", "am": "amharique", "en": "anglais", "ar": "arabe", "hy": "arménien",
    "az": "azéri", "bm": "bambara", "bn": "bengali", "ber": "berbère", "my": "birman", "bs": "bosnien",
    "bg": "bulgare", "zh": "chinois", "zdj": "comorien", "ko": "coréen", "ht": "créole haïtien",
    "rcf": "créole réunionnais", "hr": "croate", "es": "espagnol", "fr": "français", "ka": "géorgien",
    "el": "grec", "ha": "haoussa", "he": "hébreu", "hi": "hindi", "hu": "hongrois", "it": "italien",
    "ja": "japonais", "kab": "kabyle", "km": "khmer", "rw": "kinyarwanda", "ku": "kurde",
    "fsl": "langue des signes française", "lo": "lao", "ln": "lingala", "mk": "macédonien",
    "swb": "mahorais", "mg": "malgache", "mn": "mongol", "nl": "néerlandais", "ne": "népalais",
    "ug": "ouïghour", "ur": "ourdou", "ps": "pachto",
    "pa": "pendjabi", "fa": "persan", "ff": "peul", "pl": "polonais", "pt": "portugais", "rom": "romani",
    "ro": "roumain", "ru": "russe", "sr": "serbe", "sk": "slovaque", "so": "somali", "snk": "soninké",
    "sw": "swahili", "ta": "tamoul", "cs": "tchèque", "ce": "tchétchène", "th": "thaï", "bo": "tibétain",
    "ti": "tigrigna", "tr": "turc", "uk": "ukrainien", "vi": "vietnamien", "wo": "wolof",
}  # fmt: skip


def named(code: str) -> str:
    """The French name of a code; a code that has none here as it is."""
    return NAMES.get(code, code)


def codes_of(typed: str) -> list[str]:
    """The codes of names separated by commas, accents and capitals aside; a code of two letters stands for
    itself. Raises ValueError, in French, with the name that may have been meant.
    """
    found = {code: None for said in re.split("[,;]", typed) if (code := _code(said))}
    return list(found)


def _code(said: str) -> str:
    plain = _plain(said)
    if not plain or plain in NAMES:
        return plain
    if plain in _CODES:
        return _CODES[plain]
    if re.fullmatch("[a-z]{2}", plain):
        return plain
    near = get_close_matches(plain, _CODES, n=1)
    meant = f", peut-être {NAMES[_CODES[near[0]]]}" if near else ""
    raise ValueError(f"{said.strip()} n’est pas une langue connue ici{meant}.")


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFD", name.strip().lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


_CODES: Final = {_plain(name): code for code, name in NAMES.items()}
