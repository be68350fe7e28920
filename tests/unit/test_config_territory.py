"""A territory's settings: every key is checked, and a slip is named."""

from datetime import time
from textwrap import dedent

import pytest

from config import territory
from config.settings import BadSetting, load_territories, load_territory


def documented() -> str:
    """The complete file that the module's documentation shows."""
    sample = territory.__doc__.partition("::\n")[2]
    sample = dedent(sample).replace("# the same keys\n", "\n").replace("   # …", "")
    days = 'monday = "09:00-17:00"\nfriday = "09:00-17:00"\n'
    sample = sample.replace("[hours.office]", "[hours.office]\n" + days)
    delays = sample.partition("[delays]")[2].partition("[urgent]")[0]
    rest = "\n".join(line for line in delays.splitlines()[1:] if not line.startswith(("reminder", "calls")))
    return sample.replace("[urgent]", "[urgent]\n" + rest)


def write(folder, text, name="a"):
    path = folder / name / "territory.toml"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    return path


def test_the_documented_file_is_a_good_one(tmp_path):
    settings = load_territory(write(tmp_path, documented()))
    assert settings.id == "venissieux"
    assert settings.delays.reminder == "P2D"
    assert settings.urgent.reminder is None
    assert settings.urgent.calls == "PT2H"
    assert settings.hours.doctors.openings()[5] == (time(8), time(12))
    assert 6 not in settings.hours.doctors.openings()
    assert set(settings.hours.office.openings()) == {0, 4}
    assert settings.retention.journal == "P1095D"


def test_a_folder_is_as_good_as_its_file(tmp_path):
    path = write(tmp_path, documented())
    assert load_territory(path.parent) == load_territory(path)


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ('id = "venissieux"', 'id = "Vénissieux"', "id"),
        ('timezone = "Europe/Paris"', 'timezone = "Europe/Venissieux"', "timezone"),
        ('timezone = "Europe/Paris"', 'timezone = "../etc/passwd"', "timezone"),
        ('holidays = ""', 'holidays = "ZZ"', "holidays"),
        ('clock = "working"', 'clock = "fast"', "clock"),
        ('mail = "coordination@cpts.example"', 'mail = "coordination"', "mail"),
        ('phone = "04 65 71 00 00"', 'phone = "call us"', "phone"),
        ('return_domain = "retour.cpts.example"', 'return_domain = "x y"', "return_domain"),
        ('monday = "08:00-19:00"', 'monday = "8-19"', "hours.doctors.monday"),
        ('monday = "08:00-19:00"', 'monday = "19:00-08:00"', "hours.doctors.monday"),
        ('next_wave = "P2D"', 'next_wave = "2 days"', "delays.next_wave"),
        ("size = 20", "size = 0", "waves.size"),
        ("size = 20", 'size = "20"', "waves.size"),
        ("k = 100", "k = 100\nkk = 1", "announcement.kk"),
        ('second_factor = "phone"', 'second_factor = "hope"', "release.second_factor"),
        ("rounds = 2", "", "calls.rounds"),
    ],
)
def test_a_bad_key_is_told_in_one_line_that_names_it(tmp_path, good, bad, named):
    path = write(tmp_path, documented().replace(good, bad, 1))
    with pytest.raises(BadSetting) as told:
        load_territory(path)
    assert str(told.value).startswith(f"{path}: {named}: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"id = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told(tmp_path, content):
    path = write(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(BadSetting, match=r"territory\.toml"):
        load_territory(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(BadSetting, match="no such file"):
        load_territory(tmp_path / "territory.toml")


def test_territories_come_by_id_and_may_not_share_one(tmp_path):
    write(tmp_path, documented(), "one")
    write(tmp_path, documented().replace('"venissieux"', '"bron"'), "two")
    assert list(load_territories(tmp_path)) == ["bron", "venissieux"]
    write(tmp_path, documented(), "three")
    with pytest.raises(BadSetting, match="another territory"):
        load_territories(tmp_path)
