"""Edge cases of decay-dominates."""

import math

from trainlint.runtime.signals import Origin, Parameter, Role

RULE = "decay-dominates"


def weight(role=Role.WEIGHT, **settings):
    known = {
        "optimizer": 0,
        "learning_rate": 1e-3,
        "weight_decay": 0.5,
        "origin": Origin("model.py", 14),
        **settings,
    }
    return Parameter("fc.weight", "fc", "Linear", (8, 8), role, **known)


def ratio(value, **signals):
    return {"decay_ratio": {"fc.weight": value}, "loss": 1.0, **signals}


def test_decay_that_outweighs_the_gradient_is_said_once_per_streak(training):
    run = training(RULE, parameters=[weight()])
    assert not run.steps(19, **ratio(3.0))
    (found,) = run.step(**ratio(3.0))
    assert (found.path, found.span.line) == ("model.py", 14)
    assert "3 times as far as its gradient does (bound 2)" in found.message
    assert "a weight decay of 0.05 instead of 0.5" in found.remedy
    assert not run.steps(30, **ratio(3.0))
    run.step(**ratio(1.0))
    assert run.steps(20, **ratio(3.0))


def test_norms_and_biases_are_to_go_without(training):
    for role in (Role.NORM, Role.BIAS):
        (found,) = training(RULE, parameters=[weight(role)]).steps(30, **ratio(3.0))
        assert "`weight_decay=0`" in found.remedy


def test_a_finished_training_warm_up_and_the_end_of_a_schedule_are_not_judged(training):
    run = training(RULE, parameters=[weight()])
    run.steps(5, **ratio(0.1))
    assert not run.steps(40, **ratio(9.0, loss=0.01))
    run = training(RULE, parameters=[weight()])
    for step in range(40):
        assert not run.step(**ratio(9.0, learning_rate=1e-5 * (step + 1)))
    run.step(**ratio(0.1, learning_rate=1.0))
    assert not run.steps(40, **ratio(9.0, learning_rate=1e-4))


def test_embeddings_sparse_gradients_and_frozen_weights_are_left_alone(training):
    for settings in ({"role": Role.EMBEDDING}, {"is_sparse": True}, {"learning_rate": 0.0}):
        assert not training(RULE, parameters=[weight(**settings)]).steps(40, **ratio(9.0))


def test_values_that_are_not_finite_break_nothing(training):
    run = training(RULE, parameters=[weight()])
    assert not run.steps(40, **ratio(math.nan, loss=math.nan))
    assert not run.steps(40, **ratio(math.inf))
