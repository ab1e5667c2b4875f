"""A probe as text: what has room stands beside each other, and what the remedy does is said."""

from __future__ import annotations

import re

import pytest

from trainlint.output.probe_text import lines
from trainlint.runtime.signals import Activation, Layer
from trainlint.runtime.trials.probed import Effect, LayerReport, ProbeReport, Scale


def layer(at, *, name="body.{}", **numbers):
    own = Layer(
        name.format(at),
        "Linear",
        at,
        "128→128",
        weight=f"{name.format(at)}.weight",
        followed_by=Activation.RELU,
        fan_in=128,
    )
    numbers = {"gain": 1.4, "ideal": 1.414, "running": 0.9, "backward_running": 0.05, **numbers}
    return LayerReport(own, forward=1.96, **numbers)


def report(*layers, **more):
    return ProbeReport("Net", layers or (layer(0),), (), 2.3, 2.3, 0.1, 0.0, 8, **more)


def shown(one, width=100):
    return "\n".join(lines(one, colours=False, width=width))


def scale(*diagnoses):
    return Scale(0.5, 0.5, None, None, 2.3, diagnoses)


def effect(before, after, schemes=(("body.0", "Kaiming, std 0.1"),)):
    return report(effect=Effect(schemes, scale(*before), scale(*after)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("dead-relu",), ("dead-relu",), "it mends none of them by itself"),
        (("dead-relu",), (), ""),
        (("dead-relu", "initial-loss"), ("dead-relu",), ""),
        ((), (), ""),
        ((), ("initial-loss",), "it brings initial-loss"),
        (
            ("dead-relu",),
            ("vanishing-gradient", "initial-loss"),
            "it brings initial-loss, vanishing-gradient",
        ),
        (
            ("dead-relu",),
            ("dead-relu", "initial-loss"),
            "it mends none of them by itself\nit brings initial-loss",
        ),
    ],
)
def test_what_the_remedy_does_not_mend_and_what_it_brings_is_said(before, after, said):
    text = shown(effect(before, after))
    count = len(before) or "none"
    head, _, tail = text.partition("  diagnoses")
    assert "With the right initialisation (Kaiming for 1 of the layers; measured" in head
    assert tail.split("\n")[0].split() == [str(count), str(len(after) or "none")]
    assert tail.partition("\n")[2] == said


@pytest.mark.parametrize("width", [60, 70, 80, 100, 130])
@pytest.mark.parametrize("name", ["fc{}", "encoder.layers.{}.feed_forward.projection.original"])
def test_no_line_is_wider_than_the_terminal(width, name):
    kinds = tuple((f"body.{at}", f"Scheme{at}, std 0.1") for at in range(9))
    whole = report(
        *(layer(at, name=name, dead=0.57, predicted=2.0) for at in range(60)),
        effect=Effect(kinds, scale("dead-relu"), scale()),
        without_gradient=tuple(f"body.{at}.weight" for at in range(30)),
        notes=("what is measured here is told in a note of many words " * 3,),
        seeds=3,
    )
    text = shown(whole, width).split("\n")
    _, facts, *rest = text
    assert "initial loss" in facts
    assert max(map(len, rest)) <= width
    assert any(re.search(r"●.*57% dead$", line) for line in rest)
    told = " ".join(" ".join(rest).split())
    assert f"note: {whole.notes[0].strip()}" in told
    assert "no gradient reaches: body.0.weight, body.1.weight" in told
    assert "body.7.weight and 22 more" in told
    assert "(Scheme0 for 1, Scheme1 for 1," in told
    assert "Scheme8 for 1 of the layers; measured, then undone):" in told


def test_a_short_name_has_no_more_room_than_it_needs():
    (row,) = [line for line in shown(report(layer(0)), 60).split("\n") if line.startswith("body.0")]
    assert row.startswith("body.0  1.4 / 1.41      0.9      0.05  ")


def test_a_name_that_is_cut_keeps_its_end_and_a_kind_its_beginning():
    whole = report(layer(7, name="encoder.layers.{}.feed_forward.projection"))
    assert "\n…ward.projection  " in shown(whole, 50)
    assert "\n…ayers.7.feed_forward.projection  " in shown(whole, 130)
    assert "  Linear 128→128…     " in shown(report(layer(0)), 72)


def test_theory_stands_beside_each_ratio_where_there_is_room_and_below_always():
    whole = report(layer(0, predicted=1.9), layer(1, predicted=1.0), layer(2))
    wide, narrow = shown(whole, 120), shown(whole, 60)
    rows = dict(line.split(maxsplit=1) for line in wide.split("\n") if line.startswith("body."))
    assert "ratio / theory" in wide
    assert "  1.96 / 1.9  " in rows["body.0"]
    assert "  1.96 / 1  " in rows["body.1"]
    assert "  -  " in rows["body.2"]
    assert "ratio / theory" not in narrow
    said = (
        "predicts it within 10% for 1 of 2 layers; furthest is body.1: 1.96 measured, 1 predicted"
    )
    assert said in " ".join(wide.split())
    assert said in " ".join(narrow.split())
    assert "Theory" not in shown(report(layer(0)))
    assert "furthest" not in shown(report(layer(0, predicted=1.9)))
