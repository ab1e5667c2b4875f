"""Edge cases of symmetric-units."""

from dataclasses import replace

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Activation, Layer, Origin, Parameter, Role

RULE = "symmetric-units"
LAYER = Layer(
    "fc1", "Linear", 0, "64→256", weight="fc1.weight", fan_in=64, fan_out=256,
    followed_by=Activation.RELU, origin=Origin("model.py", 14),
)  # fmt: skip


def weight(shape=(256, 64), role=Role.WEIGHT, **settings):
    given = {"optimizer": 0, "learning_rate": 0.1, **settings}
    return Parameter(
        "fc1.weight", "fc1", "Linear", shape, role, 0, origin=Origin("model.py", 14), **given
    )


def alike(share):
    return {"similar_rows": {"fc1.weight": share}}


def test_equal_units_are_said_at_once_with_the_initialisation_that_tells_them_apart(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),))
    (found,) = run.step(**alike(1.0))
    assert found.severity is Severity.WARNING
    assert (found.path, found.span.line) == ("model.py", 14)
    assert "Kaiming" in found.remedy


def test_units_that_are_still_equal_after_50_steps_are_an_error(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),))
    run.step(**alike(1.0))
    assert not run.step(number=49, **alike(1.0))
    (found,) = run.step(number=50, **alike(1.0))
    assert found.severity is Severity.ERROR
    assert not run.step(number=51, **alike(1.0))


def test_units_that_training_told_apart_are_said_once(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),))
    assert run.step(**alike(1.0))
    assert not run.step(number=50, **alike(0.0))


def test_units_that_become_alike_while_training_are_another_matter(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),))
    assert not run.step(**alike(0.0))
    assert not run.step(number=50, **alike(0.9))


@pytest.mark.parametrize(
    "parameter",
    [
        weight(role=Role.EMBEDDING),
        weight((256, 4)),
        weight((1, 64)),
        weight((64, 1, 3, 3)),
        weight(trainable=False),
        weight(optimizer=-1),
        weight(learning_rate=0.0),
    ],
    ids=["embedding", "short rows", "one unit", "depthwise", "frozen", "in no optimizer", "rate 0"],
)
def test_what_need_not_differ_is_left_alone(training, parameter):
    assert not training(RULE, layers=(LAYER,), parameters=(parameter,)).step(**alike(1.0))


def test_a_few_alike_are_fine_and_nan_says_nothing(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),))
    assert not run.step(**alike(0.1))
    assert not training(RULE, parameters=(weight(),)).step(**alike(float("nan")))


def test_a_weight_whose_layer_is_not_known_has_a_remedy_too(training):
    (found,) = training(RULE, parameters=(weight(),)).step(**alike(0.5))
    assert "random values" in found.remedy


def test_thresholds_are_settings(training):
    run = training(RULE, layers=(LAYER,), parameters=(weight(),), share=0.6)
    assert not run.step(**alike(0.5))


@pytest.mark.parametrize(("other", "is_said"), [(0.0, False), (1.0, True)])
def test_a_weight_beside_another_of_the_same_units_that_differ_is_fine(training, other, is_said):
    deviations = replace(weight(), name="fc1.deviation")
    run = training(RULE, layers=(LAYER,), parameters=(weight(), deviations))
    shares = {"fc1.weight": other, "fc1.deviation": 1.0}
    assert bool(run.step(similar_rows=shares)) is is_said
