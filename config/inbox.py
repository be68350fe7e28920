"""Where the mail server hands over what comes back: an LMTP listener, on this host unless told otherwise."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from config.access import Network, is_this_host, networks


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """A TCP port, or a Unix socket where ``path`` is set. LMTP has no login: whoever connects may speak."""

    host: str = ""
    port: int = 0
    path: Path | None = None
    #: Who may connect besides this host.
    peers: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, url: str, peers: str = "") -> Self:
        """From ``lmtp://127.0.0.1:8024`` or ``lmtp:///run/trait-union/inbox.sock``; ``peers`` are networks.

        Raises ValueError, also for an address that others reach while no network is named.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("not an LMTP URL") from None
        if parts.scheme != "lmtp" or parts.query or parts.fragment or parts.username:
            raise ValueError("an inbox is lmtp://127.0.0.1:8024 or lmtp:///path/of/a/socket")
        try:
            listed = networks(peers)
        except ValueError:
            raise ValueError("peers are networks such as 10.1.0.0/16, separated by commas") from None
        if not parts.hostname:
            if parts.path in ("", "/"):
                raise ValueError("an inbox is lmtp://127.0.0.1:8024 or lmtp:///path/of/a/socket")
            return cls(path=Path(parts.path), peers=listed)
        if port is None or parts.path.strip("/"):
            raise ValueError("an inbox on a host needs a port and nothing after it")
        if not listed and not is_this_host(parts.hostname):
            raise ValueError(
                "name the mail server's network in TRAIT_UNION_INBOX_PEERS to listen beyond this host"
            )
        return cls(host=parts.hostname, port=port, peers=listed)

    def admits(self, peer: str) -> bool:
        """Whether this address may connect."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self.peers)
