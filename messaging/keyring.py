"""Named keys on disk, outside the database: create, publish, destroy.

A folder of 0700 holds files of 0600::

    months/2026-11.private.pem     an X25519 pair; a second pair of the same month is 2026-11-2
    months/2026-11.public.pem
    months/intake-2026-11.private.pem    the pair that the drafts of that month are sealed to
    mac/links-1.key                32 random bytes, by purpose and generation
    journal.private.pem            Ed25519: signs the head of the journal

A process that only takes requests in gets a folder of its own, without what opens a record (``publish``).
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from messaging.files import overwrite, replace, sync, write_new

#: What the pairs of drafts begin with. One of that name alone, of no month, is from before they had months:
#: it opens until it is destroyed, and is never made.
_INTAKE = "intake"
#: The key that signs the journal's head, by the name of its file and of its copy.
JOURNAL = "journal"

_MONTH = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))(?:-([2-9]|[1-9][0-9]{1,2}))?")
_DRAFTS = re.compile(rf"{_INTAKE}(?:-{_MONTH.pattern})?")
_PRIVATE, _PUBLIC = ".private.pem", ".public.pem"


class KeyAbsent(LookupError):
    """No such key here: never made, destroyed, or its private half is kept elsewhere."""


class Mac(StrEnum):
    """What a MAC key is for. A key never serves two purposes."""

    LINKS = "links"
    SESSIONS = "sessions"
    CODES = "codes"
    LOOKUP = "lookup"
    MESSAGE_ID = "message-id"
    RETURN_PATH = "return-path"
    #: Encrypts small secrets of accounts rather than signing (``messaging.strongbox``).
    STRONGBOX = "strongbox"


#: By what name the copy of a MAC key is known: its purpose and generation.
_MAC = re.compile(rf"mac-({'|'.join(Mac)})-([1-9][0-9]{{0,3}})")
_MAC_BYTES = 32

#: What a process that takes requests in works with (``publish``): never what makes links or release codes.
_FOR_INTAKE = (Mac.LOOKUP, Mac.MESSAGE_ID, Mac.STRONGBOX)


class Copies(Protocol):
    """Copies of private halves, MAC keys and the journal's key for a disaster (``messaging.escrow``)."""

    def keep(self, name: str, content: bytes) -> None:
        """Make one, where escrow is set up and there is none."""

    def destroy(self, name: str) -> None:
        """Remove it, where there is one."""


class KeyRing:
    """The keys of an installation. Each is read when it is first needed, and again once its file changed."""

    def __init__(self, folder: Path, copies: Copies | None = None) -> None:
        #: Holds the keys of this installation, and what must never lie in the database.
        self.folder = folder
        #: Where each private half is kept once more, for the offline key.
        self._copies = copies
        self._months = folder / "months"
        self._macs = folder / "mac"
        self._journal = folder / f"{JOURNAL}{_PRIVATE}"
        #: By path: the file's identity when it was read, and what it held.
        self._read: dict[Path, tuple[tuple[int, int], bytes]] = {}
        self._parsed: dict[bytes, X25519PrivateKey | X25519PublicKey | Ed25519PrivateKey] = {}

    def prepare(self, now: datetime) -> str:
        """Make whatever key is still missing, the pairs of ``now``'s month included; safe to repeat.

        Returns the name of the pair that new records are sealed to.
        """
        for folder in (self.folder, self._months, self._macs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        for purpose in Mac:
            if not self._generations(purpose):
                self._make_mac(purpose, 1)
        with contextlib.suppress(FileExistsError):
            write_new(self._journal, _pem(Ed25519PrivateKey.generate()))
        self._copy_journal()
        month = f"{now:%Y-%m}"
        for name in (month, f"{_INTAKE}-{month}"):
            for one in {known for known in self._known() if known.startswith(name)} or {name}:
                self._make_pair(one)
        return self.current(now)

    # The pairs that records are sealed to

    def create(self, now: datetime) -> str:
        """Make one more pair for ``now``'s month, and one for its drafts; the name of the first: ``2026-11``,
        then ``2026-11-2``.
        """
        month = f"{now:%Y-%m}"
        taken = [order[1] for order in map(_order, self._known()) if order[0] == month]
        generation = max(taken, default=0) + 1
        name = month if generation == 1 else f"{month}-{generation}"
        for pair in (name, f"{_INTAKE}-{name}"):
            self._make_pair(pair)
        return name

    def months(self) -> list[str]:
        """The pairs that records can be sealed to, oldest first."""
        return self._sealing(_MONTH)

    def drafts(self) -> list[str]:
        """The pairs that drafts and returned requests can be sealed to, oldest first."""
        return self._sealing(_DRAFTS)

    def current(self, now: datetime) -> str:
        """The newest pair of records that is not of a month to come. Raises KeyAbsent if there is none."""
        return _newest(self.months(), now)

    def current_drafts(self, now: datetime) -> str:
        """The newest pair of drafts that is not of a month to come. Raises KeyAbsent if there is none."""
        return _newest(self.drafts(), now)

    def serving(self, now: datetime) -> set[str]:
        """The pairs that what is new is sealed to: now, or once the month comes that they were made for."""
        later = {name for name in (*self.months(), *self.drafts()) if _order(name)[0] > f"{now:%Y-%m}"}
        return later | {self.current(now), self.current_drafts(now)}

    def named(self, month: str) -> list[str]:
        """The pairs that go together, of records and of drafts: every one of ``2026-11``, or those of
        ``2026-11-2`` alone. None for what names no pair.
        """
        match = _MONTH.fullmatch(month)
        if match is None:
            return [name for name in self.drafts() if name == month]
        return [
            name
            for name in (*self.months(), *self.drafts())
            if _order(name) == _order(month) or (match[2] is None and _order(name)[0] == month)
        ]

    def public(self, name: str) -> X25519PublicKey:
        """The half that seals, of records or of drafts. Raises KeyAbsent."""
        key = self._load(self._pair(name, _PUBLIC))
        assert isinstance(key, X25519PublicKey)
        return key

    def private(self, name: str) -> X25519PrivateKey:
        """The half that opens, of records or of drafts. Raises KeyAbsent."""
        key = self._load(self._pair(name, _PRIVATE))
        assert isinstance(key, X25519PrivateKey)
        return key

    def destroy(self, month: str) -> None:
        """Overwrite and remove a pair. What was sealed to it is unreadable from then on.

        Overwriting is a courtesy, not a proof: a journaling or copying file system, a flash disk or a
        snapshot may keep the old bytes. What counts is that no copy is left anywhere: backups and escrow
        copies of this month's file must be destroyed with it; those that this ring keeps go first, so that
        a run cut short is finished by the next. Raises KeyAbsent.
        """
        halves = [path for end in (_PRIVATE, _PUBLIC) if (path := self._pair(month, end)).exists()]
        if not halves:
            raise KeyAbsent(f"no key {month}")
        if self._copies is not None:
            self._copies.destroy(month)
        for path in halves:
            overwrite(path)
            kept = self._read.pop(path, None)
            if kept is not None:
                self._parsed.pop(kept[1], None)
        sync(self._months)

    def copy_all(self) -> list[str]:
        """See that every private half that opens something, every MAC key and the journal's key are copied
        for the offline key; the names of the first.
        """
        pairs = (*self.drafts(), *self.months())
        held = [name for name in pairs if self._pair(name, _PRIVATE).exists()]
        for name in held:
            if self._copies is not None:
                self._copies.keep(name, self._bytes(self._pair(name, _PRIVATE)))
        for purpose in Mac:
            for generation in self._generations(purpose):
                self._copy_mac(purpose, generation)
        self._copy_journal()
        return held

    def put_back(self, name: str, content: bytes) -> bool:
        """A pair from the copy of its private half (PEM), a MAC key or the journal's key from its copy, where
        it is missing; False where it was there.

        Raises KeyAbsent for what is no name of a key, ValueError for what is no such key.
        """
        if name == JOURNAL:
            return self._put_journal_back(content)
        mac = _MAC.fullmatch(name)
        if mac is not None:
            return self._put_mac_back(Mac(mac[1]), int(mac[2]), content)
        return self._put_pair_back(name, content)

    def _put_mac_back(self, purpose: Mac, generation: int, key: bytes) -> bool:
        path = self._macs / f"{purpose}-{generation}.key"
        if path.exists():
            return False
        if len(key) != _MAC_BYTES:
            raise ValueError("not a MAC key")
        for folder in (self.folder, self._macs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(path, key)
        return True

    def _put_journal_back(self, pem: bytes) -> bool:
        if self._journal.exists():
            return False
        if not isinstance(load_pem_private_key(pem, password=None), Ed25519PrivateKey):
            raise ValueError("not the key of a journal")  # noqa: TRY004 - a file at fault, not a program
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(self._journal, pem)
        return True

    def _put_pair_back(self, name: str, pem: bytes) -> bool:
        if self._pair(name, _PRIVATE).exists():
            return False
        if not isinstance(load_pem_private_key(pem, password=None), X25519PrivateKey):
            raise ValueError("not a key of a month")  # noqa: TRY004 - a file at fault, not a program
        for folder in (self.folder, self._months):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(self._pair(name, _PRIVATE), pem)
        self._make_pair(name)
        return True

    def publish(self, folder: Path, now: datetime) -> list[str]:
        """Copy to another folder what taking requests in needs, and nothing that opens a record: the public
        halves, the pairs of the drafts, and the keys of look-ups, Message-IDs and accounts.

        The pairs of the month that follows ``now`` are made first: who holds that folder goes on to them by
        itself when the month turns. What is no longer here goes there too. The files get the owner of
        ``folder``, where this process may give them. Returns what the folder now holds, by path within it.
        """
        self.prepare(now)
        self.prepare(now.replace(day=28) + timedelta(days=4))
        wanted = [*self._months.glob(f"*{_PUBLIC}"), *self._months.glob(f"{_INTAKE}*{_PRIVATE}")]
        for purpose in _FOR_INTAKE:
            wanted += [self._macs / f"{purpose}-{number}.key" for number in self._generations(purpose)]
        found = {path.relative_to(self.folder): path.read_bytes() for path in wanted}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
        for inner in (folder / "months", folder / "mac"):
            inner.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(PermissionError):
                os.chown(inner, owner.st_uid, owner.st_gid)
        for there in [*(folder / "months").iterdir(), *(folder / "mac").iterdir()]:
            if there.relative_to(folder) not in found:
                overwrite(there)
        for path, content in found.items():
            there = folder / path
            if not there.exists() or there.read_bytes() != content:
                replace(there, content)
            with contextlib.suppress(PermissionError):
                os.chown(there, owner.st_uid, owner.st_gid)
        return sorted(str(path) for path in found)

    # MAC keys

    def mac(self, purpose: Mac, generation: int | None = None) -> bytes:
        """A MAC key of 32 bytes: the newest of its purpose, or a given generation. Raises KeyAbsent."""
        if generation is None:
            generation = self.mac_generation(purpose)
        return self._bytes(self._macs / f"{purpose}-{generation}.key")

    def mac_generation(self, purpose: Mac) -> int:
        """The number of the newest MAC key of a purpose. Raises KeyAbsent."""
        generations = self._generations(purpose)
        if not generations:
            raise KeyAbsent(f"no key for {purpose}")
        return generations[-1]

    def renew_mac(self, purpose: Mac) -> int:
        """Make a newer MAC key; the older ones go on checking what they made. Returns its number."""
        generation = self.mac_generation(purpose) + 1
        self._make_mac(purpose, generation)
        return generation

    # The journal

    def journal(self) -> Ed25519PrivateKey:
        """The key that signs the head of the journal. Raises KeyAbsent."""
        key = self._load(self._journal)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    # Files

    def _pair(self, name: str, end: str) -> Path:
        # The name may come from a command line or a stolen-and-edited row: it must not leave the folder.
        if not (_MONTH.fullmatch(name) or _DRAFTS.fullmatch(name)):
            raise KeyAbsent(f"no key {name!r}")
        return self._months / f"{name}{end}"

    def _make_pair(self, name: str) -> None:
        private = self._pair(name, _PRIVATE)
        if not private.exists() and not self._pair(name, _PUBLIC).exists():
            with contextlib.suppress(FileExistsError):
                write_new(private, _pem(X25519PrivateKey.generate()))
        if private.exists():
            if self._copies is not None:
                self._copies.keep(name, self._bytes(private))
            # Derived from what is on the disk: another process may have been first, or one may have died
            # halfway.
            public = self.private(name).public_key()
            with contextlib.suppress(FileExistsError):
                write_new(
                    self._pair(name, _PUBLIC),
                    public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                )

    def _make_mac(self, purpose: Mac, generation: int) -> None:
        with contextlib.suppress(FileExistsError):
            write_new(self._macs / f"{purpose}-{generation}.key", secrets.token_bytes(_MAC_BYTES))
        self._copy_mac(purpose, generation)

    def _copy_mac(self, purpose: Mac, generation: int) -> None:
        if self._copies is not None:
            self._copies.keep(f"mac-{purpose}-{generation}", self.mac(purpose, generation))

    def _copy_journal(self) -> None:
        if self._copies is not None and self._journal.exists():
            self._copies.keep(JOURNAL, self._bytes(self._journal))

    def _known(self) -> Iterator[str]:
        """Every pair, whichever of its halves are here."""
        for path in self._months.glob("*.pem"):
            name = path.name.split(".", 1)[0]
            if _MONTH.fullmatch(name) or _DRAFTS.fullmatch(name):
                yield name

    def _sealing(self, kind: re.Pattern[str]) -> list[str]:
        names = (path.name.removesuffix(_PUBLIC) for path in self._months.glob(f"*{_PUBLIC}"))
        return sorted((name for name in names if kind.fullmatch(name)), key=_order)

    def _generations(self, purpose: Mac) -> list[int]:
        # For every token of every mail: plain names are read in a third of the time that paths take.
        begins, ends = f"{purpose}-", ".key"
        try:
            with os.scandir(self._macs) as listed:
                ours = [e.name for e in listed if e.name.startswith(begins) and e.name.endswith(ends)]
        except FileNotFoundError:
            return []
        numbers = (name[len(begins) : -len(ends)] for name in ours)
        return sorted(int(number) for number in numbers if number.isdecimal())

    def _bytes(self, path: Path) -> bytes:
        # A look at the file each time: a key destroyed by another process opens nothing here either.
        try:
            status = path.stat()
            identity = (status.st_ino, status.st_mtime_ns)
            kept = self._read.get(path)
            if kept is None or kept[0] != identity:
                kept = self._read[path] = (identity, path.read_bytes())
        except FileNotFoundError:
            self._read.pop(path, None)
            raise KeyAbsent(f"no key {path.name.split('.', 1)[0]}") from None
        return kept[1]

    def _load(self, path: Path) -> object:
        content = self._bytes(path)
        key = self._parsed.get(content)
        if key is None:
            load = load_pem_public_key if path.name.endswith(_PUBLIC) else _load_private
            loaded = load(content)
            assert isinstance(loaded, X25519PrivateKey | X25519PublicKey | Ed25519PrivateKey)
            key = self._parsed[content] = loaded
        return key


def _load_private(content: bytes) -> object:
    return load_pem_private_key(content, password=None)


def _order(name: str) -> tuple[str, int]:
    """The month and generation of a pair; what is of no month is older than any."""
    match = _MONTH.fullmatch(name.removeprefix(f"{_INTAKE}-"))
    return ("", 1) if match is None else (match[1], int(match[2] or 1))


def _newest(names: list[str], now: datetime) -> str:
    begun = [name for name in names if _order(name)[0] <= f"{now:%Y-%m}"]
    if not begun:
        raise KeyAbsent("no key to seal records to: trait-union keys new")
    return begun[-1]


def _pem(key: X25519PrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
