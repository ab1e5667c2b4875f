"""Signals of normalisation and dropout: their mode, and running statistics against the batch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from trainlint.runtime.signals import Signal
from trainlint.runtime.tensors import first_tensor, is_plain, local

if TYPE_CHECKING:
    from trainlint.runtime.collectors.activations import Activations
    from trainlint.runtime.gathering import Gathering

FAR: Final = 3.0
"""Standard deviations between the running mean and the batch's (runtime catalogue)."""


def look_at_mode(
    name: str, module: nn.Module, inputs: object, activations: Activations, gathering: Gathering
) -> None:
    """Look at a module whose behaviour depends on its mode, as it runs."""
    if isinstance(module, nn.modules.dropout._DropoutNd):  # noqa: SLF001
        if module.p > 0:
            gathering.add(Signal.TRAINING, name, module.training)
        return
    if not isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001
        return
    gathering.add(Signal.TRAINING, name, module.training)
    given = first_tensor(inputs)
    if given is None or not is_plain(given) or given.dim() < 2 or given.numel() == 0:
        return
    if module.training or not module.track_running_stats:
        gathering.add(Signal.NORM_SAMPLES, name, given.numel() // given.shape[1])
    mean, updates = module.running_mean, module.num_batches_tracked
    if mean is None or updates is None or nn.parameter.is_lazy(mean):
        return
    gathering.add(Signal.NORM_UPDATES, name, updates.float())
    numbers = activations.sampled(given)
    running, eps = local(mean).clone(), module.eps  # the mean moves in this very forward

    def look() -> None:
        values = numbers.movedim(1, 0).flatten(1)
        channels = values.shape[0]
        now = values.mean(1, keepdim=True)
        # With its eps, as it normalises: a channel that is constant is not far from itself.
        size = ((values - now).square().mean(1) + eps).sqrt()
        far = torch.count_nonzero((running - now.squeeze(1)).abs() > FAR * size)
        gathering.later((far,), lambda got: ((Signal.NORM_DRIFT, name, got[0] / channels),))

    gathering.soon(look)


def has_mode(module: nn.Module) -> bool:
    """Say whether a module behaves in another way while it trains."""
    kinds = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001
    return isinstance(module, kinds)
