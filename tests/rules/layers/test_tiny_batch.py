"""Edge cases of tiny-batch."""

from trainlint.runtime.signals import Layer, Origin

RULE = "tiny-batch"
NORM = Layer("norm", "BatchNorm1d", 1, "64", is_norm=True, origin=Origin("model.py", 8))


def samples(count):
    return {"norm_samples": {"norm": count}}


def test_two_values_per_channel_are_said_at_once_and_once(training):
    run = training(RULE, layers=(NORM,))
    (found,) = run.step(**samples(2))
    assert (found.path, found.span.line) == ("model.py", 8)
    assert "over 2 values" in found.message
    assert "replace `norm`" in found.remedy
    assert not run.steps(9, **samples(2))


def test_three_values_are_left_to_another_rule(training):
    assert not training(RULE, layers=(NORM,)).step(**samples(3))


def test_a_last_batch_that_is_smaller_is_left_to_another_rule(training):
    run = training(RULE, layers=(NORM,))
    assert not run.step(**samples(32))
    assert not run.step(**samples(1))


def test_a_normalisation_over_all_ranks_sees_more(training):
    layer = Layer("norm", "SyncBatchNorm", 1, "64", is_norm=True)
    assert not training(RULE, layers=(layer,)).step(**samples(2))


def test_thresholds_are_settings(training):
    assert training(RULE, layers=(NORM,), samples=8).step(**samples(8))
