"""Base Adresse Nationale files become a book: what is read, what is skipped and why, nothing half done."""

import gzip
from pathlib import Path

import pytest

from matcher.addresses import Book, NotBan, Skipped, write
from matcher.addresses.ban import read
from tests.unit import made_addresses as made


def test_a_gzip_file_is_read_like_a_plain_one(tmp_path: Path) -> None:
    plain = made.write(tmp_path / "a.csv", more_towns=1)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read(packed, Skipped())) == list(read(plain, Skipped()))


def test_progress_ends_at_the_files_size(tmp_path: Path) -> None:
    file, told = made.write(tmp_path / "a.csv"), []
    for _ in read(file, Skipped(), told.append):
        pass
    assert told == sorted(told)
    assert told[-1] == file.stat().st_size


def test_lines_that_cannot_be_used_are_counted_and_explained(tmp_path: Path) -> None:
    header, good, *_ = made.rows(more_towns=0)
    cells = good.split(";")

    def changed(column: str, value: str) -> str:
        at = header.split(";").index(column)
        return ";".join((*cells[:at], value, *cells[at + 1 :]))

    bad = [
        changed("lat", ""), changed("lon", "nan"), changed("lat", "95"), changed("nom_voie", ""),
        changed("code_insee", ""), changed("numero", "douze"), "une;ligne;courte",
    ]  # fmt: skip
    file = tmp_path / "a.csv"
    file.write_text("\n".join((header, *bad, good, "")), encoding="utf-8")
    skipped = Skipped()
    assert len(list(read(file, skipped))) == 1
    assert skipped.rows == len(bad)
    assert skipped.first[0] == "ligne 2 : sans coordonnées"


@pytest.mark.parametrize("content", [b"", b"nom;prenom\nA;B\n", b"numero;nom_voie\n", b"\xff\xfe;\n"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(NotBan):
        list(read(file, Skipped()))


def test_a_failed_import_leaves_the_book_that_was_there(tmp_path: Path) -> None:
    book = tmp_path / "t.sqlite3"
    file = made.write(tmp_path / "a.csv", more_towns=0)
    write(book, read(file, Skipped()))
    broken = tmp_path / "b.csv"
    broken.write_bytes(file.read_bytes()[:5000] + b"\xff\xff;")
    with pytest.raises(NotBan):
        write(book, read(broken, Skipped()))
    with Book.open(book) or pytest.fail("gone") as opened:
        assert opened.find("12 rue Gambetta", "69200") is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "t.sqlite3"]


def test_who_reads_during_an_import_reads_the_old_book(tmp_path: Path) -> None:
    book, file = tmp_path / "t.sqlite3", made.write(tmp_path / "a.csv", more_towns=0)
    write(book, read(file, Skipped()))
    with Book.open(book) or pytest.fail("gone") as opened:
        write(book, iter(()))
        assert opened.find("12 rue Gambetta", "69200") is not None
    with Book.open(book) or pytest.fail("gone") as opened:
        assert opened.find("12 rue Gambetta", "69200") is None


def test_streets_of_one_name_in_communes_that_merged_stay_apart(tmp_path: Path) -> None:
    header, good, *_ = made.rows(more_towns=0)
    at = header.split(";").index("nom_ancienne_commune")
    cells = good.split(";")
    lines = [";".join((*cells[:at], former, *cells[at + 1 :])) for former in ("Ici", "Là")]
    file = tmp_path / "a.csv"
    file.write_text("\n".join((header, *lines)), encoding="utf-8")
    assert write(tmp_path / "t.sqlite3", read(file, Skipped())) == 2


def test_without_a_file_there_is_no_book(tmp_path: Path) -> None:
    assert Book.open(tmp_path / "none.sqlite3") is None
