"""Edge cases of non-finite-activation."""

import math

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer, Origin, Parameter, Role

RULE = "non-finite-activation"
LAYERS = (
    Layer("norm", "Normalise", 0, origin=Origin("model.py", 10)),
    Layer("fc1", "Linear", 1, "8→8", weight="fc1.weight", origin=Origin("model.py", 11)),
    Layer("fc2", "Linear", 2, "8→8", weight="fc2.weight", origin=Origin("model.py", 12)),
)
NAMES = [one.name for one in LAYERS]


def counts(*values, largest=math.nan, loss=math.nan, **others):
    bad = {name: largest if value else 3.0 for name, value in zip(NAMES, values, strict=True)}
    return {
        "non_finite": dict(zip(NAMES, values, strict=True)),
        "largest": bad,
        "loss": loss,
        **others,
    }


def test_the_first_layer_of_the_forward_pass_is_named_at_once_with_what_it_was(training):
    run = training(RULE, layers=LAYERS)
    assert not run.step(**counts(0, 0, 0, loss=1.0))
    (found,) = run.step(**counts(0, 5, 64))
    assert found.severity is Severity.ERROR
    assert (found.moment.layer, found.span.line) == ("fc1", 11)
    assert "is the first to return" in found.message
    assert "its largest value was 3" in found.message


def test_it_is_said_once(training):
    run = training(RULE, layers=LAYERS)
    assert run.step(**counts(0, 5, 64))
    assert not run.steps(20, **counts(64, 64, 64))


def test_infinite_values_that_the_loss_does_not_mind_are_a_mask(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(5, **counts(9, 0, 0, largest=math.inf, loss=1.0))
    assert run.step(**counts(9, 0, 0, largest=math.inf, loss=math.inf))


def test_nan_is_no_mask_and_a_layer_with_weights_makes_none(training):
    assert training(RULE, layers=LAYERS).step(**counts(9, 0, 0, loss=1.0))
    infinite = counts(0, 9, 0, largest=math.inf, loss=1.0)
    assert training(RULE, layers=LAYERS).step(**infinite)


def test_weights_that_an_update_has_ruined_are_the_matter_of_other_rules(training):
    ruined = {"weight_norm": {"fc1.weight": math.nan}}
    run = training(RULE, layers=LAYERS)
    assert not run.steps(5, **counts(0, 64, 64, **ruined))


def test_without_a_loss_nobody_else_tells_of_ruined_weights(training):
    run = training(RULE, layers=LAYERS)
    signals = counts(0, 64, 64, weight_norm={"fc1.weight": math.nan})
    del signals["loss"]
    (found,) = run.step(**signals)
    assert "an update has ruined them" in found.remedy


def test_the_batch_is_to_blame_where_the_first_layer_is_given_such_values(training):
    (found,) = training(RULE, layers=LAYERS).step(**counts(1, 1, 1, non_finite_input={"norm": 1.0}))
    assert "is given" in found.message
    assert "the batch itself" in found.remedy


def test_half_precision_is_named_where_it_is_used(training):
    weight = Parameter("fc1.weight", "fc1", "Linear", (8, 8), Role.WEIGHT, 1, dtype="float16")
    (found,) = training(RULE, layers=LAYERS, parameters=[weight]).step(**counts(0, 1, 1))
    assert "bfloat16" in found.remedy
