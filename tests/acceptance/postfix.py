"""A private Postfix, set up as ``docs/postfix`` says: its own queue and ports, on this host only."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "postfix"
#: Postfix's own services, as Debian has them, none of them in a chroot.
_SERVICES = """
pickup    unix  n - n 60  1 pickup
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
verify    unix  - - n -   1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -   - proxymap
proxywrite unix - - n -   1 proxymap
smtp      unix  - - n -   - smtp
relay     unix  - - n -   - smtp
showq     unix  n - n -   - showq
error     unix  - - n -   - error
retry     unix  - - n -   - error
discard   unix  - - n -   - discard
lmtp      unix  - - n -   - lmtp
anvil     unix  - - n -   1 anvil
scache    unix  - - n -   1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class NoPostfix(Exception):
    """There is no Postfix to test with."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postfix(*, next_hop: int, inbox: int) -> Iterator[int]:
    """Running; the value is its SMTP port. What is not for the return domain goes to ``next_hop``, what is
    goes over LMTP to ``inbox``; both are ports of this host.
    """
    if os.geteuid() != 0 or shutil.which("postfix", path="/usr/sbin:/usr/bin") is None:
        raise NoPostfix("this test starts a Postfix of its own: be root, and apt-get install postfix")
    # Not under pytest's folder: daemons that run as postfix have to get there.
    folder = Path(tempfile.mkdtemp(prefix="tu-mx-"))
    port = free_port()
    # A command that was tried in this process before leaves a narrow one, and Postfix has users of its own.
    mask = os.umask(0o022)
    try:
        folder.chmod(0o755)
        _configure(folder, port, next_hop, inbox)
        _run(folder, "start")
        try:
            yield port
        finally:
            _run(folder, "stop")
    finally:
        os.umask(mask)
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, port: int, next_hop: int, inbox: int) -> None:
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    for path in EXAMPLE.iterdir():
        text = path.read_text("utf-8").replace("/etc/postfix/", f"{folder}/etc/")
        (folder / "etc" / path.name).write_text(text.replace("]:8024", f"]:{inbox}"), "utf-8")
    with (folder / "etc" / "main.cf").open("a") as settings:
        settings.write(
            f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.cpts-venissieux.example
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
relayhost = [127.0.0.1]:{next_hop}
address_verify_poll_delay = 1s
"""
        )
    smtpd = f"127.0.0.1:{port} inet n - n - - smtpd\n"
    (folder / "etc" / "master.cf").write_text(smtpd + _SERVICES.lstrip(), "utf-8")


def _run(folder: Path, what: str) -> None:
    done = subprocess.run(
        ["/usr/sbin/postfix", "-c", str(folder / "etc"), what],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoPostfix(f"postfix {what} failed: {done.stdout.strip()}")
