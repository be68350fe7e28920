"""What may be a password: length, and not what everybody or the account itself would make."""

import pytest

from matcher.service import passwords
from matcher.service.errors import Invalid

OWN = ("salima.mesange@cpts-venissieux.example", "Salima Mésange", "CPTS de Vénissieux")


@pytest.mark.parametrize(
    "good",
    [
        "trois chevaux traversent Lyon",
        "correct horse battery stapler",
        "salima mange des mirabelles",
        "2026 tuiles rouges au soleil",
        "ÉÈÀ une haie d’aubépines",
        "x" * 3 + "yzabcdefgh" * 20,
    ],
)
def test_a_phrase_that_is_long_enough_needs_no_odd_signs(good):
    passwords.check(good, OWN)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("court", "au moins 12"),
        ("onze signes", "au moins 12"),
        ("a" * 257, "au moins 12"),
        ("aaaaaaaaaaaa", "se répète"),
        ("lundilundilundi", "se répète"),
        ("azertyuiop123", "Beaucoup de gens"),
        ("M0tDeP@sse123", "Beaucoup de gens"),
        ("motdepasse2026!", "Beaucoup de gens"),
        ("Coordinatrice!!", "Beaucoup de gens"),
        ("correct horse battery staple", "Beaucoup de gens"),
        ("Salima-Mesange-69", "votre nom"),
        ("salima.mésange2026", "votre nom"),
        ("CPTS Vénissieux 69200", "votre nom"),
    ],
)
def test_what_is_short_common_repeated_or_ones_own_is_refused_with_its_reason(bad, why):
    with pytest.raises(Invalid) as refused:
        passwords.check(bad, OWN)
    assert why in refused.value.fields["password"]


def test_every_common_password_of_the_list_is_refused_however_it_is_dressed():
    common = passwords.COMMON.read_text("utf-8").split()
    assert len(common) > 500
    assert common == sorted(set(common))
    for one in common:
        years = (f"{one}1", f"{one}2026") if one.isalpha() else ()
        for dressed in (one, one.upper(), f"{one}!", *years):
            if len(dressed) >= passwords.SHORTEST:
                with pytest.raises(Invalid):
                    passwords.check(dressed)


async def test_a_hash_opens_for_its_password_alone(as_installed):
    hashed = await passwords.hashed("trois chevaux traversent Lyon")
    # RFC 9106, for a machine with little memory: 64 MiB, three times.
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.verify(hashed, "trois chevaux traversent Lyon")
    assert not await passwords.verify(hashed, "trois chevaux traversent Lyo")
    assert not await passwords.verify("not a hash", "trois chevaux traversent Lyon")
