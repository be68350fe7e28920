"""How often a caller may come."""

from matcher.web.limits import Meter


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_twenty_requests_a_second_are_never_refused() -> None:
    clock = Clock()
    meter = Meter(seconds=clock)
    refused = 0
    for _ in range(20 * 60):
        refused += not meter.take("key")
        clock.at += 1 / 20
    assert refused == 0


def test_forty_at_once_are_not_refused() -> None:
    meter = Meter(seconds=Clock())
    assert all(meter.take("key") for _ in range(40))


def test_a_flood_is_refused_and_another_caller_is_not() -> None:
    meter = Meter(seconds=Clock(), sustained=1, burst=3)
    assert [meter.take("flood") for _ in range(5)] == [True, True, True, False, False]
    assert meter.take("other")


def test_who_waited_may_come_again() -> None:
    clock = Clock()
    meter = Meter(seconds=clock, sustained=1, burst=1)
    assert meter.take("key")
    assert not meter.take("key")
    clock.at = 1.0
    assert meter.take("key")


def test_memory_stays_flat_however_many_come() -> None:
    meter = Meter(seconds=Clock(), remembered=10)
    for caller in range(1000):
        meter.take(str(caller))
    assert len(meter._buckets) == 10
