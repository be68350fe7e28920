"""Between the protocol's frozen values and rows: a column per field, JSON where the field is itself a value.

A field and its column have the same name, but for the few given as ``renamed``. A field that the protocol
gains needs its column and a migration; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter
from sqlalchemy import JSON, RowMapping, Table

from matcher.protocol.search import CallAttempt, Position, Search, Solicitation, Task, Timer
from matcher.storage.tables import (
    CallAttemptRow,
    PositionRow,
    SearchRow,
    SolicitationRow,
    TaskRow,
    TimerRow,
    table,
)

V = TypeVar("V")


class Codec(Generic[V]):
    """Turns one kind of value into columns and back."""

    def __init__(
        self,
        value: type[V],
        into: Table,
        *,
        elsewhere: frozenset[str] = frozenset(),
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        """``elsewhere``: fields kept in other tables. ``renamed``: column by field."""
        hints = get_type_hints(value)
        self._value = value
        names = [f.name for f in fields(value) if f.name not in elsewhere]  # type: ignore[arg-type]
        #: Column by field.
        self.columns = {name: (renamed or {}).get(name, name) for name in names}
        self._adapters: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(hints[name]) for name in names}
        self._structured = {name for name in names if isinstance(into.c[self.columns[name]].type, JSON)}

    def encode(self, value: V, *names: str) -> dict[str, Any]:
        """The columns of ``value``, or of the fields named."""
        return {
            self.columns[name]: self._encode(name, getattr(value, name)) for name in names or self.columns
        }

    def changes(self, before: V, after: V) -> dict[str, Any]:
        """The columns in which the two differ, as ``after`` has them."""
        names = [name for name in self.columns if getattr(before, name) != getattr(after, name)]
        return self.encode(after, *names) if names else {}

    def decode(self, row: RowMapping, **others: Any) -> V:
        """The value of a row; ``others`` are the fields kept elsewhere."""
        known = {
            name: self._adapters[name].validate_python(row[column]) for name, column in self.columns.items()
        }
        return self._value(**known, **others)

    def _encode(self, name: str, value: Any) -> Any:
        if name in self._structured:
            return self._adapters[name].dump_python(value, mode="json")
        if isinstance(value, StrEnum):
            return value.value
        assert value is None or isinstance(value, str | int | float | date | datetime), name
        return value


SEARCH = Codec(
    Search,
    table(SearchRow),
    elsewhere=frozenset({"solicitations", "positions", "timers", "tasks"}),
    renamed={"territory": "territory_id"},
)
SOLICITATION = Codec(
    Solicitation,
    table(SolicitationRow),
    elsewhere=frozenset({"attempts"}),
    renamed={"doctor": "doctor_id"},
)
CALL_ATTEMPT = Codec(CallAttempt, table(CallAttemptRow))
POSITION = Codec(Position, table(PositionRow), renamed={"doctor": "doctor_id"})
TIMER = Codec(Timer, table(TimerRow), elsewhere=frozenset({"doctor"}), renamed={"at": "due_at"})
TASK = Codec(Task, table(TaskRow), elsewhere=frozenset({"doctor"}))
