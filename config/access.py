"""Settings of how people come in: Pro Santé Connect, codes by SMS, which proxies say where a caller is."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class ProSanteConnect:
    """The identity provider of the French Agence du numérique en santé, as this service is known to it."""

    #: Where its discovery document lies, without ``/.well-known/…``; also what its tokens name as issuer.
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def parse(cls, issuer: str, client_id: str, client_secret: str) -> Self | None:
        """The three settings; None where all are empty. Raises ValueError, without repeating the secret."""
        if not (issuer or client_id or client_secret):
            return None
        if not (issuer and client_id and client_secret):
            raise ValueError("issuer, client id and client secret are given together or not at all")
        parts = urlsplit(issuer)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_this_host(parts.hostname or ""))
        if not safe or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an address that begins with https://")
        return cls(issuer=issuer.rstrip("/"), client_id=client_id, client_secret=client_secret)


@dataclass(frozen=True, kw_only=True)
class SmsGateway:
    """Where codes by SMS are handed over."""

    url: str = field(repr=False)
    #: Empty where the gateway asks for none.
    token: str = field(repr=False)

    @classmethod
    def parse(cls, url: str, token: str) -> Self | None:
        """The two settings; None without an address. Raises ValueError, which repeats neither."""
        if not url:
            return None
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_this_host(parts.hostname or ""))
        if not safe or not parts.hostname or parts.fragment:
            raise ValueError("an address that begins with https://")
        return cls(url=url, token=token)


def is_this_host(host: str) -> bool:
    """Whether a host's name can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def networks(text: str) -> tuple[Network, ...]:
    """``127.0.0.1/32, 10.0.0.0/8`` as networks; an address alone is a network of one. Raises ValueError."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
