"""Values are followed where a person would follow them, and unknown where not."""

from __future__ import annotations

import math
import re

import pytest

from trainlint.static.model import UNKNOWN


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("ask(1e-3)", 1e-3),
        ("ask(-1)", -1),
        ("ask(3e-4 * 10)", 3e-3),
        ("ask(5 ** 0.5)", 5**0.5),
        ("ask(0.1 * 256 / 256)", 0.1),
        ("import math\nask(math.sqrt(5))", math.sqrt(5)),
        ("import numpy as np\nask(np.sqrt(2))", math.sqrt(2)),
        ("ask(float('1e-2'))", 1e-2),
        ("ask((0.9, 0.999))", (0.9, 0.999)),
        ("ask('relu')", "relu"),
        ("ask(not True)", False),
        ("ask(len([1, 2, 3]))", 3),
        ("ask(max(3, 5))", 5),
        ("LR = 0.5\nask(LR)", 0.5),
        ("LR = 0.5\ndef f():\n    ask(LR)", 0.5),
        ("a = b = 2\nask(a)", 2),
        ("a, b = 1, 2\nask(b)", 2),
        ("sizes = [784, 128, 10]\nask(sizes[1])", 128),
        ("sizes = [784, 128, 10]\nask(sizes[-1])", 10),
        ("config = {'lr': 0.1}\nask(config['lr'])", 0.1),
        ("config = dict(lr=0.1)\nask(config['lr'])", 0.1),
        ("config = {'lr': 0.1}\nask(config.get('lr', 3))", 0.1),
        ("config = {'optim': {'lr': 0.1}}\nask(config['optim']['lr'])", 0.1),
        ("def f(lr=0.1):\n    ask(lr)", 0.1),
        ("def f(*, lr=0.1):\n    ask(lr)", 0.1),
        ("def f(lr):\n    ask(lr)\nf(0.2)", 0.2),
        ("def f(lr=0.1):\n    ask(lr)\nf(lr=0.2)", 0.2),
        ("def rate():\n    return 0.3\nask(rate())", 0.3),
        ("x = 1 if big else 1\nask(x)", 1),
        ("class C:\n    lr = 0.1\nask(C.lr)", 0.1),
        ("class C:\n    lr = 0.1\nc = C()\nask(c.lr)", 0.1),
        ("class C:\n    lr: float = 0.1\nc = C(lr=0.7)\nask(c.lr)", 0.7),
        (
            "class C:\n    def __init__(self):\n        self.lr = 4\n    def f(self):\n        ask(self.lr)",
            4,
        ),
        ("class C:\n    def __init__(self, lr):\n        self.lr = lr\nc = C(9)\nask(c.lr)", 9),
        ("class B:\n    lr = 3\nclass C(B):\n    def f(self):\n        ask(self.lr)", 3),
        ("from types import SimpleNamespace\nn = SimpleNamespace(lr=0.1)\nask(n.lr)", 0.1),
        ("if cuda:\n    x = 1\nelse:\n    x = 1\nask(x)", 1),
        ("with open('f') as f:\n    x = 3\nask(x)", 3),
        ("x = 1\nx = 2\nask(x)", 2),
        ("if a:\n    x = 1\n    raise ValueError\nelse:\n    x = 2\nask(x)", 2),
    ],
)
def test_a_value_is_followed(asked, source, value):
    assert asked(source).literal() == pytest.approx(value) if isinstance(value, float) else True
    assert type(asked(source).literal()) is type(value)
    if not isinstance(value, float):
        assert asked(source).literal() == value


@pytest.mark.parametrize(
    "source",
    [
        "ask(unknown)",
        "def f(lr):\n    ask(lr)",
        "lr = input()\nask(lr)",
        "if big:\n    lr = 1\nelse:\n    lr = 2\nask(lr)",
        "lr = 1\nif big:\n    lr = 2\nask(lr)",
        "lr = 1\nlr *= 2\nask(lr)",
        "def f(lr):\n    ask(lr)\nf(1)\nf(2)",
        "def f(lr=0.1):\n    ask(lr)\nf()\nf(0.2)",
        "config = {'lr': 0.1}\nconfig['lr'] = 0.2\nask(config['lr'])",
        "config = load()\nask(config['lr'])",
        "for lr in [1, 2]:\n    ask(lr)",
        "ask(10 ** 10 ** 10)",
        "ask(1 / 0)",
        "ask(f'{x}')",
        "x = x + 1\nask(x)",
        "def f():\n    return f()\nask(f())",
        "a = [1, *b]\nask(a)",
        "a = [1]\na.append(2)\nask(a)",
        "a = [1]\na += [2]\nask(a)",
    ],
)
def test_what_cannot_be_followed_is_unknown(asked, source):
    assert asked(source).literal() is UNKNOWN
    assert asked(source).number() is None


def test_unknown_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)


ARGPARSE = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", "-l", type=float, default=3.0)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--wd", dest="weight_decay", default=0.1)
"""


@pytest.mark.parametrize(
    ("use", "value"),
    [
        ("args = parser.parse_args()\n    ask(args.lr)", 3.0),
        ("args = parser.parse_args()\n    ask(args.batch_size)", 64),
        ("args = parser.parse_args()\n    ask(args.weight_decay)", 0.1),
        ("args, rest = parser.parse_known_args()\n    ask(args.lr)", 3.0),
        ("def main(args):\n        ask(args.lr)\n    main(parser.parse_args())", 3.0),
        ("def main(args):\n        ask(args.lr)", 3.0),
        ("opt = parser.parse_args()\n    def f():\n        ask(opt.lr * 2)", 6.0),
    ],
)
def test_the_default_of_an_argparse_option_is_read_through_args(asked, use, value):
    assert asked(f"{ARGPARSE}\n    {use}").number() == value


def test_an_option_that_is_assigned_to_later_is_unknown(asked):
    source = f"{ARGPARSE}\n    args = parser.parse_args()\n    args.lr = scale()\n    ask(args.lr)"
    assert asked(source).number() is None


def test_the_default_of_a_click_option_is_read_through_the_parameter(asked):
    source = """
        import click
        @click.command()
        @click.option("--learning-rate", default=7.0)
        def main(learning_rate):
            ask(learning_rate)
    """
    assert asked(source).number() == 7.0


def test_a_dataclass_field_is_read_through_an_instance_passed_on(asked):
    source = """
        from dataclasses import dataclass
        @dataclass
        class Config:
            lr: float = 5.0
        def train(config: Config):
            ask(config.lr)
        train(Config())
    """
    assert asked(source).number() == 5.0


def test_keywords_of_a_known_dict_are_read_through_two_stars(model):
    file = model("""
        import torch
        settings = {"lr": 4.0}
        torch.optim.SGD(net.parameters(), **settings)
    """)
    assert file.optimizers()[0].number("lr") == 4.0


@pytest.mark.parametrize(
    ("expression", "length"),
    [
        ("range(5)", 5),
        ("range(1, 10, 3)", 3),
        ("[1, 2, 3]", 3),
        ("enumerate([1, 2])", 2),
        ("zip([1, 2, 3], [1, 2])", 2),
        ("[1, 2, 3][:-1]", 2),
        ("range(n)", None),
        ("zip([1], x)", None),
    ],
)
def test_the_number_of_rounds_of_a_loop_is_read_where_it_is_written(model, expression, length):
    file = model(f"for i in {expression}:\n    ask(i)")
    (call,) = file.method_calls("ask")
    assert call.loops[0].count == length


def test_a_hyperparameter_that_lightning_saves_is_read_through_hparams(asked):
    source = """
        import lightning as L
        class Net(L.LightningModule):
            def __init__(self, lr=3.0):
                super().__init__()
                self.save_hyperparameters()
            def configure_optimizers(self):
                ask(self.hparams.lr)
    """
    assert asked(source).number() == 3.0


@pytest.mark.parametrize(
    ("source", "measured"),
    [
        ("ask(len(loader))", True),
        ("n = len(loader) // 4\ntotal = n * epochs\nask(total)", True),
        ("ask(epochs * 10)", False),
        ("ask(total)", False),
    ],
)
def test_a_length_is_found_behind_the_variables_of_an_expression(asked, source, measured):
    assert asked(source).measures_length is measured


def test_calls_are_found_by_a_pattern_of_their_names(model):
    file = model("train_model(1)\nx.retrain()\nmade = training(2)")
    found = file.calls_named(re.compile(r"^train"))
    assert [call.text for call in found] == ["train_model(1)", "training(2)"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("loss_fn(net(x), y)", True),
        ("loss_fn(out, y)", True),
        ("2 * loss_fn(out, y).mean()", True),
        ("loss_fn(out.detach(), y)", False),
        ("loss_fn(other(x), y)", False),
        ("loss_fn(x, y)", False),
    ],
)
def test_a_value_is_made_of_what_gradients_flow_back_to(asked, expression, expected):
    expr = asked(f"out = net(x)\nask({expression})")
    assert ("net(x)" in {part.text for part in expr.ingredients()}) is expected


def test_a_source_reads_as_it_will_with_an_edit_inside(asked):
    expr = asked("ask(make(a, size=3))")
    edit = expr.without_argument(expr.keywords["size"])
    assert expr.source_with(edit) == "make(a)"


def test_a_name_is_spelled_in_the_shortest_way(model):
    file = model("import torch\nfrom torch import nn\nimport torch.nn.functional as F")
    assert file.spelling("torch.nn.Parameter") == "nn.Parameter"
    assert file.spelling("torch.nn.functional.relu") == "F.relu"
    assert file.spelling("copy.deepcopy") is None


def test_a_thing_in_a_table_that_any_caller_may_choose_is_not_followed(model):
    table = "TABLE = {'a': make(1), 'b': make(2)}\ndef f(key='a'):\n    ask(TABLE[key])\n"
    (call,) = model(table).method_calls("ask")
    assert [one.text for one in call.args[0].origins()] == ["TABLE[key]"]
    (call,) = model(f"{table}f()").method_calls("ask")
    assert [one.text for one in call.args[0].origins()] == ["make(1)"]
