"""Edge cases of negative-half-lost."""

import math

import pytest

from trainlint.runtime.signals import Activation, Layer, Origin

RULE = "negative-half-lost"
BEFORE = Layer("fc", "Linear", 0, "20→64", weight="fc.weight", fan_in=20, fan_out=64)


def layers(activation=Activation.LEAKY_RELU, **settings):
    act = Layer("act", "act", 1, activation=activation, origin=Origin("model.py", 12), **settings)
    return (BEFORE, act)


def share(value):
    return {"negative": {"act": value}}


def test_nearly_only_negative_inputs_are_said_once_after_ten_steps(training):
    run = training(RULE, layers=layers())
    assert not run.steps(9, **share(0.99))
    (found,) = run.step(**share(0.99))
    assert (found.moment.layer, found.span.line) == ("act", 12)
    assert "99.0%" in found.message
    assert "give `fc` (Linear 20→64) a bias of 0" in found.remedy
    assert not run.steps(30, **share(0.99))


def test_nine_of_ten_are_healthy(training):
    assert not training(RULE, layers=layers()).steps(30, **share(0.9))


@pytest.mark.parametrize("activation", [Activation.ELU, Activation.SELU, Activation.CELU])
def test_the_family_of_elu_is_judged(training, activation):
    assert training(RULE, layers=layers(activation)).steps(10, **share(0.99))


@pytest.mark.parametrize("activation", [Activation.PRELU, Activation.GELU, Activation.RELU, None])
def test_a_learned_slope_a_curve_and_a_dead_half_are_other_matters(training, activation):
    assert not training(RULE, layers=layers(activation)).steps(30, **share(0.99))


def test_the_output_is_left_alone(training):
    assert not training(RULE, layers=layers(is_output=True)).steps(30, **share(0.99))


def test_without_a_layer_before_it_asks_for_a_normalisation(training):
    (found,) = training(RULE, layers=layers()[1:]).steps(10, **share(0.99))
    assert "normalisation" in found.remedy


def test_a_share_that_is_no_number_is_borne(training):
    assert not training(RULE, layers=layers()).steps(30, **share(math.nan))
