"""Edge cases of unchanged-weights."""

import math
from dataclasses import replace

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Origin, Parameter, Role

RULE = "unchanged-weights"


def weight(name, size=8, role=Role.WEIGHT, **settings):
    known = {"optimizer": 0, "learning_rate": 1e-9, "origin": Origin("model.py", 14), **settings}
    return Parameter(f"{name}.weight", name, "Linear", (size, size), role, **known)


def test_a_weight_in_no_optimizer_is_said_once_when_all_optimizers_have_had_their_turn(training):
    run = training(RULE, parameters=[weight("body", 32), weight("head", optimizer=-1)])
    assert not run.steps(4)
    (found,) = run.step()
    assert found.severity is Severity.WARNING
    assert (found.moment.step, found.moment.layer) == (5, "head.weight")
    assert "`head.weight` (weight of Linear, 8×8, model.py:14) is trainable" in found.message
    assert not run.steps(50)


def test_a_model_that_changes_in_each_step_is_judged_all_the_same(training):
    run = training(RULE, parameters=[weight("body", 32), weight("head", optimizer=-1)])
    found = []
    for at in range(8):
        frozen = weight("other", trainable=at % 2 == 0)
        run.facts = replace(run.facts, parameters=(*run.facts.parameters[:2], frozen))
        found += run.step()
    assert [one.moment.step for one in found] == [5]


def test_most_of_a_model_in_no_optimizer_is_advice(training):
    run = training(RULE, parameters=[weight("body", 32, optimizer=-1), weight("head")])
    (found,) = run.steps(5)
    assert found.severity is Severity.ADVICE
    assert "`body.requires_grad_(False)`" in found.remedy


def test_frozen_weights_are_in_no_optimizer_by_right(training):
    run = training(RULE, parameters=[weight("body", optimizer=-1, trainable=False), weight("head")])
    assert not run.steps(50)


@pytest.mark.parametrize(
    "name",
    [
        "q_net_target.0",
        "critic_target.qf0",
        "ema.fc",
        "teacher.head",
        "TargetNet.fc",
        "encoder_k.fc",
    ],
)
def test_copies_are_written_and_not_trained(training, name):
    run = training(RULE, parameters=[weight("body"), weight(name, optimizer=-1)])
    assert not run.steps(50)


def same(value=1.0, gradient=0.1):
    return {
        "unchanged": {"fc.weight": value},
        "gradient_norm": {"fc.weight": gradient},
        "loss": 1.0,
    }


def test_a_weight_that_is_the_same_to_the_bit_is_said_after_twenty_steps(training):
    run = training(RULE, parameters=[weight("fc")])
    assert not run.steps(19, **same(), learning_rate=1e-9)
    (found,) = run.step(**same(), learning_rate=1e-9)
    assert "lost in rounding" in found.message
    assert "a learning rate of 1e-06 instead of 1e-09" in found.remedy
    assert not run.steps(50, **same())


def test_one_changed_element_is_a_change(training):
    assert not training(RULE, parameters=[weight("fc")]).steps(50, **same(0.99))


def test_without_a_gradient_other_rules_speak(training):
    for gradient in (0.0, math.nan):
        run = training(RULE, parameters=[weight("fc")])
        assert not run.steps(50, **same(gradient=gradient))


def test_embeddings_frozen_weights_and_a_finished_training_rest(training):
    for settings in ({"role": Role.EMBEDDING}, {"is_sparse": True}, {"learning_rate": 0.0}):
        run = training(RULE, parameters=[weight("fc", **settings)])
        assert not run.steps(50, **same())
    run = training(RULE, parameters=[weight("fc")])
    run.steps(5, loss=1.0)
    assert not run.steps(50, **{**same(), "loss": 1e-5})
