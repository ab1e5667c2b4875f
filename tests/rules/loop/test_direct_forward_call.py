"""Tests of direct-forward-call."""

from __future__ import annotations

import pytest

RULE = "direct-forward-call"

NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
    def forward(self, x):
        return self.fc(x)
"""


def test_it_is_found_on_an_instance(diagnoses):
    (one,) = diagnoses(RULE, f"{NET}thing = Net()\ny = thing.forward(x)\n")
    assert one.fix is not None
    assert one.fix.edits[0].replacement == "thing"


def test_it_is_found_on_a_construction(lines):
    assert lines(RULE, f"{NET}y = Net().forward(x)\n") == [10]


def test_it_is_found_on_a_model_from_elsewhere_by_its_name(lines):
    assert lines(RULE, "import torch\ndef run(model, x):\n    return model.forward(x)\n") == [3]


def test_it_is_found_on_a_layer(lines):
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)
        def encode(self, x):
            return self.fc.forward(x)
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_on_a_layer_in_a_forward(lines):
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)
        def forward(self, x):
            return self.conv.forward(x)
    """
    assert lines(RULE, source) == [8]


def test_tests_are_not_judged(diagnoses):
    source = f"{NET}y = Net().forward(x)\n"
    assert diagnoses(RULE, source, path="test_net.py") == []


def test_it_is_found_behind_a_wrapper(lines):
    source = f"{NET}wrapped = nn.parallel.DistributedDataParallel(Net())\nwrapped.forward(x)\n"
    assert lines(RULE, source) == [11]


@pytest.mark.parametrize(
    "call", ["super().forward(x)", "self.forward(x)", "nn.Linear.forward(self, x)"]
)
def test_what_is_a_module_s_own_business_is_fine(lines, call):
    source = f"""
    from torch import nn
    class Net(nn.Linear):
        def predict(self, x):
            return {call}
    """
    assert lines(RULE, source) == []


def test_a_forward_that_hands_on_to_another_is_fine(lines):
    source = """
    from torch import nn
    class Wrapper(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model
        def forward(self, x):
            return self.model.forward(x)
    """
    assert lines(RULE, source) == []


def test_a_forward_of_something_else_is_fine(lines):
    assert lines(RULE, "import torch\nmail.forward(x)\nbrowser.forward(1)\nloss.forward(x)\n") == []


def test_a_file_without_torch_is_fine(lines):
    assert lines(RULE, "model.forward(x)\n") == []


def test_a_class_of_the_file_that_is_no_module_is_fine(lines):
    source = """
    import torch
    class Model:
        def forward(self, x):
            return x
    model = Model()
    model.forward(1)
    """
    assert lines(RULE, source) == []
