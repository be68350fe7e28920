"""What a process asks of the system: nothing of a patient lies on the disk for others."""

import json
import subprocess
import sys

SAID = """
import json, os, pathlib, resource, sys
from matcher import process
process.prepare()
made = pathlib.Path(sys.argv[1]) / "made"
made.write_text("")
least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
print(json.dumps([made.stat().st_mode & 0o777, resource.getrlimit(resource.RLIMIT_CORE), least == most]))
"""


def test_files_are_their_owners_alone_and_no_memory_is_left_on_the_disk(tmp_path) -> None:
    ran = subprocess.run([sys.executable, "-c", SAID, tmp_path], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [0o600, [0, 0], True]
