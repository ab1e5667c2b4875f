"""Edge cases of half-precision-stagnation."""

import math

from trainlint.runtime.signals import Origin, Parameter, Role

RULE = "half-precision-stagnation"


def weight(name, dtype="bfloat16", **settings):
    known = {"optimizer": 0, "learning_rate": 1e-4, "origin": Origin("model.py", 14), **settings}
    return Parameter(f"{name}.weight", name, "Linear", (8, 8), Role.WEIGHT, dtype=dtype, **known)


def away(value, name="fc", **signals):
    return {"rounded_away": {f"{name}.weight": value}, "loss": 1.0, **signals}


def test_updates_that_round_to_nothing_are_said_once_per_streak(training):
    run = training(RULE, parameters=[weight("fc")])
    assert not run.steps(19, **away(0.8))
    (found,) = run.step(**away(0.8))
    assert (found.path, found.span.line) == ("model.py", 14)
    assert "80% of the updates of `fc.weight`" in found.message
    assert "float32" in found.remedy
    assert not run.steps(30, **away(0.8))
    assert not run.step(**away(0.2))
    assert run.steps(20, **away(0.8))


def test_several_weights_make_one_diagnosis_of_the_worst(training):
    run = training(RULE, parameters=[weight("fc1"), weight("fc2"), weight("fc3")])
    values = {"fc1.weight": 0.6, "fc2.weight": 0.9, "fc3.weight": 0.7}
    (found,) = run.steps(40, rounded_away=values, loss=1.0)
    assert found.moment.layer == "fc2.weight"
    assert "and 2 other parameters" in found.message


def test_float32_and_frozen_weights_are_left_alone(training):
    assert not training(RULE, parameters=[weight("fc", "float32")]).steps(40, **away(0.9))
    assert not training(RULE, parameters=[weight("fc", learning_rate=0.0)]).steps(40, **away(0.9))


def test_warm_up_the_end_of_a_schedule_and_a_finished_training_are_not_judged(training):
    run = training(RULE, parameters=[weight("fc")])
    for step in range(40):
        assert not run.step(**away(0.9, learning_rate=1e-6 * (step + 1)))
    run.step(**away(0.1, learning_rate=0.1))
    assert not run.steps(40, **away(0.9, learning_rate=1e-5))
    run = training(RULE, parameters=[weight("fc")])
    run.steps(5, **away(0.1))
    assert not run.steps(40, **away(0.9, loss=1e-3))


def test_values_that_are_not_finite_break_nothing(training):
    assert not training(RULE, parameters=[weight("fc")]).steps(40, **away(math.nan, loss=math.nan))
