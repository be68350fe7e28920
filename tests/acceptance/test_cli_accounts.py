"""``user``, ``key``, ``structure``, ``form``: who may come in, from the command line."""

import pytest

from tests.acceptance.test_cli import VENISSIEUX, Installation

HERE = ("--territory", "venissieux")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """Vénissieux, freshly initialised."""
    fresh = Installation(tmp_path_factory.mktemp("cli"))
    done = fresh.run("init", "--territory", str(VENISSIEUX))
    assert done.returncode == 0, done.stderr
    return fresh


def good(installation, *arguments):
    done = installation.run(*arguments, *HERE)
    assert done.returncode == 0, done.stderr
    return done


def lines(done):
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_key_is_narrowed_listed_replaced_and_closed(installation) -> None:
    scopes = ("--scopes", "read,create", "--days", "30")
    good(installation, "key", "add", "Logiciel", "--role", "requester", "--kind", "ccas", *scopes)
    (one,) = [line for line in lines(good(installation, "key", "list")) if line[1] == "Logiciel"]
    assert one[2:5] == ["requester", "create,read", "jamais"]
    fresh = good(installation, "key", "rotate", one[0])
    assert fresh.stdout.startswith("tu_")
    assert fresh.stdout.count("\n") == 1
    both = [line for line in lines(good(installation, "key", "list")) if line[1] == "Logiciel"]
    assert sorted(len(line) for line in both) == [6, 6]
    good(installation, "key", "revoke", one[0])
    (closed,) = [line for line in lines(good(installation, "key", "list")) if line[0] == one[0]]
    assert closed[6] == "fermée"
    again = installation.run("key", "rotate", one[0], *HERE)
    assert (again.returncode, again.stdout) == (1, "")
    odd = installation.run("key", "add", "X", "--role", "secretaire", "--scopes", "tout", *HERE)
    assert (odd.returncode, odd.stdout) == (1, "")


def test_a_person_is_listed_and_closed(installation) -> None:
    good(installation, "user", "add", "lea@cpts.example", "--role", "secretaire", "--name", "Léa")
    assert ["lea@cpts.example", "secretaire", "Léa", "pas encore inscrit"] in lines(
        good(installation, "user", "list")
    )
    good(installation, "user", "reset-factors", "LEA@cpts.example")
    good(installation, "user", "disable", "lea@cpts.example")
    assert ["lea@cpts.example", "secretaire", "Léa", "fermé"] in lines(good(installation, "user", "list"))
    nobody = installation.run("user", "disable", "personne@cpts.example", *HERE)
    assert nobody.returncode == 1
    assert "rien de ce nom" in nobody.stderr


def test_a_structure_shares_a_form_whose_code_is_printed_once(installation) -> None:
    good(installation, "structure", "add", "CCAS des Essais", "--kind", "ccas")
    made = good(installation, "form", "add", "CCAS des Essais")
    assert len(made.stdout.strip()) == 11
    assert "/formulaire/" in made.stderr
    ((link, structure, _),) = lines(good(installation, "form", "list"))
    assert structure == "CCAS des Essais"
    assert good(installation, "form", "rotate", link).stdout != made.stdout
    assert made.stdout.strip().replace("-", "").encode() not in installation.database.read_bytes()
    good(installation, "form", "revoke", link)
    assert lines(good(installation, "form", "list")) == []
    assert installation.run("form", "add", "Nulle part", *HERE).returncode == 1
    assert installation.run("form", "revoke", link, *HERE).returncode == 1
