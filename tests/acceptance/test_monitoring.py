"""What operators watch: each figure that a dashboard or an alert names is one that the service gives."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from matcher.service import unreached
from matcher.service.actors import Actor, Role
from matcher.storage import territories
from tests.acceptance.api_world import METRICS
from tests.acceptance.house import HERE, House

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "config" / "monitoring"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana-dashboard.json").read_text("utf-8"))
_SPAN = re.compile(r"(\d+)([smhd])")


async def _metrics(house: House) -> dict[str, set[str]]:
    """The labels of every series that a scrape can give, by name."""
    text = (await house.call(METRICS, "GET", "//metrics")).content.decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def _value(house: House, name: str, **labels: str) -> float | None:
    text = (await house.call(METRICS, "GET", "//metrics")).content.decode()
    values = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return values[0] if values else None


def _expressions() -> list[str]:
    queries = [DASHBOARD["templating"]["list"][1]["query"]]
    shown = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*queries, *shown, *(rule["expr"] for rule in RULES)]


async def test_every_figure_of_the_dashboard_and_the_alerts_is_one_that_is_given(small_house: House) -> None:
    house = small_house
    _, (doctor, *_) = await house.proposing()
    await house.run_sql("UPDATE outbox SET state = 'dead' WHERE letter = 'thanked'")
    house.house.at_the_door["taken"] += 1
    await house.run_sql(
        "INSERT INTO received (territory_id, id, key, at, letter, search_id, kind, reading, sender, state,"
        " counted, settled_at) SELECT territory_id, 'r1', 'k1', :at, 'announcement', id, 'bounce',"
        " 'permanent', 'server', 'settled', true, :at FROM searches",
        at=house.clock.at.strftime("%Y-%m-%d %H:%M:%S.%f"),
    )
    given = await _metrics(house)
    for expression in _expressions():
        named = re.findall(r"(trait_union_\w+)(?:{([^}]*)})?", expression)
        assert named, expression
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", "".join(inside for _, inside in named)))
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            labels |= {label.strip() for label in grouped.split(",")}
        for name, _ in named:
            assert name in given, f"{name} of {expression}"
        known = set().union(*(given[name] for name, _ in named))
        assert labels - known == set(), expression
    assert doctor["id"] not in str(given)


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = dict(re.findall(r"^### (\w+)\n(.+(?:\n(?!#).*)*)", page, re.MULTILINE))
    assert list(told) == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert all(_SPAN.fullmatch(span) for span in re.findall(r"\[(\w+)\]", rule["expr"]))
        assert "**Do**" in told[rule["alert"]]


def test_the_panels_of_the_dashboard_stand_side_by_side_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        mine = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not mine & taken
        assert max(x for x, _ in mine) < 24
        taken |= mine
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


async def test_the_figures_say_who_waits_because_of_us(house: House) -> None:
    search = await house.submitted()
    for what in ("validate", "launch"):
        await house.do(search, what)
    house.clock.at = house.clock.at.replace(hour=house.clock.at.hour + 1)
    assert await _value(house, "trait_union_outbox_age_seconds") == 3600
    await house.work()
    assert await _value(house, "trait_union_outbox_age_seconds") == 0
    sent = await _value(house, "trait_union_mails_total", outcome="accepted", territory=HERE)
    assert sent == len(await house.mailed(search))
    await house.says((await house.mailed(search))[0], "no")
    assert await _value(house, "trait_union_answers_total", by="mail", answer="no") == 1
    # Counters begin anew at midnight.
    await house.later(hours=24)
    assert await _value(house, "trait_union_answers_total", by="mail", answer="no") is None


async def test_dead_mails_are_counted_until_somebody_took_note(small_house: House) -> None:
    house = small_house
    await house.launched()
    await house.run_sql("UPDATE outbox SET state = 'dead' WHERE id = (SELECT min(id) FROM outbox)")
    assert await _value(house, "trait_union_dead_letters", territory=HERE) == 1
    ((mail,),) = await house.run_sql("SELECT id FROM outbox WHERE state = 'dead'")
    await unreached.take_note(house.house, Actor(territory=HERE, id="x", role=Role.SECRETAIRE), mail)
    assert await _value(house, "trait_union_dead_letters", territory=HERE) == 0


@pytest.mark.parametrize("probe", ["//readyz", "//metrics"])
async def test_a_territory_that_waits_for_its_office_is_told_and_its_mails_alarm_nobody(
    small_house: House, probe: str
) -> None:
    house = small_house
    search = await house.submitted()
    for what in ("validate", "launch"):
        await house.do(search, what)
    async with house.house.sessions.begin() as session:
        await territories.stop(session, HERE, house.clock.at)
    house.clock.at = house.clock.at.replace(day=house.clock.at.day + 2)
    if probe == "//readyz":
        ready = await house.get(None, probe)
        assert ready["status"] == "degraded"
        assert (ready["checks"]["resumed"], ready["checks"]["outbox"]) == ("stopped", "ok")
        return
    assert await _value(house, "trait_union_stopped", territory=HERE) == 1
    assert await _value(house, "trait_union_check", check="resumed") == 0
    assert await _value(house, "trait_union_outbox_age_seconds") == 0
