"""Edge cases of initial-loss."""

import math

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer, Optimizer, Origin, Parameter, Role

RULE = "initial-loss"
LAYERS = (
    Layer("fc1", "Linear", 0, "64→256", weight="fc1.weight"),
    Layer("norm", "BatchNorm1d", 1, "256", weight="", is_norm=True),
    Layer(
        "fc2",
        "Linear",
        2,
        "256→10",
        weight="fc2.weight",
        is_output=True,
        origin=Origin("model.py", 9),
    ),
)


def first(loss, classes=10, **others):
    return {"class_loss": loss, "classes": classes, "batch_size": 32, **others}


def test_a_first_loss_far_over_chance_names_the_last_layer(training):
    (found,) = training(RULE, layers=LAYERS).step(**first(9.0))
    assert found.severity is Severity.WARNING
    assert (found.path, found.span.line) == ("model.py", 9)
    assert "guessing among 10 classes gives 2.3" in found.message
    assert "`fc2` (Linear 256→10, model.py:9)" in found.remedy


def test_what_guessing_gives_is_fine_and_later_losses_are_not_looked_at(training):
    run = training(RULE, layers=LAYERS)
    assert not run.step(**first(2.4))
    assert not run.step(**first(50.0))


def test_a_first_loss_far_below_chance_is_a_note(training):
    (found,) = training(RULE, layers=LAYERS).step(**first(0.3))
    assert found.severity is Severity.ADVICE
    assert "checkpoint" in found.remedy


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_what_is_not_finite_is_left_to_others(training, loss):
    assert not training(RULE, layers=LAYERS).step(**first(loss))


def test_a_mean_over_few_examples_must_be_further_off(training):
    assert not training(RULE, layers=LAYERS).step(**first(1.8, 2, batch_size=2))
    assert training(RULE, layers=LAYERS).step(**first(1.8, 2))
    assert training(RULE, layers=LAYERS).step(**first(3.0, 2, batch_size=2))


def test_optimizers_that_take_turns_are_left_alone(training):
    assert not training(RULE, layers=LAYERS, alternates=True).step(**first(9.0))


def test_a_run_that_goes_on_from_a_checkpoint_is_left_alone(training):
    resumed = (Optimizer("SGD", 0.1, has_state=True),)
    assert not training(RULE, layers=LAYERS, optimizers=resumed).step(**first(9.0))


def test_without_layers_it_stands_where_the_training_is_watched(training):
    (found,) = training(RULE).step(**first(9.0))
    assert "last layer" in found.remedy


def test_thresholds_are_settings(training):
    assert not training(RULE, layers=LAYERS, factor=5.0).step(**first(9.0))


def test_a_first_step_that_has_moved_the_weights_far_leaves_no_start_to_speak_of(training):
    weight = Parameter(
        "fc.weight", "fc", "Linear", (8, 8), Role.WEIGHT, optimizer=0, learning_rate=0.1
    )
    for ratio, is_said in ((0.5, False), (1e-3, True)):
        run = training(RULE, layers=(), parameters=[weight])
        run.step(learning_rate=0.1)  # joined as it steps, so nothing was seen of its forward pass
        assert bool(run.step(**first(9.0), update_ratio={"fc.weight": ratio})) is is_said
