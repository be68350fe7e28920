"""A sealed section opens in its place, with its key, unaltered; else not at all."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.keyring import KeyAbsent, KeyRing
from messaging.vault import Unreadable, Vault

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
PLACE = {"territory": "venissieux", "record": "r1", "section": "record"}
TEXT = b"NIR 284058832102532"


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    ring = KeyRing(tmp_path_factory.mktemp("keys"))
    ring.prepare(NOW)
    ring.create(NOW)
    return ring


@pytest.fixture(scope="module")
def vault(ring):
    return Vault(ring)


def flipped(value: bytes):
    for index in range(len(value)):
        yield value[:index] + bytes([value[index] ^ 1]) + value[index + 1 :]


@given(text=st.binary(max_size=3000))
def test_what_was_sealed_opens_to_the_same_bytes(vault, text):
    for key in ("2026-11", "intake-2026-11"):
        sealed = vault.seal(text, **PLACE, key=key)
        assert vault.open(sealed, **PLACE) == text


def test_nothing_of_the_text_is_in_what_is_stored(vault):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    assert not any(TEXT in value for value in vars(sealed).values() if isinstance(value, bytes))
    assert vault.seal(TEXT, **PLACE, key="2026-11").ciphertext != sealed.ciphertext


@pytest.mark.parametrize("field", ["wrapped", "commitment", "nonce", "ciphertext"])
def test_each_flipped_byte_is_refused(vault, field):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    for altered in flipped(getattr(sealed, field)):
        with pytest.raises(Unreadable):
            vault.open(replace(sealed, **{field: altered}), **PLACE)


@pytest.mark.parametrize("field", ["wrapped", "commitment", "nonce", "ciphertext"])
def test_a_cut_or_emptied_field_is_refused(vault, field):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    value = getattr(sealed, field)
    for altered in (b"", value[:-1], value + b"\0"):
        with pytest.raises(Unreadable):
            vault.open(replace(sealed, **{field: altered}), **PLACE)


def test_a_field_of_another_row_is_refused(vault):
    here = vault.seal(TEXT, **PLACE, key="2026-11")
    there = vault.seal(b"another patient....", **PLACE | {"record": "r2"}, key="2026-11-2")
    for field in fields(here):
        swapped = replace(here, **{field.name: getattr(there, field.name)})
        if swapped != here:
            with pytest.raises((Unreadable, KeyAbsent)):
                vault.open(swapped, **PLACE)


def test_a_whole_row_in_another_place_is_refused(vault):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    for other in ({"territory": "bron"}, {"record": "r2"}, {"section": "contact"}):
        with pytest.raises(Unreadable):
            vault.open(sealed, **PLACE | other)
        with pytest.raises(Unreadable):
            vault.rewrap(sealed, "2026-11-2", **PLACE | other)


def test_names_that_run_together_are_different_places(vault):
    sealed = vault.seal(TEXT, territory="ab", record="c", section="d", key="2026-11")
    for territory, record, section in (("a", "bc", "d"), ("ab", "cd", ""), ("", "abc", "d")):
        with pytest.raises(Unreadable):
            vault.open(sealed, territory=territory, record=record, section=section)


def test_the_versions_and_the_key_s_name_are_bound(vault):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    for altered in (replace(sealed, version=2), replace(sealed, key="2026-11-2")):
        with pytest.raises(Unreadable):
            vault.open(altered, **PLACE)


def test_a_key_that_is_nowhere_is_told_apart_from_a_forgery(vault):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    with pytest.raises(KeyAbsent):
        vault.open(replace(sealed, key="2020-01"), **PLACE)
    with pytest.raises(KeyAbsent):
        vault.seal(TEXT, **PLACE, key="2020-01")


def test_one_ciphertext_cannot_be_made_to_open_under_two_data_keys(vault):
    one, two = (vault.seal(TEXT, **PLACE, key="2026-11") for _ in range(2))
    for first, second in permutations((one, two)):
        with pytest.raises(Unreadable):
            vault.open(replace(first, wrapped=second.wrapped), **PLACE)


def test_rewrapping_moves_the_data_key_only(vault):
    sealed = vault.seal(TEXT, **PLACE, key="2026-11")
    moved = vault.rewrap(sealed, "2026-11-2", **PLACE)
    assert (moved.key, moved.ciphertext) == ("2026-11-2", sealed.ciphertext)
    assert vault.open(moved, **PLACE) == vault.open(sealed, **PLACE) == TEXT


def test_a_destroyed_month_is_unreadable_but_what_was_moved_before(tmp_path):
    ring = KeyRing(tmp_path)
    ring.prepare(NOW)
    ring.create(NOW)
    vault = Vault(ring)
    left, moved = (vault.seal(TEXT, **PLACE, key="2026-11") for _ in range(2))
    moved = vault.rewrap(moved, "2026-11-2", **PLACE)
    ring.destroy("2026-11")
    with pytest.raises(KeyAbsent):
        vault.open(left, **PLACE)
    with pytest.raises(KeyAbsent):
        vault.rewrap(left, "2026-11-2", **PLACE)
    assert vault.open(moved, **PLACE) == TEXT


def test_taking_a_request_in_needs_no_private_half(tmp_path):
    ring = KeyRing(tmp_path)
    ring.prepare(NOW)
    private = tmp_path / "months" / "intake-2026-11.private.pem"
    kept = private.read_bytes()
    private.unlink()
    vault = Vault(KeyRing(tmp_path))
    sealed = vault.seal(TEXT, **PLACE, key="intake-2026-11")
    with pytest.raises(KeyAbsent):
        vault.open(sealed, **PLACE)
    private.write_bytes(kept)
    assert vault.open(sealed, **PLACE) == TEXT


def test_a_term_has_one_keyed_hash_per_territory(vault, tmp_path):
    other = KeyRing(tmp_path)
    other.prepare(NOW)
    term = vault.hmac_term("venissieux", "name:renard")
    assert term == vault.hmac_term("venissieux", "name:renard")
    assert len(term) == 64
    assert term != vault.hmac_term("bron", "name:renard")
    assert term != vault.hmac_term("venissieux", "name:renar")
    assert term != Vault(other).hmac_term("venissieux", "name:renard")
