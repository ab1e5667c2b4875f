"""Tests of tensor-data-access."""

from __future__ import annotations

import pytest

from trainlint.core.fix import apply_fixes

RULE = "tensor-data-access"


@pytest.mark.parametrize(
    "made",
    [
        "torch.zeros(3)",
        "torch.nn.Parameter(torch.zeros(3))",
        "torch.nn.functional.relu(torch.ones(3))",
        "torch.ones(3) * 2",
        "torch.ones(3).sum()",
    ],
)
def test_what_is_surely_a_tensor_is_found(lines, made):
    assert lines(RULE, f"import torch\nx = {made}\ny = x.data\n") == [3]


def test_the_weight_of_a_layer_is_found(lines):
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.fc.weight.data.normal_(0, 0.02)
            self.fc.bias.data.zero_()
    """
    assert lines(RULE, source) == [7, 8]


def test_parameters_in_a_loop_are_found(lines):
    source = """
    import torch
    for name, p in model.named_parameters():
        p.data.clamp_(-1, 1)
    for p in model.parameters():
        p.data.add_(p.grad.data)
    """
    assert lines(RULE, source) == [4, 6, 6]


def test_a_loss_is_found(lines):
    source = """
    import torch
    criterion = torch.nn.MSELoss()
    loss = criterion(model(x), y)
    print(loss.data)
    """
    assert lines(RULE, source) == [5]


@pytest.mark.parametrize(
    "access", ["batch.data", "dataset.data", "response.data", "self.data", "args.data"]
)
def test_the_data_of_something_else_is_fine(lines, access):
    assert lines(RULE, f"import torch\ndef f(self, batch, dataset):\n    return {access}\n") == []


def test_packages_by_this_name_are_fine(lines):
    source = "import torch.utils.data\nloader = torch.utils.data.DataLoader(x)\n"
    assert lines(RULE, source) == []


def test_an_assignment_is_left_alone(lines):
    assert lines(RULE, "import torch\nx = torch.zeros(3)\nx.data = torch.ones(3)\n") == []


def test_one_unknown_way_is_enough_to_be_silent(lines):
    source = """
    import torch
    def f(flag):
        x = torch.zeros(3)
        if flag:
            x = load()
        return x.data
    """
    assert lines(RULE, source) == []


def test_a_name_that_a_loop_over_something_else_gives_is_not_judged(lines):
    assert lines(RULE, "import torch\nfor item in response.items():\n    print(item.data)\n") == []


def test_a_file_without_torch_is_fine(lines):
    assert lines(RULE, "x = zeros(3)\ny = x.data\n") == []


def test_the_fix_detaches(diagnoses):
    source = "import torch\nx = torch.zeros(3)\ny = x.data * 2\nz = (x * 2).data\n"
    fixes = [one.fix for one in diagnoses(RULE, source)]
    expected = "import torch\nx = torch.zeros(3)\ny = x.detach() * 2\nz = (x * 2).detach()\n"
    assert apply_fixes(source, fixes) == (expected, [])
