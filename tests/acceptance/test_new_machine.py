"""The machine is gone. Left are a copy of the database, the copies of the keys, and a paper in a safe."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

from matcher.service import audit
from matcher.service.audit import verify_journal
from tests.acceptance.house import OFFICE, House
from tests.acceptance.remains import begun_again
from tests.acceptance.test_cli import Done, Installation


async def test_a_new_machine_begins_again_from_the_copy_and_the_offline_key_alone(
    small_house: House, tmp_path: Path
) -> None:
    house, away, new = small_house, tmp_path / "away", tmp_path / "new"
    for folder in (away, new):
        folder.mkdir()
    there = {"DATABASE_URL": house.house.settings.database_url, "KEYS_DIR": str(tmp_path / "keys")}
    url = f"sqlite:///{new}/base.sqlite3"
    here = {"DATABASE_URL": url, "KEYS_DIR": str(new / "keys"), "ESCROW_DIR": str(away / "escrow")}

    async def run(settings: dict[str, str], *arguments: str) -> Done:
        done = await asyncio.to_thread(Installation(tmp_path).run, *arguments, **settings)
        assert done.returncode == 0, done.stderr
        return done

    paper = away / "paper.txt"
    paper.write_text((await run(there, "keys", "escrow", "new")).stdout)
    search = await house.launched()
    doctor = (await house.mailed(search))[0]
    token = house.token(doctor["email"])
    assert await verify_journal(house.house) is None
    signing = house.house.keyring.journal().private_bytes_raw()
    await run(there, "backup", str(away / "copy"))
    shutil.copytree(tmp_path / "escrow", away / "escrow")
    # The signed head that was carried away with the copy.
    shutil.copy(tmp_path / "keys" / audit.HEADS, away)
    shutil.rmtree(tmp_path / "keys")

    await run(here, "drill", "--backup", str(away / "copy"), "--escrow", str(paper))
    assert "journal" in (await run(here, "keys", "escrow", "recover", str(paper))).stderr
    await run(here, "restore", str(away / "copy"))
    shutil.copy(away / audit.HEADS, new / "keys")
    await run(here, "journal", "verify")
    async with begun_again(house, url, keys_dir=new / "keys", escrow_dir=away / "escrow") as again:
        assert again.house.keyring.journal().private_bytes_raw() == signing
        record = await again.get(OFFICE, f"/searches/{search}/record?purpose=contact")
        assert record["record"]["birth_name"] == "Aubépine"
        await again.post(OFFICE, "/resume")
        assert "text" in await again.post(None, "/links/open", {"token": token})
        again.clock.at += timedelta(seconds=10)
        assert (await again.answer(token, "yes"))[0] == 200
        await again.later(seconds=10)
        assert await again.state(search) == "proposing"
