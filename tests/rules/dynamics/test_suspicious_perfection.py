"""Edge cases of suspicious-perfection."""

import math

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Layer

RULE = "suspicious-perfection"


def evaluated(run, ratio, count=4, level=1.0, **signals):
    found = []
    for _ in range(count):
        found += run.steps(20, loss=level, **signals)
        found += run.step(loss=level, val_loss=ratio, **signals)
    return found


def test_a_validation_loss_far_under_that_of_training_is_said_once(training):
    (found,) = evaluated(training(RULE), 0.2)
    assert found.severity is Severity.WARNING
    assert found.moment.step == 42
    assert "20% of the training loss" in found.message


def test_a_gap_that_augmentation_explains_is_left_alone(training):
    assert not evaluated(training(RULE), 0.5)


def test_dropout_explains_more(training):
    layers = [Layer("drop", "Dropout", 0)]
    assert not evaluated(training(RULE, layers=layers), 0.2)
    assert evaluated(training(RULE, layers=layers), 0.1)


def test_smoothing_and_penalties_are_left_out_of_the_comparison(training):
    assert not evaluated(training(RULE), 0.2, class_loss=0.3, classes=10.0)


EASY = [2.3, 1.0, 0.1, 0.001]


def solved(run, losses=EASY, **signals):
    extra = {"classes": 10.0, "batch_size": 64.0, "target_share": 0.2, **signals}
    return [one for loss in losses for one in run.step(loss=loss, class_loss=loss, **extra)]


def test_a_problem_that_is_solved_at_once_is_advice(training):
    (found,) = solved(training(RULE))
    assert found.severity is Severity.ADVICE
    assert "the label among the inputs" in found.remedy


def test_labels_that_are_all_the_same_are_a_warning(training):
    (found,) = solved(training(RULE), target_share=1.0)
    assert found.severity is Severity.WARNING
    assert "all labels are the same" in found.message


def test_a_model_that_knew_before_and_small_batches_are_left_alone(training):
    assert not solved(training(RULE), [0.3, 0.1, 0.001])
    assert not solved(training(RULE), batch_size=4.0)
    assert not solved(training(RULE), [2.3] * 60 + EASY)


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    assert not evaluated(training(RULE, alternates=True), 0.1)
    for odd in (math.nan, math.inf, -1.0, 0.0):
        assert not evaluated(training(RULE), odd, level=odd)
        assert not solved(training(RULE), [odd] * 5)
