"""Edge cases of weight-blow-up."""

import math

from trainlint.runtime.signals import Layer, Origin, Parameter, Role

RULE = "weight-blow-up"


def weight(name, **settings):
    known = {"optimizer": 0, "learning_rate": 0.1, "origin": Origin("model.py", 14), **settings}
    return Parameter(f"{name}.weight", name, "Linear", (8, 8), Role.WEIGHT, **known)


def grow(run, *, rate=1.1, losses=(1.0,), start=100, count=60):
    """Show measured steps in which the norm grows, from a step on."""
    found = run.step(weight_norm={"fc.weight": 1.0}, loss=losses[0], number=start)
    for step in range(count):
        loss = losses[min(step, len(losses) - 1)]
        found += run.step(weight_norm={"fc.weight": rate**step}, loss=loss)
    return found


def test_a_weight_that_grows_tenfold_is_said_once(training):
    (found,) = grow(training(RULE, parameters=[weight("fc")]))
    assert found.moment.layer == "fc.weight"
    assert found.moment.evidence[0].value < 20
    assert "use weight decay" in found.remedy
    assert "a learning rate of 0.033 instead of 0.1" in found.remedy


def test_decay_that_is_there_is_to_be_raised(training):
    (found,) = grow(training(RULE, parameters=[weight("fc", weight_decay=0.01)]))
    assert "raise the weight decay from 0.01" in found.remedy


def test_while_the_loss_falls_growth_is_learning(training):
    losses = [0.97**step for step in range(60)]
    assert not grow(training(RULE, parameters=[weight("fc")]), losses=losses)


def test_growth_in_the_early_phase_does_not_count(training):
    run = training(RULE, parameters=[weight("fc")])
    assert not grow(run, start=20, count=60)
    assert not run.steps(50, weight_norm={"fc.weight": 400.0}, loss=1.0)


def test_a_large_norm_that_does_not_grow_is_left_alone(training):
    run = training(RULE, parameters=[weight("fc")])
    run.step(weight_norm={"fc.weight": 1.0}, loss=1.0, number=100)
    assert not run.steps(50, weight_norm={"fc.weight": 100.0}, loss=1.0)


def test_weights_before_a_normalisation_have_no_scale_of_their_own(training):
    layers = [
        Layer("fc", "Linear", 0, weight="fc.weight"),
        Layer("norm", "LayerNorm", 1, is_norm=True),
    ]
    assert not grow(training(RULE, parameters=[weight("fc")], layers=layers))


def test_values_that_are_not_finite_and_zeros_break_nothing(training):
    run = training(RULE, parameters=[weight("fc")])
    for norm in (0.0, math.nan, math.inf):
        assert not run.steps(150, weight_norm={"fc.weight": norm}, loss=math.nan)
