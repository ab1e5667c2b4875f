"""Numbers that are the same whoever runs the code, and layers that are surely the one."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "source",
    [
        "ask(64)",
        "ask(2 * 8 - 1)",
        "W = 64\nask(W * 2)",
        "class A:\n    w = 4\n    def f(self):\n        ask(self.w)",
        "class A:\n    def __init__(self):\n        self.w = 4\n    def f(self):\n        ask(self.w // 2)",
        "def f(w):\n    ask(w)\nf(3)",
        "ask(max(1, 2))",
    ],
)
def test_what_only_plain_assignments_give_is_constant(asked, source):
    assert asked(source).is_constant


@pytest.mark.parametrize(
    "source",
    [
        "def f(w=64):\n    ask(w)",
        "w = 3\nfor o in (1, 2):\n    ask(w)\n    w = o",
        "for w in (1, 2):\n    ask(w)",
        "w = 1\nw += 1\nask(w)",
        "ask(args.width)",
        "ask(unknown)",
        "ask(read())",
    ],
)
def test_what_callers_options_and_loops_give_is_not(asked, source):
    assert not asked(source).is_constant


def test_a_helper_that_gives_back_its_argument_is_seen_through(asked):
    source = "def init(layer, std=1):\n    return layer\na = init(one)\nask(init(two, 3))"
    assert [origin.text for origin in asked(source).origins()] == ["two"]


def test_a_method_that_gives_back_its_argument_is_seen_through(asked):
    source = "class A:\n    def init(self, x):\n        return x\n    def f(self):\n        self.init(one)\n        ask(self.init(x=two))"
    assert [origin.text for origin in asked(source).origins()] == ["two"]


def test_a_layer_out_of_several_says_so(model):
    source = "from torch import nn\na = nn.ReLU() if x else nn.ReLU(True)\nn = nn.Sequential(a, nn.ReLU())"
    (stack,) = model(source).sequentials()
    assert [step.one_of_several for step in stack.steps] == [True, False]
