"""What a fresh clone relies on: lock files, make, the image, the compose file, the checks."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements/base.txt", "requirements/dev.txt")
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _project() -> dict:
    return tomllib.loads(_read("pyproject.toml"))["project"]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower() for line in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_gives_a_hash_for_every_file_and_names_no_host(lock) -> None:
    text = _read(lock)
    blocks = re.split(r"\n(?=[a-z0-9])", text.split("\n", 2)[2])
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", text)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    base, dev = ({name for name, _ in PINNED.findall(_read(lock))} for lock in LOCKS)
    assert _names(_project()["dependencies"]) <= base
    assert _names(_project()["optional-dependencies"]["dev"]) <= dev


@pytest.mark.parametrize("installer", [".ci/setup", "Dockerfile"])
def test_what_is_installed_is_the_lock_alone_whatever_was_released_since(installer) -> None:
    commands = re.findall(r"pip install .*--requirement \S+", _read(installer))
    assert commands
    assert all("--require-hashes" in command and "--no-deps" in command for command in commands)


def test_tests_run_on_the_versions_that_the_image_has() -> None:
    base, dev = (set(PINNED.findall(_read(lock))) for lock in LOCKS)
    assert base <= dev


def test_every_target_of_make_explains_itself() -> None:
    shown = _run("make", "--no-print-directory", "help")
    for target in ("setup", "demo", "test", "check", "bench", "serve", "help"):
        assert re.search(rf"make {target}\s+\w", shown.stdout), target


@pytest.mark.parametrize("script", [".ci/run", ".ci/setup", ".ci/system", ".ci/lock"])
def test_the_scripts_can_be_run_and_are_well_formed(script) -> None:
    assert os.access(ROOT / script, os.X_OK)
    shell = "bash" if "bash" in _read(script).splitlines()[0] else "sh"
    assert _run(shell, "-n", script).returncode == 0


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    text = _read("Dockerfile")
    last = text.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER trait-union$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert not re.search(r"(PASSWORD|SECRET|TOKEN)=", text)


def test_only_what_the_image_copies_enters_its_build() -> None:
    allowed = {line[1:] for line in _read(".dockerignore").splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY ([^-]\S*?)/? ", _read("Dockerfile"), re.MULTILINE))
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_the_trial_has_a_service_a_worker_postgresql_and_a_mail_catcher() -> None:
    services = yaml.safe_load(_read("docker-compose.yml"))["services"]
    assert {"serve", "worker", "postgres", "mail"} <= set(services)
    environment = services["serve"]["environment"]
    # Another host is never written to in clear.
    assert environment["TRAIT_UNION_SMTP_URL"].startswith("smtp+starttls://mail:")
    assert environment["TRAIT_UNION_DATABASE_URL"].startswith("postgresql://")
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="apt-get install docker-compose")
def test_docker_compose_takes_the_file() -> None:
    done = _run("docker-compose", "config", "--quiet")
    assert done.returncode == 0, done.stderr


def test_every_setting_that_the_image_and_the_trial_name_exists() -> None:
    known = {f"TRAIT_UNION_{key.upper()}" for key in tomllib.loads(_read("config/default.toml"))}
    used = set(re.findall(r"TRAIT_UNION_[A-Z_]+", _read("Dockerfile") + _read("docker-compose.yml")))
    assert used <= known


def test_the_readme_points_at_files_that_exist() -> None:
    text = _read("README.md")
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert linked
    assert all((ROOT / name).exists() for name in linked)


def test_the_readme_names_the_commands_and_settings_as_they_are() -> None:
    text = _read("README.md")
    known = {f"TRAIT_UNION_{key.upper()}" for key in tomllib.loads(_read("config/default.toml"))}
    assert set(re.findall(r"TRAIT_UNION_[A-Z_]+", text)) <= known
    targets = set(re.findall(r"^([a-z]+):", _read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", text)) <= targets


def test_the_bill_of_materials_names_every_locked_component(tmp_path: Path) -> None:
    made = tmp_path / "sbom.json"
    command = re.search(r"^sbom:.*?cyclonedx-py (.*?)\n\t@echo", _read("Makefile"), re.DOTALL | re.MULTILINE)
    assert command is not None
    words = command[1].replace("\\\n", " ").replace("$(SBOM)", str(made)).split()
    subprocess.run(
        [Path(sys.executable).with_name("cyclonedx-py"), *words], cwd=ROOT, check=True, timeout=120
    )
    text = made.read_text("utf-8")
    told = json.loads(text)
    locked = dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", _read("requirements/base.txt"), re.MULTILINE))
    assert {one["name"]: one["version"] for one in told["components"]} == locked
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "trait-union")
    assert all(one["hashes"] for one in told["components"] if "hashes" in one)


@pytest.mark.parametrize("page", ["docs/security.md", "docs/asvs.md"])
def test_every_test_that_a_page_on_security_names_exists(page: str) -> None:
    text = _read(page)
    files = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    written = "\n".join(files.values())
    named = set(re.findall(r"`(test_\w+)`", text))
    known = set(re.findall(r"def (test_\w+)\(", written))
    assert len(named) > 5
    assert not named - known
    assert set(re.findall(r"`(test_\w+\.py)", text)) <= files.keys()
    for path in re.findall(r"`((?:matcher|messaging|config|docs|templates|tests)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_every_threat_is_shown_by_tests_that_exist() -> None:
    table = _read("docs/security.md").split("## Threats and their tests")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)[2:]
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)\(", written))
    # Those listed before anything was built, and the one of pages and mails.
    assert len(rows) == len({threat for threat, _, _ in rows}) == 21
    for threat, _, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, threat
        assert set(named) <= known, threat
    assert len(table.split("\n| ")) - 3 == len(rows)


def test_the_page_on_security_names_settings_that_exist() -> None:
    text = _read("docs/security.md")
    known = {f"TRAIT_UNION_{key.upper()}" for key in tomllib.loads(_read("config/default.toml"))}
    assert set(re.findall(r"TRAIT_UNION_[A-Z_]+", text)) <= known
