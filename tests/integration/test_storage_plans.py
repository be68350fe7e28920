"""What is asked for one search is found by that search: no statement reads through those of the territory."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import JSON, Boolean, Integer, event

from config.database import UTCDateTime, keep_statistics, make_engine, make_sessions
from matcher.storage import journal, lookups, sealed, searches
from matcher.storage.tables import metadata

HERE, NOW = "venissieux", datetime(2026, 11, 24, 9, tzinfo=UTC)
NUMBER = 600
#: Read as a whole at every look: a handful of rows.
_SMALL = {"tasks"}


@pytest.fixture
async def statements(sqlite_url):
    """A session over hundreds of searches, and the plans of what is asked of it."""
    engine = make_engine(sqlite_url)

    @event.listens_for(engine.sync_engine, "connect")
    def alone(connection, _record) -> None:
        # The rows stand alone; only how many there are counts.
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")

    async with engine.connect() as connection:
        for name, values in _ROWS.items():
            table = metadata.tables[name]
            await connection.execute(
                table.insert(), [_row(table, values, number) for number in range(NUMBER)]
            )
        await connection.commit()
    await keep_statistics(engine)
    asked: list[tuple[str, object]] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, _many) -> None:
        asked.append((statement, parameters))

    async with make_sessions(engine).begin() as session:
        yield session, asked
    await engine.dispose()


def _row(table, values, number):
    """A row with something in every column that must have something."""
    made = {column.name: _anything(column.type) for column in table.c if not column.nullable}
    return made | {name: make(number) for name, make in values.items()}


def _anything(kind):
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return 0
    if isinstance(kind, JSON):
        return []
    return NOW if isinstance(kind, UTCDateTime) else "x"


_ROWS = {
    "searches": {
        "territory_id": lambda _: HERE,
        "id": lambda n: f"s{n}",
        "reference": lambda n: f"VEN-26-{n:04}",
        "state": lambda n: ("asking", "calling", "attached")[n % 3],
        "created_at": lambda n: NOW + timedelta(minutes=n),
        "priority": lambda _: "normal",
        "choice": lambda _: "patient_chooses",
        "speaks_to_patient": lambda _: "coordinatrice",
    },
    "lookup": {
        "territory_id": lambda _: HERE,
        "kind": lambda n: ("nir", "name+birth_date", "phone")[n % 3],
        "hmac": lambda n: f"{n:064}",
        "search_id": lambda n: f"s{n // 3}",
    },
    "timers": {
        "territory_id": lambda _: HERE,
        "search_id": lambda n: f"s{n}",
        "kind": lambda _: "reminder",
        "doctor_id": lambda _: "",
        "due_at": lambda n: NOW + timedelta(minutes=n),
        "fence": lambda _: 0,
    },
    "journal": {
        "territory_id": lambda _: HERE,
        "seq": lambda n: n,
        "at": lambda n: f"{NOW + timedelta(minutes=n):%Y-%m-%dT%H:%M:%S.%fZ}",
        "actor_kind": lambda _: "system",
        "action": lambda n: ("answer", "desist", *(f"{other}" for other in range(40)))[n % 42],
        "search_id": lambda n: f"s{n % 60}",
        "hash": lambda n: f"{n:064}",
        "previous": lambda n: f"{n:064}",
    },
}


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: lookups.twins(s, HERE, "s7"),
        lambda s: sealed.sections(s, HERE, "s7", ["contact", "reasons"]),
        lambda s: searches.get(s, HERE, "s7"),
        lambda s: searches.these(s, HERE, ["s7", "s8", "s9"]),
        lambda s: journal.of_search(s, HERE, "s7"),
        lambda s: journal.between(s, HERE, NOW, NOW + timedelta(minutes=9), {"answer", "call"}),
        lambda s: journal.of_actions(s, HERE, {"desist", "refusal_read"}, limit=2000),
    ],
    ids=["twins", "sections", "search", "searches", "timeline", "news", "refusals"],
)
async def test_what_is_asked_of_few_reads_few(statements, ask):
    session, asked = statements
    await ask(session)
    for statement, parameters in list(asked):
        plan = await session.connection()
        rows = await plan.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [row[3] for row in rows]
        whole = [
            step
            for step in steps
            if ("(territory_id=?)" in step or step.startswith("SCAN")) and step.split()[1] not in _SMALL
            if "SUBQUERY" not in step and "SCAN mine" not in step
        ]
        assert whole == [], steps
