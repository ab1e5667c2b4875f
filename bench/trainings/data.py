"""The data sets of the trainings: what scikit-learn ships, a text, and what a formula gives."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from torch import Tensor

    Loader = DataLoader[tuple[Tensor, ...]]

ALICE = """Alice was beginning to get very tired of sitting by her sister on the bank, and of having \
nothing to do: once or twice she had peeped into the book her sister was reading, but it had no pictures \
or conversations in it, and what is the use of a book, thought Alice, without pictures or conversation? \
So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy \
and stupid), whether the pleasure of making a daisy-chain would be worth the trouble of getting up and \
picking the daisies, when suddenly a White Rabbit with pink eyes ran close by her. There was nothing so \
very remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit say to \
itself, Oh dear! Oh dear! I shall be late! (when she thought it over afterwards, it occurred to her that \
she ought to have wondered at this, but at the time it all seemed quite natural); but when the Rabbit \
actually took a watch out of its waistcoat-pocket, and looked at it, and then hurried on, Alice started \
to her feet, for it flashed across her mind that she had never before seen a rabbit with either a \
waistcoat-pocket, or a watch to take out of it, and burning with curiosity, she ran across the field \
after it, and fortunately was just in time to see it pop down a large rabbit-hole under the hedge. In \
another moment down went Alice after it, never once considering how in the world she was to get out \
again."""


@lru_cache(maxsize=1)
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return 1,797 handwritten digits: inputs (N, 64) in [0, 1] and labels, for training and validation."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - only some trainings need it

    images, labels = load_digits(return_X_y=True)
    inputs = torch.tensor(images, dtype=torch.float32) / 16
    targets = torch.tensor(labels)
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(1))
    train, held_out = order[:1500], order[1500:]
    return inputs[train], targets[train], inputs[held_out], targets[held_out]


def digit_images() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the digits as images (N, 1, 8, 8), standardised."""
    inputs, targets, held_out, labels = digits()
    mean, std = inputs.mean(), inputs.std()
    train = ((inputs - mean) / std).view(-1, 1, 8, 8)
    return train, targets, ((held_out - mean) / std).view(-1, 1, 8, 8), labels


@lru_cache(maxsize=1)
def diabetes() -> tuple[Tensor, Tensor]:
    """Return measurements of 442 patients (N, 10) and a disease's progress (N, 1), standardised."""
    from sklearn.datasets import load_diabetes  # noqa: PLC0415 - only some trainings need it

    values, progress = load_diabetes(return_X_y=True)
    inputs = torch.tensor(values, dtype=torch.float32)
    targets = torch.tensor(progress, dtype=torch.float32).unsqueeze(1)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    return inputs, (targets - targets.mean()) / targets.std()


def batches(*tensors: Tensor, size: int = 64, shuffle: bool = True) -> Loader:
    """Return a loader of batches."""
    return DataLoader(TensorDataset(*tensors), batch_size=size, shuffle=shuffle)


def waves(count: int = 512, length: int = 40) -> tuple[Tensor, Tensor]:
    """Return noisy sine waves (N, T, 1) and the value that comes next (N, 1)."""
    phase = torch.rand(count, 1) * 2 * math.pi
    speed = 0.2 + 0.3 * torch.rand(count, 1)
    wave = torch.sin(phase + speed * torch.arange(length + 1))
    wave = wave + 0.05 * torch.randn_like(wave)
    return wave[:, :-1].unsqueeze(2), wave[:, -1:]


def spirals(count: int = 600) -> tuple[Tensor, Tensor]:
    """Return points (N, 2) on two spirals that wind around each other, and which one it is."""
    labels = torch.arange(count) % 2
    radius = torch.rand(count)
    angle = radius * 3 * math.pi + labels * math.pi
    points = torch.stack((radius * angle.cos(), radius * angle.sin()), dim=1)
    return points * 2 + 0.02 * torch.randn(count, 2), labels


def letters() -> tuple[Tensor, int]:
    """Return a text as numbers (N,) and how many different letters it has."""
    known = sorted(set(ALICE))
    return torch.tensor([known.index(one) for one in ALICE]), len(known)


def ratings(users: int = 200, items: int = 100, count: int = 8000) -> tuple[Tensor, Tensor, Tensor]:
    """Return who has rated what, and how: a product of hidden tastes with some noise."""
    tastes, traits = torch.randn(users, 4), torch.randn(items, 4)
    user, item = torch.randint(users, (count,)), torch.randint(items, (count,))
    rating = (tastes[user] * traits[item]).sum(1) / 2 + 0.1 * torch.randn(count)
    return user, item, rating
