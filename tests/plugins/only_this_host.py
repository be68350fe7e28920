"""Tests may open sockets to this host only. Loaded by ``tests/conftest.py``.

An audit hook sees every connection of the interpreter, whatever library makes it. It cannot be
removed, so it stays for the whole run; child processes (PostgreSQL, Chromium) are not concerned.
"""

import ipaddress
import sys


def _is_this_host(address: object) -> bool:
    """Whether ``address``, as given to ``connect`` or ``sendto``, can only be this machine."""
    if isinstance(address, (str, bytes)):
        return True  # a UNIX socket
    if not isinstance(address, tuple):
        return False
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto") and not _is_this_host(args[1]):
        raise PermissionError(f"a test may only reach this host, not {args[1]!r}")


sys.addaudithook(_guard)
