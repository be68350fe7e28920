"""Keys live in files of their own, and a key that is gone opens nothing."""

from datetime import UTC, datetime

import pytest

from messaging.keyring import KeyAbsent, KeyRing, Mac

#: The pair of November's drafts.
DRAFTS = "intake-2026-11"
NOVEMBER = datetime(2026, 11, 23, 8, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def ring(folder):
    ring = KeyRing(folder)
    ring.prepare(NOVEMBER)
    return ring


def raw(ring, name):
    return ring.private(name).private_bytes_raw()


def test_only_the_owner_may_read_the_keys(ring, folder):
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_preparing_again_changes_nothing(ring, folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert KeyRing(folder).prepare(NOVEMBER) == "2026-11"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_new_month_has_a_new_pair(ring):
    assert ring.prepare(DECEMBER) == "2026-12"
    assert ring.months() == ["2026-11", "2026-12"]
    assert raw(ring, "2026-11") != raw(ring, "2026-12")


def test_a_month_can_have_more_than_one_pair(ring):
    assert [ring.create(NOVEMBER) for _ in range(10)][-1] == "2026-11-11"
    assert ring.current(NOVEMBER) == "2026-11-11"
    assert ring.create(DECEMBER) == "2026-12"


def test_the_current_pair_is_not_of_a_month_to_come(ring):
    ring.create(DECEMBER)
    assert ring.current(NOVEMBER) == "2026-11"
    assert ring.current(datetime(2027, 3, 1, tzinfo=UTC)) == "2026-12"


def test_the_drafts_of_a_month_have_a_pair_of_their_own_that_changes_with_it(ring):
    assert ring.drafts() == [DRAFTS]
    assert raw(ring, DRAFTS) != raw(ring, "2026-11")
    assert ring.create(NOVEMBER) == "2026-11-2"
    assert ring.current_drafts(NOVEMBER) == f"{DRAFTS}-2"
    ring.prepare(DECEMBER)
    assert (ring.current_drafts(NOVEMBER), ring.current_drafts(DECEMBER)) == (f"{DRAFTS}-2", "intake-2026-12")
    assert ring.named("2026-11") == ["2026-11", "2026-11-2", DRAFTS, f"{DRAFTS}-2"]
    assert ring.named("2026-11-2") == ["2026-11-2", f"{DRAFTS}-2"]
    assert ring.named("2026-10") == ring.named("../journal") == []
    assert ring.serving(NOVEMBER) == {"2026-11-2", f"{DRAFTS}-2", "2026-12", "intake-2026-12"}


def test_the_pair_of_drafts_from_before_they_had_months_opens_and_is_not_sealed_to(ring, folder):
    for half in ("private", "public"):
        (folder / "months" / f"{DRAFTS}.{half}.pem").rename(folder / "months" / f"intake.{half}.pem")
    assert ring.current_drafts(NOVEMBER) == "intake"
    ring.prepare(NOVEMBER)
    assert ring.drafts() == ["intake", DRAFTS]
    assert ring.current_drafts(NOVEMBER) == DRAFTS
    assert raw(ring, "intake") != raw(ring, DRAFTS)
    assert ring.named("intake") == ["intake"]
    ring.destroy("intake")
    assert ring.drafts() == [DRAFTS]


def test_without_any_pair_nothing_can_be_sealed(folder):
    for current in (KeyRing(folder).current, KeyRing(folder).current_drafts):
        with pytest.raises(KeyAbsent, match="keys new"):
            current(NOVEMBER)


def test_a_public_half_is_enough_where_the_private_one_is_kept_elsewhere(ring, folder):
    (folder / "months" / "2026-11.private.pem").unlink()
    elsewhere = KeyRing(folder)
    assert elsewhere.public("2026-11").public_bytes_raw() == ring.public("2026-11").public_bytes_raw()
    with pytest.raises(KeyAbsent):
        elsewhere.private("2026-11")
    elsewhere.prepare(NOVEMBER)
    with pytest.raises(KeyAbsent):
        elsewhere.private("2026-11")


@pytest.mark.parametrize("name", [DRAFTS, "2026-11"])
def test_a_public_half_lost_in_a_crash_is_made_again(ring, folder, name):
    before = ring.public(name).public_bytes_raw()
    (folder / "months" / f"{name}.public.pem").unlink()
    ring.prepare(NOVEMBER)
    assert ring.public(name).public_bytes_raw() == before


def test_a_destroyed_pair_seals_and_opens_nothing_and_leaves_no_file(ring, folder):
    ring.create(NOVEMBER)
    ring.private("2026-11")
    ring.destroy("2026-11")
    assert list(folder.rglob("2026-11.*")) == []
    for use in (ring.public, ring.private, ring.destroy):
        with pytest.raises(KeyAbsent):
            use("2026-11")
    # Nor is its name given again.
    assert ring.create(NOVEMBER) == "2026-11-3"


def test_a_destroyed_file_was_overwritten_first(ring, folder):
    path = folder / "months" / "2026-11.private.pem"
    kept = path.with_name("kept")
    content = path.read_bytes()
    kept.hardlink_to(path)
    ring.destroy("2026-11")
    assert len(kept.read_bytes()) == len(content)
    assert kept.read_bytes() != content


def test_a_key_destroyed_by_another_process_opens_nothing_here_either(ring, folder):
    ring.private("2026-11")
    KeyRing(folder).destroy("2026-11")
    with pytest.raises(KeyAbsent):
        ring.private("2026-11")


def test_a_pair_made_anew_by_another_process_is_seen(ring, folder):
    old = raw(ring, "2026-11")
    other = KeyRing(folder)
    other.destroy("2026-11")
    other.prepare(NOVEMBER)
    assert raw(ring, "2026-11") != old


@pytest.mark.parametrize(
    "name", ["../journal", "2026-13", "2026-11-1", "", "2026-11/../x", "intake2", "intake-", "intake-2026-13"]
)
def test_a_name_never_leaves_the_folder(ring, name):
    for use in (ring.public, ring.private, ring.destroy):
        with pytest.raises(KeyAbsent):
            use(name)


def test_a_file_of_another_name_in_the_folder_is_no_key(ring, folder):
    (folder / "months" / "notes.pem").write_text("")
    assert ring.prepare(NOVEMBER) == "2026-11"
    assert ring.create(NOVEMBER) == "2026-11-2"


def test_each_purpose_has_a_mac_key_of_its_own(ring):
    keys = {ring.mac(purpose) for purpose in Mac}
    assert len(keys) == len(Mac)
    assert {len(key) for key in keys} == {32}


def test_a_renewed_mac_key_leaves_the_older_one_in_place(ring):
    old = ring.mac(Mac.LINKS)
    assert ring.renew_mac(Mac.LINKS) == 2
    assert ring.mac(Mac.LINKS, 1) == old
    assert ring.mac(Mac.LINKS) == ring.mac(Mac.LINKS, 2) != old
    with pytest.raises(KeyAbsent):
        ring.mac(Mac.LINKS, 3)


def test_a_folder_without_mac_keys_says_so(folder):
    with pytest.raises(KeyAbsent, match="links"):
        KeyRing(folder).mac(Mac.LINKS)


def test_the_journal_s_key_stays_the_same(ring, folder):
    assert ring.journal().private_bytes_raw() == KeyRing(folder).journal().private_bytes_raw()


def test_preparing_does_not_replace_a_private_half_that_is_kept_elsewhere(ring, folder):
    private = folder / "months" / f"{DRAFTS}.private.pem"
    public = ring.public(DRAFTS).public_bytes_raw()
    private.unlink()
    ring.prepare(NOVEMBER)
    assert not private.exists()
    assert ring.public(DRAFTS).public_bytes_raw() == public


def test_a_published_folder_seals_and_looks_up_and_opens_no_month(ring, tmp_path):
    there = tmp_path / "intake"
    held = ring.publish(there, NOVEMBER)
    assert held == [
        "mac/lookup-1.key",
        "mac/message-id-1.key",
        "mac/strongbox-1.key",
        "months/2026-11.public.pem",
        "months/2026-12.public.pem",
        "months/intake-2026-11.private.pem",
        "months/intake-2026-11.public.pem",
        "months/intake-2026-12.private.pem",
        "months/intake-2026-12.public.pem",
    ]
    assert sorted(str(p.relative_to(there)) for p in there.rglob("*") if p.is_file()) == held
    assert all(path.stat().st_mode & 0o077 == 0 for path in [there, *there.rglob("*")])
    intake = KeyRing(there)
    assert intake.current(NOVEMBER) == "2026-11"
    # When the month turns it goes on by itself.
    assert (intake.current(DECEMBER), intake.current_drafts(DECEMBER)) == ("2026-12", "intake-2026-12")
    assert intake.mac(Mac.LOOKUP) == ring.mac(Mac.LOOKUP)
    for absent in (lambda: intake.private("2026-11"), lambda: intake.mac(Mac.LINKS), intake.journal):
        with pytest.raises(KeyAbsent):
            absent()


def test_publishing_again_follows_the_months(ring, tmp_path):
    there = tmp_path / "intake"
    ring.publish(there, NOVEMBER)
    before = (there / "mac" / "lookup-1.key").stat().st_mtime_ns
    for gone in ("2026-11", DRAFTS):
        ring.destroy(gone)
    ring.publish(there, DECEMBER)
    assert KeyRing(there).months() == ["2026-12", "2027-01"]
    assert not list(there.rglob("*2026-11*"))
    assert (there / "mac" / "lookup-1.key").stat().st_mtime_ns == before
    (there / "months" / "2026-12.public.pem").write_text("altered")
    ring.publish(there, DECEMBER)
    assert KeyRing(there).public("2026-12").public_bytes_raw() == ring.public("2026-12").public_bytes_raw()
