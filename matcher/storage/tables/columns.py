"""The vocabulary of columns, and the small constraints that many tables share."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

from sqlalchemy import JSON, CheckConstraint, ForeignKey, ForeignKeyConstraint, LargeBinary, String, Table
from sqlalchemy.orm import mapped_column

from config.database import Base

#: First column of every primary key and of every index: a large installation is cut along it.
TerritoryId = Annotated[str, mapped_column(String, primary_key=True)]
#: The same, in the tables that stand directly under a territory.
OfTerritory = Annotated[str, mapped_column(String, ForeignKey("territories.id"), primary_key=True)]
#: An opaque identifier, unique in its territory.
Key = Annotated[str, mapped_column(String, primary_key=True)]
Number = Annotated[int, mapped_column(primary_key=True)]
#: A structured value. None is SQL's NULL, so that constraints can ask for it.
Structured = Annotated[Any, mapped_column(JSON(none_as_null=True))]
Bytes = Annotated[bytes, mapped_column(LargeBinary)]


def table(row: type[Base]) -> Table:
    """The table of a row class. Statements speak of tables: no row is served from a session's memory."""
    return cast("Table", row.__table__)


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """``column`` holds one of the protocol's words."""
    listed = ", ".join(f"'{word}'" for word in sorted(words))
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def of_search() -> ForeignKeyConstraint:
    """The row belongs to a search of its own territory, and goes with it."""
    return ForeignKeyConstraint(
        ["territory_id", "search_id"], ["searches.territory_id", "searches.id"], ondelete="CASCADE"
    )


def of_doctor() -> ForeignKeyConstraint:
    """The row speaks of a doctor of its own territory."""
    return ForeignKeyConstraint(["territory_id", "doctor_id"], ["doctors.territory_id", "doctors.id"])
