"""Edge cases of exploding-gradient."""

import math

import pytest

from trainlint.runtime.signals import Layer, Optimizer, Origin, Parameter, Role

RULE = "exploding-gradient"


def model(*, recurrent=False):
    kind = "LSTM" if recurrent else "Linear"
    layers, parameters = [], []
    for number in range(6):
        origin = Origin("model.py", 10 + number)
        name = f"fc{number}"
        layers.append(
            Layer(
                name,
                kind,
                number,
                "8→8",
                weight=f"{name}.weight",
                fan_in=8,
                fan_out=8,
                is_recurrent=recurrent,
                origin=origin,
            )
        )
        parameters.append(
            Parameter(
                f"{name}.weight",
                name,
                kind,
                (8, 8),
                Role.WEIGHT,
                depth=number,
                optimizer=0,
                learning_rate=0.1,
                origin=origin,
            )
        )
    return {"layers": layers, "parameters": parameters}


def norms(total, *, weights=10.0, rate=0.1, **others):
    names = [f"fc{number}.weight" for number in range(6)]
    return {
        "total_norm": total,
        "learning_rate": rate,
        "weight_norm": dict.fromkeys(names, weights),
        "gradient_norm": {**dict.fromkeys(names, 0.1), "fc3.weight": 1.0},
        **others,
    }


def test_a_norm_of_a_hundred_times_its_median_is_said_at_once(training):
    run = training(RULE, **model())
    assert not run.steps(10, **norms(1.0))
    (found,) = run.step(**norms(150.0))
    assert "150 times the median" in found.message
    assert found.moment.layer == "fc3"
    assert found.span.line == 13


def test_ten_times_is_said_after_three_steps(training):
    run = training(RULE, **model())
    run.steps(20, **norms(1.0))
    assert not run.steps(2, **norms(20.0))
    assert run.step(**norms(20.0))
    assert not run.steps(3, **norms(20.0))


def test_one_wild_step_of_ten_times_is_nothing(training):
    run = training(RULE, **model())
    run.steps(20, **norms(1.0))
    for _ in range(5):
        assert not run.steps(2, **norms(20.0))
        assert not run.steps(5, **norms(1.0))


def test_the_first_ten_steps_have_no_level(training):
    run = training(RULE, **model())
    run.steps(9, **norms(1.0))
    assert not run.step(**norms(500.0))


def test_a_gradient_that_grows_while_the_loss_falls_leaves_a_plateau(training):
    run = training(RULE, **model())
    run.steps(20, **norms(0.01, loss=2.0))
    assert not run.steps(5, **norms(5.0, loss=1.0))
    assert run.step(**norms(5.0, loss=3.0))


def test_a_rise_of_the_rate_gives_a_step_of_grace(training):
    run = training(RULE, **model())
    run.steps(20, **norms(1.0))
    assert not run.steps(2, **norms(150.0, rate=1.0))
    assert run.step(**norms(150.0, rate=1.0))


@pytest.mark.parametrize(("rate", "is_said"), [(1e-2, True), (1e-8, False)])
def test_a_norm_of_ten_thousand_times_the_weights_is_said_where_the_step_does_harm(
    training, rate, is_said
):
    run = training(RULE, **model())
    assert bool(run.step(**norms(1e6, rate=rate))) is is_said


def test_against_the_weights_an_adaptive_optimizer_is_safe(training):
    run = training(RULE, **model(), optimizers=[Optimizer("Adam", 1e-3, beta2=0.999)])
    assert not run.steps(20, **norms(1e6))


def test_a_gradient_that_grows_towards_the_first_layers_is_said(training):
    run = training(RULE, **model())
    names = [f"fc{number}.weight" for number in range(6)]
    deep = {
        "gradient_rms": dict(zip(names, (1e5, 1e5, 1e2, 1e2, 1.0, 1.0), strict=True)),
        "weight_rms": dict.fromkeys(names, 1.0),
    }
    assert not run.steps(2, **norms(1.0, **deep))
    (found,) = run.step(**norms(1.0, **deep))
    assert "1.0e+05 times those of the last third" in found.message


def test_finite_gradients_whose_squares_overflow_are_judged_by_their_largest_element(training):
    run = training(RULE, **model())
    huge = norms(
        math.inf,
        gradient_max={"fc0.weight": 1e30},
        gradient_non_finite={"fc0.weight": 0.0},
    )
    assert run.step(**huge)


def test_what_is_not_finite_is_the_matter_of_other_rules(training):
    run = training(RULE, **model())
    run.steps(20, **norms(1.0))
    broken = {"gradient_non_finite": {"fc0.weight": 3.0}}
    assert not run.step(**norms(math.inf, **broken))
    assert not run.step(**norms(math.nan, **broken))
    assert run.step(**norms(150.0))


def test_the_remedy_clips_at_the_usual_norm_and_first_where_the_model_is_recurrent(training):
    run = training(RULE, **model())
    run.steps(20, **norms(1.0))
    (found,) = run.step(**norms(150.0))
    assert found.remedy.startswith("try a learning rate of 0.033 instead of 0.1")
    assert "clip_grad_norm_(model.parameters(), 1)" in found.remedy
    run = training(RULE, **model(recurrent=True))
    run.steps(20, **norms(1.0))
    (found,) = run.step(**norms(150.0))
    assert found.remedy.startswith("clip by norm")


def test_an_explosion_from_the_start_asks_for_the_initialisation(training):
    (found,) = training(RULE, **model()).step(**norms(1e7))
    assert "give `fc3` (Linear 8→8, model.py:13) Glorot" in found.remedy


def test_one_cliff_between_two_branches_is_no_explosion(training):
    run = training(RULE, **model())
    cliff = {
        "gradient_rms": {f"fc{at}.weight": size for at, size in enumerate((1e5, 1e5, 1.0, 1.0))},
        "weight_rms": {f"fc{at}.weight": 1.0 for at in range(4)},
    }
    assert not run.steps(30, **norms(1.0, **cliff))
