"""What is signed outside the database finds what the chain alone cannot."""

from pathlib import Path

import pytest
from sqlalchemy import text

from config.settings import load_settings
from matcher import app
from matcher.service import audit, installation
from matcher.service.actors import Actor, Role
from matcher.service.house import House
from matcher.storage import journal

VENISSIEUX = Path("config/territories/venissieux")


async def _write(house: House, times: int) -> None:
    someone = Actor(territory="venissieux", id="someone", role=Role.COORDINATRICE)
    for _ in range(times):
        async with house.sessions.begin() as session:
            await journal.append(session, house.entry(someone, "login"))


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"TRAIT_UNION_DATABASE_URL": database_url, "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys")}


async def _made(environ: dict[str, str]) -> None:
    async with app.open_house(load_settings(environ)) as house:
        await installation.init(house, VENISSIEUX)


async def test_a_journal_that_only_grows_holds_however_often_it_is_verified(environ: dict[str, str]) -> None:
    await _made(environ)
    async with app.open_house(load_settings(environ)) as house:
        for _ in range(3):
            await _write(house, 2)
            assert await audit.verify_journal(house) is None


async def test_a_journal_cut_at_its_end_contradicts_its_signed_head(environ: dict[str, str]) -> None:
    await _made(environ)
    async with app.open_house(load_settings(environ)) as house:
        await _write(house, 3)
        assert await audit.verify_journal(house) is None
        postgresql = house.engine.dialect.name == "postgresql"
        async with house.engine.begin() as connection:
            if postgresql:
                for table in ("journal", "journal_heads"):
                    await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                triggers = await connection.execute(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                )
                for (name,) in triggers.all():
                    await connection.execute(text(f"DROP TRIGGER {name}"))
            # A whole and consistent chain, but a shorter one: only the signed head knows better.
            await connection.execute(text("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)"))
            await connection.execute(
                text(
                    "UPDATE journal_heads SET seq = seq - 1,"
                    " hash = (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1)"
                )
            )
        broken = await audit.verify_journal(house)
        assert broken is not None
        assert broken.territory == "venissieux"
