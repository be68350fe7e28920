"""Small secrets: they open where they belong, and nowhere else."""

from datetime import UTC, datetime

import pytest

from messaging.keyring import KeyRing, Mac
from messaging.strongbox import Strongbox
from messaging.vault import Unreadable

PLACE = ("venissieux", "user", "totp")


@pytest.fixture
def keyring(tmp_path):
    made = KeyRing(tmp_path / "keys")
    made.prepare(datetime(2026, 11, 23, tzinfo=UTC))
    return made


def test_a_secret_opens_in_its_place_alone(keyring):
    box = Strongbox(keyring)
    sealed = box.seal(b"JBSWY3DP", *PLACE)
    assert b"JBSWY3DP" not in sealed
    assert box.open(sealed, *PLACE) == b"JBSWY3DP"
    for place in (("ailleurs", "user", "totp"), ("venissieux", "other", "totp"), ("venissieuxuser", "totp")):
        with pytest.raises(Unreadable):
            box.open(sealed, *place)


def test_a_changed_byte_and_an_unknown_key_open_nothing(keyring):
    box = Strongbox(keyring)
    sealed = box.seal(b"JBSWY3DP", *PLACE)
    for at in range(len(sealed)):
        with pytest.raises(Unreadable):
            box.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], *PLACE)
    with pytest.raises(Unreadable):
        box.open(b"", *PLACE)


def test_a_newer_key_seals_and_the_older_one_still_opens(keyring):
    box = Strongbox(keyring)
    before = box.seal(b"one", *PLACE)
    keyring.renew_mac(Mac.STRONGBOX)
    after = box.seal(b"two", *PLACE)
    assert (before[:2], after[:2]) == (b"\x00\x01", b"\x00\x02")
    assert (box.open(before, *PLACE), box.open(after, *PLACE)) == (b"one", b"two")
