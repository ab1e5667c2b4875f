"""Models that are built, and the moves that put them on a device."""

from __future__ import annotations

import pytest

HEAD = "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    pass\n"


@pytest.mark.parametrize("call", ["x.cuda()", "x.to('cuda')", "x.to(device)", "x.to(local_rank)"])
def test_a_move_to_an_accelerator_is_seen(model, call):
    assert len(list(model(HEAD + call).moves_to_device())) == 1


@pytest.mark.parametrize("call", ["x.to('cpu')", "x.to(torch.float16)", "x.cpu()", "to(device)"])
def test_other_conversions_are_no_moves(model, call):
    assert list(model(HEAD + call).moves_to_device()) == []


@pytest.mark.parametrize(
    ("source", "built"),
    [
        ("ask(Net())", True),
        ("net = nn.Linear(1, 1)\nask(net)", True),
        ("ask(Net().cuda())", False),
        ("ask(Net(device=device))", False),
        ("ask(load())", False),
        ("ask(net)", False),
    ],
)
def test_a_model_is_on_the_cpu_if_the_file_builds_it_there(asked, source, built):
    expr = asked(HEAD + source)
    assert expr.model.is_built_on_cpu(expr) is built
