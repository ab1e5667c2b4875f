"""Edge cases of attention-collapse."""

import math

from trainlint.runtime.signals import Layer, Origin

RULE = "attention-collapse"
LAYERS = tuple(
    Layer(f"block{at}:attention", "attention", at, origin=Origin("model.py", 10 + at))
    for at in range(2)
)


def seen(entropy=0.01, logit=20.0, second=0.6, **others):
    first, other = (one.name for one in LAYERS)
    return {
        "attention_entropy": {first: entropy, other: second},
        "attention_logit": {first: logit, other: 5.0},
        **others,
    }


def test_an_entropy_under_five_per_cent_is_said_once_after_ten_steps(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(9, **seen())
    (found,) = run.step(**seen())
    assert (found.moment.layer, found.span.line) == ("block0:attention", 10)
    assert "1.0% of the largest possible entropy (bound 5%)" in found.message
    assert not run.steps(30, **seen())


def test_attentions_that_collapse_together_are_said_together(training):
    (found,) = training(RULE, layers=LAYERS).steps(10, **seen(second=0.01))
    assert "like 1 others" in found.message


def test_large_logits_are_told_of_only_where_the_attention_is_sharp(training):
    assert not training(RULE, layers=LAYERS).steps(20, **seen(0.5, 80.0))
    (found,) = training(RULE, layers=LAYERS).steps(20, **seen(0.1, 80.0))
    assert "logits up to 80 (bound 50)" in found.message
    assert "(bound 20%)" in found.message


def test_a_loss_that_has_fallen_by_half_has_use_for_sharp_attention(training):
    run = training(RULE, layers=LAYERS)
    run.steps(10, **seen(0.5, loss=2.0))
    run.steps(10, **seen(0.5, loss=0.5))
    assert not run.steps(30, **seen(loss=0.5))


def test_logits_that_overflow_half_precision_are_told_of_all_the_same(training):
    run = training(RULE, layers=LAYERS)
    run.steps(10, **seen(0.5, loss=2.0))
    run.steps(10, **seen(0.5, loss=0.5))
    (found,) = run.steps(10, **seen(0.5, 2e4, loss=0.5))
    assert "(bound 10000)" in found.message


def test_a_loss_that_rises_from_its_best_has_no_use_for_it(training):
    run = training(RULE, layers=LAYERS)
    run.steps(10, **seen(0.5, loss=2.0))
    run.steps(20, **seen(0.5, loss=0.5))
    assert run.steps(30, **seen(loss=0.9))


def test_the_remedy_is_chosen_by_when_it_began(training):
    (found,) = training(RULE, layers=LAYERS).steps(10, **seen())
    assert "from the first step" in found.remedy
    run = training(RULE, layers=LAYERS)
    run.step(**seen(0.8))
    (found,) = run.steps(10, **seen())
    assert "warm-up" in found.remedy


def test_values_that_are_none_are_borne(training):
    run = training(RULE, layers=LAYERS)
    assert not run.steps(30, **seen(math.nan, math.nan, loss=math.nan))
