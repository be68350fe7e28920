"""Whoever has enough of a long run asks it to end, and finds the machine as it was."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that it takes at most on a busy machine; a run that does not hear goes on for many minutes.
WITHIN = 60.0


def begun_in(folder: Path) -> list[int]:
    """The processes whose temporary files go there: a run, and all that it started."""
    mark = f"TMPDIR={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            # It has ended meanwhile, or is none of ours.
            continue
    return found


def wait_for(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.timeout(4 * WITHIN)
def test_a_run_that_is_asked_to_end_takes_down_what_it_put_up(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults", "--searches=3", "--faults=300", "--sqlite"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        try:
            wait_for(lambda: any('"serving"' in log.read_text() for log in tmp_path.glob("*/serve1.log")))
            # Itself, the server of forks, what tracks its resources, and a serve.
            assert len(begun_in(tmp_path)) == 4
            run.send_signal(signal.SIGTERM)
            said = run.communicate(timeout=WITHIN)[1]
            wait_for(lambda: not begun_in(tmp_path))
        finally:
            for left in begun_in(tmp_path):
                os.kill(left, signal.SIGKILL)
    assert (run.returncode, said.splitlines()[-1:]) == (143, ["asked to end: nothing was checked"])
    assert list(tmp_path.iterdir()) == []
