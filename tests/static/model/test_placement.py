"""Where the weights of a model live, and in which precision."""

import pytest

HEAD = "import torch\nfrom torch import nn, optim\n"


def half(file):
    (optimizer,) = file.optimizers()
    (owner,) = optimizer.models
    found = file.turned_into_half(owner, before=optimizer.call)
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("net = Net().half()", "Net().half()"),
        ("net = Net()\nnet.half()", "net.half()"),
        ("net = Net()\nnet.to(torch.float16)", "net.to(torch.float16)"),
        ("net = Net()\nnet.to(device, torch.half)", "net.to(device, torch.half)"),
        ("net = Net().half().cuda()", "Net().half()"),
        ("net = Net()\nnet.half()\nnet.to(torch.float32)", None),
        ("net = Net()\nnet.to(device)", None),
        ("net = Net()\nnet.to(dtype=kind)", None),
        ("net = wrap(Net().half())", None),
        ("net = Net().half() if fp16 else Net()", None),
        ("net = Net()\nif fp16:\n    net.half()", None),
        ("net = Net()\ndef f():\n    net.half()", None),
    ],
)
def test_a_model_is_half_only_where_that_is_sure(model, source, told):
    assert half(model(f"{HEAD}{source}\noptim.Adam(net.parameters())")) == told


def test_a_conversion_after_the_optimizer_does_not_count(model):
    assert half(model(f"{HEAD}net = Net()\noptim.Adam(net.parameters())\nnet.half()")) is None


def moves(file):
    return [(one.call.text, one.loaded and one.loaded.text) for one in file.late_moves()]


def test_a_move_after_the_optimizer_is_told(model):
    source = f"{HEAD}net = Net()\nopt = optim.Adam(net.parameters())\nnet.cuda()"
    assert moves(model(source)) == [("net.cuda()", None)]


def test_a_state_loaded_in_between_is_told_too(model):
    source = f"{HEAD}net = Net()\nopt = optim.Adam(net.parameters())\nopt.load_state_dict(s)\nnet.to(device)"
    assert moves(model(source)) == [("net.to(device)", "opt.load_state_dict(s)")]


@pytest.mark.parametrize(
    "source",
    [
        "net.cuda()\nopt = optim.Adam(net.parameters())",
        "opt = optim.Adam(net.parameters())\nfit(opt)\nnet.cuda()",
        "opt = optim.Adam(net.parameters())\nnet.to(kind)",
        "opt = optim.Adam(net.parameters())\nnet.to('cpu')",
        "opt = optim.Adam(net.parameters())\nnet.to(torch.device('cpu'))",
        "optim.Adam(net.parameters())\nnet.cuda()",
        "opt = optim.Adam(net.parameters())\ncopy = net.cuda()",
    ],
)
def test_other_moves_are_not_late(model, source):
    assert moves(model(f"{HEAD}net = Net()\n{source}")) == []
