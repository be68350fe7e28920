"""The doctors' CSV of CONTRACT.md, and the list of those who are away. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from matcher.directory.lines import INSEE, Line, Once, Problem, read
from matcher.protocol.doctors import Zone
from matcher.records.identifiers import national_rpps, rpps_warnings

DOCTOR_COLUMNS: Final = (
    "rpps", "last_name", "first_name", "sex", "phone", "email", "mssante", "delegate_email", "address",
    "postcode", "city", "insee", "lat", "lon", "languages", "step_free", "home_visits", "sector",
    "teleconsultation", "member", "zone", "asked_per_week", "accepted_per_month",
)  # fmt: skip
#: Known to few.
RARE_COLUMNS: Final = ("list_size",)

_SEX = re.compile("[FM]")
_POSTCODE = re.compile(r"[0-9]{5}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, kw_only=True)
class DoctorRow:
    """One doctor as a territory's file describes him. None is unknown, and not met by a wish."""

    line: int
    rpps: str
    last_name: str
    first_name: str
    sex: str | None
    phone: str | None
    email: str | None
    mssante: str | None
    delegate_email: str | None
    address: str | None
    postcode: str | None
    city: str | None
    insee: str | None
    #: WGS 84 degrees, both or neither.
    lat: float | None
    lon: float | None
    #: ISO 639 codes, in the file's order.
    languages: tuple[str, ...]
    step_free: bool | None
    home_visits: bool | None
    sector: int | None
    teleconsultation: bool | None
    member: bool
    zone: Zone
    asked_per_week: int | None
    accepted_per_month: int | None
    #: Patients whose médecin traitant he is; few territories know it.
    list_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class AbsenceRow:
    """A doctor who is away for some weeks from the import on."""

    rpps: str
    weeks: int


def read_doctors(text: str) -> tuple[list[DoctorRow], list[Problem]]:
    """The doctors of our CSV. RPPS numbers and addresses are unique in the file; the first one is taken."""
    rpps_once, email_once = Once(), Once()

    def build(line: Line) -> DoctorRow:
        row = doctor_of(line)
        rpps_once.check(line, "rpps", row.rpps)
        if row.email is not None:
            email_once.check(line, "email", row.email.lower())
        return row

    needed = ("rpps", "last_name", "first_name", "zone")
    return read(text, DOCTOR_COLUMNS, needed, build, rare=RARE_COLUMNS)


def doctor_of(line: Line) -> DoctorRow:
    """One line under the names of our CSV, whatever file it came from; what is wrong is noted with it."""
    rpps = national_rpps(line.needed("rpps"))
    if rpps and "rpps_length" in (odd := rpps_warnings(rpps)):
        line.note("rpps", f"« {rpps} » n’a pas onze chiffres")
    elif rpps and odd:
        line.note("rpps", f"la clé de « {rpps} » ne correspond pas")
    lat, lon = line.number("lat", -90, 90), line.number("lon", -180, 180)
    if (line.text("lat") is None) != (line.text("lon") is None):
        line.refuse("lat", "latitude et longitude vont ensemble")
    email, delegate = line.email("email"), line.email("delegate_email")
    if delegate is not None and email is not None and delegate.lower() == email.lower():
        line.refuse("delegate_email", "c’est l’adresse du médecin : laissez vide")
    return DoctorRow(
        line=line.at,
        rpps=rpps,
        last_name=line.needed("last_name"),
        first_name=line.needed("first_name"),
        sex=line.matching("sex", _SEX, "F ou M"),
        phone=line.phone("phone"),
        email=email,
        mssante=line.email("mssante"),
        delegate_email=delegate,
        address=line.text("address"),
        postcode=line.matching("postcode", _POSTCODE, "un code postal"),
        city=line.text("city"),
        insee=line.matching("insee", INSEE, "un code INSEE"),
        lat=lat,
        lon=lon,
        languages=_languages(line),
        step_free=line.yes_no("step_free"),
        home_visits=line.yes_no("home_visits"),
        sector=line.whole("sector", 1, 3),
        teleconsultation=line.yes_no("teleconsultation"),
        member=line.yes_no("member") or False,
        zone=_zone(line),
        asked_per_week=line.whole("asked_per_week", 0, 1000),
        accepted_per_month=line.whole("accepted_per_month", 0, 1000),
        list_size=line.whole("list_size", 0, 10_000),
    )


def read_absences(text: str) -> tuple[list[AbsenceRow], list[Problem]]:
    """Who is away, by RPPS number, and for how many weeks."""
    once = Once()

    def build(line: Line) -> AbsenceRow:
        row = AbsenceRow(rpps=national_rpps(line.needed("rpps")), weeks=line.count("weeks", 520))
        once.check(line, "rpps", row.rpps)
        return row

    return read(text, ("rpps", "weeks"), ("rpps", "weeks"), build)


def _languages(line: Line) -> tuple[str, ...]:
    codes = tuple(code.strip().lower() for code in (line.text("languages") or "").split(",") if code.strip())
    strange = [code for code in codes if not _LANGUAGE.fullmatch(code)]
    if strange:
        line.refuse("languages", f"« {strange[0]} » n’est pas un code de langue (fr, ar, tr…)")
    return tuple(dict.fromkeys(codes))


def _zone(line: Line) -> Zone:
    value = line.one_of("zone", tuple(Zone))
    return Zone(value) if value in tuple(Zone) else Zone.TERRITORY
