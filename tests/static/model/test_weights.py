"""What the file says about weights: loaded and thrown away, never filled, by which type initialised."""

from __future__ import annotations

import pytest

from trainlint.static.model import FileModel
from trainlint.static.source import SourceFile


def test_everything_that_names_something_imported_is_found_in_order(model):
    file = model("""
        import torch
        from torch.nn.init import normal as n
        from torch import nn
        n(w)
        table = {"normal": nn.init.normal}
        torch.nn.init.normal(w)
        other.init.normal(w)
    """)
    found = [place.text for place in file.mentions_of("torch.nn.init.normal")]
    assert found == ["n", "nn.init.normal", "torch.nn.init.normal"]


@pytest.mark.parametrize(
    ("use", "mentioned"),
    [
        ("f(x)", True),
        ("apply(f)", True),
        ("self.f()", True),
        ("getattr(net, 'f')", True),
        ("g(x)", False),
        ("print('no f here')", False),
    ],
)
def test_a_function_is_mentioned_by_a_call_a_reference_or_a_string(model, use, mentioned):
    file = model(f"def f(x): ...\n{use}\n")
    assert file.is_mentioned(file.functions[0]) is mentioned


@pytest.mark.parametrize(
    ("source", "settled"),
    [
        ("ask(1)", True),
        ("ask(-1 + 2)", True),
        ("N = 1\nask(N)", True),
        ("def f(n=1):\n    ask(n)", False),
        ("class A:\n    def __init__(self):\n        self.n = 1\n        ask(self.n)", True),
        ("class A:\n    def __init__(self, n=1):\n        self.n = n\n        ask(self.n)", False),
        ("ask(args.layers)", False),
        ("n = read()\nask(n)", False),
        ("for n in (1, 2):\n    ask(n)", False),
        ("n = 1 if x else 2\nask(n)", True),
    ],
)
def test_a_value_is_settled_if_the_file_alone_decides_about_it(asked, source, settled):
    assert asked(source).is_settled is settled


@pytest.mark.parametrize(
    ("body", "script"),
    [
        ("opt = torch.optim.SGD(net.parameters(), 0.1)", True),
        ("def main():\n    opt = torch.optim.SGD(net.parameters(), 0.1)", True),
        ("def build(net):\n    return torch.optim.SGD(net.parameters(), 0.1)", False),
        ("def f(): ...", False),
    ],
)
def test_a_script_makes_its_own_optimizer(model, body, script):
    assert model(f"import torch\n{body}\n").is_script is script


@pytest.mark.parametrize(
    ("path", "serves"),
    [
        ("tests/models.py", True),
        ("pkg/test/models.py", True),
        ("test_net.py", True),
        ("latest/net.py", False),
        ("net.py", False),
    ],
)
def test_a_file_serves_tests_by_its_name_or_folder(path, serves):
    assert FileModel(SourceFile(path, "x = 1\n")).serves_tests is serves


@pytest.mark.parametrize(
    ("body", "linear", "conv"),
    [
        ("nn.init.zeros_(m.weight)", None, None),
        ("if isinstance(m, nn.Linear):\n        nn.init.zeros_(m.weight)", True, False),
        ("if isinstance(m, (nn.Linear, nn.Conv2d)):\n        nn.init.zeros_(m.weight)", True, True),
        ("if type(m) == nn.Linear:\n        nn.init.zeros_(m.weight)", True, False),
        (
            "name = m.__class__.__name__\n    if name.find('Conv') != -1:\n        m.weight.data.zero_()",
            False,
            True,
        ),
        ("if flag:\n        nn.init.zeros_(m.weight)", None, None),
        (
            "if isinstance(m, nn.Linear):\n        pass\n    else:\n        nn.init.zeros_(m.weight)",
            False,
            None,
        ),
    ],
)
def test_the_tests_of_the_type_around_an_initialisation_are_read(model, body, linear, conv):
    (init,) = model(f"from torch import nn\ndef f(m):\n    {body}\n").init_calls()
    assert init.lets_through("Linear") is linear
    assert init.lets_through("Conv2d") is conv


@pytest.mark.parametrize(
    ("call", "constant", "zeros"),
    [
        ("nn.init.zeros_(fc.weight)", True, True),
        ("nn.init.constant_(fc.weight, 0.0)", True, True),
        ("fc.weight.data.fill_(0)", True, True),
        ("nn.init.ones_(fc.weight)", True, False),
        ("nn.init.constant_(fc.weight, value)", True, False),
        ("nn.init.normal_(fc.weight)", False, False),
    ],
)
def test_constants_are_told_from_what_is_drawn(model, call, constant, zeros):
    (init,) = model(f"from torch import nn\nfc = nn.Linear(9, 3)\n{call}\n").init_calls()
    assert init.fills_constant is constant
    assert init.fills_zeros is zeros
    assert init.argument("tensor") is not None


@pytest.mark.parametrize(
    ("expression", "rate"),
    [
        ("nn.Dropout()", 0.5),
        ("nn.Dropout(0.2)", 0.2),
        ("nn.Dropout2d(p=0)", 0),
        ("nn.Dropout(rate)", None),
        ("nn.Dropout(**options)", None),
        ("nn.ReLU()", None),
    ],
)
def test_the_rate_of_a_dropout_is_read(model, expression, rate):
    (stack,) = model(f"from torch import nn\nnet = nn.Sequential({expression})\n").sequentials()
    assert stack.steps[0].rate == rate


def test_the_rate_of_a_dropout_function_is_read(model):
    file = model("""
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def forward(self, x):
                return F.dropout(x, 0.3, self.training)
    """)
    assert [step.rate for stack in file.stacks() for step in stack.steps] == [0.3]


RESET = """
from torch import nn
def reset(m):
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight)
"""


def test_a_restart_knows_what_loads_and_what_resets(model):
    file = model(f"{RESET}net = Net()\nnet.load_state_dict(state)\nnet.apply(reset)\n")
    (restart,) = file.restarts()
    assert restart.loaded.text == "net.load_state_dict(state)"
    assert restart.reset.text == "net.apply(reset)"
    assert restart.module.text == "net"


@pytest.mark.parametrize(
    "body",
    [
        "net.apply(reset)\nnet.load_state_dict(state)",
        "net.load_state_dict(state)\nnet.head.apply(reset)",
        "net.load_state_dict(state)\nnet.apply(freeze)",
        "net.load_state_dict(state)\nif flag:\n    net.apply(reset)",
    ],
)
def test_what_may_keep_the_loaded_weights_is_no_restart(model, body):
    assert list(model(f"{RESET}net = Net()\n{body}\n").restarts()) == []


EMPTY = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.empty(4))
    def forward(self, x):
        return x * self.w
"""


def test_an_empty_parameter_knows_where_it_is_made_and_used(model):
    (found,) = model(EMPTY).empty_parameters()
    assert (found.attribute, found.made.text, found.used.line) == ("w", "torch.empty(4)", 9)


@pytest.mark.parametrize(
    "rest",
    [
        "net.w.data.normal_()",
        "net.w = nn.Parameter(torch.zeros(4))",
        "net.apply(fill)",
        "for p in net.parameters():\n    nn.init.normal_(p)",
        "net.load_state_dict(state)",
        "setattr(net, name, value)",
    ],
)
def test_whatever_may_fill_a_parameter_does(model, rest):
    assert list(model(f"{EMPTY}\nnet = Net()\n{rest}\n").empty_parameters()) == []


def test_the_same_name_in_another_class_fills_nothing(model):
    other = "class Other(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.w = 1\n"
    assert len(list(model(EMPTY + other).empty_parameters())) == 1
