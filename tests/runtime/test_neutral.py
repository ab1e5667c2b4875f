"""Watching is bitwise neutral: the same seed gives the same weights with and without it."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn

import trainlint


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(8 * 9, 4)

    def forward(self, images):
        return self.head(self.drop(self.features(images).flatten(1)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, images):
        return self.head(self.lstm(images.squeeze(1))[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 4)

    def forward(self, images):
        return self.head(torch.tanh(self.encoder(images.squeeze(1)).mean(1)))


def multilayer():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))


MODELS = [multilayer, Convolutional, Recurrent, Transformer]


def trained(make, optimizer, *, watch, accumulate=1, autocast=False, steps=12):
    """Return the weights, the buffers and the random state after a training."""
    torch.manual_seed(3)
    model = make()
    steps_by = optimizer(model.parameters())
    monitor = trainlint.watch(model, steps_by, every=2) if watch else None
    for step in range(steps):
        images, labels = torch.randn(16, 1, 8, 8), torch.randint(0, 4, (16,))
        lower = torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext()
        with lower:
            loss = nn.functional.cross_entropy(model(images), labels)
        (loss / accumulate).backward()
        if (step + 1) % accumulate == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            steps_by.step()
            steps_by.zero_grad()
    if monitor is not None:
        assert len(monitor.signals["gradient_rms"]) > 0
        monitor.close()
    return [*model.state_dict().values(), torch.get_rng_state()]


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=1e-4)


def adam(parameters):
    return torch.optim.AdamW(parameters, lr=1e-3)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("optimizer", [sgd, adam])
@pytest.mark.parametrize(
    "options",
    [{}, {"accumulate": 3}, {"autocast": True}],
    ids=["plain", "accumulation", "autocast"],
)
def test_a_watched_training_ends_in_the_same_bits(make, optimizer, options):
    without = trained(make, optimizer, watch=False, **options)
    watched = trained(make, optimizer, watch=True, **options)
    assert len(without) == len(watched)
    for one, other in zip(without, watched, strict=True):
        assert torch.equal(one, other)
