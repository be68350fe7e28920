"""Where a caller is, and with what: the address behind trusted proxies, the browser in two words."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

from config.access import Network
from matcher.web.keys import house_of

#: What a browser's header says → its name; the first that fits.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def address_of(request: web.Request) -> str:
    """The caller's address as limits count it; of IPv6 the network that a household or a ward has.

    ``X-Forwarded-For`` is read from its end, as far as the proxies that wrote it are ours.
    """
    trusted = house_of(request).settings.trusted_proxies
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    here = request.remote or ""
    while hops and _within(here, trusted):
        here = hops.pop()
    try:
        address = ip_address(here)
    except ValueError:
        # Not an address: a socket file, or a proxy's word of its own.
        return here[:64]
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(address)


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in networks)


def agent_of(request: web.Request) -> str:
    """« Firefox, Windows »; empty where the browser does not say."""
    said = request.headers.get("User-Agent", "")
    found = (next((name for mark, name in known if mark in said), "") for known in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)
