"""Edge cases of last-batch-of-one."""

from trainlint.runtime.signals import Layer

RULE = "last-batch-of-one"
NORM = Layer("norm", "BatchNorm2d", 1, "64", is_norm=True)


def batch(size, pixels=64):
    return {"batch_size": size, "norm_samples": {"norm": size * pixels}}


def test_a_batch_of_one_after_larger_ones_is_said_once(training):
    run = training(RULE, layers=(NORM,))
    assert not run.steps(4, **batch(16))
    (found,) = run.step(**batch(1))
    assert "a batch of 1 came after batches of 16" in found.message
    assert "drop_last=True" in found.remedy
    run.steps(4, **batch(16))
    assert not run.step(**batch(1))


def test_two_values_per_channel_count_too(training):
    run = training(RULE, layers=(NORM,))
    run.step(**batch(16, pixels=1))
    assert run.step(**batch(2, pixels=1))


def test_a_smaller_last_batch_is_fine(training):
    run = training(RULE, layers=(NORM,))
    run.steps(4, **batch(16))
    assert not run.step(**batch(5))


def test_batches_of_one_throughout_are_another_matter(training):
    assert not training(RULE, layers=(NORM,)).steps(9, **batch(1))


def test_without_batch_normalisation_in_training_mode_it_is_fine(training):
    run = training(RULE, layers=(NORM,))
    run.steps(4, **batch(16))
    assert not run.step(batch_size=1, norm_samples={})


def test_thresholds_are_settings(training):
    run = training(RULE, layers=(NORM,), samples=5)
    run.step(**batch(16, pixels=1))
    assert run.step(**batch(5, pixels=1))
