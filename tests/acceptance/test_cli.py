"""The command line as an operator uses it: its output and its exit status.

Commands run in this process, in a thread with a loop of its own: starting Python for each would take
minutes in all. What concerns processes (``serve``, the installed script) starts one.
"""

import contextlib
import io
import logging
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from matcher.cli import main

VENISSIEUX = Path("config/territories/venissieux")
MONTH = re.compile(r"\d{4}-\d{2}(-\d+)?")


@dataclass(frozen=True)
class Installation:
    """A folder with a database and keys, and the environment that points to them."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "trait-union.sqlite3"

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRAIT_UNION_")}
        return clean | {
            "TRAIT_UNION_DATABASE_URL": f"sqlite:///{self.database}",
            "TRAIT_UNION_KEYS_DIR": str(self.folder / "keys"),
        }

    def run(self, *arguments: str, typed: str | None = None, **settings: str) -> "Done":
        """``typed``: what somebody at a terminal types when asked."""
        environment = self.environment | {f"TRAIT_UNION_{k}": v for k, v in settings.items()}
        return _run(arguments, environment, typed)


@dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


class Terminal(io.StringIO):
    """Standard input as somebody's keyboard."""

    def isatty(self) -> bool:
        return True


def _run(arguments: tuple[str, ...], environment: dict[str, str], typed: str | None) -> Done:
    out, err, status = io.StringIO(), io.StringIO(), []

    def command() -> None:
        try:
            main()
        except SystemExit as end:
            status.append(end.code or 0)

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["trait-union", *arguments])
        patch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(f"{typed}\n"))
        for name in [name for name in os.environ if name.startswith("TRAIT_UNION_")]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            thread = threading.Thread(target=command)
            thread.start()
            thread.join(60)
    # The command has set its own logging up, on a stream that is gone.
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    return Done(status[0], out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("cli"))
    done = installation.run("init", "--territory", str(VENISSIEUX))
    assert done.returncode == 0, done.stderr
    return installation


@pytest.fixture
def installation(made, tmp_path):
    """Vénissieux, freshly initialised."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    return Installation(tmp_path)


def _last_line_alone(done: Done) -> str:
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return done.stdout.strip()


def test_init_says_what_it_took_and_may_be_repeated(installation) -> None:
    again = installation.run("init", "--territory", str(VENISSIEUX))
    assert again.returncode == 0, again.stderr
    assert "doctors.csv : 90 lignes" in again.stderr
    assert again.stdout == ""
    with sqlite3.connect(installation.database) as database:
        assert database.execute("SELECT count(*) FROM doctors").fetchone() == (90,)


def test_a_territory_that_is_not_there_is_named_in_one_line(tmp_path) -> None:
    done = Installation(tmp_path).run("init", "--territory", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEASE", "soon"),
        ("DATABASE_URL", "mysql://x"),
        ("SMTP_URL", "smtp://elsewhere.example"),
        ("PUBLIC_URL", "ftp://x"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_line_naming_it(installation, name, value) -> None:
    done = installation.run("serve", "--port", "0", **{name: value})
    assert done.returncode == 2
    assert f"TRAIT_UNION_{name}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_is_away_stops_a_command_with_one_line(installation) -> None:
    url = "postgresql://u:s3cret-word@127.0.0.1:1/none"
    done = installation.run("journal", "verify", DATABASE_URL=url)
    assert done.returncode == 1
    assert "TRAIT_UNION_DATABASE_URL" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "s3cret-word" not in done.stderr + done.stdout


def test_a_password_in_a_bad_setting_is_not_repeated(installation) -> None:
    done = installation.run("journal", "verify", DATABASE_URL="mysql://u:s3cret-word@h/d")
    assert done.returncode == 2
    assert "s3cret-word" not in done.stderr + done.stdout


@pytest.mark.parametrize("arguments", [("journal", "verify"), ("purge",), ("keys", "rewrap")])
def test_without_a_schema_every_command_says_to_run_init(tmp_path, arguments) -> None:
    done = Installation(tmp_path).run(*arguments)
    assert done.returncode == 2
    assert "trait-union init" in done.stderr


def test_serve_does_not_start_without_a_schema(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matcher", "serve", "--port", "0"],
        env=Installation(tmp_path).environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 2
    assert "trait-union init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_is_refused_on_sqlite(installation) -> None:
    done = installation.run("worker")
    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr


def test_a_key_is_printed_alone_on_standard_output(installation) -> None:
    done = installation.run(
        "key", "add", "PASS du Silex", "--role", "requester", "--kind", "pass", "--territory", "venissieux"
    )
    key = _last_line_alone(done)
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,}", key)
    assert key not in done.stderr
    assert key.encode() not in installation.database.read_bytes()


def test_a_requesters_key_needs_to_know_what_the_structure_is(installation) -> None:
    done = installation.run("key", "add", "X", "--role", "requester", "--territory", "venissieux")
    assert done.returncode == 1
    assert "kind" in done.stderr
    assert done.stdout == ""


def test_a_user_gets_a_one_time_enrolment_link(installation) -> None:
    done = installation.run(
        "user", "add", "lea@cpts-venissieux.example", "--role", "coordinatrice", "--territory", "venissieux"
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/\S+#[A-Za-z0-9_-]+", _last_line_alone(done))


@pytest.mark.parametrize("role", ["operator", "doctor", "reine"])
def test_a_role_that_is_no_persons_is_a_wrong_use(installation, role) -> None:
    done = installation.run("user", "add", "a@b.example", "--role", role, "--territory", "venissieux")
    assert done.returncode == 2
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [("user", "add", "a@b.example"), ("key", "add", "clé")],
)
def test_an_unknown_territory_is_refused(installation, arguments) -> None:
    done = installation.run(*arguments, "--role", "secretaire", "--territory", "atlantide")
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_doctor_with_a_broken_mail_address_is_skipped_with_its_line_and_the_others_are_taken(
    installation, tmp_path
) -> None:
    lines = (VENISSIEUX / "doctors.csv").read_text("utf-8").splitlines()
    lines[2] = re.sub(r"[^;@]+@[^;]+", "pas une adresse", lines[2], count=1)
    file = tmp_path / "doctors.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    done = installation.run("doctors", "import", str(file), "--territory", "venissieux")
    assert done.returncode == 0, done.stderr
    assert "89 lignes" in done.stderr
    assert "ligne 3" in done.stderr
    assert "email" in done.stderr


def test_a_file_in_another_encoding_is_refused(installation, tmp_path) -> None:
    file = tmp_path / "doctors.csv"
    file.write_bytes((VENISSIEUX / "doctors.csv").read_text("utf-8").encode("latin-1", "replace"))
    done = installation.run("doctors", "import", str(file), "--territory", "venissieux")
    assert done.returncode == 1
    assert "UTF-8" in done.stderr


def test_keys_are_made_sealed_again_and_destroyed(installation) -> None:
    new = installation.run("keys", "new")
    assert new.returncode == 0, new.stderr
    months = sorted({p.name.split(".")[0] for p in (installation.folder / "keys" / "months").iterdir()})
    old, made = months[0], new.stderr.split()[1]
    assert MONTH.fullmatch(old)
    assert made in months[1:]
    assert installation.run("keys", "rewrap").returncode == 0
    destroyed = installation.run("keys", "destroy", old)
    assert destroyed.returncode == 0, destroyed.stderr
    assert not list((installation.folder / "keys" / "months").glob(f"{old}.private*"))
    again = installation.run("keys", "destroy", old)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1


def test_the_current_months_key_is_not_destroyed(installation) -> None:
    month = next(
        p.name.split(".")[0]
        for p in (installation.folder / "keys" / "months").iterdir()
        if MONTH.match(p.name)
    )
    assert installation.run("keys", "destroy", month).returncode == 1


def test_the_journal_holds_and_any_byte_changed_by_hand_is_found(installation) -> None:
    assert installation.run("journal", "verify").returncode == 0
    content = installation.database.read_bytes()
    # The word of an entry, as it lies in the file.
    at = content.index(b"operator")
    installation.database.write_bytes(content[:at] + b"Operator" + content[at + 8 :])
    done = installation.run("journal", "verify")
    assert done.returncode == 1
    assert "venissieux" in done.stderr


def test_purge_ends_well(installation) -> None:
    done = installation.run("purge")
    assert done.returncode == 0, done.stderr


def test_serve_answers_and_ends_well_when_told(installation) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        [sys.executable, "-m", "matcher", "serve", "--port", str(port)],
        env=installation.environment,
        stderr=subprocess.PIPE,
    )
    try:
        assert _answers(f"http://127.0.0.1:{port}/healthz")
        serving.send_signal(signal.SIGTERM)
        serving.communicate(timeout=15)
        assert serving.returncode == 0
    finally:
        serving.kill()
        serving.communicate()


@pytest.mark.parametrize("command", [(), ("doctors",), ("keys",), ("journal",), ("serve",), ("init",)])
def test_every_command_explains_itself(tmp_path, command) -> None:
    done = Installation(tmp_path).run(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_the_installed_script_and_the_module_are_the_same_program() -> None:
    for program in ([Path(sys.executable).with_name("trait-union")], [sys.executable, "-m", "matcher"]):
        done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0
        assert "journal" in done.stdout


def _answers(url: str, patience: float = 60) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False
