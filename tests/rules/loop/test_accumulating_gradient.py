"""Edge cases of accumulating-gradient."""

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Parameter, Role

RULE = "accumulating-gradient"
PARAMETERS = tuple(
    Parameter(
        f"fc{at}.weight",
        f"fc{at}",
        "Linear",
        (8, 8),
        Role.WEIGHT,
        at,
        optimizer=0,
        learning_rate=0.1,
    )
    for at in range(4)
)


def stale(*values):
    return {"stale_gradient": {f"fc{at}.weight": one for at, one in enumerate(values)}}


def test_gradients_that_nobody_clears_are_said_once(training):
    run = training(RULE, parameters=PARAMETERS)
    run.step(**stale(0, 0, 0, 0))
    assert not run.steps(4, **stale(1, 1, 1, 1))
    (found,) = run.step(**stale(1, 1, 1, 1))
    assert found.severity is Severity.ERROR
    assert "zero_grad()" in found.remedy
    assert not run.steps(20, **stale(1, 1, 1, 1))


def test_cleared_gradients_are_fine_also_in_accumulation(training):
    assert not training(RULE, parameters=PARAMETERS).steps(20, **stale(0, 0, 0, 0))


def test_one_cleared_step_ends_the_streak(training):
    run = training(RULE, parameters=PARAMETERS)
    run.steps(5, **stale(1, 1, 1, 1))
    run.step(**stale(0, 0, 0, 0))
    assert not run.steps(4, **stale(1, 1, 1, 1))


def test_what_lay_there_before_the_first_step_counts_for_nothing(training):
    run = training(RULE, parameters=PARAMETERS, patience=1)
    assert not run.step(**stale(1, 1, 1, 1))


def test_a_few_parameters_that_keep_theirs_are_fine(training):
    assert not training(RULE, parameters=PARAMETERS).steps(20, **stale(1, 1, 0, 0))


def test_frozen_parameters_do_not_count(training):
    frozen = [
        Parameter(
            f"fc{at}.weight", f"fc{at}", "Linear", (8, 8), Role.WEIGHT, trainable=False, optimizer=0
        )
        for at in range(4)
    ]
    assert not training(RULE, parameters=frozen).steps(20, **stale(1, 1, 1, 1))


def test_optimizers_that_take_turns_are_left_alone(training):
    assert not training(RULE, parameters=PARAMETERS, alternates=True).steps(20, **stale(1, 1, 1, 1))


def test_nan_says_nothing(training):
    nan = float("nan")
    assert not training(RULE, parameters=PARAMETERS).steps(20, **stale(nan, nan, nan, nan))


def test_thresholds_are_settings(training):
    run = training(RULE, parameters=PARAMETERS, share=0.2, patience=2)
    run.step(**stale(0, 0, 0, 0))
    assert run.steps(2, **stale(1, 0, 0, 0))
