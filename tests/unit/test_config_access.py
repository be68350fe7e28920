"""Settings of how people come in: Pro Santé Connect whole or not at all, proxies as networks."""

import pytest

from config.settings import BadSetting, load_settings

PSC = {
    "TRAIT_UNION_PSC_ISSUER": "https://psc.example/auth/realms/esante/",
    "TRAIT_UNION_PSC_CLIENT_ID": "trait-union",
    "TRAIT_UNION_PSC_CLIENT_SECRET": "canary",
}


def test_pro_sante_connect_is_set_whole_or_not_at_all():
    assert load_settings({}).psc is None
    known = load_settings(PSC).psc
    assert known is not None
    assert (known.issuer, known.client_id) == ("https://psc.example/auth/realms/esante", "trait-union")
    assert "canary" not in repr(load_settings(PSC))
    for left_out in PSC:
        with pytest.raises(BadSetting, match="PSC_ISSUER") as refused:
            load_settings({name: value for name, value in PSC.items() if name != left_out})
        assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "issuer",
    ["http://psc.example", "ftp://psc.example", "https://", "https://psc.example?x=1", "psc.example"],
)
def test_a_provider_that_is_not_reached_safely_is_refused(issuer):
    with pytest.raises(BadSetting, match="PSC_ISSUER"):
        load_settings(PSC | {"TRAIT_UNION_PSC_ISSUER": issuer})


def test_a_provider_of_a_rehearsal_may_be_on_this_host():
    for issuer in ("http://localhost:9000", "http://127.0.0.1:9000"):
        assert load_settings(PSC | {"TRAIT_UNION_PSC_ISSUER": issuer}).psc is not None


def test_proxies_are_networks_and_a_slip_is_named():
    shown = load_settings({"TRAIT_UNION_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"}).trusted_proxies
    assert [str(network) for network in shown] == ["10.0.0.0/8", "192.0.2.1/32"]
    for wrong in ("a proxy", "10.0.0.1/8", "10.0.0.0/99"):
        with pytest.raises(BadSetting, match="TRUSTED_PROXIES"):
            load_settings({"TRAIT_UNION_TRUSTED_PROXIES": wrong})
