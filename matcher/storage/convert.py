"""Between the protocol's frozen values and rows: a column per field, JSON where the field is itself a value.

A field and its column have the same name, but for the few given as ``renamed``. A field that the protocol
gains needs its column and a migration; a test holds the two together.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, get_args, get_type_hints

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
#: Types that the database's columns give as they are.
_PLAIN: Final = frozenset({str, int, bool, datetime})


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
        self._decoders = [
            (name, column, _decoder(hints[name], self._adapters[name]))
            for name, column in self.columns.items()
        ]

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
            name: row[column] if decode is None else decode(row[column])
            for name, column, decode in self._decoders
        }
        return self._value(**known, **others)

    def _encode(self, name: str, value: Any) -> Any:
        if name in self._structured:
            return self._adapters[name].dump_python(value, mode="json")
        if isinstance(value, StrEnum):
            return value.value
        assert value is None or isinstance(value, str | int | float | date | datetime), name
        return value


def _decoder(hint: Any, adapter: TypeAdapter[Any]) -> Callable[[Any], Any] | None:
    """How a column becomes the field; None where the column type gives the very value already.

    Lists decode tens of thousands of cells: a plain one is not validated again, a word is looked up.
    """
    kinds = set(get_args(hint)) - {NoneType} if isinstance(hint, UnionType) else {hint}
    if kinds <= _PLAIN or all(getattr(kind, "__supertype__", None) is str for kind in kinds):
        return None
    (kind, *more) = kinds
    if not more and isinstance(kind, type) and issubclass(kind, StrEnum):
        words: dict[Any, Any] = {None: None} if kind is not hint else {}
        return (words | {member.value: member for member in kind}).__getitem__
    return adapter.validate_python


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
