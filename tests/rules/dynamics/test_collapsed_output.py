"""Edge cases of collapsed-output."""

import math

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Activation, Layer

RULE = "collapsed-output"


def test_outputs_that_are_the_same_are_said_once_per_streak(training):
    run = training(RULE)
    assert not run.steps(9, output_variance=1e-9, batch_size=64.0)
    (found,) = run.step(output_variance=1e-9, batch_size=64.0)
    assert found.severity is Severity.ERROR
    assert not run.steps(20, output_variance=1e-9, batch_size=64.0)
    assert not run.step(output_variance=0.1)
    assert len(run.steps(10, output_variance=1e-9)) == 1


def test_a_last_activation_is_named(training):
    layers = (
        Layer("fc", "Linear", 0, weight="fc.weight", is_output=True),
        Layer("act", "Tanh", 1, activation=Activation.TANH, is_output=True),
    )
    (found,) = training(RULE, layers=layers).steps(10, output_variance=0.0)
    assert "`act` (Tanh)" in found.remedy


def one_class(run, count, *, labels=0.5, spread=1e-3):
    return run.steps(count, output_variance=spread, predicted_share=1.0, target_share=labels)


def test_one_class_for_all_is_a_warning_after_fifty_steps(training):
    run = training(RULE)
    assert not one_class(run, 50)
    (found,) = one_class(run, 1)
    assert found.severity is Severity.WARNING
    assert "weight the classes" in found.remedy


def test_labels_that_are_nearly_all_the_same_teach_one_class(training):
    assert not one_class(training(RULE), 100, labels=0.95)


def test_one_class_with_probabilities_that_differ_is_learning(training):
    assert not one_class(training(RULE), 100, spread=0.1)


def test_small_batches_and_equal_inputs_prove_nothing(training):
    assert not training(RULE).steps(30, output_variance=0.0, batch_size=1.0)
    assert not training(RULE).steps(30, output_variance=0.0, input_constant=1.0)


def test_values_that_are_not_finite_break_nothing(training):
    assert not training(RULE).steps(30, output_variance=math.nan)
