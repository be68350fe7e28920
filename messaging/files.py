"""Files that hold secrets: written whole or not at all, for their owner alone, overwritten at their end."""

import os
import secrets
from pathlib import Path


def write_new(path: Path, content: bytes) -> None:
    """Create a file whole or not at all, 0600. Raises FileExistsError if it is there already."""
    draft = _draft(path, content)
    try:
        # A hard link, unlike a rename, never replaces what another process made meanwhile.
        os.link(draft, path)
    finally:
        draft.unlink()
    sync(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Create or replace a file, whole or not at all, 0600."""
    _draft(path, content).rename(path)
    sync(path.parent)


def overwrite(path: Path) -> None:
    """Fill a file with noise, then remove it."""
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def sync(folder: Path) -> None:
    """Make what was created or removed in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return draft
