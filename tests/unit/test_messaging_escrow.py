"""Copies of the private keys: they open with the offline key alone, and go with the key they copy."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from messaging import escrow
from messaging.escrow import BadEscrowKey, Escrow, EscrowKeys, identity_of
from messaging.keyring import KeyAbsent, KeyRing, Mac
from messaging.links import Link, Links, Purpose
from messaging.outbox import derive_message_id

DRAFTS = "intake-2026-11"
NOVEMBER = datetime(2026, 11, 23, 8, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def copies(tmp_path):
    return Escrow(tmp_path / "escrow")


@pytest.fixture
def ring(tmp_path, copies):
    ring = KeyRing(tmp_path / "keys", copies)
    ring.prepare(NOVEMBER)
    return ring


@pytest.fixture
def offline(copies):
    """The secret of the offline key; its recipient is known to the service."""
    secret, recipient = escrow.new_identity()
    copies.use(recipient)
    return secret


def _cut(path):
    raise OSError("no power")


def raw(key):
    return key.private_bytes_raw()


def pairs(copies):
    """The copies of private halves; beside them lie those of the MAC keys and of the journal's key."""
    return [name for name in copies.names() if not name.startswith(("mac-", "journal"))]


def test_without_an_offline_key_no_copy_is_made(ring, copies):
    assert ring.copy_all() == [DRAFTS, "2026-11"]
    assert pairs(copies) == []
    assert copies.recipient() is None
    assert KeyRing(ring.folder).copy_all() == [DRAFTS, "2026-11"]


def test_every_key_has_a_copy_from_the_day_it_is_made(copies, offline, ring):
    assert pairs(copies) == ["2026-11", DRAFTS]
    ring.create(NOVEMBER)
    ring.prepare(DECEMBER)
    assert pairs(copies) == ["2026-11", "2026-11-2", "2026-12", DRAFTS, f"{DRAFTS}-2", "intake-2026-12"]
    keys = EscrowKeys(copies, offline)
    for name in pairs(copies):
        assert raw(keys.private(name)) == raw(ring.private(name)) == raw(keys.private(name))


def test_keys_made_before_the_offline_key_are_copied_when_it_comes(ring, copies, offline):
    assert pairs(copies) == []
    ring.copy_all()
    before = {path: path.read_bytes() for path in copies.folder.iterdir()}
    ring.copy_all()
    assert {path: path.read_bytes() for path in copies.folder.iterdir()} == before
    assert pairs(copies) == ["2026-11", DRAFTS]


def test_nothing_of_a_key_or_of_the_secret_is_in_the_folder_of_copies(ring, copies, offline):
    ring.copy_all()
    content = b"".join(path.read_bytes() for path in copies.folder.iterdir())
    assert raw(ring.private("2026-11")) not in content
    assert b"PRIVATE KEY" not in content
    assert offline.encode() not in content
    assert {path.stat().st_mode & 0o777 for path in copies.folder.iterdir()} == {0o600}
    assert copies.folder.stat().st_mode & 0o777 == 0o700


def test_another_offline_key_opens_nothing(ring, copies, offline):
    ring.copy_all()
    keys = EscrowKeys(copies, escrow.new_identity()[0])
    with pytest.raises(KeyAbsent):
        keys.private("2026-11")
    with pytest.raises(KeyAbsent):
        EscrowKeys(copies, offline).private("2026-10")


def test_a_new_offline_key_takes_the_copies_of_the_old_one_away(ring, copies, offline):
    ring.copy_all()
    secret, recipient = escrow.new_identity()
    copies.use(recipient)
    assert pairs(copies) == []
    ring.copy_all()
    copies.use(recipient)
    assert pairs(copies) == ["2026-11", DRAFTS]
    with pytest.raises(KeyAbsent):
        EscrowKeys(copies, offline).private("2026-11")
    assert raw(EscrowKeys(copies, secret).private("2026-11")) == raw(ring.private("2026-11"))


def test_a_destroyed_month_takes_its_copy_along(ring, copies, offline):
    ring.copy_all()
    path = copies.folder / "2026-11.age"
    kept = path.with_name("kept")
    content = path.read_bytes()
    kept.hardlink_to(path)
    ring.destroy("2026-11")
    assert pairs(copies) == [DRAFTS]
    assert kept.read_bytes() != content


def test_a_destruction_cut_short_is_finished_by_the_next(ring, copies, offline, monkeypatch):
    ring.copy_all()
    ring.prepare(DECEMBER)
    cut = KeyRing(ring.folder, copies)
    monkeypatch.setattr("messaging.keyring.overwrite", _cut)
    with pytest.raises(OSError, match="no power"):
        cut.destroy("2026-11")
    monkeypatch.undo()
    # The copy went first: the month is still there to be destroyed.
    assert pairs(copies) == ["2026-12", DRAFTS, "intake-2026-12"]
    ring.destroy("2026-11")
    assert ring.months() == ["2026-12"]


def test_lost_keys_come_back_from_their_copies(ring, copies, offline, tmp_path):
    ring.copy_all()
    opener = identity_of(offline)
    anew = KeyRing(tmp_path / "anew", copies)
    assert all(anew.put_back(name, copies.opened(name, opener)) for name in copies.names())
    assert raw(anew.private("2026-11")) == raw(ring.private("2026-11"))
    assert anew.public(DRAFTS).public_bytes_raw() == ring.public(DRAFTS).public_bytes_raw()
    assert not anew.put_back("2026-11", b"")


def test_only_a_key_of_a_month_is_put_back(ring):
    with pytest.raises(KeyAbsent):
        ring.put_back("../journal", b"")
    journal = (ring.folder / "journal.private.pem").read_bytes()
    with pytest.raises(ValueError, match="month"):
        ring.put_back("2026-10", journal)


def test_an_identity_file_may_have_the_comments_of_age(offline):
    text = f"# created: 2026-11-23\n# public key: age1…\n\n{offline}\n"
    assert str(identity_of(text)) == offline


@pytest.mark.parametrize("text", ["", "# nothing\n", "AGE-SECRET-KEY-1QQ", "one\ntwo\n", "age1xyz"])
def test_what_is_no_secret_key_is_refused_without_repeating_it(text):
    with pytest.raises(BadEscrowKey) as refused:
        identity_of(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["", "age1", "AGE-SECRET-KEY-1QQ", "ssh-ed25519 AAAA"])
def test_what_is_no_recipient_is_refused(copies, text):
    with pytest.raises(BadEscrowKey, match="age1"):
        copies.use(text)
    assert copies.recipient() is None


def test_a_copy_is_in_the_format_of_age(ring, copies, offline):
    ring.copy_all()
    assert (copies.folder / "2026-11.age").read_bytes().startswith(b"age-encryption.org/v1\n")
    pem = copies.opened("2026-11", identity_of(offline))
    assert raw(load_pem_private_key(pem, password=None)) == raw(ring.private("2026-11"))


def test_on_a_new_machine_every_mac_key_comes_back_and_what_it_made_is_known_again(
    tmp_path, copies, offline, ring
):
    ring.renew_mac(Mac.LINKS)
    link = Link(territory="t", purpose=Purpose.ANSWER, id="0" * 32, nonce="n" * 32)
    token, first = Links(ring).token(link), derive_message_id(ring.mac(Mac.MESSAGE_ID), "x.example", "t", "s")
    opener = identity_of(offline)
    new = KeyRing(tmp_path / "elsewhere")
    assert all(new.put_back(name, copies.opened(name, opener)) for name in copies.names())
    assert not any(new.put_back(name, copies.opened(name, opener)) for name in copies.names())
    for purpose in Mac:
        assert new.mac(purpose) == ring.mac(purpose)
    assert new.mac_generation(Mac.LINKS) == 2
    assert Links(new).token(link) == token
    assert derive_message_id(new.mac(Mac.MESSAGE_ID), "x.example", "t", "s") == first
    assert raw(new.journal()) == raw(ring.journal())
    assert {path.stat().st_mode & 0o777 for path in (new.folder / "mac").iterdir()} == {0o600}


def test_mac_keys_made_before_the_offline_key_are_copied_when_it_comes(ring, copies, offline):
    ring.copy_all()
    assert sum(name.startswith("mac-") for name in copies.names()) == len(Mac)
    content = b"".join(path.read_bytes() for path in copies.folder.iterdir())
    assert ring.mac(Mac.LINKS) not in content


@pytest.mark.parametrize("name", ["mac-links-0", "mac-party-1", "mac-links-1/../x", "mac-links-"])
def test_a_copy_under_a_made_up_name_is_put_nowhere(ring, name):
    with pytest.raises(KeyAbsent):
        ring.put_back(name, bytes(32))


def test_a_copy_that_is_no_such_key_is_refused(tmp_path, ring):
    with pytest.raises(ValueError, match="not a MAC key"):
        KeyRing(tmp_path / "new").put_back("mac-links-1", b"short")
    pair = (ring.folder / "months" / "2026-11.private.pem").read_bytes()
    with pytest.raises(ValueError, match="journal"):
        KeyRing(tmp_path / "new").put_back("journal", pair)
