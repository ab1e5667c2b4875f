"""A training is summed up on one screen: verdict, layers worst first, diagnoses, what to do first."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from trainlint.core.diagnosis import Evidence, Moment, Severity
from trainlint.output.summary import first_thing, rows, summary, verdict
from trainlint.runtime.signals import Facts, Layer, Parameter, Role

LAST = {
    "loss": {"": 0.4312},
    "learning_rate": {"": 0.1},
    "gradient_rms": {"fc1.weight": 1e-9, "fc2.weight": 2e-3},
    "update_ratio": {"fc1.weight": 1e-8, "fc2.weight": 1e-3},
    "rms": {"fc1": 1.5, "act": 0.25, "fc2": 3.0},
    "dead_units": {"act": 0.6},
}


@pytest.fixture
def said(runs):
    """Return what was said: a warning of a parameter, an error of a layer, an advice of the run."""
    return [
        runs.diagnosis(
            3,
            rule="vanishing-gradient",
            code="TL901",
            severity=Severity.WARNING,
            moment=Moment(3, "fc1.weight", "weight of Linear"),
            remedy="normalise",
        ),
        runs.diagnosis(1200),
        runs.diagnosis(1300, severity=Severity.ADVICE, path="", moment=Moment(1300)),
    ]


def text_of(runs, said, last=LAST, **keywords):
    told = {
        "facts": runs.FACTS,
        "steps": 2345,
        "seconds": 754.0,
        "own_share": 0.0083,
        "width": 80,
        **keywords,
    }
    return summary(told.pop("facts"), last, said, **told)


def test_a_sick_training_on_one_screen(runs, said):
    assert text_of(runs, said).splitlines() == [
        "The training cannot work like this: 1 error, 1 warning and 1 advice in 2,345",
        "steps; it began with vanishing-gradient in `fc1.weight` at step 3.",
        "12 min 34 s, 322 ms a step, 0.8% for watching, loss 0.4312, rate 0.1",
        "",
        "layer                 gradient  update  activation  units",
        "act    ReLU                                   0.25  60% dead",
        "fc1    Linear 64→256     1e-09   1e-08         1.5",
        "fc2    Linear 256→10     0.002   0.001           3",
        "",
        "    step 3  warning TL901 vanishing-gradient  fc1.weight, model.py:15",
        "step 1,200  error TL250 dead-relu             act, model.py:15: dead units 0.6 …",
        "step 1,300  advice TL250 dead-relu",
        "",
        "Do first: `act` (model.py:15): use `nn.LeakyReLU`.",
    ]


def test_a_healthy_training_is_said_to_be(runs):
    text = text_of(runs, [])
    assert text.startswith("The training looks healthy: no diagnoses in 2,345 steps.\n")
    assert "Do first" not in text


@pytest.mark.parametrize(
    ("severities", "begins"),
    [
        (
            [Severity.ERROR, Severity.ERROR],
            "The training cannot work like this: 2 errors in 9 steps",
        ),
        ([Severity.WARNING], "The training likely suffers: 1 warning in 9 steps; it began with"),
        ([Severity.ADVICE] * 2, "The training looks sound, with 2 advice in 9 steps."),
    ],
)
def test_the_verdict_is_that_of_the_worst(runs, severities, begins):
    said = [runs.diagnosis(severity=one) for one in severities]
    assert verdict(said, 9).startswith(begins)


def test_layers_are_sorted_by_what_was_said_and_then_by_how_far_their_numbers_are_off(runs, said):
    names = [row.layer.name for row in rows(runs.FACTS, LAST, said)]
    assert names == ["act", "fc1", "fc2"]
    names = [row.layer.name for row in rows(runs.FACTS, LAST, [])]
    assert names == ["fc1", "act", "fc2"], "an update ratio of 1e-8 is worse than 60 % dead units"
    broken = {**LAST, "rms": {"fc2": math.nan}}
    assert rows(runs.FACTS, broken, [])[0].layer.name == "fc2"


def test_a_layer_is_blamed_for_its_parameters_and_only_known_layers_are_shown(runs, said):
    by_name = {row.layer.name: row for row in rows(runs.FACTS, LAST, said)}
    assert by_name["fc1"].severity is Severity.WARNING
    assert by_name["fc1"].gradient == 1e-9
    assert by_name["act"].gradient is None
    assert rows(runs.FACTS, {}, []) == []


def test_the_first_thing_to_do_is_about_the_first_of_the_worst(said):
    assert first_thing(said) == "`act` (model.py:15): use `nn.LeakyReLU`."
    named = replace(said[1], remedy="give `act` a slope")
    assert first_thing([named]) == "give `act` a slope."
    assert first_thing([]) == ""


def deep():
    """Return a model of many layers with long names."""
    names = [f"encoder.layers.{number}.self_attn.out_proj" for number in range(200)]
    return Facts(
        tuple(
            Layer(name, "Linear", at, "512→512", weight=f"{name}.weight")
            for at, name in enumerate(names)
        ),
        tuple(
            Parameter(f"{name}.weight", name, "Linear", (512, 512), Role.WEIGHT) for name in names
        ),
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_large_model_fits_a_screen_of_any_width(runs, width):
    facts = deep()
    last = {"rms": {one.name: 1.0 for one in facts.layers}}
    said = [
        runs.diagnosis(
            number,
            moment=Moment(number, one.name, "Linear", (Evidence("ratio", 1e-9, 1e-3),)),
        )
        for number, one in enumerate(facts.layers[:40])
    ]
    lines = text_of(runs, said, last, facts=facts, width=width).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width
    assert "and 194 more layers" in lines
    assert "and 35 more diagnoses" in lines
    assert sum(".self_attn.out_proj" in line for line in lines) >= 6


def test_what_is_not_known_is_left_out(runs):
    text = text_of(runs, [], {}, own_share=None, steps=0, seconds=4000.0)
    assert text.splitlines()[1] == "1 h 6 min"
    assert "nan" not in text


def test_names_of_the_model_are_neither_markup_nor_control(runs):
    facts = Facts((Layer("[red]\x1b[31m", "Linear", 0),))
    text = text_of(runs, [], {"rms": {"[red]\x1b[31m": 1.0}}, facts=facts)
    assert "[red]" in text
    assert "\x1b" not in text
