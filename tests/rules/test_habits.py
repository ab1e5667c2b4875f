"""How people write: each habit of real code, with a mistake that is seen through it, and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

WRAPPED_LOSS = (
    "softmax-before-cross-entropy",
    """
    import torch
    from torch import nn
    class WithLoss(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=1))
            self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
        def forward(self, x, y):
            out = self.net(x)
            return self.criterion(out, y)
    """,
    ", nn.Softmax(dim=1)",
    "",
)
LOSS_AS_ARGUMENT = (
    "softmax-before-cross-entropy",
    """
    import torch.nn.functional as F
    from torch import nn
    def epoch(model, loader, loss_fn, optimizer):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
    model = nn.Sequential(nn.Linear(8, 4), nn.Softmax(dim=-1))
    epoch(model, loader, F.cross_entropy, optimizer)
    """,
    ", nn.Softmax(dim=-1)",
    "",
)
CONFIG = (
    "adam-lr-too-high",
    """
    import torch
    CONFIG = {"optim": {"lr": 0.5, "betas": (0.9, 0.98)}, "epochs": 3}
    class Trainer:
        def __init__(self, model, config):
            self.model = model
            self.optimizer = torch.optim.Adam(model.parameters(), **config["optim"])
    Trainer(model, CONFIG)
    """,
    '"lr": 0.5',
    '"lr": 5e-4',
)
GROWN = (
    "softmax-before-cross-entropy",
    """
    from torch import nn
    def mlp(widths):
        layers = []
        for a, b in zip(widths, widths[1:]):
            layers += [nn.Linear(a, b), nn.ReLU()]
        layers.append(nn.Linear(widths[-1], 10))
        layers.append(nn.Softmax(dim=1))
        return nn.Sequential(*layers)
    loss = nn.CrossEntropyLoss()(mlp([8, 16])(x), y)
    """,
    "layers.append(nn.Softmax(dim=1))",
    "pass",
)
ADDED = (
    "softmax-before-cross-entropy",
    """
    from torch import nn
    net = nn.Sequential()
    net.add_module("linear", nn.Linear(8, 4))
    net.add_module("probabilities", nn.Softmax(dim=1))
    loss = nn.CrossEntropyLoss()(net(x), y)
    """,
    'net.add_module("probabilities", nn.Softmax(dim=1))',
    "",
)
BY_NAME = (
    "unused-layer",
    """
    from torch import nn
    class Heads(nn.Module):
        def __init__(self, tasks):
            super().__init__()
            self.trunk = nn.Linear(8, 8)
            self.spare = nn.Linear(8, 8)
        def forward(self, x):
            return self.trunk(x)
    """,
    "self.spare = nn",
    'for task in tasks: setattr(self, f"head_{task}", nn.Linear(8, 2))\n            self.spare = nn',
)
HELPER = (
    "bias-before-norm",
    """
    from torch import nn
    def conv_block(i, o, **kwargs):
        return nn.Sequential(nn.Conv2d(i, o, 3, bias=True), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([conv_block(8, 8) for _ in range(3)])
        def forward(self, x):
            for block in self.blocks:
                x = x + block(x)
            return x
    """,
    "bias=True",
    "bias=False",
)
TIED = (
    "unused-layer",
    """
    import torch.nn.functional as F
    from torch import nn
    class Language(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(100, 8)
            self.body = nn.Linear(8, 8)
            self.out = nn.Linear(8, 100, bias=False)
            self.scale = 1.0
        def forward(self, ids):
            return self.body(self.embed(ids))
    """,
    "self.scale = 1.0",
    "self.out.weight = self.embed.weight",
)
GAN = (
    "missing-zero-grad",
    """
    import torch
    from torch import nn
    net_g, net_d = nn.Linear(4, 4), nn.Linear(4, 1)
    opt_g = torch.optim.Adam(net_g.parameters(), lr=2e-4)
    opt_d = torch.optim.Adam(net_d.parameters(), lr=2e-4)
    for real in loader:
        net_d.zero_grad()
        fake = net_g(noise())
        loss_d = adversarial(net_d(real), net_d(fake.detach()))
        loss_d.backward()
        opt_d.step()
        net_g.zero_grad()
        loss_g = adversarial(net_d(fake))
        loss_g.backward()
        opt_g.step()
    """,
    None,
    None,
)
ACCUMULATED = (
    "zero-grad-wipes-gradients",
    """
    import torch
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i, (x, y) in enumerate(loader):
        loss = criterion(model(x), y) / 4
        loss.backward()
        if (i + 1) % 4:
            continue
        optimizer.step()
        optimizer.zero_grad()
    """,
    None,
    None,
)
CLOSURE = (
    "lbfgs-without-closure",
    """
    import torch
    optimizer = torch.optim.LBFGS(model.parameters(), lr=1.0)
    for x, y in loader:
        def closure():
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        optimizer.step()
    """,
    "optimizer.step()",
    "optimizer.step(closure)",
)
LIGHTNING = (
    "softmax-before-cross-entropy",
    """
    import lightning as L
    import torch.nn.functional as F
    from torch import nn
    class Lit(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(8, 4)
        def forward(self, x):
            return F.softmax(self.net(x), dim=1)
        def training_step(self, batch, batch_idx):
            x, y = batch
            return F.cross_entropy(self(x), y)
    """,
    "F.softmax(self.net(x), dim=1)",
    "self.net(x)",
)
ACCELERATE = (
    "loss-accumulation-keeps-graph",
    """
    import torch
    from accelerate import Accelerator
    accelerator = Accelerator()
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    total = 0
    for batch in loader:
        loss = model(**batch).loss
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        total += loss
    """,
    "total += loss",
    "total += loss.detach().float()",
)
HABITS = {
    "a loss in the forward of a wrapper": WRAPPED_LOSS,
    "a loss function passed as an argument": LOSS_AS_ARGUMENT,
    "hyperparameters in a dict, unpacked by a trainer": CONFIG,
    "a Sequential of a list that a helper grows": GROWN,
    "modules that are added by name": ADDED,
    "layers set by name": BY_NAME,
    "blocks that a helper builds, looped over, with a residual": HELPER,
    "weights that are tied": TIED,
    "a GAN that clears by its networks": GAN,
    "accumulation with an early continue": ACCUMULATED,
    "a closure": CLOSURE,
    "Lightning": LIGHTNING,
    "Accelerate": ACCELERATE,
}


@pytest.mark.parametrize("habit", HABITS.values(), ids=list(HABITS))
def test_a_mistake_is_seen_through_a_habit_and_the_habit_is_no_mistake(
    lines: Callable[..., list[int]], habit: tuple[str, str, str | None, str | None]
) -> None:
    rule, source, bad, good = habit
    if bad is None or good is None:
        assert lines(rule, source) == []
        return
    assert len(lines(rule, source)) == 1
    assert lines(rule, source.replace(bad, good)) == []


def test_a_gan_that_never_clears_one_of_its_networks_is_found(
    lines: Callable[..., list[int]],
) -> None:
    assert lines(GAN[0], GAN[1].replace("        net_g.zero_grad()\n", "")) == [15]
    assert lines(GAN[0], GAN[1].replace("        net_d.zero_grad()\n", "")) == [11]


def test_an_accumulation_that_clears_before_it_steps_is_found(
    lines: Callable[..., list[int]],
) -> None:
    step, clear = "        optimizer.step()\n", "        optimizer.zero_grad()\n"
    swapped = ACCUMULATED[1].replace(step + clear, clear + step)
    assert len(lines(ACCUMULATED[0], swapped)) == 1
