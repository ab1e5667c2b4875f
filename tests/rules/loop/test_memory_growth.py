"""Edge cases of memory-growth."""

RULE = "memory-growth"


def stretches(run, *levels, signal="memory"):
    """Show ten measured steps of each stretch of a thousand; the highest is a passing peak."""
    found = []
    for at, level in enumerate(levels):
        for step in range(10):
            peak = 2.0 if step == 5 else 1.0
            values = {"memory": 1e9, signal: level * peak}
            found += run.step(number=1000 * at + 100 * step + 1, **values)
    return found


def test_memory_that_rises_in_three_stretches_is_said_once(training):
    run = training(RULE)
    (found,) = stretches(run, *[1e9 * 1.1**at for at in range(9)])
    assert "resident memory rises by over 5%" in found.message
    assert "by 10% in the last" in found.message
    assert found.moment.step == 5001
    assert "`.item()`" in found.remedy


def test_memory_on_the_device_counts_too(training):
    (found,) = stretches(training(RULE), 1e9, 1e9, 2e9, 3e9, 4e9, 4e9, signal="device_memory")
    assert "device memory" in found.message


def test_the_warm_up_and_a_buffer_that_fills_are_fine(training):
    assert not stretches(training(RULE), 1e9, 5e9, 6e9, 7e9, 7e9, 7e9, 7e9)


def test_a_slow_rise_is_fine(training):
    assert not stretches(training(RULE), *[1e9 * 1.01**at for at in range(20)])


def test_unknown_memory_says_nothing(training):
    assert not stretches(training(RULE), *[float("nan")] * 9)
    assert not stretches(training(RULE), *[0.0] * 9)


def test_thresholds_are_settings(training):
    levels = [1e9 * 1.1**at for at in range(9)]
    assert not stretches(training(RULE, growth=0.2), *levels)
    assert stretches(training(RULE, patience=1), *levels[:4])
