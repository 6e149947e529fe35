import math

from load.report import Machine, milliseconds, percentile


def test_percentile_is_a_sample_that_this_share_does_not_exceed() -> None:
    samples = [float(value) for value in range(100, 0, -1)]
    assert percentile(samples, 0.5) == 50
    assert percentile(samples, 0.99) == 99
    assert percentile(samples, 1) == 100
    assert percentile([3.0], 0.5) == 3
    assert math.isnan(percentile([], 0.5))


def test_figures_are_in_milliseconds() -> None:
    assert milliseconds([0.001, 0.002, 1.5]) == "p50 2.0 ms  p95 1,500.0 ms  p99 1,500.0 ms"
    assert milliseconds([]) == "no samples"


def test_the_machine_says_how_busy_it_was() -> None:
    with Machine() as machine:
        sum(range(3_000_000))
    assert "cores" in str(machine)
