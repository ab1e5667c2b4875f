"""Tests of discarded-tensor-result."""

from __future__ import annotations

import pytest

RULE = "discarded-tensor-result"


@pytest.mark.parametrize(
    "call",
    [
        "x.detach()",
        "x.view(-1, 4)",
        "x.to(device)",
        "x.cuda()",
        "x.float()",
        "x.unsqueeze(0)",
        "x.clamp(0, 1)",
        "x.masked_fill(mask, 0)",
        "torch.clamp(x, 0, 1)",
        "torch.relu(x)",
    ],
)
def test_every_pure_method_is_found(lines, call):
    assert lines(RULE, f"import torch\nx = torch.randn(4, 4)\n{call}\nprint(x)\n") == [3]


@pytest.mark.parametrize(
    "call", ["x.detach_()", "x.clamp_(0, 1)", "x.requires_grad_()", "torch.clamp(x, 0, 1, out=x)"]
)
def test_what_changes_the_tensor_in_place_is_fine(lines, call):
    assert lines(RULE, f"import torch\nx = torch.randn(4, 4)\n{call}\nprint(x)\n") == []


def test_it_is_found_on_a_parameter_of_forward_that_a_layer_takes(lines):
    source = """
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(784, 10)
        def forward(self, x):
            x.view(-1, 784)
            return self.fc(x)
    """
    assert lines(RULE, source) == [8]


def test_it_is_found_on_the_result_of_a_layer(lines):
    source = """
    import torch.nn.functional as F
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(784, 10)
        def forward(self, x):
            h = self.fc(x)
            F.dropout(h, training=self.training)
            return h
    """
    assert lines(RULE, source) == [10]


def test_it_is_found_on_what_a_loader_hands_out_in_parts(lines):
    source = """
    import torch
    for i, (images, labels) in enumerate(train_loader):
        images.cuda()
        labels.cuda()
        criterion(model(images), labels).backward()
    """
    assert lines(RULE, source) == [4, 5]


def test_it_is_found_on_a_weight(lines):
    source = """
    import torch
    for p in model.parameters():
        p.clamp(-0.01, 0.01)
        print(p)
    """
    assert lines(RULE, source) == [4]


@pytest.mark.parametrize(
    "call", ["model.to(device)", "model.cuda()", "net.float()", "criterion.cuda()"]
)
def test_modules_move_themselves(lines, call):
    source = f"""
    import torch
    from torch import nn
    model = net = nn.Linear(2, 2)
    criterion = nn.CrossEntropyLoss()
    {call}
    print(model, net, criterion)
    """
    assert lines(RULE, source) == []


def test_a_batch_in_one_piece_may_move_itself(lines):
    source = """
    import torch
    for batch in loader:
        batch.to(device)
        model(batch)
    """
    assert lines(RULE, source) == []


def test_batches_of_other_packages_are_not_judged(lines):
    source = """
    import torch
    from transformers import AutoTokenizer
    for texts, labels in loader:
        texts.to(device)
        model(texts)
    """
    assert lines(RULE, source) == []


def test_what_is_not_known_to_be_a_tensor_is_not_judged(lines):
    source = """
    import torch
    def run(handle, view):
        handle.detach()
        view.flatten()
        return handle, view
    """
    assert lines(RULE, source) == []


def test_one_unknown_way_is_enough_to_be_silent(lines):
    source = """
    import torch
    def run(flag):
        x = torch.zeros(3)
        if flag:
            x = load()
        x.detach()
        return x
    """
    assert lines(RULE, source) == []


def test_a_tensor_that_is_not_read_afterwards_is_fine(lines):
    source = """
    import torch
    x = torch.randn(4)
    start = clock()
    x.cuda()
    print(clock() - start)
    """
    assert lines(RULE, source) == []


def test_what_is_tried_is_fine(lines):
    source = """
    import torch
    x = torch.randn(4)
    try:
        x.cuda()
    except RuntimeError:
        print(x)
    """
    assert lines(RULE, source) == []


def test_tests_are_not_judged(lines, diagnoses):
    source = "import torch\nx = torch.randn(4, 4)\nx.detach()\nprint(x)\n"
    assert lines(RULE, source) == [3]
    assert diagnoses(RULE, source, path="test_x.py") == []
