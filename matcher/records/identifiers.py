"""Numbers of persons and doctors: their kind, their key, their one written form.

None of them ever blocks a request. Sources: INSEE's description of the NIR, the ANS's reference for
the INS, ITU E.164 for telephones.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from stdnum import luhn
from stdnum.fr import nir as stdnum_nir

#: The regions of French numbers: an overseas number is not valid under FR.
_FRENCH_REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF")
#: Sex or series, year, month (20–99 where unknown), département (Corsica 2A, 2B), commune, order, key.
_NIR_SHAPE = re.compile(
    r"(?P<head>[1-8]\d)\d(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{6}(?P<key>\d{2})?", re.ASCII
)
_FREE_SHAPE = re.compile(r"(?P<head>[5-8][12])\d{11}(?P<key>\d{2})?", re.ASCII)


class NirKind(StrEnum):
    """What a social security number is."""

    #: The definitive number, of somebody in the national register.
    NIR = "nir"
    #: Provisional, while the person is being registered (from 2016).
    NIA = "nia"
    #: Provisional number of an older kind (until 2022).
    NNP = "nnp"
    #: Given to a person in transit between two schemes.
    MIG = "mig"
    OTHER = "other"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Nir:
    """A number as read: ``digits`` without separators; ``key_ok`` is None where no key was given or
    none applies.
    """

    kind: NirKind
    digits: str
    key_ok: bool | None

    @property
    def odd(self) -> bool:
        """Whether somebody should look at it again."""
        return self.kind is NirKind.OTHER or self.key_ok is False


def read_nir(text: str | None) -> Nir:
    """The kind of a number and whether its key holds; separators are ignored. Never raises."""
    digits = re.sub(r"[\s.\-–_]", "", text or "").upper()
    if not digits:
        return Nir(kind=NirKind.NONE, digits="", key_ok=None)
    shape = _NIR_SHAPE.fullmatch(digits) or _FREE_SHAPE.fullmatch(digits)
    if shape is None:
        return Nir(kind=NirKind.OTHER, digits=digits, key_ok=None)
    key = shape["key"]
    key_ok = None if key is None else stdnum_nir.calc_check_digits(digits) == key
    return Nir(kind=_kind(shape["head"]), digits=digits, key_ok=key_ok)


def _kind(head: str) -> NirKind:
    """The kind, from the first two digits."""
    first, second = head[0], head[1]
    if first in "12":
        return NirKind.NIR
    if first in "56" and second in "12":
        return NirKind.MIG
    if first in "78" and second in "12":
        return NirKind.NNP
    return NirKind.NIA if first in "3478" else NirKind.OTHER


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A telephone number as read: ``e164`` for comparing and dialling, None where it cannot be one."""

    e164: str | None

    @property
    def odd(self) -> bool:
        """Whether nobody could dial it."""
        return self.e164 is None


def read_phone(text: str) -> Phone:
    """A number in its one written form; a French one may be written without its country code.

    Only its length is judged, not the range, since ranges change and those kept for fiction are not
    assigned. Never raises.
    """
    for region in _FRENCH_REGIONS:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            return Phone(e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    try:
        number = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        return Phone(e164=None)
    possible = phonenumbers.is_possible_number(number) and len(text) <= 40
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164=written if possible else None)


def rpps_warnings(text: str) -> tuple[str, ...]:
    """What is odd about a doctor's RPPS number: ``rpps_length``, ``rpps_key``; empty where nothing is.

    The key is Luhn's on real numbers and not on the test ones, so that it only warns. The national
    identifier ("8" and the RPPS) is read too.
    """
    digits = national_rpps(text)
    if not re.fullmatch(r"\d{11}", digits, re.ASCII):
        return ("rpps_length",)
    return () if luhn.is_valid(digits) else ("rpps_key",)


def national_rpps(text: str) -> str:
    """The 11 digits of an RPPS, from itself or from the national identifier; else the text, bare."""
    bare = re.sub(r"\s", "", text)
    return bare[1:] if re.fullmatch(r"8\d{11}", bare, re.ASCII) else bare
