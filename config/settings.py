"""The service's settings: ``default.toml``, then ``TRAIT_UNION_*``. The only reader of the environment."""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from config.access import Network, ProSanteConnect, is_this_host, networks
from config.checks import BadSetting, elapsed, is_duration
from config.database import database_url
from config.territory import TerritorySettings, load_territories, load_territory

__all__ = [
    "BadSetting",
    "Relay",
    "Settings",
    "TerritorySettings",
    "elapsed",
    "is_duration",
    "load_settings",
    "load_territories",
    "load_territory",
]

_T = TypeVar("_T")

PREFIX = "TRAIT_UNION_"
DEFAULTS = Path(__file__).with_name("default.toml")

_PORTS = {"plain": 25, "starttls": 587, "tls": 465}
_SCHEMES: Mapping[str, Literal["plain", "starttls", "tls"]] = {
    "smtp": "plain",
    "smtp+starttls": "starttls",
    "smtps": "tls",
}
_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Relay:
    """The mail relay. ``tls``: ``plain`` (this host only), ``starttls`` (forced), ``tls`` from the start."""

    host: str
    port: int
    tls: Literal["plain", "starttls", "tls"]
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    #: Connections kept open.
    connections: int = 4
    #: A PEM file of authorities, instead of the system's.
    authorities: Path | None = None

    def __post_init__(self) -> None:
        """Refuse to send in clear over a network (ValueError), whoever builds the value."""
        if self.tls == "plain" and not is_this_host(self.host):
            raise ValueError("plain SMTP goes to this host only; use smtp+starttls:// or smtps://")

    @classmethod
    def parse(cls, url: str, *, connections: int = 4, authorities: Path | None = None) -> Self:
        """From a URL; user and password are percent-encoded. Raises ValueError, without repeating it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("not an SMTP URL") from None
        tls = _SCHEMES.get(parts.scheme)
        if tls is None:
            raise ValueError("an SMTP URL begins with smtp://, smtp+starttls:// or smtps://")
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("an SMTP URL is scheme://user:password@host:port")
        return cls(
            host=parts.hostname,
            port=_PORTS[tls] if port is None else port,
            tls=tls,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            connections=connections,
            authorities=authorities,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the whole installation shares. What a territory decides is in ``config.territories``."""

    database_url: str = field(repr=False)
    relay: Relay
    #: Without a slash at the end.
    public_url: str
    keys_dir: Path
    #: One file of streets per territory, public data: ``addresses import`` writes it.
    addresses_dir: Path
    #: Copies of the vault's private keys for one offline key, and who it is.
    escrow_dir: Path
    #: The folder that holds one folder per territory.
    territories: Path
    lease: timedelta
    log_level: str
    #: Empty when nobody may read the metrics.
    metrics_token: str = field(repr=False)
    #: None where nobody comes in by Pro Santé Connect.
    psc: ProSanteConnect | None = None
    #: Reverse proxies whose ``X-Forwarded-For`` is believed.
    trusted_proxies: tuple[Network, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the database is SQLite: one process, no worker."""
        return self.database_url.startswith("sqlite")


def load_settings(environ: Mapping[str, str] | None = None, *, defaults: Path = DEFAULTS) -> Settings:
    """The settings of this process. Raises BadSetting for the first one that cannot be used."""
    environ = os.environ if environ is None else environ
    values: dict[str, str] = {
        key: str(value) for key, value in tomllib.loads(defaults.read_text("utf-8")).items()
    }
    for variable, value in environ.items():
        if variable.startswith(PREFIX):
            _set(values, variable, value)

    connections = _checked("smtp_connections", _whole, values["smtp_connections"])
    authorities = _checked("smtp_ca", _file, values["smtp_ca"]) if values["smtp_ca"] else None
    _checked("database_url", database_url, values["database_url"])

    def relay(url: str) -> Relay:
        return Relay.parse(url, connections=connections, authorities=authorities)

    def psc(issuer: str) -> ProSanteConnect | None:
        return ProSanteConnect.parse(issuer, values["psc_client_id"], values["psc_client_secret"])

    keys_dir = _checked("keys_dir", _path, values["keys_dir"])
    given, escrow = values["addresses_dir"], values["escrow_dir"]
    return Settings(
        database_url=values["database_url"],
        relay=_checked("smtp_url", relay, values["smtp_url"]),
        public_url=_checked("public_url", _web_address, values["public_url"]),
        keys_dir=keys_dir,
        # Beside the keys is where this installation may write.
        addresses_dir=_checked("addresses_dir", _path, given) if given else keys_dir.parent / "addresses",
        escrow_dir=_checked("escrow_dir", _path, escrow) if escrow else keys_dir.parent / "escrow",
        territories=_checked("territories", _path, values["territories"]),
        lease=_checked("lease", _lease, values["lease"]),
        log_level=_checked("log_level", _level, values["log_level"]),
        metrics_token=values["metrics_token"],
        psc=_checked("psc_issuer", psc, values["psc_issuer"]),
        trusted_proxies=_checked("trusted_proxies", networks, values["trusted_proxies"]),
    )


def _set(values: dict[str, str], variable: str, value: str) -> None:
    name = variable.removeprefix(PREFIX).lower()
    if name in values:
        values[name] = value
        return
    # Kubernetes and others put variables of their own under this prefix, so a stranger is let be;
    # but a near miss is somebody's slip, and a setting that silently stays at its default is worse.
    near = difflib.get_close_matches(name, values, n=1, cutoff=0.8)
    if near:
        raise BadSetting(variable, f"no such setting; {PREFIX}{near[0].upper()} is close")


def _checked(name: str, convert: Callable[[str], _T], value: str) -> _T:
    try:
        return convert(value)
    except ValueError as problem:
        raise BadSetting(PREFIX + name.upper(), str(problem)) from None


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise ValueError("a whole number from 1 to 64")
    return int(text)


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("a folder's path")
    return Path(text)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("no such file")
    return path


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address that begins with https:// (or http:// for a trial)")
    return text.rstrip("/")


def _lease(text: str) -> timedelta:
    lease = elapsed(text)
    if not timedelta(seconds=1) <= lease <= timedelta(hours=1):
        raise ValueError("between PT1S and PT1H")
    return lease


def _level(text: str) -> str:
    if text.lower() not in _LEVELS:
        raise ValueError(f"one of {', '.join(_LEVELS)}")
    return text.lower()
