"""Edge cases of unnormalised-input."""

import math

import pytest

from trainlint.runtime.signals import Layer

RULE = "unnormalised-input"
FIRST = Layer("fc1", "Linear", 0, "64→256", weight="fc1.weight")
NORM = Layer("norm", "BatchNorm1d", 0, "64", is_norm=True)
EMBEDDING = Layer("embed", "Embedding", 0, "100×64", weight="embed.weight")


def given(std=1.0, *, offset=0.5, spread=3.0, seen=None):
    return {
        "input_std": std,
        "input_offset": offset,
        "input_spread": spread,
        "input_rms": {"fc1": std if seen is None else seen},
    }


def test_images_in_bytes_are_said_at_once_and_once(training):
    run = training(RULE, layers=(FIRST,))
    (found,) = run.step(**given(75.0))
    assert "is 75, over the bound of 10" in found.message
    assert "divide by 255" in found.remedy
    assert not run.steps(9, **given(75.0))


def test_a_scale_of_thousands_speaks_of_no_bytes(training):
    (found,) = training(RULE, layers=(FIRST,)).step(**given(4e4))
    assert "255" not in found.remedy


def test_what_was_scaled_twice_is_too_small(training):
    (found,) = training(RULE, layers=(FIRST,)).step(**given(1.2e-3))
    assert "twice" in found.remedy


def test_a_large_mean_and_features_of_different_scale_are_said(training):
    (found,) = training(RULE, layers=(FIRST,)).step(**given(5.0, offset=58.0, seen=290.0))
    assert "subtract each feature's mean" in found.remedy
    (found,) = training(RULE, layers=(FIRST,)).step(**given(8.0, spread=5e3))
    assert "divide each feature" in found.remedy


@pytest.mark.parametrize(
    "signals",
    [
        given(0.31, offset=0.9, spread=20.0),
        given(0.3, offset=31.0, spread=2e4),
        given(0.0045),
        given(2.9, spread=2e3),
        given(0.0),
        given(math.nan),
        given(math.inf),
        given(75.0, seen=math.nan),
    ],
    ids=["pixels in 0 to 1", "rare pixels and flags", "one-hot of 50,000", "rare counts", "all zero",
         "nan", "inf", "nan inside"],
)  # fmt: skip
def test_harmless_inputs_are_left_alone(training, signals):
    assert not training(RULE, layers=(FIRST,)).steps(3, **signals)


def test_a_model_that_scales_its_input_itself_is_fine(training):
    assert not training(RULE, layers=(FIRST,)).step(**given(75.0, seen=0.4))
    assert not training(RULE, layers=(NORM, FIRST)).step(**given(75.0))
    assert not training(RULE, layers=(EMBEDDING, FIRST)).step(**given(75.0))


def test_what_no_layer_was_seen_to_take_is_not_judged(training):
    assert not training(RULE).step(input_std=75.0)


def test_thresholds_are_settings(training):
    assert not training(RULE, layers=(FIRST,), largest=100.0).step(**given(75.0))
