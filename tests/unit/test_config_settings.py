"""The service's settings: where they come from, and how a bad one is told."""

from datetime import timedelta

import pytest

from config.settings import BadSetting, Relay, elapsed, is_duration, load_settings


def test_a_fresh_installation_needs_no_setting():
    settings = load_settings({})
    assert settings.embedded
    assert settings.relay.host == "127.0.0.1"
    assert settings.lease == timedelta(seconds=60)
    assert settings.metrics_token == ""


def test_the_environment_comes_after_the_defaults():
    settings = load_settings(
        {
            "TRAIT_UNION_DATABASE_URL": "postgres://tu:secret@db.example/tu",
            "TRAIT_UNION_SMTP_URL": "smtps://us%40er:p%3Ass@relay.example:4650",
            "TRAIT_UNION_SMTP_CONNECTIONS": "8",
            "TRAIT_UNION_PUBLIC_URL": "https://tu.example/",
            "TRAIT_UNION_LEASE": "PT5S",
            "TRAIT_UNION_LOG_LEVEL": "DEBUG",
            "HOME": "/root",
        }
    )
    assert not settings.embedded
    assert settings.relay == Relay(
        host="relay.example", port=4650, tls="tls", user="us@er", password="p:ss", connections=8, pace=120
    )
    assert settings.public_url == "https://tu.example"
    assert settings.lease == timedelta(seconds=5)
    assert settings.log_level == "debug"


def test_no_secret_is_shown_with_the_settings():
    shown = repr(
        load_settings(
            {
                "TRAIT_UNION_DATABASE_URL": "postgresql://tu:canary1@db.example/tu",
                "TRAIT_UNION_SMTP_URL": "smtps://canary2:canary3@relay.example",
                "TRAIT_UNION_METRICS_TOKEN": "canary4",
            }
        )
    )
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "not a url"),
        ("SMTP_URL", "http://relay.example"),
        ("SMTP_URL", "smtp://relay.example"),
        ("SMTP_URL", "smtp://10.0.0.1:25"),
        ("SMTP_URL", "smtps://"),
        ("SMTP_URL", "smtps://relay.example:99999"),
        ("SMTP_URL", "smtps://relay.example/path"),
        ("SMTP_CONNECTIONS", "0"),
        ("SMTP_CONNECTIONS", "many"),
        ("SMTP_CA", "/nowhere/ca.pem"),
        ("SMTP_CERT", "/nowhere/us.pem"),
        ("SMTP_CERT", __file__),
        ("SMTP_KEY", __file__),
        ("SMTP_PACE", "fast"),
        ("SMTP_PACE", "-1"),
        ("SMTP_TIMEOUT", "PT0S"),
        ("SMTP_TIMEOUT", "PT1H"),
        ("PUBLIC_URL", "tu.example"),
        ("PUBLIC_URL", "https://tu.example/#x"),
        ("KEYS_DIR", ""),
        ("TERRITORIES", ""),
        ("TERRITORIES", "/nowhere/territories"),
        ("LEASE", "60"),
        ("LEASE", "PT0S"),
        ("LEASE", "P2D"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_told_in_one_line_that_names_it(name, value):
    with pytest.raises(BadSetting) as told:
        load_settings({f"TRAIT_UNION_{name}": value})
    assert str(told.value).startswith(f"TRAIT_UNION_{name}: ")
    assert "\n" not in str(told.value)


def test_a_complaint_never_repeats_a_password():
    for variable, value in (
        ("TRAIT_UNION_SMTP_URL", "smtp://user:canary@relay.example:25"),
        ("TRAIT_UNION_SMTP_URL", "smtps://user:canary@relay.example:port"),
        ("TRAIT_UNION_DATABASE_URL", "oracle://user:canary@db.example/x"),
    ):
        with pytest.raises(BadSetting) as told:
            load_settings({variable: value})
        assert "canary" not in str(told.value)


def test_a_slip_in_a_variable_s_name_is_not_silently_ignored():
    with pytest.raises(BadSetting, match=r"TRAIT_UNION_DATABSE_URL: .*TRAIT_UNION_DATABASE_URL"):
        load_settings({"TRAIT_UNION_DATABSE_URL": "sqlite:///x"})


def test_what_an_orchestrator_puts_under_the_prefix_is_let_be():
    load_settings(
        {"TRAIT_UNION_SERVICE_HOST": "10.0.0.1", "TRAIT_UNION_PORT_8080_TCP": "tcp://10.0.0.1:8080"}
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_plain_smtp_is_for_this_host(host):
    relay = Relay.parse(f"smtp://{host}:2525")
    assert (relay.tls, relay.port) == ("plain", 2525)


@pytest.mark.parametrize(
    ("url", "port"),
    [("smtp://localhost", 25), ("smtp+starttls://r.example", 587), ("smtps://r.example", 465)],
)
def test_each_scheme_has_its_port(url, port):
    assert Relay.parse(url).port == port


def test_the_authorities_of_a_relay_may_be_named(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("")
    assert load_settings({"TRAIT_UNION_SMTP_CA": str(file)}).relay.authorities == file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P2D", timedelta(days=2)),
        ("PT3H", timedelta(hours=3)),
        ("PT15M", timedelta(minutes=15)),
        ("PT2S", timedelta(seconds=2)),
    ],
)
def test_a_duration_has_one_unit(text, expected):
    assert is_duration(text)
    assert elapsed(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "2D", "P2H", "PT2D", "P1DT2H", "P-1D", "P1.5D", "p2d", "P2D\n", "P٢D"]
)
def test_other_durations_are_refused(text):
    assert not is_duration(text)
    with pytest.raises(ValueError, match="PnD"):
        elapsed(text)
