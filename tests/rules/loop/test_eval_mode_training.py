"""Edge cases of eval-mode-training."""

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer, Origin, Parameter, Role

RULE = "eval-mode-training"
LAYERS = (
    Layer("fc1", "Linear", 0, "8→8", weight="fc1.weight"),
    Layer("norm", "BatchNorm1d", 1, "8", is_norm=True, origin=Origin("model.py", 5)),
    Layer("drop", "Dropout", 2),
    Layer("fc2", "Linear", 3, "8→2", weight="fc2.weight", is_output=True),
)


def parameters(*, frozen=()):
    kinds = {"fc1": Role.WEIGHT, "norm": Role.NORM, "fc2": Role.WEIGHT}
    return tuple(
        Parameter(f"{name}.weight", name, "", (8, 8), role, trainable=name not in frozen, optimizer=0,
                  learning_rate=0.1)
        for name, role in kinds.items()
    )  # fmt: skip


def modes(norm, drop):
    return {"training": {"norm": norm, "drop": drop}}


def test_five_steps_in_evaluation_mode_are_said_once(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    assert not run.steps(4, **modes(0, 0))
    (found,) = run.step(**modes(0, 0))
    assert found.severity is Severity.WARNING
    assert "`norm` (BatchNorm1d 8, model.py:5) and 1 more" in found.message
    assert "model.train()" in found.remedy
    assert not run.steps(50, **modes(0, 0))


def test_one_step_in_training_mode_ends_the_streak(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    run.steps(4, **modes(0, 0))
    run.step(**modes(1, 1))
    assert not run.steps(4, **modes(0, 0))


@pytest.mark.parametrize("mode", [modes(0, 1), modes(1, 0), modes(0.5, 0)])
def test_a_mode_that_is_chosen_for_some_layers_is_meant(training, mode):
    assert not training(RULE, layers=LAYERS, parameters=parameters()).steps(50, **mode)


def test_layers_that_a_model_in_training_mode_keeps_in_evaluation_mode_are_meant(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    assert not run.steps(50, training={"": 1, "norm": 0, "drop": 0})
    assert run.steps(20, training={"": 0, "norm": 0, "drop": 0})


def test_a_frozen_backbone_is_fine(training):
    frozen = parameters(frozen=("fc1", "norm"))
    assert not training(RULE, layers=LAYERS, parameters=frozen).steps(50, **modes(0, 0))


def test_a_model_without_dropout_and_batch_norm_is_fine(training):
    assert not training(RULE, layers=LAYERS, parameters=parameters()).steps(50, training={})


def test_thresholds_are_settings(training):
    assert training(RULE, layers=LAYERS, parameters=parameters(), patience=2).steps(
        2, **modes(0, 0)
    )
