"""Tests of questions that the rules of the loop ask: modes of autograd, edits, divisions."""

from __future__ import annotations

import pytest

from trainlint.core.fix import Fix, Safety, apply_fixes
from trainlint.core.loop import LoopEvent


@pytest.mark.parametrize(
    ("contexts", "off"),
    [
        (["torch.no_grad()"], True),
        (["torch.inference_mode()"], True),
        (["torch.inference_mode(False)"], False),
        (["torch.inference_mode(flag)"], False),
        (["torch.set_grad_enabled(False)"], True),
        (["torch.set_grad_enabled(flag)"], False),
        (["torch.no_grad()", "torch.enable_grad()"], False),
        (["torch.enable_grad()", "torch.no_grad()"], True),
        (["torch.no_grad()", "open(path)"], True),
        (["open(path)"], False),
    ],
)
def test_the_innermost_switch_of_autograd_decides(asked, contexts, off):
    source = "import torch\n"
    for depth, context in enumerate(contexts):
        source += "    " * depth + f"with {context}:\n"
    source += "    " * len(contexts) + "ask(x)\n"
    assert asked(source).without_gradient is off


@pytest.mark.parametrize(
    "decorator", ["torch.no_grad()", "torch.no_grad", "torch.inference_mode()"]
)
def test_a_decorator_switches_autograd_off(asked, decorator):
    assert asked(f"import torch\n@{decorator}\ndef f(x):\n    ask(x)\n").without_gradient


def text_with(model, *edits):
    """Return the text of a model's file with edits made."""
    return apply_fixes(model.source.text, [Fix("", Safety.SAFE, edits)])[0]


def test_a_statement_is_taken_away_with_its_comment(asked):
    expr = asked("while True:\n    go()\n    ask(x)  # why\n    stop()\n")
    (call,) = expr.model.method_calls("ask")
    assert text_with(expr.model, call.line_removed()) == "while True:\n    go()\n    stop()\n"


@pytest.mark.parametrize(
    "source", ["if a:\n    ask(x)\n", "go(); ask(x)\n", "y = 1\nif a: ask(x)\n"]
)
def test_a_statement_that_stands_alone_or_shares_its_line_stays(asked, source):
    (call,) = asked(source).model.method_calls("ask")
    assert call.line_removed() is None


def test_a_decorator_is_put_above_the_def_of_a_method(asked):
    expr = asked("class A:\n    @other\n    def f(self, x):\n        ask(x)\n")
    edit = expr.function.decorated_with("torch.no_grad()")
    expected = "class A:\n    @other\n    @torch.no_grad()\n    def f(self, x):\n        ask(x)\n"
    assert text_with(expr.model, edit) == expected


@pytest.mark.parametrize(
    ("source", "divides"),
    [
        ("loss = loss / accum", True),
        ("loss /= accum", True),
        ("loss = loss / self.args.accum", True),
        ("loss = loss / (accum * 2)", True),
        ("steps = len(loader) // accum", False),
        ("steps = accum / 2", False),
        ("loss = loss / accumulated", False),
    ],
)
def test_a_division_by_a_name_is_seen(model, source, divides):
    assert model(source).divides_by("accum") is divides


def test_a_call_knows_its_event(model):
    found = model("import torch\nloss.backward()\nprint(loss)\n")
    events = [found.event_of(call) for call in found.method_calls("backward", "print")]
    assert events == [LoopEvent.BACKWARD, None]


def test_what_is_tried_is_known(asked):
    assert asked("try:\n    ask(x)\nexcept E:\n    pass\n").is_tried
    assert not asked("try:\n    pass\nexcept E:\n    ask(x)\n").is_tried


def test_an_import_is_renamed_with_every_call(model):
    found = model("from torch import old, other\nold(1)\nold(2)\n")
    name = next(found.names_read("old"))
    text = text_with(found, *found.renamed_import(name, "new"))
    assert text == "from torch import new, other\nnew(1)\nnew(2)\n"


@pytest.mark.parametrize(
    "source",
    [
        "from torch import old\nuse(old)\nold(1)\n",
        "from torch import old\nold = wrap(old)\nold(1)\n",
        "def old(): pass\nold(1)\n",
    ],
)
def test_an_import_that_is_used_otherwise_is_not_renamed(model, source):
    found = model(source)
    assert found.renamed_import(next(found.names_read("old")), "new") == ()
