"""When the relay is taken to be down, and how soon it is found to be back."""

from datetime import UTC, datetime, timedelta

from messaging.breaker import ENOUGH, LONGEST, Breaker

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def opened():
    breaker = Breaker()
    assert [breaker.failed(NOW, 0.5) for _ in range(ENOUGH)] == [False] * (ENOUGH - 1) + [True]
    return breaker


def test_one_failure_is_no_reason_to_stop():
    breaker = Breaker()
    for _ in range(10):
        for _ in range(ENOUGH - 1):
            assert not breaker.failed(NOW, 0.5)
        assert not breaker.succeeded()
    assert not breaker.open


def test_failures_in_a_row_open_it_once_and_a_success_closes_it_at_once():
    breaker = opened()
    assert breaker.open
    assert not breaker.failed(NOW, 0.5)
    assert breaker.succeeded()
    assert not breaker.open
    assert not breaker.succeeded()
    assert not breaker.may_probe(NOW + timedelta(days=1))


def test_probes_grow_rarer_but_a_relay_that_is_back_is_found_within_seconds():
    breaker, now, pauses = opened(), NOW, []
    for _ in range(20):
        assert not breaker.may_probe(now)
        pauses.append(breaker.probe_at - now)
        now = breaker.probe_at
        assert breaker.may_probe(now)
        breaker.failed(now, 0.5)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == LONGEST


def test_processes_do_not_probe_in_the_same_moment():
    early, late = Breaker(), Breaker()
    for _ in range(ENOUGH):
        early.failed(NOW, 0.0)
        late.failed(NOW, 0.99)
    assert early.probe_at < late.probe_at
