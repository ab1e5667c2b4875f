"""Initialises a model again, each layer by the scheme for the activation that takes its output."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainlint.runtime.judging.remedies import scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainlint.runtime.signals import Layer

_LENGTH = re.compile(r"original1$|weight_v$")
_ORTHOGONAL = 1024
"""Up to this width the recurrent weights are made orthogonal; larger ones take too long."""


def reinitialise(model: nn.Module, layers: Iterable[Layer]) -> list[tuple[str, str]]:
    """Draw the weights of the layers anew, set their biases to 0, and say how each was drawn.

    Each has other memory from then on, and what was in the former is as it was.
    """
    parameters = dict(model.named_parameters())
    found = []
    with torch.no_grad():
        for layer in layers:
            weight = parameters.get(layer.weight)
            if weight is None or layer.is_norm or layer.kind.startswith("Embedding"):
                continue
            if layer.is_recurrent:
                _recurrent(model.get_submodule(layer.name))
                found.append((layer.name, "Glorot, recurrent part orthogonal"))
                continue
            name, std = scheme_of(layer)
            _renew(weight)
            _draw(weight, std * math.sqrt(3))
            _lengthen(weight, parameters.get(_LENGTH.sub(_length, layer.weight)))
            bias = parameters.get(f"{layer.weight.rpartition('.')[0]}.bias".lstrip("."))
            if bias is not None and bias.dim() == 1:
                bias.data = torch.zeros_like(bias)
            found.append((layer.name, f"{name}, std {std:.3g}"))
    return found


def _renew(parameter: Tensor) -> None:
    """Give a parameter memory that nothing has been written to."""
    parameter.data = torch.empty_like(parameter)


def _length(match: re.Match[str]) -> str:
    """Return the name of the lengths beside the directions of a normalised weight."""
    return {"original1": "original0", "weight_v": "weight_g"}[match[0]]


def _lengthen(weight: Tensor, lengths: Tensor | None) -> None:
    """Give a weight normalisation the lengths of the rows that were drawn."""
    if lengths is not None and lengths is not weight and lengths.dim() == weight.dim():
        over = [at for at, size in enumerate(lengths.shape) if size == 1]
        _renew(lengths)
        lengths.copy_(torch.linalg.vector_norm(weight, dim=over, keepdim=True))


def _draw(weight: Tensor, bound: float) -> None:
    """Fill a weight evenly from -bound to bound.

    In 65,536 steps, four from each number that is drawn: of all that a probe does beside the passes,
    drawing millions of weights took longest.
    """
    count = weight.numel()
    if weight.device.type != "cpu" or weight.dtype not in {torch.float32, torch.float64}:
        weight.uniform_(-bound, bound)
        return
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    steps = bits.view(torch.int16)[:count].view(weight.shape)
    weight.copy_(steps).add_(0.5).mul_(bound / 2**15)


def _recurrent(module: nn.Module) -> None:
    """Initialise an RNN, LSTM or GRU."""
    for name, one in module.named_parameters(recurse=False):
        _renew(one)
        if one.dim() < 2:  # noqa: PLR2004 - a bias
            one.zero_()
        elif name.startswith("weight_hh") and one.shape[1] <= _ORTHOGONAL:
            for part in one.split(one.shape[1]):
                drawn = torch.empty(part.shape)
                part.copy_(nn.init.orthogonal_(drawn))
        else:
            gates = max(1, one.shape[0] // getattr(module, "hidden_size", one.shape[0]))
            for part in one.chunk(gates):
                nn.init.xavier_uniform_(part)
