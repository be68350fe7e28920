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


async def test_links_sent_to_an_address_that_an_import_replaces_open_nothing(
    environ: dict[str, str], tmp_path: Path
) -> None:
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
        file = tmp_path / "doctors.csv"
        file.write_text(text.replace(moved.email, "ailleurs@cabinet.example"), "utf-8")
        await installation.import_doctors(house, HERE, file)
        async with house.sessions.begin() as session:
            after = {id: await links.of_doctor(session, HERE, id, "pause", now=house.now()) for id in before}
    assert after[moved.id].nonce != before[moved.id].nonce
    assert after[stays.id].nonce == before[stays.id].nonce


async def test_the_annuaire_brings_new_doctors_and_keeps_what_the_office_knows(
    environ: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings(environ)
    async with app.open_house(settings) as house:
        await installation.init(house, VENISSIEUX)
    register, boxes = tmp_path / "PS_LibreAcces.txt", tmp_path / "mssante.txt"
    async with app.open_house(settings) as house:
        async with house.sessions.begin() as session:
            known = next(
                d for d in await doctors.list_(session, HERE) if d.email and not d.mssante and d.languages
            )
        new = "99969299990"
        names = (
            "Identifiant PP|Nom d'exercice|Prénom d'exercice|Code profession|Code savoir-faire|"
            "Code mode exercice|Code secteur d'activité|Code commune (coord. structure)|"
            "Adresse e-mail (coord. structure)|"
        )
        rows = [
            f"{rpps}|{name}|Anne|10|SM26|L|SA07|69259|{name}@annuaire.example|"
            for rpps, name in ((known.rpps, "Connue"), (new, "Nouvelle"))
        ]
        register.write_text("\n".join((names, *rows)), "utf-8")
        box = "\n".join(
            f"PER|{name}@mssante.example|{rpps}|" for rpps, name in ((known.rpps, "c"), (new, "n"))
        )
        boxes.write_text(f"Type de BAL|Adresse BAL|Identifiant PP|\n{box}", "utf-8")
        for _ in range(2):
            report = await installation.import_doctors(house, HERE, register, boxes)
            assert report.taken == {register.name: 2, "MSSanté": 2}
        async with house.sessions.begin() as session:
            after = {d.rpps: d for d in await doctors.list_(session, HERE)}
    assert (after[new].email, after[new].mssante, after[new].member) == (
        "Nouvelle@annuaire.example",
        "n@mssante.example",
        False,
    )
    kept = after[known.rpps]
    assert (kept.last_name, kept.email, kept.mssante) == ("Connue", known.email, "c@mssante.example")
    assert (kept.languages, kept.member, kept.sector) == (known.languages, known.member, known.sector)
