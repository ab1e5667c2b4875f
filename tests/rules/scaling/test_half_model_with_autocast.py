"""Where half-model-with-autocast speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
Diagnoses = Callable[..., list[Diagnosis]]

RULE = "half-model-with-autocast"
SCRIPT = """
import torch
from torch import nn
net = nn.Linear(8, 2).cuda()
net.half()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for x, y in loader:
    optimizer.zero_grad()
    with torch.autocast("cuda"):
        loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
"""


def test_a_script_is_found(lines: Lines) -> None:
    assert lines(RULE, SCRIPT) == [5]


@pytest.mark.parametrize(
    "half",
    ["net = net.half()", "net.to(torch.float16)", "net = net.to('cuda', dtype=torch.half)"],
)
def test_every_way_to_half_precision_is_found(lines: Lines, half: str) -> None:
    assert lines(RULE, SCRIPT.replace("net.half()", half)) == [5]


def test_a_model_that_is_made_half_is_found(lines: Lines) -> None:
    source = SCRIPT.replace(".cuda()", ".half().cuda()").replace("net.half()", "pass")
    assert lines(RULE, source) == [4]


def test_a_helper_that_trains_is_followed(lines: Lines) -> None:
    source = """
    import torch
    from torch import nn
    class Net(nn.Module):
        def forward(self, x):
            return x
    def epoch(model, optimizer, loader):
        for x, y in loader:
            optimizer.zero_grad()
            with torch.cuda.amp.autocast():
                loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    def main(loader):
        model = Net().half()
        optimizer = torch.optim.AdamW(model.parameters())
        epoch(model, optimizer, loader)
    """
    assert lines(RULE, source) == [15]


def test_it_is_an_error_with_a_scaler_and_a_warning_without(diagnoses: Diagnoses) -> None:
    scaled = SCRIPT.replace("loss.backward()", "scaler.scale(loss).backward()").replace(
        "optimizer.step()", "scaler.step(optimizer)"
    )
    assert [one.severity for one in diagnoses(RULE, SCRIPT)] == ["warning"]
    assert [one.severity for one in diagnoses(RULE, scaled)] == ["error"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("net.half()", "pass"),
        ("net.half()", "net.bfloat16()"),
        ("net.half()", "net.half()\nnet.float()"),
        ("net.half()", "if fp16:\n    net.half()"),
        ('"cuda")', '"cuda", enabled=False)'),
        ('"cuda")', '"cuda", enabled=amp)'),
        ("torch.autocast", "profile"),
        ("loss.backward()", "pass"),
        ("net.parameters()", "other.parameters()"),
        ("import torch\n", "import torch\nimport peft\n"),
        ("net.half()", "net.half()\nmaster_params = [p.float() for p in net.parameters()]"),
    ],
)
def test_what_is_not_surely_trained_in_half_is_fine(lines: Lines, old: str, new: str) -> None:
    assert old in SCRIPT
    assert lines(RULE, SCRIPT.replace(old, new)) == []


def test_a_copy_that_is_saved_in_half_is_fine(lines: Lines) -> None:
    source = SCRIPT.replace("net.half()", "pass") + "torch.save(deepcopy(net).half(), path)\n"
    assert lines(RULE, source) == []


def test_a_teacher_without_gradients_is_fine(lines: Lines) -> None:
    source = SCRIPT.replace("net.half()", "teacher = nn.Linear(8, 2).half()").replace(
        "        loss =",
        "        with torch.no_grad():\n            t = teacher(x)\n        loss =",
    )
    assert lines(RULE, source) == []


@pytest.mark.parametrize(
    ("move", "expected"), [("model = model.to(dev)", 1), ("model = model.float().to(dev)", 0)]
)
def test_a_move_keeps_the_weights_half(lines, move, expected):
    source = f"""
import torch
model = torch.nn.Linear(2, 2).half()
{move}
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
def compute(x):
    with torch.autocast("cuda", dtype=torch.float16):
        return model(x).sum()
for x in loader:
    optimizer.zero_grad()
    compute(x).backward()
    optimizer.step()
"""
    assert len(lines("half-model-with-autocast", source)) == expected
