"""Edge cases of decayed-effective-rate."""

import math

from trainlint.runtime.signals import Optimizer, Parameter, Role

RULE = "decayed-effective-rate"


def test_a_rate_that_is_used_up_while_the_loss_falls_is_said_once(training):
    rates = [0.1 * 0.9**step for step in range(200)]
    losses = [1 + math.exp(-min(step, 60) / 40) for step in range(200)]
    (found,) = training(RULE).series(loss=losses, learning_rate=rates)
    assert 85 <= found.moment.step <= 95
    assert "once per epoch" in found.remedy


def test_the_end_of_a_cosine_is_planned(training):
    rates = [0.05 * (1 + math.cos(math.pi * step / 1000)) for step in range(1000)]
    losses = [1 + math.exp(-step / 400) for step in range(1000)]
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def test_steps_of_ten_end_at_a_thousandth(training):
    rates = [0.1 * 0.1 ** (step // 250) for step in range(1000)]
    losses = [1 + math.exp(-step / 400) for step in range(1000)]
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def test_a_loss_that_had_stopped_falling_has_lost_nothing(training):
    rates = [0.1] * 300 + [0.1 * 0.9**step for step in range(200)]
    losses = [1 + math.exp(-step / 20) for step in range(500)]
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def test_a_loss_that_has_fallen_to_a_tenth_has_lost_little(training):
    rates = [0.1 * 0.9**step for step in range(200)]
    losses = [math.exp(-min(step, 60) / 15) for step in range(200)]
    assert not training(RULE).series(loss=losses, learning_rate=rates)


def adagrad(training, kind):
    weight = Parameter(
        "fc.weight", "fc", "Linear", (8, 8), Role.WEIGHT, optimizer=0, learning_rate=0.1
    )
    run = training(RULE, parameters=[weight], optimizers=(Optimizer(kind, 0.1),))
    found = []
    for step in range(200):
        found += run.step(
            loss=1 + math.exp(-min(step, 60) / 40),
            learning_rate=0.1,
            update_rms={"fc.weight": 0.1 * 0.9**step},
            gradient_rms={"fc.weight": 1.0},
        )
    return found


def test_adagrads_own_rate_is_measured(training):
    (found,) = adagrad(training, "Adagrad")
    assert "RMSprop" in found.remedy
    assert not adagrad(training, "SGD")


def test_alternating_optimizers_and_odd_values_are_left_alone(training):
    rates = [0.1 * 0.9**step for step in range(200)]
    losses = [1 + math.exp(-min(step, 60) / 40) for step in range(200)]
    assert not training(RULE, alternates=True).series(loss=losses, learning_rate=rates)
    assert not training(RULE).series(loss=[math.nan] * 200, learning_rate=rates)
