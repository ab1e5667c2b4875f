"""Edge cases of probabilities-as-logits."""

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Activation, Layer, Origin

RULE = "probabilities-as-logits"


def last(activation):
    return Layer(
        "out",
        activation.value,
        1,
        activation=activation,
        is_output=True,
        origin=Origin("model.py", 7),
    )


SOFTMAX = (last(Activation.SOFTMAX),)
SIGMOID = (last(Activation.SIGMOID),)


def test_probabilities_in_three_steps_are_said_once_per_streak(training):
    run = training(RULE, layers=SOFTMAX)
    given = {"probability_input": 1.0, "classes": 10}
    assert not run.steps(2, **given)
    (found,) = run.step(**given)
    assert found.severity is Severity.ERROR
    assert (found.path, found.span.line) == ("model.py", 7)
    assert "drop `out`" in found.remedy
    assert not run.steps(9, **given)


def test_a_sigmoid_before_a_binary_loss_is_named(training):
    (found,) = training(RULE, layers=SIGMOID).steps(3, probability_input=1.0)
    assert "applies sigmoid itself" in found.message


def test_a_softmax_in_the_loop_is_said_where_the_training_is_watched(training):
    (found,) = training(RULE).steps(3, probability_input=1.0, classes=10)
    assert "drop the softmax in front of it" in found.remedy


def test_two_logits_near_each_other_look_like_probabilities_and_prove_nothing(training):
    assert not training(RULE).steps(9, probability_input=1.0, classes=2)
    assert training(RULE, layers=SOFTMAX).steps(9, probability_input=1.0, classes=2)


def test_some_rows_or_one_step_without_end_the_streak(training):
    run = training(RULE, layers=SOFTMAX)
    assert not run.steps(9, probability_input=0.6, classes=10)
    run.steps(2, probability_input=1.0, classes=10)
    run.step(probability_input=0.0, classes=10)
    assert not run.steps(2, probability_input=1.0, classes=10)


def test_nan_says_nothing(training):
    assert not training(RULE, layers=SOFTMAX).steps(9, probability_input=float("nan"), classes=10)


def test_thresholds_are_settings(training):
    assert training(RULE, layers=SOFTMAX, patience=1, share=0.5).step(
        probability_input=0.6, classes=10
    )
