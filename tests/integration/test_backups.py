"""A backup of PostgreSQL is read as it lies, in both of pg_dump's formats, and opens with the offline key."""

import os
import subprocess
from pathlib import Path

import pytest

from matcher.service.drill import drill
from matcher.storage.backups import NotABackup, sections
from messaging import escrow
from messaging.escrow import Escrow
from tests.acceptance.api_world import make_world
from tests.acceptance.house import House
from tests.postgres import programs as installed


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """PostgreSQL's own programs, which an operator has on the path."""
    monkeypatch.setenv("PATH", f"{installed()}{os.pathsep}{os.environ['PATH']}")
    return installed()


def _dumped(database: str, programs: Path, form: str, into: Path) -> Path:
    subprocess.run([programs / "pg_dump", f"--format={form}", f"--file={into}", database], check=True)
    return into


@pytest.mark.postgres
async def test_both_formats_of_pg_dump_are_read_and_opened(
    postgresql_url: str, tmp_path: Path, programs: Path
) -> None:
    secret, recipient = escrow.new_identity()
    async with make_world(postgresql_url, tmp_path) as world:
        house = House(**vars(world))
        copies = house.house.escrow
        copies.use(recipient)
        house.house.keyring.copy_all()
        kept, gone = await house.submitted(), await house.submitted()
        await house.do(gone, "withdraw", reason="consent")
        held = {(kept, section) for section in ("record", "contact", "figures")}
        for form in ("plain", "custom"):
            dump = _dumped(postgresql_url, programs, form, tmp_path / f"backup.{form}")
            assert {(one.search, one.section) for one in sections(dump)} == held
            (tried,) = drill(dump, copies, secret).values()
            assert (tried.sections, tried.opened, tried.good) == (3, 3, True)
            (lost,) = drill(dump, Escrow(tmp_path / "nowhere"), secret).values()
            assert (lost.opened, lost.key_missing, lost.good) == (0, True, False)


@pytest.mark.parametrize("content", [b"", b"-- a dump of something else\n", b"SQLite format 3\0 and no more"])
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(NotABackup):
        list(sections(path))


def test_a_broken_archive_is_no_backup(tmp_path: Path, programs: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"PGDMP and no more")
    with pytest.raises(NotABackup):
        list(sections(path))


def test_an_archive_without_the_program_that_reads_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "file"
    path.write_bytes(b"PGDMP")
    with pytest.raises(NotABackup, match="pg_restore"):
        list(sections(path))
