"""Edge cases of vanishing-gradient."""

import math

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.runtime.signals import Activation, Layer, Optimizer, Origin, Parameter, Role

RULE = "vanishing-gradient"
STEEP = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def model(*, activation=Activation.SIGMOID, count=6, norm=False, **settings):
    layers: list[Layer] = []
    parameters: list[Parameter] = []
    settings = {"optimizer": 0, "learning_rate": 0.1, **settings}
    for number in range(count):
        origin = Origin("model.py", 10 + number)
        layers.append(
            Layer(
                f"fc{number}",
                "Linear",
                len(layers),
                "64→64",
                weight=f"fc{number}.weight",
                fan_in=64,
                fan_out=64,
                followed_by=activation if number < count - 1 else None,
                is_output=number == count - 1,
                origin=origin,
            )
        )
        parameters.append(
            Parameter(
                f"fc{number}.weight",
                f"fc{number}",
                "Linear",
                (64, 64),
                Role.WEIGHT,
                depth=layers[-1].depth,
                origin=origin,
                **settings,
            )
        )
        if norm:
            layers.append(Layer(f"norm{number}", "BatchNorm1d", len(layers), is_norm=True))
        if number < count - 1:
            layers.append(
                Layer(f"act{number}", activation.value, len(layers), activation=activation)
            )
    return {"layers": layers, "parameters": parameters}


def gradients(values, *, weights=1.0, **others):
    names = [f"fc{number}.weight" for number in range(len(values))]
    return {
        "gradient_rms": dict(zip(names, values, strict=True)),
        "weight_rms": dict.fromkeys(names, weights),
        **others,
    }


def test_a_gradient_that_falls_towards_the_first_layer_is_said_once_after_five_steps(training):
    run = training(RULE, **model())
    assert not run.steps(4, **gradients(STEEP))
    (found,) = run.step(**gradients(STEEP))
    assert found.severity is Severity.WARNING
    assert (found.path, found.span.line) == ("model.py", 10)
    assert "`fc0` (Linear 64→64, model.py:10)" in found.message
    assert "1.0e-04" in found.message
    assert not run.steps(20, **gradients(STEEP))


def test_one_healthy_step_begins_the_patience_anew(training):
    run = training(RULE, **model())
    run.steps(4, **gradients(STEEP))
    run.step(**gradients([1.0] * 6))
    assert not run.steps(4, **gradients(STEEP))
    assert run.step(**gradients(STEEP))


def test_less_than_a_millionth_is_an_error(training):
    run = training(RULE, **model())
    (found,) = run.steps(5, **gradients([value**3 for value in STEEP]))
    assert found.severity is Severity.ERROR


def test_a_training_that_gets_worse_is_said_again_as_an_error(training):
    run = training(RULE, **model())
    (first,) = run.steps(5, **gradients(STEEP))
    (second,) = run.steps(5, **gradients([value**3 for value in STEEP]))
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.ERROR)


def test_gradients_that_grow_towards_the_first_layer_are_another_matter(training):
    assert not training(RULE, **model()).steps(9, **gradients(STEEP[::-1]))


def test_it_is_the_gradient_over_the_weight_that_counts(training):
    run = training(RULE, **model())
    names = [f"fc{number}.weight" for number in range(6)]
    signals = gradients(STEEP)
    signals["weight_rms"] = dict(zip(names, STEEP, strict=True))
    assert not run.steps(9, **signals)


def test_three_layers_are_too_few(training):
    assert not training(RULE, **model(count=3)).steps(9, **gradients((1e-9, 1e-4, 1.0)))


@pytest.mark.parametrize(
    "settings", [{"trainable": False}, {"learning_rate": 0.0}, {"optimizer": -1}]
)
def test_what_is_not_trained_is_not_judged(training, settings):
    assert not training(RULE, **model(**settings)).steps(9, **gradients(STEEP))


def test_weights_before_a_normalisation_are_judged_by_their_updates(training):
    names = [f"fc{number}.weight" for number in range(6)]
    equal = dict.fromkeys(names, 1e-3)
    run = training(RULE, **model(norm=True))
    assert not run.steps(9, **gradients(STEEP, update_ratio=equal))
    unequal = dict(zip(names, STEEP, strict=True))
    (found,) = run.steps(9, **gradients([1.0] * 6, update_ratio=unequal))
    assert "updates" in found.message


def test_dead_units_are_the_cause_that_is_to_be_told(training):
    run = training(RULE, **model(activation=Activation.RELU))
    assert not run.steps(9, **gradients(STEEP, dead_units={"act2": 0.9}))
    assert run.steps(5, **gradients(STEEP, dead_units={"act2": 0.1}))


def test_a_saturated_tanh_is_the_cause_but_a_saturated_sigmoid_is_the_textbook_case(training):
    flat = gradients(STEEP, saturated={"act2": 0.9})
    assert not training(RULE, **model(activation=Activation.TANH)).steps(9, **flat)
    assert training(RULE, **model()).steps(9, **flat)


def test_a_loss_near_its_floor_has_small_gradients(training):
    run = training(RULE, **model())
    run.steps(10, **gradients([1.0] * 6, loss=1.0))
    assert not run.steps(20, **gradients(STEEP, loss=0.01))


def test_the_models_of_several_optimizers_are_judged_apart(training):
    first, second = model(optimizer=0), model(optimizer=1)
    renamed = [
        Parameter(f"other.{one.name}", one.layer, one.kind, one.shape, one.role, one.depth,
                  optimizer=1, learning_rate=0.1)
        for one in second["parameters"]
    ]  # fmt: skip
    names = [one.name for one in (*first["parameters"], *renamed)]
    run = training(
        RULE,
        layers=first["layers"],
        parameters=[*first["parameters"], *renamed],
        optimizers=[Optimizer("SGD", 0.1)] * 2,
    )
    values = [1e-6] * 6 + [1.0] * 6
    assert not run.steps(
        9,
        gradient_rms=dict(zip(names, values, strict=True)),
        weight_rms=dict.fromkeys(names, 1.0),
    )


def test_the_remedy_is_chosen_by_what_stands_between(training):
    (found,) = training(RULE, **model()).steps(5, **gradients(STEEP))
    assert "in the place of the 5 `sigmoid`" in found.remedy
    (found,) = training(RULE, **model(activation=Activation.GELU)).steps(5, **gradients(STEEP))
    assert "skip connections" in found.remedy
    assert "nn.LayerNorm" in found.remedy


def test_numbers_that_are_none_are_borne(training):
    run = training(RULE, **model())
    broken = (math.nan, math.inf, 0.0, 1e-3, 1.0, 1.0)
    assert not run.steps(9, **gradients(broken, loss=math.nan))
    assert not run.step(gradient_rms={"gone.weight": 1.0}, weight_rms={})


@pytest.mark.parametrize(
    "values",
    [(3e-6, 2e-6, 1e-3, 4e-4, 5e-2, 5e-3), (1e-5, 2e-5, 1e-5, 2e-5, 2e-5, 0.1)],
    ids=["the policy and then the value", "a last layer that starts near 0"],
)
def test_one_cliff_is_no_chain_of_layers(training, values):
    assert not training(RULE, **model(activation=Activation.TANH)).steps(40, **gradients(values))
