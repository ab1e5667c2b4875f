"""Edge cases of half-precision-underflow."""

import pytest

from trainlint.runtime.signals import Origin, Parameter, Role

RULE = "half-precision-underflow"


def weight(**settings):
    given = {"optimizer": 0, "learning_rate": 0.1, "role": Role.WEIGHT, **settings}
    return Parameter(
        "fc1.weight",
        "fc1",
        "Linear",
        (8, 8),
        origin=Origin("model.py", 4),
        dtype="float16",
        **given,
    )


def lost(share, rms=1e-7, loss=1.0):
    return {
        "gradient_underflow": {"fc1.weight": share},
        "gradient_rms": {"fc1.weight": rms},
        "loss": loss,
    }


def test_gradients_that_are_lost_are_said_once_per_streak(training):
    run = training(RULE, parameters=(weight(),))
    assert not run.steps(4, **lost(0.4))
    (found,) = run.step(**lost(0.4))
    assert (found.path, found.span.line) == ("model.py", 4)
    assert "40% of the gradient of `fc1.weight`" in found.message
    assert "GradScaler" in found.remedy
    assert not run.steps(20, **lost(0.4))


def test_zeros_beside_ordinary_gradients_are_no_underflow(training):
    assert not training(RULE, parameters=(weight(),)).steps(20, **lost(0.4, rms=1e-3))


def test_a_training_that_is_done_has_small_gradients(training):
    run = training(RULE, parameters=(weight(),))
    run.step(**lost(0.0, loss=2.0))
    assert not run.steps(20, **lost(0.4, loss=0.01))


@pytest.mark.parametrize(
    "parameter",
    [
        weight(trainable=False),
        weight(learning_rate=0.0),
        weight(role=Role.EMBEDDING),
        weight(is_sparse=True),
    ],
    ids=["frozen", "rate 0", "embedding", "sparse"],
)
def test_what_need_not_have_a_gradient_everywhere_is_left_alone(training, parameter):
    assert not training(RULE, parameters=(parameter,)).steps(20, **lost(0.9))


def test_nan_says_nothing(training):
    nan = float("nan")
    assert not training(RULE, parameters=(weight(),)).steps(20, **lost(nan, rms=nan, loss=nan))


def test_thresholds_are_settings(training):
    assert training(RULE, parameters=(weight(),), share=0.01, patience=1).step(**lost(0.05))
