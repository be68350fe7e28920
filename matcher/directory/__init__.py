"""What a territory brings as CSV files, read and checked. Nothing here knows what is already stored."""

from matcher.directory.annuaire import is_annuaire, read_annuaire, read_mssante
from matcher.directory.doctors import (
    DOCTOR_COLUMNS,
    AbsenceRow,
    DoctorRow,
    read_absences,
    read_doctors,
)
from matcher.directory.lines import NotUtf8, Problem, decode
from matcher.directory.streets import IrisRow, StreetRow, read_iris, read_streets
from matcher.directory.tables import (
    PLACE_KINDS,
    STAFF_ROLES,
    STRUCTURE_KINDS,
    StructureRow,
    UserRow,
    read_households,
    read_places,
    read_population,
    read_structures,
    read_users,
)
from matcher.directory.travel import TravelRow, read_travel

__all__ = [
    "DOCTOR_COLUMNS",
    "PLACE_KINDS",
    "STAFF_ROLES",
    "STRUCTURE_KINDS",
    "AbsenceRow",
    "DoctorRow",
    "IrisRow",
    "NotUtf8",
    "Problem",
    "StreetRow",
    "StructureRow",
    "TravelRow",
    "UserRow",
    "decode",
    "is_annuaire",
    "read_absences",
    "read_annuaire",
    "read_doctors",
    "read_households",
    "read_iris",
    "read_mssante",
    "read_places",
    "read_population",
    "read_streets",
    "read_structures",
    "read_travel",
    "read_users",
]
