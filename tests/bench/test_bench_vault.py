"""Sealing and opening a record, beside the cipher alone: what keys of their own, wrapped to a month, add."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messaging.keyring import KeyRing
from messaging.vault import Vault
from tests.bench.figures import quote

pytestmark = pytest.mark.bench

RECORD = b"x" * 4_000
PLACE = {"territory": "t", "record": "r", "section": "record"}
ROUNDS, EACH = 7, 200


def test_a_record_sealed_and_opened_beside_the_cipher_alone(tmp_path: Path) -> None:
    keyring = KeyRing(tmp_path)
    month = keyring.prepare(datetime(2026, 11, 23, 9, tzinfo=UTC))
    vault = Vault(keyring)

    def ours() -> None:
        assert vault.open(vault.seal(RECORD, key=month, **PLACE), **PLACE) == RECORD

    def alone() -> None:
        nonce, cipher = os.urandom(12), AESGCM(AESGCM.generate_key(256))
        assert cipher.decrypt(nonce, cipher.encrypt(nonce, RECORD, b""), b"") == RECORD

    took = [(_each(ours), _each(alone)) for _ in range(ROUNDS)]
    spent, ratio = median(mine for mine, _ in took), median(mine / bare for mine, bare in took)
    quote("a record of 4 kB sealed and opened", f"{1000 * spent:.2f} ms, {ratio:.0f} times AES-256-GCM alone")
    assert ratio > 0


def _each(work: Callable[[], None]) -> float:
    """Seconds for one."""
    started = time.perf_counter()
    for _ in range(EACH):
        work()
    return (time.perf_counter() - started) / EACH
