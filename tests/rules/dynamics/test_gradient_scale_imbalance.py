"""Edge cases of gradient-scale-imbalance."""

import pytest

from trainlint.runtime.signals import Activation, Layer, Optimizer, Origin, Parameter, Role

RULE = "gradient-scale-imbalance"
LAYERS = tuple(
    Layer(name, "Linear", at, "8→8", fan_in=8, fan_out=8, origin=Origin("model.py", 10 + at))
    for at, name in enumerate("abc")
)


def parameters(role=Role.WEIGHT, **settings):
    settings = {"optimizer": 0, "learning_rate": 0.1, **settings}
    return [
        Parameter(f"{name}.weight", name, "Linear", (8, 8), role, at, **settings)
        for at, name in enumerate("abc")
    ]


def gradients(a, b, c, **others):
    return {
        "gradient_rms": {"a.weight": a, "b.weight": b, "c.weight": c},
        "weight_rms": dict.fromkeys(("a.weight", "b.weight", "c.weight"), 0.1),
        **others,
    }


def test_a_spread_over_a_hundred_thousand_is_said_once_after_ten_steps(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    assert not run.steps(9, **gradients(1.0, 1e-6, 0.1))
    (found,) = run.step(**gradients(1.0, 1e-6, 0.1))
    assert (found.moment.layer, found.span.line) == ("b", 11)
    assert "`a` (Linear 8→8, model.py:10)" in found.message
    assert "1.0e+06" in found.message
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1))


def test_a_spread_of_a_thousand_is_healthy(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    assert not run.steps(30, **gradients(1.0, 1e-3, 0.1))


def test_adaptive_optimizers_give_each_element_a_rate(training):
    adam = Optimizer("AdamW", 1e-3, beta2=0.999)
    run = training(RULE, layers=LAYERS, parameters=parameters(), optimizers=[adam])
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1))


@pytest.mark.parametrize("role", [Role.BIAS, Role.NORM, Role.EMBEDDING, Role.OTHER])
def test_only_weights_are_compared(training, role):
    run = training(RULE, layers=LAYERS, parameters=parameters(role))
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1))


@pytest.mark.parametrize(
    "settings", [{"trainable": False}, {"learning_rate": 0.0}, {"optimizer": -1}]
)
def test_what_is_not_trained_is_not_compared(training, settings):
    run = training(RULE, layers=LAYERS, parameters=parameters(**settings))
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1))


def test_a_gradient_of_nothing_is_another_matter(training):
    run = training(RULE, layers=LAYERS, parameters=parameters())
    assert not run.steps(30, **gradients(1.0, 0.0, float("nan")))


def test_dead_units_and_a_learned_loss_explain_it(training):
    act = Layer("act", "ReLU", 3, activation=Activation.RELU)
    run = training(RULE, layers=(*LAYERS, act), parameters=parameters())
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1, dead_units={"act": 0.8}))
    run = training(RULE, layers=LAYERS, parameters=parameters())
    run.steps(20, **gradients(1.0, 1.0, 1.0, loss=1.0))
    assert not run.steps(30, **gradients(1.0, 1e-6, 0.1, loss=0.01))
