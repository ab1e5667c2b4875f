"""Edge cases of repeated-batch."""

import random

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.rules.data.repeated_batch import KEPT
from trainlint.runtime.signals import Layer

RULE = "repeated-batch"


def feed(run, batches):
    return [one for batch in batches for one in run.step(input_fingerprint=float(batch))]


def test_an_order_that_comes_again_and_again_is_said_once(training):
    run = training(RULE)
    assert not feed(run, [*range(10)] * 2)
    (found,) = feed(run, [*range(10)] * 4)
    assert found.severity is Severity.WARNING
    assert "every 10 steps" in found.message
    assert "shuffle=True" in found.remedy


def test_an_order_is_recognised_by_the_steps_that_are_measured(training):
    run = training(RULE)
    found = []
    for number in range(1, 600, 7):
        found += run.step(number=number, input_fingerprint=float(number % 35))
    assert len(found) == 1


def test_shuffled_epochs_are_fine(training):
    run = training(RULE)
    chance = random.Random(0)  # noqa: S311 - a shuffle, no secret
    for _ in range(20):
        epoch = list(range(12))
        chance.shuffle(epoch)
        assert not feed(run, epoch)


@pytest.mark.parametrize("kinds", [2, 4, 16])
def test_few_examples_that_are_drawn_one_by_one_come_in_no_order(training, kinds):
    run = training(RULE, same=1000)
    chance = random.Random(1)  # noqa: S311
    assert not feed(run, [chance.randrange(kinds) for _ in range(5_000)])


def test_batches_that_are_new_each_time_are_fine_and_memory_is_bounded(training):
    run = training(RULE)
    assert not feed(run, range(KEPT + 100))
    assert len(run.detector.seen) == KEPT


def test_one_batch_all_the_time_is_a_note_and_said_once(training):
    run = training(RULE)
    assert not feed(run, [5] * 19)
    (found,) = feed(run, [5] * 100)
    assert found.severity is Severity.ADVICE
    assert "next(iter(loader))" in found.remedy


def test_an_order_that_a_recurrent_state_needs_is_fine(training):
    run = training(RULE, layers=(Layer("rnn", "LSTM", 0, is_recurrent=True),))
    assert not feed(run, [*range(10)] * 6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_says_nothing(training, value):
    assert not feed(training(RULE), [value] * 50)


def test_thresholds_are_settings(training):
    assert feed(training(RULE, same=5), [5] * 5)
    assert not feed(training(RULE, repeats=100), [*range(10)] * 6)
