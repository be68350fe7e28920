"""A copy and what begins again from it, as an operator does both."""

import sqlite3

from tests.acceptance.test_cli import Installation, installation, made

__all__ = ["installation", "made"]


def test_a_copy_restores_into_an_empty_database_and_says_that_all_is_stopped(installation, tmp_path) -> None:
    copy = tmp_path / "copies" / "lundi"
    copy.parent.mkdir()
    done = installation.run("backup", str(copy))
    assert done.returncode == 0, done.stderr
    assert "clés se sauvegardent à part" in done.stderr
    again = f"sqlite:///{tmp_path}/again.sqlite3"
    restored = installation.run("restore", str(copy), DATABASE_URL=again)
    assert restored.returncode == 0, restored.stderr
    assert "territoires repris : venissieux" in restored.stderr
    assert "rejoués : 0" in restored.stderr
    assert "tout est arrêté" in restored.stderr
    with sqlite3.connect(tmp_path / "again.sqlite3") as database:
        stopped, doctors = database.execute(
            "SELECT (SELECT stopped_at FROM territories), (SELECT count(*) FROM doctors)"
        ).fetchone()
    database.close()
    assert stopped is not None
    assert doctors == 90
    assert installation.run("journal", "verify", DATABASE_URL=again).returncode == 0


def test_what_cannot_be_copied_or_restored_is_one_line_and_changes_nothing(installation, tmp_path) -> None:
    copy = tmp_path / "lundi"
    assert installation.run("backup", str(copy)).returncode == 0
    before = installation.database.read_bytes()
    stranger = tmp_path / "stranger"
    stranger.write_bytes(b"not a copy" * 1000)
    empty = f"sqlite:///{tmp_path}/again.sqlite3"
    keys = str(tmp_path / "no-keys")
    for done, said in (
        (installation.run("backup", str(copy)), "existe déjà"),
        (installation.run("backup", str(tmp_path / "nowhere" / "x")), "No such file"),
        (installation.run("restore", str(copy)), "la base n’est pas vide"),
        (installation.run("restore", str(stranger), DATABASE_URL=empty), "pas une sauvegarde entière"),
        (installation.run("restore", str(tmp_path / "gone"), DATABASE_URL=empty), "n’existe pas"),
        (installation.run("restore", str(copy), DATABASE_URL=empty, KEYS_DIR=keys), "aucune clé"),
    ):
        assert done.returncode == 1, done.stderr
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert installation.database.read_bytes() == before
    assert not (tmp_path / "again.sqlite3").exists()


def test_a_register_that_cannot_be_read_stops_the_restore_aloud(installation: Installation, tmp_path) -> None:
    copy = tmp_path / "lundi"
    assert installation.run("backup", str(copy)).returncode == 0
    (installation.folder / "keys" / "consents-taken-back.jsonl").write_text("?\n", "utf-8")
    done = installation.run("restore", str(copy), DATABASE_URL=f"sqlite:///{tmp_path}/again.sqlite3")
    assert done.returncode == 1
    assert "consents-taken-back.jsonl, line 1" in done.stderr
