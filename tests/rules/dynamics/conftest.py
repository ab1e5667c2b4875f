"""Loss curves of healthy trainings, simulated: what no rule about the loss may speak of."""

from __future__ import annotations

import math
import random

import pytest

STEPS = 1200


def healthy(kind: str, seed: int) -> list[tuple[float, float]]:
    """Return loss and learning rate of each step of a training that goes well.

    The level decays to a floor; the noise grows with the level, and for a third of the seeds it has
    heavy tails.
    """
    chance = random.Random(f"{kind} {seed}")  # noqa: S311 - no secret
    start = 10 ** chance.uniform(-1, 1.5)
    floor = start * chance.choice([0, 0.01, 0.1, 0.3, 0.6])
    tau = 10 ** chance.uniform(1.3, 3.0)
    noise = chance.choice([0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
    tails = chance.choice([1.0, 1.0, 1.7])
    period = chance.choice([100, 300, 1000])
    curve = []
    for step in range(STEPS):
        rate, time, factor = 0.1, float(step), 1.0
        if kind == "warm-up":
            rate *= min(1.0, (step + 1) / 200)
            time = step - 100 if step > 200 else step * step / 400
        elif kind == "restarts":
            rate *= 0.5 + 0.5 * math.cos(math.pi * (step % period) / period)
            factor = 1 + rate / 0.1
        elif kind == "floor":
            tau = 5.0
        level = (floor + (start - floor) * math.exp(-time / tau)) * factor
        single = chance.gauss(0, 1)
        single = math.copysign(abs(single) ** tails, single)
        loss = level * math.exp(noise * single - noise**2 / 2) + 1e-6 * start
        curve.append((loss, rate))
    return curve


KINDS = ("decay", "warm-up", "restarts", "floor")


@pytest.fixture(params=KINDS)
def healthy_curves(request):
    """Return 55 healthy curves of one kind, each with losses and learning rates."""
    return [list(zip(*healthy(request.param, seed), strict=True)) for seed in range(55)]


@pytest.fixture
def alarms(training):
    """Return a function that gives what a rule says of curves, of every other one the criterion is known."""

    def said(rule, curves):
        found = []
        for number, (losses, rates) in enumerate(curves):
            known = {"broadcast": [0.0] * len(losses)} if number % 2 else {}
            found += training(rule).series(loss=losses, learning_rate=rates, **known)
        return [one.message for one in found]

    return said
