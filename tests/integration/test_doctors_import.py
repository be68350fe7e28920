"""A list of doctors imported again changes what it says, and no more."""

from pathlib import Path

import pytest

from config.settings import load_settings
from matcher import app
from matcher.service import installation
from matcher.storage import doctors, links

VENISSIEUX = Path("config/territories/venissieux")
HERE = "venissieux"


@pytest.fixture
def environ(sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return {"TRAIT_UNION_DATABASE_URL": sqlite_url, "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys")}


async def test_links_sent_to_an_address_that_an_import_replaces_open_nothing(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    async with app.open_house(settings) as house:
        await installation.init(house, VENISSIEUX)
    async with app.open_house(settings) as house:
        async with house.sessions.begin() as session:
            moved, stays = [d for d in await doctors.list_(session, HERE) if d.email][:2]
            before = {
                d.id: await links.of_doctor(session, HERE, d.id, "pause", now=house.now())
                for d in (moved, stays)
            }
        text = (VENISSIEUX / "doctors.csv").read_text("utf-8")
        assert moved.email is not None
        await installation.import_doctors(house, HERE, text.replace(moved.email, "ailleurs@cabinet.example"))
        async with house.sessions.begin() as session:
            after = {id: await links.of_doctor(session, HERE, id, "pause", now=house.now()) for id in before}
    assert after[moved.id].nonce != before[moved.id].nonce
    assert after[stays.id].nonce == before[stays.id].nonce
