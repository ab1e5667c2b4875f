"""Edge cases of label-shape-broadcast."""

from trainlint.core.diagnosis import Severity

RULE = "label-shape-broadcast"


def test_shapes_that_broadcast_are_said_at_once_and_once(training):
    run = training(RULE)
    (found,) = run.step(broadcast=1.0, batch_size=32)
    assert found.severity is Severity.ERROR
    assert "(32, 1)" in found.message
    assert "unsqueeze(1)" in found.remedy
    assert not run.steps(9, broadcast=1.0, batch_size=32)


def test_shapes_that_fit_are_fine(training):
    assert not training(RULE).steps(3, broadcast=0.0)


def test_the_size_of_the_batch_need_not_be_known(training):
    (found,) = training(RULE).step(broadcast=1.0)
    assert "(N, 1)" in found.message
