"""``addresses import``, ``population import``, ``announcements audit``, as a person runs them."""

import csv
import sqlite3

import pytest

from tests.acceptance.test_cli import VENISSIEUX, Installation
from tests.unit import made_addresses
from tests.unit.test_population_insee import header, row


@pytest.fixture
def installation(tmp_path):
    """Vénissieux, freshly initialised."""
    fresh = Installation(tmp_path)
    done = fresh.run("init", "--territory", str(VENISSIEUX))
    assert done.returncode == 0, done.stderr
    return fresh


def test_imported_streets_place_the_doctors_who_come_without_coordinates(installation) -> None:
    ban = made_addresses.write(installation.folder / "ban.csv", more_towns=0)
    done = installation.run("addresses", "import", str(ban), "--territory", "venissieux")
    assert done.returncode == 0, done.stderr
    assert "rues reprises" in done.stderr
    doctors = installation.folder / "doctors.csv"
    doctors.write_text(
        "rpps;last_name;first_name;address;postcode;city;zone\n"
        "99969200981;Jaspe;Iris;2 r. Gambeta;69200;Vénissieux;territoire\n"
        "99969200999;Onyx;Paul;2 rue de Nulle-Part;69200;Vénissieux;territoire\n",
        "utf-8",
    )
    done = installation.run("doctors", "import", str(doctors), "--territory", "venissieux")
    assert done.returncode == 0, done.stderr
    assert "ligne 3, address : Dr Paul Onyx est à placer" in done.stderr
    with sqlite3.connect(installation.database) as connection:
        rows = connection.execute(
            "SELECT last_name, lat IS NOT NULL FROM doctors WHERE rpps LIKE '999692009%' ORDER BY rpps"
        ).fetchall()
    connection.close()
    assert rows[-2:] == [("Jaspe", 1), ("Onyx", 0)]


def test_a_file_of_another_kind_changes_nothing(installation) -> None:
    done = installation.run(
        "addresses", "import", str(VENISSIEUX / "doctors.csv"), "--territory", "venissieux"
    )
    assert done.returncode == 1
    assert "Base Adresse Nationale" in done.stderr
    assert not (installation.folder / "addresses" / "venissieux.sqlite3").exists()


def test_insee_residents_replace_those_that_were_there_and_the_audit_counts_with_them(installation) -> None:
    table, iris = installation.folder / "insee.csv", installation.folder / "iris.csv"
    table.write_text("\n".join([header(22), row("692590101", "900.5"), row("692590102", "20.2")]), "utf-8")
    iris.write_text("iris;quartier\n692590101;Centre\n692590102;Pyramide\n", "utf-8")
    done = installation.run(
        "population", "import", str(table), "--territory", "venissieux", "--iris", str(iris)
    )
    assert done.returncode == 0, done.stderr
    assert "Parilly : personne n’y est compté" in done.stderr
    assert "9 207 habitants" in done.stderr
    out = installation.folder / "audit.csv"
    done = installation.run("announcements", "audit", "--territory", "venissieux", "--csv", str(out))
    assert done.returncode == 0, done.stdout
    assert "le mieux renseigné : 0" in done.stdout
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert min(int(each["remaining"]) for each in rows) >= 100
    assert {each["place"] for each in rows if each["kind"] == "quartier"} == {"Centre"}


def test_a_folder_is_audited_before_anything_is_installed(tmp_path) -> None:
    done = Installation(tmp_path).run("announcements", "audit", "--territory", str(VENISSIEUX))
    assert done.returncode == 0, done.stderr
    assert "le mieux renseigné : 0" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("addresses", "import"), ("population", "import")])
def test_an_unknown_territory_is_refused(installation, command) -> None:
    file = str(VENISSIEUX / "population.csv")
    done = installation.run(*command, file, "--territory", "ailleurs")
    assert done.returncode == 1
    assert "ce territoire n’existe pas" in done.stderr
