"""Sick trainings: in each one thing is wrong, and the rule that names it must speak first."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from bench.trainings.data import batches, diabetes, digit_images, digits, waves
from bench.trainings.models import MLP, ConvNet, Recurrent
from bench.trainings.registry import sick, watch

if TYPE_CHECKING:
    from trainlint import Monitor


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int = 5,
    size: int = 64,
    images: bool = False,
) -> Monitor:
    """Train a classifier of digits as every tutorial does, under a monitor."""
    x, y, _, _ = digit_images() if images else digits()
    criterion = nn.CrossEntropyLoss()
    monitor = watch(model, optimizer)
    for _ in range(epochs):
        for inputs, targets in batches(x, y, size=size):
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
    return monitor


# --- initialisation and activations


@sick("vanishing-gradient", within=60)
def deep_sigmoid() -> Monitor:
    """Ten layers with sigmoid and torch's own initialisation."""
    layers: list[nn.Module] = [nn.Linear(64, 64), nn.Sigmoid()]
    for _ in range(9):
        layers += [nn.Linear(64, 64), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    return fit(model, torch.optim.SGD(model.parameters(), lr=0.1))


@sick("poor-initial-scale", within=5)
def weights_from_a_standard_normal() -> Monitor:
    """Every weight from N(0, 1), which grows the signal by the root of the fan in each layer."""
    model = nn.Sequential(
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


@sick("symmetric-units", within=5)
def constant_weights() -> Monitor:
    """All weights of the hidden layers begin as the same number."""
    model = MLP()
    for layer in (model.fc1, model.fc2):
        nn.init.constant_(layer.weight, 0.01)
        nn.init.zeros_(layer.bias)
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


@sick("initial-loss", within=5)
def loud_last_layer() -> Monitor:
    """The last layer begins so large that the first predictions are sure and wrong."""
    model = MLP()
    nn.init.normal_(model.fc3.weight, std=5.0)
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


@sick("dead-relu", within=150)
def relu_killed_by_the_rate() -> Monitor:
    """Adam at a hundred times its usual rate."""
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    return fit(model, torch.optim.Adam(model.parameters(), lr=0.1), epochs=10)


@sick("dead-relu", within=60)
def relu_dead_from_the_start() -> Monitor:
    """Biases of -5, so that no unit of the first layer ever fires."""
    model = MLP()
    nn.init.constant_(model.fc1.bias, -5.0)
    return fit(model, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))


@sick("saturated-activation", within=60)
def saturated_tanh() -> Monitor:
    """A first layer so large that tanh is flat for nearly every input."""
    model = nn.Sequential(
        nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10)
    )
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Linear) and layer.out_features > 10:  # noqa: PLR2004 - hidden
                layer.weight.mul_(8)
    return fit(model, torch.optim.SGD(model.parameters(), lr=0.1))


class SharpAttention(nn.Module):
    """Attention over the rows of a digit, whose author has forgotten to divide by the root of the width."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, 64)
        self.norm = nn.LayerNorm(64)
        self.query = nn.Linear(64, 64)
        self.key = nn.Linear(64, 64)
        self.value = nn.Linear(64, 64)
        self.head = nn.Linear(64, 10)
        for layer in (self.query, self.key):
            nn.init.xavier_normal_(layer.weight, gain=4.0)

    def forward(self, rows: Tensor) -> Tensor:
        """Return logits."""
        x = self.norm(self.embed(rows))
        y = F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), scale=1.0)
        return self.head((x + y).mean(1))


@sick("attention-collapse", within=60)
def attention_without_its_scale() -> Monitor:
    """Logits of attention in the hundreds: each query sees one key."""
    x, y, _, _ = digits()
    model = SharpAttention()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(4):
        for rows, targets in batches(x.view(-1, 8, 8), y):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), targets).backward()
            optimizer.step()
    return monitor


# --- rate and gradients


@sick("exploding-gradient", within=30)
def exploding_rnn() -> Monitor:
    """A plain recurrent network over 40 steps whose recurrent weights are too large."""
    x, y = waves()
    cell = nn.RNN(1, 64, nonlinearity="relu", batch_first=True)
    recurrent = dict(cell.named_parameters())["weight_hh_l0"]
    nn.init.orthogonal_(recurrent, gain=2.0)
    model = Recurrent(cell, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(3):
        for series, following in batches(x, y, size=32):
            optimizer.zero_grad()
            F.mse_loss(model(series), following).backward()
            optimizer.step()
    return monitor


@sick("diverging-loss", within=150, other="update-ratio")
def rate_too_large() -> Monitor:
    """Plain SGD somewhat above the largest stable rate: the loss climbs."""
    x, y = diabetes()
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.27)
    monitor = watch(model, optimizer)
    for _ in range(200):
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
    return monitor


@sick("exploding-gradient", within=20)
def rate_far_too_large() -> Monitor:
    """A regression on SGD at a rate of 1: gradients grow a thousandfold from step to step."""
    x, y = diabetes()
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    monitor = watch(model, optimizer)
    for _ in range(20):
        for inputs, targets in batches(x, y, size=32):
            optimizer.zero_grad()
            F.mse_loss(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@sick("update-ratio", within=150)
def rate_too_small() -> Monitor:
    """Somebody has typed 1e-8 for the learning rate."""
    model = MLP()
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-8), epochs=8)


@sick("non-finite-loss", within=200)
def logarithm_of_nothing() -> Monitor:
    """A cross entropy by hand, whose probabilities become 0."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    monitor = watch(model, optimizer)
    for _ in range(10):
        for inputs, targets in batches(x, y):
            probabilities = F.softmax(model(inputs * 16), dim=1)
            one_hot = F.one_hot(targets, 10).float()
            loss = -(one_hot * torch.log(probabilities)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return monitor


@sick("non-finite-gradient", within=5)
def root_of_nothing() -> Monitor:
    """The distance of a batch's first embedding to itself is 0, and the slope of a root there infinite."""
    x, y, _, _ = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for inputs, targets in batches(x, y):
        embedded = model(inputs)
        distance = (embedded - embedded[:1]).pow(2).sum(1).sqrt()
        alike = (targets == targets[0]).float()
        loss = (alike * distance + (1 - alike) * F.relu(1 - distance)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return monitor


@sick("clip-always-active", within=120)
def clipped_to_almost_nothing() -> Monitor:
    """A clip at 0.001 decides about every step."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    monitor = watch(model, optimizer)
    for _ in range(8):
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
            optimizer.step()
    return monitor


@sick("loss-spike", within=260)
def damaged_batches() -> Monitor:
    """Now and then a batch has not been scaled."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    monitor = watch(model, optimizer)
    step = 0
    for _ in range(12):
        for inputs, targets in batches(x, y):
            step += 1
            scaled = inputs * 16 if step % 60 == 0 and step > 60 else inputs  # noqa: PLR2004 - by then it is calm
            optimizer.zero_grad()
            F.cross_entropy(model(scaled), targets).backward()
            optimizer.step()
    return monitor


# --- what is trained


class Forgetful(nn.Module):
    """A network whose author has forgotten to call one of its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc2 = nn.Linear(128, 128)
        self.head = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, without `fc2`."""
        return self.head(F.relu(self.fc1(x)))


@sick("no-gradient", within=60)
def layer_never_called() -> Monitor:
    """A layer is in the optimizer, and forward never calls it."""
    model = Forgetful()
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


class Cut(nn.Module):
    """A network that leaves its graph half way."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, 128), nn.ReLU())
        self.head = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits; the features are detached."""
        return self.head(self.features(x).detach())


@sick("no-gradient", within=60)
def features_detached() -> Monitor:
    """A `detach` cuts everything below the head off."""
    model = Cut()
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


@sick("unchanged-weights", within=60)
def head_not_in_the_optimizer() -> Monitor:
    """The head was replaced after the optimizer had been made."""
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.fc3 = nn.Linear(128, 10)
    return fit(model, optimizer)


@sick("half-precision-stagnation", within=120)
def weights_in_bfloat16() -> Monitor:
    """The weights themselves are bfloat16, and most updates round to nothing."""
    x, y, _, _ = digits()
    model = MLP().bfloat16()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(6):
        for inputs, targets in batches(x.bfloat16(), y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs).float(), targets).backward()
            optimizer.step()
    return monitor


@sick("decay-dominates", within=150)
def decay_larger_than_the_gradient() -> Monitor:
    """A weight decay of 1, as one passes it to AdamW, given to SGD."""
    model = MLP()
    return fit(model, torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=1.0), epochs=8)


@sick("adam-state", within=120)
def eps_above_the_gradients() -> Monitor:
    """Adam with an eps of 0.1, far above the root of its second moment."""
    model = MLP()
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=0.1), epochs=6)


# --- the loop


@sick("accumulating-gradient", within=60)
def gradient_never_cleared() -> Monitor:
    """There is no `zero_grad` in the loop."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    monitor = watch(model, optimizer)
    for _ in range(5):
        for inputs, targets in batches(x, y):
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@sick("eval-mode-training", within=80)
def still_in_evaluation() -> Monitor:
    """After the first validation nobody has called `model.train()`."""
    x, y, held_out, labels = digit_images()
    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    model.train()
    for _ in range(5):
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            monitor.log(val_loss=F.cross_entropy(model(held_out), labels))
    return monitor


# --- losses


class Confident(nn.Module):
    """A classifier that ends in a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities."""
        return F.softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


@sick("probabilities-as-logits", within=20)
def softmax_twice() -> Monitor:
    """A softmax in front of a cross entropy, which applies one itself."""
    model = Confident()
    return fit(model, torch.optim.Adam(model.parameters(), lr=1e-3))


@sick("label-shape-broadcast", within=5)
def column_against_row() -> Monitor:
    """A prediction of (N, 1) and a target of (N,): the loss compares each with all."""
    x, y = diabetes()
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(5):
        for inputs, targets in batches(x, y.squeeze(1), size=32):
            optimizer.zero_grad()
            with warnings.catch_warnings(action="ignore"):  # torch says so, too, once
                loss = F.mse_loss(model(inputs), targets)
            loss.backward()
            optimizer.step()
    return monitor


@sick("collapsed-output", within=150)
def ages_out_of_a_sigmoid() -> Monitor:
    """A network that ends in a sigmoid has to predict ages: it says 1 for everybody."""
    x, y = diabetes()
    ages = 50 + 13 * y
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    monitor = watch(model, optimizer)
    for _ in range(25):
        for inputs, targets in batches(x, ages):
            optimizer.zero_grad()
            F.mse_loss(model(inputs), targets).backward()
            optimizer.step()
    return monitor


# --- data


@sick("unnormalised-input", within=5)
def bytes_as_inputs() -> Monitor:
    """Images of 0 to 255 go into the network as they were read."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    monitor = watch(model, optimizer)
    for _ in range(3):
        for inputs, targets in batches((x * 255).round(), y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@sick("unnormalised-input", within=5)
def columns_of_all_sizes() -> Monitor:
    """A table with an income in euros and a share between 0 and 1."""
    count = 800
    income, age = 3e4 + 1e4 * torch.randn(count), 40 + 10 * torch.randn(count)
    share = torch.rand(count)
    target = (income / 1e4 - 3 + share + age / 40 > 1.5).long()  # noqa: PLR2004 - a rule
    table = torch.stack((income, age, share), dim=1)
    model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(4):
        for rows, labels in batches(table, target, size=32):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), labels).backward()
            optimizer.step()
    return monitor


@sick("repeated-batch", within=150)
def never_shuffled() -> Monitor:
    """A loader that gives the same batches in the same order in every epoch."""
    x, y, _, _ = digits()
    loader = batches(x, y, size=128, shuffle=False)
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(30):
        for inputs, targets in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@sick("repeated-batch", within=40)
def always_the_first_batch() -> Monitor:
    """`next(iter(loader))` of a loader that does not shuffle."""
    x, y, _, _ = digits()
    loader = batches(x, y, shuffle=False)
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    monitor = watch(model, optimizer)
    for _ in range(100):
        inputs, targets = next(iter(loader))
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return monitor


@sick("input-not-used", within=60)
def input_overwritten() -> Monitor:
    """A mask that was meant to hide a few pixels hides all."""
    x, y, _, _ = digits()
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    mask = torch.zeros(64)

    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = model

        def forward(self, inputs: Tensor) -> Tensor:
            return self.net(inputs * mask)

    masked = Masked()
    monitor = watch(masked, optimizer)
    for _ in range(5):
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(masked(inputs), targets).backward()
            optimizer.step()
    return monitor


class SlowDigits(Dataset[tuple[Tensor, Tensor]]):
    """A data set that reads each example from a slow disk."""

    def __init__(self) -> None:
        self.x, self.y, _, _ = digits()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)

    def __getitem__(self, at: int) -> tuple[Tensor, Tensor]:
        """Return an example, after a while."""
        time.sleep(5e-4)
        return self.x[at], self.y[at]


@sick("data-starved", within=120)
def slow_loader() -> Monitor:
    """The network waits for its data most of the time."""
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for _ in range(6):
        for inputs, targets in DataLoader(SlowDigits(), batch_size=64, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


# --- normalisation


@sick("tiny-batch", within=5)
def batch_norm_of_two() -> Monitor:
    """Batch normalisation with two examples in a batch."""
    x, y, _, _ = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    monitor = watch(model, optimizer)
    for inputs, targets in batches(x[:300], y[:300], size=2):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return monitor


# --- the curves


@sick("overfitting", within=600)
def memorised() -> Monitor:
    """A large network and a hundred examples, some of them with wrong labels."""
    x, y, held_out, labels = digits()
    x, y = x[:120], y[:120].clone()
    wrong = torch.rand(len(y)) < 0.3  # noqa: PLR2004 - nearly a third
    y[wrong] = torch.randint(10, (int(wrong.sum()),))
    model = MLP(width=256)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    monitor = watch(model, optimizer)
    for epoch in range(60):
        model.train()
        for inputs, targets in batches(x, y, size=32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            monitor.log(val_loss=F.cross_entropy(model(held_out), labels), epoch=epoch)
    return monitor


@sick("loss-plateau", within=500, other="gradient-starved-by-noise")
def labels_out_of_order() -> Monitor:
    """Inputs were shuffled and labels were not: there is nothing to learn."""
    x = torch.randn(4000, 20)
    y = torch.randint(4, (4000,))
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    monitor = watch(model, optimizer)
    for _ in range(8):
        for inputs, targets in batches(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    return monitor


@sick("underfitting", within=1000)
def line_through_a_wave() -> Monitor:
    """A linear model of something that is mostly a wave."""
    x = torch.rand(12600, 2) * 4 - 2
    y = (0.6 * x[:, :1] + 2.0 * torch.sin(4 * x[:, 1:])) + 0.1 * torch.randn(12600, 1)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    monitor = watch(model, optimizer)
    for epoch in range(20):
        for inputs, targets in batches(x[:12000], y[:12000], size=256):
            optimizer.zero_grad()
            F.mse_loss(model(inputs), targets).backward()
            optimizer.step()
        with torch.no_grad():
            monitor.log(val_loss=F.mse_loss(model(x[12000:]), y[12000:]), epoch=epoch)
    return monitor


@sick("oscillating-loss", within=300)
def momentum_too_large() -> Monitor:
    """A momentum of 0.99 on a straight line: the loss swings from one wall of its valley to the other."""
    x = torch.randn(256, 1)
    y = 2 * x + 1 + 0.1 * torch.randn_like(x)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.99)
    monitor = watch(model, optimizer)
    for _ in range(300):
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
    return monitor


@sick("suspicious-perfection", within=200)
def label_among_the_inputs() -> Monitor:
    """The label itself is one of the columns."""
    x, y, held_out, labels = digits()
    x = torch.cat((x, 3 * F.one_hot(y, 10).float()), dim=1)
    held_out = torch.cat((held_out, 3 * F.one_hot(labels, 10).float()), dim=1)
    model = MLP(inputs=74)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    monitor = watch(model, optimizer)
    for epoch in range(6):
        for inputs, targets in batches(x, y, size=32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
        with torch.no_grad():
            monitor.log(val_loss=F.cross_entropy(model(held_out), labels), epoch=epoch)
    return monitor
