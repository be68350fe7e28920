"""The vault's keys as an operator handles them: sealed again, killed meanwhile, destroyed, lost, drilled."""

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from messaging.keyring import KeyAbsent, KeyRing
from messaging.vault import Sealed, Vault
from tests.acceptance.test_cli import VENISSIEUX, Installation

ROOT = Path(__file__).resolve().parents[2]
#: Words of the made records, which no command may print.
SECRET = "Zinzolin"
COLUMNS = "key_name, version, sealed_key, commitment, nonce, ciphertext"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    fresh = Installation(tmp_path_factory.mktemp("keys"))
    done = fresh.run("init", "--territory", str(VENISSIEUX))
    assert done.returncode == 0, done.stderr
    return fresh


@pytest.fixture
def installation(made, tmp_path):
    """Vénissieux, freshly initialised."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return Installation(tmp_path)


def ring_of(installation: Installation) -> KeyRing:
    return KeyRing(installation.folder / "keys")


def seal(installation: Installation, number: int) -> str:
    """So many records of two sections under the current month; its name."""
    ring = ring_of(installation)
    month = ring.current(datetime.now(UTC))
    rows = []
    for record in range(number):
        for section in ("contact", "record"):
            text = json.dumps({"birth_name": SECRET, "number": record}).encode()
            box = Vault(ring).seal(
                text, territory="venissieux", record=f"{record:05}", section=section, key=month
            )
            where = ("venissieux", f"{record:05}", section)
            rows.append(
                (*where, box.key, box.version, box.wrapped, box.commitment, box.nonce, box.ciphertext)
            )
    with sqlite3.connect(installation.database) as database:
        database.executemany(
            f"INSERT INTO sealed (territory_id, search_id, section, {COLUMNS}, destroyed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            rows,
        )
    return month


def read(installation: Installation, ring: KeyRing, database: Path | None = None) -> dict[str, int]:
    """Open every section that is not destroyed; how many each key opened."""
    found: dict[str, int] = {}
    with sqlite3.connect(database or installation.database) as connection:
        rows = connection.execute(
            f"SELECT territory_id, search_id, section, {COLUMNS} FROM sealed"
        ).fetchall()
    for territory, record, section, key, version, wrapped, commitment, nonce, ciphertext in rows:
        box = Sealed(
            key=key,
            version=version,
            wrapped=wrapped,
            commitment=commitment,
            nonce=nonce,
            ciphertext=ciphertext,
        )
        text = Vault(ring).open(box, territory=territory, record=record, section=section)
        assert json.loads(text) == {"birth_name": SECRET, "number": int(record)}
        found[key] = found.get(key, 0) + 1
    return found


def test_sealing_again_killed_in_the_middle_leaves_everything_readable_and_resumes(installation) -> None:
    old = seal(installation, 400)
    month = installation.run("keys", "new").stderr.split()[1]
    program = subprocess.Popen(
        [sys.executable, "-m", "matcher", "keys", "rewrap"],
        env=installation.environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    said = program.stderr.readline()
    program.send_signal(signal.SIGKILL)
    program.wait(60)
    program.stderr.close()
    assert said == "100 sur 800 …\n"
    before = read(installation, ring_of(installation))
    assert set(before) == {old, month}
    assert 100 <= before[month] < 800
    assert sum(before.values()) == 800
    # A key that something still needs is not destroyed.
    refused = installation.run("keys", "destroy", old)
    assert refused.returncode == 1
    assert f"{before[old]} sections" in refused.stderr

    resumed = installation.run("keys", "rewrap")
    assert resumed.returncode == 0, resumed.stderr
    assert f"sur {before[old]} …" in resumed.stderr
    assert f"{before[old]} sections scellées" in resumed.stderr
    assert read(installation, ring_of(installation)) == {month: 800}
    assert installation.run("keys", "rewrap").stderr == "0 sections scellées de nouveau\n"
    assert installation.run("keys", "destroy", old).returncode == 0
    assert read(installation, ring_of(installation)) == {month: 800}


def test_a_backup_made_before_its_months_key_went_opens_for_nobody(installation, tmp_path_factory) -> None:
    away = tmp_path_factory.mktemp("away")
    identity = _escrowed(installation, away)
    old = seal(installation, 3)
    before = shutil.copyfile(installation.database, away / "before.sqlite3")
    copies = shutil.copytree(installation.folder / "escrow", away / "copies")
    installation.run("keys", "new")
    assert installation.run("keys", "rewrap").returncode == 0
    after = shutil.copyfile(installation.database, away / "after.sqlite3")
    assert _drill(installation, before, identity).returncode == 0

    said = installation.run("keys", "destroy", old).stderr
    assert "copies faites ailleurs" in said
    with pytest.raises(KeyAbsent):
        read(installation, ring_of(installation), before)
    refused = _drill(installation, before, identity)
    assert refused.returncode == 1
    assert f"{old} : 6 sections, aucune copie de cette clé ne s’ouvre" in refused.stderr
    assert _drill(installation, after, identity).returncode == 0
    # Which is why copies carried elsewhere have to be destroyed too.
    assert _drill(installation, before, identity, "--copies", str(copies)).returncode == 0


def test_the_drill_opens_a_backup_says_how_many_and_writes_nothing(installation, tmp_path_factory) -> None:
    away = tmp_path_factory.mktemp("away")
    month = seal(installation, 30)
    identity = _escrowed(installation, away)
    backup = shutil.copyfile(installation.database, away / "backup.sqlite3")
    before = _hashes(installation.folder, away)
    done = _drill(installation, backup, identity)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        f"{month} : 60 sections, 40 ouvertes sur 40 essayées\n"
        "la sauvegarde s’ouvre, et les clés des liens, des codes et du journal sont là\n"
    )
    assert done.stdout == ""
    assert SECRET not in done.stderr
    assert _hashes(installation.folder, away) == before


def test_the_drill_names_the_keys_that_a_new_machine_would_miss(installation, tmp_path) -> None:
    identity = _escrowed(installation, tmp_path)
    for name in ("journal", "mac-links-1"):
        (installation.folder / "escrow" / f"{name}.age").unlink()
    done = _drill(installation, installation.database, identity)
    assert done.returncode == 1
    assert "sans copie qui s’ouvre : journal, mac-links (keys escrow use)" in done.stderr
    recipient = (installation.folder / "escrow" / "recipient.txt").read_text().strip()
    assert installation.run("keys", "escrow", "use", recipient).returncode == 0
    assert _drill(installation, installation.database, identity).returncode == 0


def test_the_drill_finds_an_altered_backup_and_a_wrong_key(installation, tmp_path_factory) -> None:
    away = tmp_path_factory.mktemp("away")
    month = seal(installation, 2)
    identity = _escrowed(installation, away)
    backup = shutil.copyfile(installation.database, away / "backup.sqlite3")
    with sqlite3.connect(backup) as database:
        database.execute("UPDATE sealed SET nonce = zeroblob(12) WHERE search_id = '00001'")
    altered = _drill(installation, backup, identity)
    assert altered.returncode == 1
    assert f"{month} : 4 sections, 2 ouvertes sur 4 essayées" in altered.stderr

    other = away / "other.txt"
    other.write_text(Installation(away / "x").run("keys", "escrow", "new", KEYS_DIR=str(away / "k")).stdout)
    assert _drill(installation, backup, other).returncode == 1
    nonsense = _drill(installation, VENISSIEUX / "territory.toml", identity)
    assert nonsense.returncode == 1
    assert nonsense.stderr.count("\n") == 1
    assert _drill(installation, backup, VENISSIEUX / "territory.toml").returncode == 1
    assert _drill(installation, away / "nowhere", identity).returncode == 1


def test_the_secret_of_the_offline_key_is_printed_once_and_kept_nowhere(installation) -> None:
    done = installation.run("keys", "escrow", "new")
    secret = done.stdout.strip()
    assert done.stdout == f"{secret}\n"
    assert secret.startswith("AGE-SECRET-KEY-1")
    assert secret not in done.stderr
    for path in installation.folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_keys_that_were_lost_come_back_from_their_copies_and_the_offline_key(installation, tmp_path) -> None:
    month = seal(installation, 2)
    identity = _escrowed(installation, tmp_path)
    macs = {path.name: path.read_bytes() for path in (installation.folder / "keys" / "mac").iterdir()}
    shutil.rmtree(installation.folder / "keys" / "months")
    shutil.rmtree(installation.folder / "keys" / "mac")
    with pytest.raises(KeyAbsent):
        read(installation, ring_of(installation))
    done = installation.run("keys", "escrow", "recover", str(identity))
    assert done.returncode == 0, done.stderr
    assert month in done.stderr
    assert "intake" in done.stderr
    assert read(installation, ring_of(installation)) == {month: 4}
    back = {path.name: path.read_bytes() for path in (installation.folder / "keys" / "mac").iterdir()}
    assert back == macs
    assert "aucune ne manquait" in installation.run("keys", "escrow", "recover", str(identity)).stderr
    assert installation.run("keys", "escrow", "recover", str(VENISSIEUX / "places.csv")).returncode == 1


def test_an_offline_key_made_elsewhere_is_taken_and_a_wrong_one_refused(installation, tmp_path) -> None:
    recipient = installation.folder / "escrow" / "recipient.txt"
    _escrowed(installation, tmp_path)
    given = recipient.read_text().strip()
    assert installation.run("keys", "escrow", "use", given).returncode == 0
    refused = installation.run("keys", "escrow", "use", "age1nothing")
    assert refused.returncode == 1
    assert "age1nothing" not in refused.stderr
    assert recipient.read_text().strip() == given


def test_what_is_published_for_the_intake_opens_no_record(installation, tmp_path) -> None:
    seal(installation, 1)
    done = installation.run("keys", "publish", str(tmp_path / "intake"))
    assert done.returncode == 0, done.stderr
    # The drafts of this month and of the next.
    assert done.stderr.count("months/intake-") == 4
    private = [path.name for path in (tmp_path / "intake").rglob("*.private.pem")]
    assert len(private) == 2
    assert all(name.startswith("intake-") for name in private)
    with pytest.raises(KeyAbsent):
        read(installation, KeyRing(tmp_path / "intake"))


def _escrowed(installation: Installation, away: Path) -> Path:
    """Set escrow up; the file of the offline key, which lies elsewhere."""
    done = installation.run("keys", "escrow", "new")
    assert done.returncode == 0, done.stderr
    path = away / "identity.txt"
    path.write_text(f"# the offline key\n{done.stdout}")
    return path


def _drill(installation: Installation, backup: Path, identity: Path, *more: str):
    return installation.run("drill", "--backup", str(backup), "--escrow", str(identity), *more)


def _hashes(*folders: Path) -> dict[Path, str]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
