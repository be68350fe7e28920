"""What ``/metrics`` says of the installation, beside the requests that this process answered.

Most is read from the database at each scrape, so that every replica says the same; a query over several
takes ``max by (…)``. Counters count since midnight (UTC) and begin anew then, as ``rate`` and ``increase``
expect of counters.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matcher.service.health import Figures, Word

_Rows = Iterable[tuple[tuple[str, ...], float]]


def figures_text(figures: Figures, checks: Mapping[str, Word], door: Mapping[str, int]) -> bytes:
    """Prometheus text: the figures, the checks of ``/readyz``, and this process's door for mail."""
    registry = CollectorRegistry()
    registry.register(_Told([*_waiting(figures), *_happened(figures), *_here(checks, door)]))
    return generate_latest(registry)


class _Told(Collector):
    """Families that are worked out already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _waiting(figures: Figures) -> list[Metric]:
    return [
        GaugeMetricFamily("trait_union_outbox_waiting", "Mails to be sent.", figures.outbox_waiting),
        GaugeMetricFamily(
            "trait_union_outbox_age_seconds",
            "For how long the oldest unsent mail could have left.",
            figures.outbox_age.total_seconds(),
        ),
        GaugeMetricFamily(
            "trait_union_steps_age_seconds",
            "Lateness of the oldest due step.",
            figures.steps_age.total_seconds(),
        ),
        _gauge("searches", "Searches by state.", ("territory", "state"), figures.searches.items()),
        _gauge("received", "Mails that came back.", ("kind", "reading"), figures.received.items()),
        GaugeMetricFamily("trait_union_received_to_read", "Mails that a person must read.", figures.to_read),
        _gauge(
            "dead_letters",
            "Mails that died and of which nobody took note.",
            ("territory",),
            (((territory,), number) for territory, number in figures.dead_letters.items()),
        ),
        _gauge(
            "stopped",
            "1 where everything waits for the office to resume.",
            ("territory",),
            (((territory,), float(stopped)) for territory, stopped in figures.stopped.items()),
        ),
    ]


def _happened(figures: Figures) -> list[Metric]:
    bounces = {(territory,): number for territory, number in figures.bounces.items()}
    return [
        _counter("answers", "What doctors said.", ("territory", "by", "answer"), figures.answers.items()),
        _counter(
            "mails", "What became of mails to doctors.", ("territory", "outcome"), figures.mails.items()
        ),
        _counter("bounces", "Mails that came back undelivered.", ("territory",), bounces.items()),
    ]


def _here(checks: Mapping[str, Word], door: Mapping[str, int]) -> list[Metric]:
    words = {(name,): float(word is Word.OK) for name, word in checks.items()}
    at_the_door = {(what,): number for what, number in sorted(door.items())}
    return [
        _gauge("check", "1 where a check of /readyz is ok.", ("check",), words.items()),
        _gauge("mail_door", "Mails at the door of this process.", ("what",), at_the_door.items()),
    ]


def _gauge(name: str, told: str, labels: tuple[str, ...], rows: _Rows) -> Metric:
    family = GaugeMetricFamily(f"trait_union_{name}", told, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _counter(name: str, told: str, labels: tuple[str, ...], rows: _Rows) -> Metric:
    family = CounterMetricFamily(f"trait_union_{name}", told, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family
