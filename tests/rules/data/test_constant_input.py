"""Edge cases of constant-input."""

from trainlint.core.diagnosis import Severity

RULE = "constant-input"


def test_an_input_that_never_varies_is_an_error_once_enough_batches_were_seen(training):
    run = training(RULE)
    assert not run.steps(19, input_constant=1.0)
    (found,) = run.step(input_constant=1.0)
    assert found.severity is Severity.ERROR
    assert "no feature" in found.message
    assert not run.steps(50, input_constant=1.0)


def test_batches_of_several_examples_prove_it_sooner(training):
    run = training(RULE)
    assert not run.steps(2, input_constant=1.0, batch_size=32)
    (found,) = run.step(input_constant=1.0, batch_size=32)
    assert "in 3 measured steps" in found.message


def test_many_constant_features_are_a_note(training):
    (found,) = training(RULE).steps(20, input_constant=0.75)
    assert found.severity is Severity.ADVICE
    assert "only 25% of the features" in found.message


def test_the_borders_of_images_are_fine(training):
    assert not training(RULE).steps(50, input_constant=0.3)


def test_features_that_vary_late_are_waited_for(training):
    run = training(RULE)
    assert not run.steps(19, input_constant=1.0)
    assert not run.steps(50, input_constant=0.2)


def test_nan_says_nothing(training):
    assert not training(RULE).steps(50, input_constant=float("nan"))


def test_thresholds_are_settings(training):
    assert training(RULE, patience=2).steps(2, input_constant=1.0)
    assert not training(RULE, share=0.8).steps(20, input_constant=0.75)
