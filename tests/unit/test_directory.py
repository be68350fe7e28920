"""A territory's CSVs: a line is taken as a whole or not at all, and every line that is not is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import directory
from matcher.directory import DOCTOR_COLUMNS, DoctorRow, NotUtf8, Problem
from matcher.protocol.doctors import Zone

GOOD = {
    "rpps": "99969200015",
    "last_name": "Bruyère",
    "first_name": "Azalée",
    "sex": "F",
    "phone": "04 65 71 01 53",
    "email": "dr.bruyere@cabinet.example",
    "address": "2 rue du Silex",
    "postcode": "69200",
    "city": "Vénissieux",
    "insee": "69259",
    "lat": "45.69674",
    "lon": "4.87108",
    "languages": "fr,ar",
    "step_free": "oui",
    "home_visits": "non",
    "sector": "1",
    "member": "oui",
    "zone": "territoire",
    "asked_per_week": "3",
}
OTHER = {"rpps": "99969200023", "last_name": "Tilleul", "email": "dr.tilleul@cabinet.example"}


def csv(*rows: dict[str, str]) -> str:
    lines = [";".join(DOCTOR_COLUMNS)]
    lines += [";".join(row.get(column, "") for column in DOCTOR_COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def read(**changed: str) -> tuple[list[DoctorRow], list[Problem]]:
    return directory.read_doctors(csv(GOOD | changed))


def test_a_good_line_becomes_typed_values() -> None:
    rows, problems = read()
    assert problems == []
    assert rows == [
        DoctorRow(
            line=2,
            rpps="99969200015",
            last_name="Bruyère",
            first_name="Azalée",
            sex="F",
            phone="04 65 71 01 53",
            email="dr.bruyere@cabinet.example",
            mssante=None,
            delegate_email=None,
            address="2 rue du Silex",
            postcode="69200",
            city="Vénissieux",
            insee="69259",
            lat=45.69674,
            lon=4.87108,
            languages=("fr", "ar"),
            step_free=True,
            home_visits=False,
            sector=1,
            teleconsultation=None,
            member=True,
            zone=Zone.TERRITORY,
            asked_per_week=3,
            accepted_per_month=None,
        )
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_end_are_read(line_end: str) -> None:
    data = ("\ufeff" + csv(GOOD, GOOD | OTHER).replace("\n", line_end)).encode()
    for text in (directory.decode(data), data.decode()):
        rows, problems = directory.read_doctors(text)
        assert [row.line for row in rows] == [2, 3]
        assert problems == []


def test_another_encoding_is_refused_with_its_line() -> None:
    with pytest.raises(NotUtf8, match=r"ligne 2"):
        directory.decode(csv(GOOD).encode("latin-1"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rpps", ""),
        ("last_name", ""),
        ("first_name", ""),
        ("sex", "femme"),
        ("email", "not an address"),
        ("email", "dr@cabinet"),
        ("email", "dr..@cabinet..example"),
        ("email", "dr@cabinet.example, autre@cabinet.example"),
        ("mssante", "@mssante.example"),
        ("delegate_email", "dr.bruyere@CABINET.example"),
        ("postcode", "692"),
        ("insee", "Vénissieux"),
        ("lat", "91"),
        ("lat", ""),
        ("lon", "1e3"),
        ("languages", "français"),
        ("step_free", "yes"),
        ("home_visits", "1"),
        ("teleconsultation", "peut-être"),
        ("member", "x"),
        ("sector", "4"),
        ("sector", "1.5"),
        ("zone", ""),
        ("zone", "ailleurs"),
        ("asked_per_week", "-1"),
        ("last_name", "Bruyère\u202e"),
        ("last_name", "B" * 201),
    ],
)
def test_a_line_with_a_fault_is_left_out_and_said_and_the_others_are_taken(field: str, value: str) -> None:
    rows, problems = directory.read_doctors(csv(GOOD | {field: value}, GOOD | OTHER))
    assert [row.rpps for row in rows] == [OTHER["rpps"]]
    assert {(p.line, p.field, p.skipped) for p in problems} == {(2, field, True)}
    assert all(str(p).startswith(f"ligne 2, {field}") and "non reprise" in str(p) for p in problems)


def test_a_telephone_that_nobody_could_dial_costs_the_number_not_the_line() -> None:
    rows, problems = read(phone="04 65")
    assert [row.phone for row in rows] == [None]
    assert [(p.field, p.skipped) for p in problems] == [("phone", False)]


@pytest.mark.parametrize(("rpps", "told"), [("99969200016", "clé"), ("123", "onze chiffres")])
def test_an_odd_rpps_number_is_said_and_taken(rpps: str, told: str) -> None:
    rows, problems = read(rpps=rpps)
    assert [row.rpps for row in rows] == [rpps]
    assert [p.skipped for p in problems] == [False]
    assert told in problems[0].message
    assert "non reprise" not in str(problems[0])


def test_the_national_identifier_is_read_as_the_rpps_number_in_it() -> None:
    assert [row.rpps for row in read(rpps="899969200015")[0]] == ["99969200015"]


@pytest.mark.parametrize("shared", ["rpps", "email"])
def test_of_two_lines_with_the_same_number_or_address_the_first_is_taken(shared: str) -> None:
    second = GOOD | OTHER | {shared: GOOD[shared].upper()}
    rows, problems = directory.read_doctors(csv(GOOD, second))
    assert [row.line for row in rows] == [2]
    assert [(p.line, p.field, p.message) for p in problems] == [(3, shared, "déjà à la ligne 2")]


def test_a_line_that_is_left_out_takes_neither_number_nor_address_from_the_next() -> None:
    rows, problems = directory.read_doctors(csv(GOOD | {"zone": "?"}, GOOD))
    assert [row.line for row in rows] == [3]
    assert [p.line for p in problems] == [2]


def test_a_stray_quote_or_one_value_too_many_spoils_its_own_line_only() -> None:
    broken = csv(GOOD, GOOD | OTHER).replace("99969200015;Bruyère", '99969200015;"Bruyère')
    rows, problems = directory.read_doctors(broken + ";".join("x" * 30) + "\n")
    assert [row.line for row in rows] == [3]
    assert [(p.line, p.skipped) for p in problems] == [(2, True), (4, True)]


def test_empty_lines_are_passed_over_and_lines_keep_their_number() -> None:
    rows, problems = directory.read_doctors("\n" + csv(GOOD).replace("\n9", "\n;;;;\n\n9"))
    assert [row.line for row in rows] == [5]
    assert problems == []


def test_without_a_needed_column_nothing_is_taken() -> None:
    rows, problems = directory.read_doctors("last_name,first_name\nBruyère,Azalée\n")
    assert rows == []
    assert "rpps" in problems[0].field
    assert "séparées par" in problems[0].message
    assert directory.read_doctors("")[1][0].message == "le fichier est vide"
    assert directory.read_doctors(csv(GOOD).replace("mssante", "email"))[0] == []


def test_a_missing_or_unknown_column_is_said_and_the_rest_taken() -> None:
    rows, problems = directory.read_doctors("rpps;last_name;first_name;zone;fax\n9;A;B;voisine;1\n")
    assert [row.zone for row in rows] == [Zone.NEIGHBOUR]
    assert rows[0].member is False
    header = [(p.field, p.skipped) for p in problems if p.line == 1]
    assert ("fax", False) in header
    assert any("phone" in field for field, _ in header)


def test_overlapping_age_bands_are_refused_since_people_would_count_twice() -> None:
    head = "quartier;insee;age_from;age_to;residents\n"
    rows, problems = directory.read_population(
        head + "Parilly;69259;0;17;90,5\nParilly;69259;10;20;5\nParilly;69259;18;;7\nCentre;69259;0;17;1\n"
    )
    assert [(row.age_from, row.age_to, row.residents) for row in rows] == [
        (0, 17, 90.5),
        (18, None, 7),
        (0, 17, 1),
    ]
    assert [(p.line, p.message) for p in problems] == [(3, "des âges sont déjà comptés à la ligne 2")]
    _, problems = directory.read_population(head + "Parilly;69259;20;10;5\nParilly;69259;;10;\n")
    assert [(p.line, p.field) for p in problems] == [(2, "age_to"), (3, "residents"), (3, "age_from")]


def test_places_are_unique_whole_and_of_a_known_kind() -> None:
    head = "name;kind;quartier;insee;lat;lon;residents\n"
    rows, problems = directory.read_places(
        head
        + "Parilly;quartier;;69259;45.7;4.8;\n"
        + "parilly;quartier;;69259;45.7;4.8;\n"
        + "la gare;landmark;Parilly;69259;45.7;4.8;\n"
        + "la place;landmark;Parilly;69259;45.7;4.8;\n"
        + "rue du Silex;street;;69259;45.7;4.8;12\n"
        + "Hôtel;hôtel;Parilly;69259;45.7;4.8;\n"
        + "Centre;quartier;;69259;;;\n"
    )
    assert [(row.name, row.quartier) for row in rows] == [
        ("Parilly", "Parilly"),
        ("la gare", "Parilly"),
        ("la place", "Parilly"),
    ]
    told = [(p.line, p.field, p.skipped) for p in problems]
    assert told == [
        (3, "name", True),
        (5, "quartier", False),
        (6, "quartier", True),
        (7, "kind", True),
        (8, "lat", True),
        (8, "lon", True),
    ]


def test_households_structures_users_and_absences_are_unique() -> None:
    for read_them, content in (
        (directory.read_households, "insee;adults;children;households\n69259;1;0;5\n69259;1;0;6\n"),
        (directory.read_structures, "name;kind;email;phone\nA;pass;a@b.example;\nA;ccas;b@b.example;\n"),
        (directory.read_users, "email;role;name\na@b.example;secretaire;A\nA@b.example;directrice;B\n"),
        (directory.read_absences, "rpps;weeks\n1;2\n1;3\n"),
    ):
        rows, problems = read_them(content)
        assert len(rows) == 1
        assert [(p.line, p.message) for p in problems] == [(3, "déjà à la ligne 2")]


@given(st.text())
def test_no_text_whatever_breaks_a_reader(content: str) -> None:
    for text in (content, csv(GOOD) + content, ";".join(DOCTOR_COLUMNS) + "\n" + content):
        rows, problems = directory.read_doctors(text)
        assert all(p.line >= 1 and p.message for p in problems)
        assert len({row.rpps for row in rows}) == len(rows)


@given(st.dictionaries(st.sampled_from(DOCTOR_COLUMNS), st.text(max_size=20)))
def test_no_line_is_lost_in_silence(changed: dict[str, str]) -> None:
    bare = {field: "".join(c for c in value if c not in ';"\r\n') for field, value in changed.items()}
    rows, problems = directory.read_doctors(csv(GOOD | bare))
    assert len(rows) == 1 or any(p.skipped for p in problems)
