"""Edge cases of dead-relu."""

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Activation, Layer, Origin

RULE = "dead-relu"
LAYERS = (
    Layer(
        "fc1",
        "Linear",
        0,
        "64→256",
        weight="fc1.weight",
        fan_in=64,
        fan_out=256,
        followed_by=Activation.RELU,
        origin=Origin("model.py", 14),
    ),
    Layer("act", "ReLU", 1, activation=Activation.RELU, origin=Origin("model.py", 15)),
    Layer("fc2", "Linear", 2, "256→10", weight="fc2.weight", is_output=True),
)


def shares(dead, *, steps=10, samples=2000, loss=1.0):
    return {
        "dead_units": {"act": dead},
        "window_steps": {"act": steps},
        "window_samples": {"act": samples},
        "loss": loss,
    }


def test_many_dead_units_are_said_once_per_streak(training):
    run = training(RULE, layers=LAYERS, patience=1)
    assert not run.step(**shares(0.1))
    (found,) = run.step(**shares(0.6))
    assert found.severity is Severity.WARNING
    assert (found.path, found.span.line) == ("model.py", 15)
    assert found.moment.layer == "act"
    assert not run.steps(5, **shares(0.6))
    assert not run.step(**shares(0.1))
    assert run.step(**shares(0.6))


def test_a_layer_most_of_which_is_dead_is_an_error(training):
    run = training(RULE, layers=LAYERS, patience=1)
    assert run.step(**shares(0.6))
    (found,) = run.step(**shares(0.8))
    assert found.severity is Severity.ERROR


def test_a_short_window_or_few_samples_prove_nothing(training):
    run = training(RULE, layers=LAYERS, patience=1)
    assert not run.steps(20, **shares(0.9, steps=9))
    assert not run.steps(20, **shares(0.9, samples=900))


def test_units_dead_from_the_start_ask_for_the_initialisation_of_the_layer_before(training):
    run = training(RULE, layers=LAYERS, patience=1)
    run.step(**shares(0.9, steps=1))
    (found,) = run.step(**shares(0.9))
    assert "`fc1` (Linear 64→256, model.py:14) Kaiming" in found.remedy


def test_units_that_die_after_a_jump_of_the_loss_ask_for_a_lower_rate(training):
    run = training(RULE, layers=LAYERS, patience=1)
    run.steps(10, **shares(0.0, steps=1))
    run.step(**shares(0.0, loss=50.0))
    (found,) = run.step(**shares(0.9, loss=40.0))
    assert "a learning rate of 0.033 instead of 0.1" in found.remedy


def test_units_that_die_slowly_ask_for_a_leaky_rectifier(training):
    run = training(RULE, layers=LAYERS, patience=1)
    run.steps(10, **shares(0.0))
    (found,) = run.step(**shares(0.6))
    assert "LeakyReLU" in found.remedy


def test_thresholds_are_settings(training):
    run = training(RULE, layers=LAYERS, share=0.7, patience=1)
    assert not run.step(**shares(0.6))


def test_units_that_come_alive_within_ten_measured_steps_are_those_of_a_new_network(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(9, **shares(0.6))
    assert not run.steps(20, **shares(0.1))
    assert not run.steps(9, **shares(0.6))
    assert run.step(**shares(0.6))


def test_a_layer_most_of_which_is_dead_is_said_after_five_and_once(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(4, **shares(0.8))
    assert run.step(**shares(0.8))
    assert not run.steps(20, **shares(0.8))


def test_a_layer_that_is_dead_as_a_whole_is_said_at_once(training):
    run = training(RULE, layers=LAYERS)
    assert run.step(**shares(1.0))
    assert not run.steps(20, **shares(1.0))
