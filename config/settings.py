"""The service's settings: ``default.toml``, then ``TRAIT_UNION_*``. The only reader of the environment."""

import difflib
import os
import ssl
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from config.access import Network, ProSanteConnect, SmsGateway, is_this_host, networks
from config.checks import BadSetting, elapsed, is_duration
from config.database import database_url
from config.inbox import Inbox
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
    #: PEM files of the certificate by which the relay knows us, and of its key (None: in the same file).
    certificate: Path | None = None
    certificate_key: Path | None = None
    #: Mails a minute to one recipient domain, from each process; 0: no limit.
    pace: int = 0
    #: How long one mail may take.
    timeout: timedelta = timedelta(seconds=24)

    def __post_init__(self) -> None:
        """Refuse to send in clear over a network (ValueError), whoever builds the value."""
        if self.tls == "plain" and not is_this_host(self.host):
            raise ValueError("plain SMTP goes to this host only; use smtp+starttls:// or smtps://")

    @classmethod
    def parse(cls, url: str, **options: Any) -> Self:
        """From a URL; user and password are percent-encoded. Raises ValueError, without repeating it.

        ``options`` are the fields that stand in no URL.
        """
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
            **options,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the whole installation shares. What a territory decides is in ``config.territories``."""

    database_url: str = field(repr=False)
    relay: Relay
    #: Without a slash at the end.
    public_url: str
    #: Where requesters come in, if not under ``public_url``; without a slash at the end.
    intake_url: str
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
    #: None where no code goes out by SMS.
    sms: SmsGateway | None = None
    #: Reverse proxies whose ``X-Forwarded-For`` is believed.
    trusted_proxies: tuple[Network, ...] = ()
    #: Where the mail server hands over bounces and replies; None where nothing listens.
    inbox: Inbox | None = None

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
    _checked("database_url", database_url, values["database_url"])

    def file(name: str) -> Path | None:
        return _checked(name, _file, values[name]) if values[name] else None

    certificate, certificate_key = file("smtp_cert"), file("smtp_key")
    if certificate_key is not None and certificate is None:
        raise BadSetting(f"{PREFIX}SMTP_KEY", "a key needs its certificate, in TRAIT_UNION_SMTP_CERT")
    if certificate is not None:
        _checked("smtp_cert", lambda _: load_certificate(certificate, certificate_key), "")
    options = {
        "connections": connections,
        "authorities": file("smtp_ca"),
        "certificate": certificate,
        "certificate_key": certificate_key,
        "pace": _checked("smtp_pace", _pace, values["smtp_pace"]),
        "timeout": _checked("smtp_timeout", _timeout, values["smtp_timeout"]),
    }

    def relay(url: str) -> Relay:
        return Relay.parse(url, **options)

    def psc(issuer: str) -> ProSanteConnect | None:
        return ProSanteConnect.parse(issuer, values["psc_client_id"], values["psc_client_secret"])

    keys_dir = _checked("keys_dir", _path, values["keys_dir"])
    given, escrow = values["addresses_dir"], values["escrow_dir"]
    return Settings(
        database_url=values["database_url"],
        relay=_checked("smtp_url", relay, values["smtp_url"]),
        public_url=_checked("public_url", _web_address, values["public_url"]),
        intake_url=_checked("intake_url", _web_address, values["intake_url"] or values["public_url"]),
        keys_dir=keys_dir,
        # Beside the keys is where this installation may write.
        addresses_dir=_checked("addresses_dir", _path, given) if given else keys_dir.parent / "addresses",
        escrow_dir=_checked("escrow_dir", _path, escrow) if escrow else keys_dir.parent / "escrow",
        # The shipped folder may be left out of an image: territories are kept in the database too. One that
        # somebody names and that is not there is a slip, by which old settings would be used silently.
        territories=_checked(
            "territories", _folder if f"{PREFIX}TERRITORIES" in environ else _path, values["territories"]
        ),
        lease=_checked("lease", _lease, values["lease"]),
        log_level=_checked("log_level", _level, values["log_level"]),
        metrics_token=values["metrics_token"],
        psc=_checked("psc_issuer", psc, values["psc_issuer"]),
        sms=_checked("sms_url", lambda url: SmsGateway.parse(url, values["sms_token"]), values["sms_url"]),
        trusted_proxies=_checked("trusted_proxies", networks, values["trusted_proxies"]),
        inbox=_inbox(values["inbox_url"], values["inbox_peers"]),
    )


def _inbox(url: str, peers: str) -> Inbox | None:
    return _checked("inbox_url", lambda text: Inbox.parse(text, peers), url) if url else None


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


def load_certificate(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """A client's TLS context with this certificate. Raises ValueError where the two files do not fit."""
    context = ssl.create_default_context()
    try:
        # Without a password nobody is asked for one.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError):
        raise ValueError("no certificate with its key, without password, in PEM") from None
    return context


def _pace(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 60_000:
        raise ValueError("a whole number of mails a minute, up to 60000; 0 for no limit")
    return int(text)


def _timeout(text: str) -> timedelta:
    timeout = elapsed(text)
    if not timedelta(seconds=1) <= timeout <= timedelta(minutes=5):
        raise ValueError("between PT1S and PT5M")
    return timeout


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("a folder's path")
    return Path(text)


def _folder(text: str) -> Path:
    path = _path(text)
    if not path.is_dir():
        raise ValueError("no such folder")
    return path


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
