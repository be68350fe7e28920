"""Two processes with two key folders: one takes requests in and opens no record, the other does the rest."""

import json
import os
import pwd
import subprocess
import tempfile
import urllib.error
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.settings import BadSetting
from matcher import app, cli
from matcher.service import people
from matcher.service.actors import Role
from matcher.service.house import Part
from matcher.storage import sealed
from matcher.web import routes
from matcher.web.route import ANYONE
from messaging.keyring import KeyAbsent, KeyRing
from messaging.vault import Vault
from tests.acceptance.api_world import HERE, request
from tests.acceptance.processes import Site, fetched, installed, site

CONSENT = request()["consent"] | {"at": "2024-01-08T08:00:00Z"}


async def keys_of(place: Site) -> dict[str, str]:
    """Keys of the API by role, of an installation made there."""
    office = await installed(place)
    async with app.open_house(place.settings, now=place.clock) as house:
        structure = await people.add_key(house, HERE, "PASS", Role.REQUESTER, kind="pass")
    return {"coordinatrice": office, "requester": structure}


async def told(address: str, path: str, key: str, body: object = None) -> Any:
    return json.loads(await fetched(f"{address}/api/v1{path}", key, body))


async def refused(address: str, path: str, key: str = "", body: object = None) -> int:
    """The status of a call that is refused."""
    with pytest.raises(urllib.error.HTTPError) as error:
        await fetched(address + path, key, body)
    error.value.close()
    return error.value.code


@pytest.mark.postgres
async def test_requests_are_taken_in_by_a_process_that_can_open_no_record(
    postgresql_url: str, tmp_path: Path
) -> None:
    place = site(tmp_path, postgresql_url)
    full, public = place.settings.keys_dir, tmp_path / "intake" / "keys"
    keys = await keys_of(place)
    office, structure = keys["coordinatrice"], keys["requester"]
    KeyRing(full).publish(public, place.clock())
    assert not list(public.rglob("20*.private.pem"))
    async with (
        place.serving("intake", Part.INTAKE, TRAIT_UNION_KEYS_DIR=str(public)) as (_, intake),
        place.serving("release", Part.RELEASE) as (_, release),
    ):
        made = await told(intake, "/searches", structure, request(consent=CONSENT))
        assert made["state"] == "submitted"
        draft = await told(intake, "/searches", structure, request(consent=CONSENT, draft=True))
        # What its requester is still writing is read again; what was handed in is not.
        seen = await told(intake, f"/searches/{draft['id']}", structure)
        assert seen["input"]["record"]["birth_name"] == "Aubépine"
        assert "input" not in await told(intake, f"/searches/{made['id']}", structure)
        handed = await told(intake, f"/searches/{draft['id']}/submit", structure, {})
        assert handed["state"] == "submitted"

        await _nothing_opens(place, public, expect=2)
        for path in ("/api/v1/searches", "/api/v1/report?from=2026-01-01&to=2026-01-31"):
            assert await refused(intake, path, office) in (403, 404)
        for path in (f"/api/v1/searches/{made['id']}/record?purpose=contact", "/r", "/dossier", "/bureau"):
            assert await refused(intake, path, office) == 404
        assert await refused(intake, "/api/v1/links/open", body={"token": "1-x-y"}) == 404
        # The other process serves everybody else.
        assert await refused(release, "/api/v1/searches", structure) == 403
        assert await refused(release, "/api/v1/searches", structure, request(consent=CONSENT)) == 403
        await fetched(f"{release}/dossier", "")

        # A request that is returned can be read and completed where it was sent from.
        lacking = {"missing": ["record.phone"]}
        await told(release, f"/searches/{draft['id']}/return", office, lacking)
        seen = await told(intake, f"/searches/{draft['id']}", structure)
        assert (seen["state"], seen["missing"]) == ("returned", ["record.phone"])
        assert seen["input"]["record"]["birth_name"] == "Aubépine"
        await told(intake, f"/searches/{draft['id']}/submit", structure, {})

        told_again = CONSENT | {"outcome_shared": False}
        await told(intake, f"/searches/{made['id']}/consent", structure, told_again)
        record = await told(release, f"/searches/{made['id']}/record?purpose=contact", office)
        assert record == request() | {"consent": told_again}
        announced = await told(release, f"/searches/{made['id']}/validate", office, {})
        assert announced["announcement"]["place"] == "Parilly"

        # Consent taken back destroys at once, without a key.
        await told(intake, f"/searches/{made['id']}/consent", structure, CONSENT | {"given": "no"})
        gone = f"/api/v1/searches/{made['id']}/record?purpose=contact"
        assert await refused(release, gone, office) == 404
        assert made["id"] in (public / "consents-taken-back.jsonl").read_text()

        # Without the private halves of the drafts a whole request is taken in still.
        for private in public.rglob("intake-*.private.pem"):
            private.unlink()
        last = await told(intake, "/searches", structure, request(consent=CONSENT))
        assert last["state"] == "submitted"
    for log in ("intake.log", "release.log"):
        assert "Aubépine" not in (tmp_path / log).read_text()


async def _nothing_opens(place: Site, keys: Path, *, expect: int) -> None:
    """With this folder, not one record or contact section of the database opens."""
    vault, tried = Vault(KeyRing(keys)), 0
    settings = replace(place.settings, keys_dir=keys)
    async with app.open_house(settings, part=Part.INTAKE) as house, house.sessions.begin() as session:
        for month in house.keyring.months():
            for one in await sealed.under_key(session, month):
                tried += one.section == "record"
                with pytest.raises(KeyAbsent):
                    vault.open(one.sealed, territory=one.territory, record=one.search, section=one.section)
    assert tried == expect


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's process is started by root alone")
def test_another_user_reads_the_published_folder_and_no_key_beside_it() -> None:
    stranger = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        ring = KeyRing(place / "keys")
        public = place / "intake"
        public.mkdir()
        os.chown(public, stranger.pw_uid, stranger.pw_gid)
        ring.publish(public, datetime(2026, 11, 23, tzinfo=UTC))

        def readable(path: Path) -> bool:
            read = ["cat", str(path)]
            done = subprocess.run(
                read, user="nobody", group=stranger.pw_gid, capture_output=True, check=False
            )
            return done.returncode == 0

        assert all(readable(path) for path in public.rglob("*") if path.is_file())
        assert not any(readable(path) for path in ring.folder.rglob("*") if path.is_file())
        # Whatever the folder's own mode becomes: each file is its owner's alone.
        ring.folder.chmod(0o755)
        (ring.folder / "months").chmod(0o755)
        assert not any(readable(path) for path in (ring.folder / "months").iterdir())


@pytest.mark.parametrize("part", [Part.INTAKE, Part.RELEASE])
def test_on_sqlite_one_process_does_it_all(sqlite_url: str, tmp_path: Path, part: Part) -> None:
    environment = site(tmp_path, sqlite_url).environment
    done = CliRunner().invoke(cli.app, ["serve", "--port", "0", "--role", part], env=environment)
    assert isinstance(done.exception, BadSetting)
    assert "PostgreSQL" in str(done.exception)


async def test_every_route_is_served_by_a_part_for_whom_it_is(sqlite_url: str, tmp_path: Path) -> None:
    settings = site(tmp_path, sqlite_url).settings
    served = {}
    for part in Part:
        async with app.open_house(settings, part=part) as house:
            served[part] = {(route.method, route.path): route.allowed for route in routes.every(house)}
    for route, everybody in served[Part.ALL].items():
        parts = [served[part].get(route) for part in (Part.INTAKE, Part.RELEASE)]
        if everybody is ANYONE:
            assert set(parts) <= {ANYONE, None}
            assert served[Part.RELEASE][route] is ANYONE
        else:
            assert frozenset().union(*(part for part in parts if part)) == everybody
    assert {Role.REQUESTER} == set().union(*(a for a in served[Part.INTAKE].values() if a is not ANYONE))
