"""Edge cases of input-not-used."""

from trainlint.runtime.signals import Layer

RULE = "input-not-used"
LAYERS = (Layer("fc1", "Linear", 0), Layer("fc2", "Linear", 1, is_output=True))
NAN = float("nan")


def test_an_output_that_never_changes_is_said_once_per_streak(training):
    run = training(RULE)
    assert not run.steps(19, output_change=0.0)
    (found,) = run.step(output_change=0.0)
    assert "does not depend on the input" in found.message
    assert not run.steps(50, output_change=0.0)


def test_equal_batches_neither_count_nor_end_the_streak(training):
    run = training(RULE)
    assert not run.steps(50, output_change=NAN)
    assert not run.steps(19, output_change=0.0)
    assert not run.step(output_change=NAN)
    assert run.step(output_change=0.0)


def test_one_output_that_differs_ends_the_streak(training):
    run = training(RULE)
    run.steps(19, output_change=0.0)
    run.step(output_change=0.3)
    assert not run.steps(19, output_change=0.0)


def test_a_slow_output_is_fine(training):
    assert not training(RULE).steps(50, output_change=1e-4)
    assert not training(RULE).steps(50, output_change=float("inf"))


def test_thresholds_are_settings(training):
    assert training(RULE, patience=2, change=1e-3).steps(2, output_change=1e-4)


def same(first=0.0, *, std=1.0, size=32):
    return {
        "batch_variance": {"fc1": first, "fc2": 1e-14},
        "rms": {"fc1": 1.0, "fc2": 1.0},
        "input_std": std,
        "input_constant": 0.0,
        "batch_size": size,
    }


def test_examples_that_all_look_the_same_are_said_after_five_steps(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(4, **same())
    assert run.step(**same())
    assert not run.steps(50, **same())


def test_a_layer_that_tells_examples_apart_has_used_the_input(training):
    assert not training(RULE, layers=LAYERS).steps(50, **same(0.1))


def test_equal_inputs_and_small_batches_prove_nothing(training):
    assert not training(RULE, layers=LAYERS).steps(50, **same(std=0.0))
    assert not training(RULE, layers=LAYERS).steps(50, **same(size=2))
