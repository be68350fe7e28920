"""The extractions of the Annuaire Santé: who of all of France is a general practitioner to ask here."""

from collections.abc import Mapping

import pytest

from matcher.directory import is_annuaire, read_annuaire, read_doctors, read_mssante

SITE = " (coord. structure)"
#: A doctor of Vénissieux under the columns that are read; the real file has 56, of which these are some.
ANNE = {
    "Type d'identifiant PP": "8",
    "Identifiant PP": "99969200015",
    "Code civilité": "MME",
    "Nom d'exercice": "EXEMPLE",
    "Prénom d'exercice": "Anne",
    "Code profession": "10",
    "Code savoir-faire": "SM26",
    "Code mode exercice": "L",
    f"Numéro Voie{SITE}": "3",
    f"Libellé type de voie{SITE}": "Rue",
    f"Libellé Voie{SITE}": "des Lilas",
    f"Bureau cedex{SITE}": "69200 VENISSIEUX",
    f"Code postal{SITE}": "69200",
    f"Code commune{SITE}": "69259",
    f"Libellé commune{SITE}": "Vénissieux",
    f"Téléphone{SITE}": "0465719701",
    f"Adresse e-mail{SITE}": "cabinet@lilas.example",
    "Code secteur d'activité": "SA07",
}
HERE = {"69259": "Vénissieux"}


def extraction(*changes: Mapping[str, str]) -> list[str]:
    rows = [ANNE | change for change in changes]
    return ["|".join(row) + "|\n" for row in ({name: name for name in ANNE}, *(r.values() for r in rows))]


def test_a_general_practitioner_of_the_territory_is_taken_with_what_the_register_knows() -> None:
    found = read_annuaire(extraction({}), HERE)
    (row,) = found.rows
    assert (row.rpps, row.last_name, row.first_name, row.sex) == ("99969200015", "EXEMPLE", "Anne", "F")
    assert (row.address, row.postcode, row.city, row.insee) == (
        "3 Rue des Lilas",
        "69200",
        "Vénissieux",
        "69259",
    )
    assert (row.phone, row.email) == ("0465719701", "cabinet@lilas.example")
    assert (row.languages, row.home_visits, row.member) == ((), None, False)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Code savoir-faire": "SM04"}, "pas de médecine générale"),
        ({"Code mode exercice": "B"}, "ni libéral ni salarié"),
        ({"Code secteur d'activité": "SA64"}, "ne prend pas de patients"),
        ({"Identifiant PP": "99969200015"}, "déjà à la ligne 2"),
    ],
)
def test_another_doctor_of_the_territory_is_left_out_by_line_with_the_reason(
    change: dict[str, str], why: str
) -> None:
    found = read_annuaire(extraction({}, {"Identifiant PP": "99969200148"} | change), HERE)
    assert [row.rpps for row in found.rows] == ["99969200015"]
    (told,) = found.problems
    assert (told.line, told.skipped, why in told.message) == (3, True, True)


def test_other_communes_and_professions_are_counted_and_lyon_stands_for_its_arrondissements() -> None:
    lines = extraction(
        {f"Code commune{SITE}": "69388"}, {"Code profession": "70"}, {f"Code commune{SITE}": "38185"}
    )
    found = read_annuaire(lines, {"69123": "Lyon", "69259": "Vénissieux"})
    assert [row.insee for row in found.rows] == ["69388"]
    assert [problem.message.partition("autres ")[2] for problem in found.problems] == [
        "communes, non reprises : 1",
        "professions, non reprises : 1",
    ]


@pytest.mark.parametrize("name", ["Vénissieux", ""])
def test_a_row_without_the_commune_s_code_is_placed_by_its_name(name: str) -> None:
    bare = {"Identifiant PP": "99969200023", f"Code commune{SITE}": "", f"Libellé commune{SITE}": ""}
    found = read_annuaire(extraction(bare, {}), {"69259": name})
    assert {(row.rpps, row.insee) for row in found.rows} == {
        ("99969200023", "69259"),
        ("99969200015", "69259"),
    }


def test_an_address_that_cannot_be_written_to_costs_nobody_the_place_on_the_list() -> None:
    found = read_annuaire(extraction({f"Adresse e-mail{SITE}": "cabinet(at)lilas"}), HERE)
    assert [row.email for row in found.rows] == [None]


def test_a_file_with_too_few_columns_is_refused_and_ours_is_told_from_it() -> None:
    assert is_annuaire(extraction({})[0])
    assert not is_annuaire("rpps;last_name;first_name;zone")
    found = read_annuaire(["Identifiant PP|Code savoir-faire|\n", "1|SM26|\n"], HERE)
    assert not found.rows
    assert "Code profession" in found.problems[0].field
    assert read_doctors(extraction({})[0])[1]


def test_the_first_personal_mailbox_of_each_doctor_is_taken() -> None:
    lines = [
        "Type de BAL|Adresse BAL|Identifiant PP|",
        "ORG|secretariat@mssante.example|99969200015|",
        "PER|anne.exemple@mssante.example|899969200015|",
        "PER|autre@mssante.example|99969200015|",
        "PER|inconnue@mssante.example|99969200999|",
    ]
    assert read_mssante(lines, {"99969200015"}) == ({"99969200015": "anne.exemple@mssante.example"}, [])
