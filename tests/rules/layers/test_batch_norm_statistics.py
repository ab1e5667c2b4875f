"""Edge cases of batch-norm-statistics."""

from trainlint.runtime.signals import Layer, Origin

RULE = "batch-norm-statistics"
NORM = Layer("norm", "BatchNorm1d", 1, "64", is_norm=True, origin=Origin("model.py", 8))


def seen(*, drift=0.0, updates=500.0, training=1.0, samples=32.0):
    return {
        "training": {"norm": training},
        "norm_drift": {"norm": drift},
        "norm_updates": {"norm": updates},
        "norm_samples": {"norm": samples} if training else {},
    }


def test_running_statistics_that_do_not_follow_are_said_once(training):
    run = training(RULE, layers=(NORM,))
    assert not run.steps(9, **seen(drift=0.4))
    (found,) = run.step(**seen(drift=0.4))
    assert (found.path, found.span.line) == ("model.py", 8)
    assert "in 40% of the channels" in found.message
    assert "momentum=0.1" in found.remedy
    assert not run.steps(50, **seen(drift=0.4))


def test_statistics_need_time_to_follow(training):
    assert not training(RULE, layers=(NORM,)).steps(50, **seen(drift=1.0, updates=200))


def test_a_few_channels_and_single_steps_are_fine(training):
    run = training(RULE, layers=(NORM,))
    assert not run.steps(50, **seen(drift=0.1))
    run.steps(9, **seen(drift=0.4))
    run.step(**seen(drift=0.0))
    assert not run.steps(9, **seen(drift=0.4))


def test_few_values_per_channel_are_said(training):
    (found,) = training(RULE, layers=(NORM,)).steps(10, **seen(samples=4))
    assert "over 4 values" in found.message
    assert not training(RULE, layers=(NORM,)).steps(50, **seen(samples=2))
    assert not training(RULE, layers=(NORM,)).steps(50, **seen(samples=5))


def test_statistics_that_were_never_updated_are_said_where_they_are_used(training):
    run = training(RULE, layers=(NORM,))
    assert not run.steps(29, **seen(drift=0.5, updates=0, training=0))
    (found,) = run.step(**seen(drift=0.5, updates=0, training=0))
    assert "never updated" in found.message


def test_frozen_statistics_of_a_pretrained_model_are_fine(training):
    assert not training(RULE, layers=(NORM,)).steps(50, **seen(drift=0.5, updates=9000, training=0))


def test_optimizers_that_take_turns_show_two_kinds_of_batches(training):
    assert not training(RULE, layers=(NORM,), alternates=True).steps(50, **seen(drift=0.5))


def test_a_layer_without_running_statistics_and_nan_say_nothing(training):
    run = training(RULE, layers=(NORM,))
    assert not run.steps(50, training={"norm": 1.0})
    assert not run.steps(50, **seen(drift=float("nan")))


def test_thresholds_are_settings(training):
    run = training(RULE, layers=(NORM,), share=0.01, updates=10, patience=2)
    assert run.steps(2, **seen(drift=0.05, updates=20))
