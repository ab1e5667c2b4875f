"""Tells what has no gradient from what has none yet, because something behind it starts at 0.

The last layer of a head, of a residual branch or of an adapter is often 0 at the start (Goyal et al. 2017,
Bachlechner et al. 2020, Hu et al. 2021), so the gradient of all before it is, too, until the first step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from trainlint.runtime.signals import Signal
from trainlint.runtime.tensors import dense

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from trainlint.runtime.gathering import Values

_NUDGE: Final = 1e-2
"""How far the largest number of a parameter that starts at 0 is moved."""


def awakened(model: nn.Module, values: Values, again: Callable[[], object]) -> list[str]:
    """Let parameters be reached that are cut off only by others that start at 0, and return the latter.

    They are moved against their gradients for as long as that lets others be reached, in passes ``again``;
    then they are 0 again. What is reached is written into ``values``.
    """
    missing = values.get(Signal.GRADIENT_MISSING, {})
    largest = values.get(Signal.GRADIENT_MAX, {})
    named = dict(model.named_parameters())
    waiting = {
        name for name in named if missing.get(name) or (name in largest and largest[name] == 0)
    }
    moved: dict[str, Tensor] = {}
    if waiting and any(one.grad is None and not missing.get(name) for name, one in named.items()):
        again()  # they were freed
    try:
        while waiting:
            zeros = {
                name: one
                for name, one in named.items()
                if name not in moved and name not in waiting and _is_zero_switch(name, one)
            }
            if not zeros:
                break
            with torch.no_grad():
                for name, one in zeros.items():
                    assert one.grad is not None
                    moved[name] = one.detach().clone()
                    step = dense(one.grad)
                    one.sub_(step / step.abs().max().clamp(min=1e-30), alpha=_NUDGE)
            again()
            for name in list(waiting):
                gradient = named[name].grad
                seen = 0.0 if gradient is None else float(dense(gradient.detach()).abs().max())
                if seen:
                    waiting.discard(name)
                    missing[name], largest[name] = 0.0, seen
    finally:
        with torch.no_grad():
            for name, before in moved.items():
                named[name].copy_(before)
    return list(moved)


def _is_zero_switch(name: str, parameter: Tensor) -> bool:
    """Say whether a parameter is all zeros, has a gradient, and may stand between others and the loss."""
    is_shift = parameter.dim() < 2 and name.rpartition(".")[2].startswith("bias")  # noqa: PLR2004
    return (
        not is_shift
        and parameter.grad is not None
        and parameter.numel() > 0
        and not parameter.detach().any()
        and bool(torch.isfinite(dense(parameter.grad.detach())).all())
        and bool(dense(parameter.grad.detach()).any())
    )
