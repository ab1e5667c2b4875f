"""Edge cases of poor-initial-scale."""

import pytest

from trainlint.runtime.signals import Activation, Layer, Origin, Parameter, Role

RULE = "poor-initial-scale"
WIDTH = 256


def stack(count, *, norm_at=(), recurrent_at=()):
    """Return linear layers of one width with ReLU between them."""
    return tuple(
        Layer(
            f"fc{at}",
            "Linear",
            at,
            f"{WIDTH}→{WIDTH}",
            weight=f"fc{at}.weight",
            fan_in=WIDTH,
            fan_out=WIDTH,
            followed_by=None if at == count - 1 else Activation.RELU,
            is_norm=at in norm_at,
            is_recurrent=at in recurrent_at,
            is_output=at == count - 1,
            origin=Origin("model.py", 10 + at),
        )
        for at in range(count)
    )


def passing(gain, count):
    """Return the signals of layers each of which multiplies the RMS, its activation included."""
    given = {f"fc{at}": gain**at for at in range(count)}
    made = {name: one * gain * 2**0.5 for name, one in given.items()}
    return {"input_rms": given, "rms": made | {f"fc{count - 1}": gain**count / 2}}


@pytest.mark.parametrize("gain", [0.11, 9.0])
def test_a_signal_that_is_lost_on_the_way_is_said_once(training, gain):
    run = training(RULE, layers=stack(5))
    (found,) = run.step(**passing(gain, 5))
    assert ("grows" if gain > 1 else "shrinks") in found.message
    assert "Kaiming" in found.remedy
    assert "(std 0.0884 for its fan-in of 256)" in found.remedy
    assert f"{4 if gain > 1 else 3} other layers need their own" in found.remedy
    assert found.path == "model.py"
    assert not run.steps(5, **passing(gain, 5))


def test_torchs_defaults_before_a_relu_are_fine_in_eight_layers(training):
    assert not training(RULE, layers=stack(8)).step(**passing(0.41, 8))


def test_very_many_ordinary_layers_lose_the_signal_too(training):
    assert training(RULE, layers=stack(14)).step(**passing(0.41, 14))


def test_the_layer_that_changes_the_scale_most_is_named(training):
    signals = passing(0.2, 5)
    signals["rms"]["fc2"] /= 10
    (found,) = training(RULE, layers=stack(5)).step(**signals)
    assert found.moment.layer == "fc2"
    assert found.span.line == 12


def test_a_normalisation_between_begins_anew(training):
    layers = stack(6, norm_at=(1, 3))
    assert not training(RULE, layers=layers).step(**passing(0.11, 6))


def test_a_recurrent_layer_between_begins_anew(training):
    assert not training(RULE, layers=stack(3, recurrent_at=(1,))).step(**passing(0.05, 3))


def test_a_residual_stream_is_fine_though_its_branches_are_small(training):
    signals = passing(0.11, 8)
    signals["input_rms"] = dict.fromkeys(signals["input_rms"], 1.0)
    signals["rms"] = dict.fromkeys(signals["rms"], 0.11)
    assert not training(RULE, layers=stack(8)).step(**signals)


def test_two_networks_with_inputs_of_different_scale_are_fine(training):
    signals = passing(0.7, 6)
    for at in range(3, 6):
        signals["input_rms"][f"fc{at}"] *= 1000
        signals["rms"][f"fc{at}"] *= 1000
    assert not training(RULE, layers=stack(6)).step(**signals)


def test_a_last_layer_that_starts_small_or_at_zero_is_fine(training):
    signals = passing(0.8, 4)
    signals["rms"]["fc3"] = 1e-6
    assert not training(RULE, layers=stack(4)).step(**signals)
    signals["rms"]["fc3"] = 0.0
    assert not training(RULE, layers=stack(4)).step(**signals)


def test_a_prediction_that_explodes_is_said(training):
    layers = stack(3)
    (found,) = training(RULE, layers=layers).step(**passing(11.0, 3))
    assert "out of `fc2`" in found.message


def test_what_is_not_finite_is_left_to_others(training):
    signals = passing(0.7, 4)
    signals["rms"]["fc1"] = float("inf")
    signals["input_rms"]["fc2"] = float("nan")
    assert not training(RULE, layers=stack(4)).step(**signals)


def test_only_the_first_measured_step_counts(training):
    run = training(RULE, layers=stack(5))
    assert not run.step(**passing(0.7, 5))
    assert not run.step(**passing(0.05, 5))


def test_thresholds_are_settings(training):
    assert not training(RULE, layers=stack(4), total=1e9).step(**passing(0.1, 4))


def test_a_first_step_that_has_moved_the_weights_far_leaves_no_start_to_speak_of(training):
    weight = Parameter(
        "fc.weight", "fc", "Linear", (8, 8), Role.WEIGHT, optimizer=0, learning_rate=0.1
    )
    for ratio, is_said in ((0.5, False), (1e-3, True)):
        run = training(RULE, layers=stack(5), parameters=[weight])
        run.step(learning_rate=0.1)  # joined as it steps, so nothing was seen of its forward pass
        assert bool(run.step(**passing(9.0, 5), update_ratio={"fc.weight": ratio})) is is_said


@pytest.mark.parametrize(("sum_of_both", "is_said"), [(1.0, False), (1e-4, True)])
def test_a_small_branch_that_is_added_to_a_large_signal_is_fine(training, sum_of_both, is_said):
    layers = stack(6, norm_at=(0, 5))
    signals = passing(0.05, 6)
    signals["input_rms"]["fc5"] = sum_of_both
    assert bool(training(RULE, layers=layers).step(**signals)) is is_said
