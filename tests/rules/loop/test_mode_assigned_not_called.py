"""Tests of mode-assigned-not-called."""

from __future__ import annotations

import pytest

RULE = "mode-assigned-not-called"

NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.drop = nn.Dropout(0.5)
    def forward(self, x):
        return self.drop(self.fc(x))
net = Net()
"""


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("net.train = False", "net.eval()"),
        ("net.train = True", "net.train()"),
        ("net.eval = True", "net.eval()"),
        ("net.eval = False", "net.train()"),
        ("net.training = False", "net.eval()"),
        ("net.training = True", "net.train()"),
    ],
)
def test_every_form_is_found_and_mended(diagnoses, line, mended):
    (one,) = diagnoses(RULE, f"{NET}{line}\n")
    assert one.fix is not None
    assert one.fix.edits[0].replacement == mended


def test_it_is_found_in_a_trainer_that_builds_its_model(lines):
    source = f"{NET}\nclass Trainer:\n    def __init__(self):\n        self.net = Net()\n"
    source += "    def test(self):\n        self.net.training = False\n"
    assert lines(RULE, source) == [17]


def test_a_model_from_elsewhere_is_known_by_its_name_and_use(lines):
    source = """
    import torch
    from models import build
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.training = False
    """
    assert lines(RULE, source) == [6]


def test_a_name_alone_is_not_enough(lines):
    assert lines(RULE, "import torch\ndef f(model):\n    model.training = False\n") == []


def test_a_mode_that_is_put_back_is_fine(lines):
    assert lines(RULE, f"{NET}before = net.training\nnet.training = before\n") == []


def test_a_module_that_sets_its_own_flag_is_fine(lines):
    source = """
    import torch
    from torch import nn
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)
        def train(self, mode=True):
            self.training = False
            return self
    """
    assert lines(RULE, source) == []


def test_a_trainer_that_is_no_module_is_fine(lines):
    source = """
    import torch
    class Trainer:
        def fit(self):
            self.training = True
    trainer = Trainer()
    trainer.training = False
    agent.training = False
    """
    assert lines(RULE, source) == []


def test_each_of_all_modules_in_a_loop_is_fine(lines):
    assert lines(RULE, f"{NET}for m in net.modules():\n    m.training = False\n") == []


def test_a_single_layer_is_fine(lines):
    source = "import torch\nfrom torch import nn\nbn = nn.BatchNorm1d(3)\nbn.training = False\n"
    assert lines(RULE, source) == []


def test_a_model_that_does_not_depend_on_its_mode_is_fine(lines):
    source = "from torch import nn\nnet = nn.Sequential(nn.Linear(2, 2), nn.ReLU())\nnet.training = False\n"
    assert lines(RULE, source) == []


def test_a_flag_beside_the_real_call_is_set_on_purpose(lines):
    assert lines(RULE, f"{NET}net.eval()\nnet.training = True\n") == []


def test_there_is_no_fix_for_two_targets_at_once(diagnoses):
    (one, *_) = diagnoses(RULE, f"{NET}net.training = other = False\n")
    assert one.fix is None


OWN = """
import torch.nn.functional as F
from torch import nn
class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        {inside}
    def forward(self, x):
        return self.fc(F.dropout(x, 0.5, training=self.training))
own = Own()
own.training = False
"""


def test_a_module_that_asks_for_its_own_flag_is_fine_without_layers_that_do(lines):
    assert lines(RULE, OWN.format(inside="")) == []
    assert lines(RULE, OWN.format(inside="self.drop = nn.Dropout(0.5)")) == [12]


def test_a_call_in_another_function_is_not_beside_the_flag(lines):
    source = f"""{NET}
def judge(model):
    model.training = False
def main():
    model = Net()
    model.train()
    judge(model)
"""
    assert len(lines(RULE, source)) == 1
