"""Who a professional is, shown at a real provider; and every way in which it may not be shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from config.access import ProSanteConnect
from config.settings import load_settings
from matcher import app
from matcher.service import pro_sante_connect as psc
from matcher.service.errors import NotFound, NotProven
from tests.integration.oidc import DOCTOR, provider, show_card

BACK = "/connexion/pro-sante-connect/retour"


@pytest.fixture(scope="module")
def issuer():
    with provider() as listening:
        yield listening


@pytest.fixture
async def house(sqlite_url, tmp_path, issuer):
    settings = load_settings(
        {
            "TRAIT_UNION_DATABASE_URL": sqlite_url,
            "TRAIT_UNION_KEYS_DIR": str(tmp_path / "keys"),
            "TRAIT_UNION_PSC_ISSUER": issuer,
            "TRAIT_UNION_PSC_CLIENT_ID": "trait-union",
            "TRAIT_UNION_PSC_CLIENT_SECRET": "un-secret",
        }
    )
    async with app.open_house(settings) as opened:
        yield opened


async def come_back(house, who, seed="seed", purpose="login"):
    return await show_card(await psc.start(house, seed, purpose, BACK), who)


async def test_a_card_shows_who_a_doctor_is(house):
    seed = psc.new_seed()
    code, state = await come_back(house, "doctor", seed)
    who = await psc.finish(house, seed, "login", BACK, code, state)
    assert who == psc.Professional(subject=DOCTOR, rpps="10000000001", level="eidas1")


async def test_who_has_no_rpps_number_is_still_somebody(house):
    code, state = await come_back(house, "staff")
    who = await psc.finish(house, "seed", "login", BACK, code, state)
    assert (who.subject, who.rpps) == ("510000000/COORD1", None)


async def test_the_browser_is_sent_with_pkce_state_nonce_and_the_level_of_a_card(house):
    asked = parse_qs(urlsplit(await psc.start(house, "seed", "login", BACK)).query)
    assert asked["acr_values"] == ["eidas1"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [house.public_url + BACK]
    other = parse_qs(urlsplit(await psc.start(house, "other", "login", BACK)).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) == 43
        assert asked[name] != other[name]
    assert "un-secret" not in str(asked)


async def test_the_provider_gives_nothing_for_a_code_without_its_verifier(house):
    """Pro Santé Connect asks for PKCE, and so does the provider of these tests."""
    for wrong in ("", "a-verifier-of-somebody-else-of-forty-three-signs-x"):
        code, state = await come_back(house, "doctor")
        real = psc._fetched

        async def altered(http, method, url, *, verifier=wrong, fetch=real, **more):
            if "data" in more:
                more["data"] = more["data"] | {"code_verifier": verifier}
            return await fetch(http, method, url, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psc, "_fetched", altered)
            with pytest.raises(NotProven):
                await psc.finish(house, "seed", "login", BACK, code, state)
    code, state = await come_back(house, "doctor")
    assert (await psc.finish(house, "seed", "login", BACK, code, state)).subject == DOCTOR


@pytest.mark.parametrize("who", ["password", "nameless"])
async def test_who_shows_no_card_or_has_no_identifier_is_refused(house, who):
    code, state = await come_back(house, who)
    with pytest.raises(NotProven):
        await psc.finish(house, "seed", "login", BACK, code, state)


async def test_an_answer_is_worth_nothing_in_another_browser_for_another_purpose_or_twice(house):
    code, state = await come_back(house, "doctor")
    for seed, purpose in (("other", "login"), ("seed", "release"), ("", "login")):
        with pytest.raises(NotProven):
            await psc.finish(house, seed, purpose, BACK, code, state)
    await psc.finish(house, "seed", "login", BACK, code, state)
    with pytest.raises(NotProven):
        await psc.finish(house, "seed", "login", BACK, code, state)


async def test_a_code_of_another_request_is_refused_by_its_nonce(house):
    code, _ = await come_back(house, "doctor", "attacker")
    _, state = await come_back(house, "doctor", "seed")
    with pytest.raises(NotProven):
        await psc.finish(house, "seed", "login", BACK, code, state)


async def test_a_token_for_another_service_or_out_of_date_is_refused(house):
    code, state = await come_back(house, "doctor")
    late = replace(house, now=lambda: datetime.now(UTC) + timedelta(hours=2))
    with pytest.raises(NotProven):
        await psc.finish(late, "seed", "login", BACK, code, state)
    tokens = []
    real = psc._fetched

    async def remember(http, method, url, **more):
        found = await real(http, method, url, **more)
        tokens.append(found)
        return found

    code, state = await come_back(house, "doctor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psc, "_fetched", remember)
        await psc.finish(house, "seed", "login", BACK, code, state)
    token, keys = tokens[1]["id_token"], tokens[2]
    nonce = psc._derived("seed", "login", "nonce")
    known = house.settings.psc
    assert psc._verified(house, known, token, keys, nonce)["sub"] == "doctor"
    head, body, signature = token.split(".")
    for wrong in (
        (replace(known, client_id="another"), token, keys),
        (replace(known, issuer="https://another.example"), token, keys),
        (known, f"{head}.{body}.{'A' * len(signature)}", keys),
        (known, "eyJhbGciOiJub25lIn0." + body + ".", keys),
        (known, token, {"keys": []}),
        (known, None, keys),
    ):
        with pytest.raises(NotProven):
            psc._verified(house, *wrong, nonce)


async def test_a_provider_that_does_not_answer_proves_nothing(house):
    silent = ProSanteConnect(issuer="http://localhost:1", client_id="a", client_secret="b")
    lost = replace(house, settings=replace(house.settings, psc=silent))
    with pytest.raises(NotProven):
        await psc.start(lost, "seed", "login", BACK)


async def test_without_settings_there_is_no_such_way_in(house):
    without = replace(house, settings=replace(house.settings, psc=None))
    assert not psc.is_configured(without)
    with pytest.raises(NotFound):
        await psc.start(without, "seed", "login", BACK)
