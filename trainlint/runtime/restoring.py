"""Gives a model, an optimizer and the sources of chance back as they were, to the bit."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def chance_restored() -> Iterator[None]:
    """Give back the random states of torch (all devices), Python and numpy."""
    python, cpu = random.getstate(), torch.get_rng_state()
    numpy = sys.modules.get("numpy")
    array = None if numpy is None else numpy.random.get_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(python)
        torch.set_rng_state(cpu)
        if numpy is not None and array is not None:
            numpy.random.set_state(array)
        if devices:
            torch.cuda.set_rng_state_all(devices)


@contextlib.contextmanager
def model_restored(model: nn.Module, *, weights: bool) -> Iterator[None]:
    """Give back a model's buffers, gradients and modes, and its weights where they will change.

    While it lasts there are no gradients; those of before are laid aside, not copied.
    """
    modes = [(one, one.training) for one in model.modules()]
    tables = [(one._buffers, dict(one._buffers)) for one in model.modules()]  # noqa: SLF001
    buffers = [
        (one, one.detach().clone())
        for _, each in tables
        for one in each.values()
        if one is not None and not isinstance(one, nn.parameter.UninitializedBuffer)
    ]
    parameters = list(model.parameters())
    gradients = [(one, one.grad, one.requires_grad) for one in parameters]
    saved = [(one, one.detach().clone()) for one in parameters] if weights else []
    for one in parameters:
        one.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in (*saved, *buffers):
                tensor.copy_(value)
        for table, before in tables:
            table.clear()
            table.update(before)
        for parameter, gradient, wanted in gradients:
            parameter.requires_grad_(wanted)
            parameter.grad = gradient
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def optimizer_restored(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Give back an optimizer's state and settings, in the same objects."""
    state = {key: _copied(value) for key, value in optimizer.state.items()}
    groups = [{key: _copied(value) for key, value in one.items()} for one in optimizer.param_groups]
    for copied, group in zip(groups, optimizer.param_groups, strict=True):
        copied["params"] = group["params"]
    marks = {
        key: value
        for key, value in vars(optimizer).items()
        if isinstance(value, (bool, int, float)) and key not in {"state", "param_groups"}
    }
    try:
        yield
    finally:
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, before in zip(optimizer.param_groups, groups, strict=True):
            group.clear()
            group.update(before)
        for key in [key for key in vars(optimizer) if key not in marks and key == "_opt_called"]:
            delattr(optimizer, key)
        vars(optimizer).update(marks)


def _copied(value: Any) -> Any:
    """Return a value that later steps do not change."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value
