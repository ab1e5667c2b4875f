"""Gives a model, an optimizer and the sources of chance back as they were, to the bit."""

from __future__ import annotations

import contextlib
import copy
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


def seeded(seed: int) -> None:
    """Seed torch where it draws already; `torch.manual_seed` has devices seeded that begin only later."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def model_restored(model: nn.Module, *, weights: bool, aside: bool = False) -> Iterator[None]:
    """Give back a model's buffers, gradients and modes, and its weights where they will change.

    While it lasts there are no gradients; those of before are laid aside, not copied. ``aside`` keeps what
    is copied in the memory of the CPU.
    """
    modes = [(one, one.training) for one in model.modules()]
    tables = [(one._buffers, dict(one._buffers)) for one in model.modules()]  # noqa: SLF001
    buffers = [
        (one, _kept(one, aside=aside))
        for _, each in tables
        for one in each.values()
        if one is not None and not isinstance(one, nn.parameter.UninitializedBuffer)
    ]
    parameters = list(model.parameters())
    gradients = [(one, one.grad, one.requires_grad) for one in parameters]
    saved = [(one, _kept(one, aside=aside)) for one in parameters] if weights else []
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
def optimizer_restored(optimizer: torch.optim.Optimizer, *, aside: bool = False) -> Iterator[None]:
    """Give back an optimizer's state and settings, in the same tensors."""
    tensors: list[tuple[Tensor, Tensor]] = []

    def outline(value: Any) -> Any:
        """Return the containers of a value anew, around the same tensors, whose values are kept."""
        if isinstance(value, Tensor):
            tensors.append((value, _kept(value, aside=aside)))
        if isinstance(value, dict):
            return {key: outline(one) for key, one in value.items()}
        if isinstance(value, list):
            return [outline(one) for one in value]
        return value

    state = {key: outline(value) for key, value in optimizer.state.items()}
    groups = [
        {key: value if key == "params" else outline(value) for key, value in one.items()}
        for one in optimizer.param_groups
    ]
    marks = {
        key: value
        for key, value in vars(optimizer).items()
        if isinstance(value, (bool, int, float)) and key not in {"state", "param_groups"}
    }
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in tensors:
                tensor.copy_(value)
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, before in zip(optimizer.param_groups, groups, strict=True):
            group.clear()
            group.update(before)
        for key in [key for key in vars(optimizer) if key not in marks and key == "_opt_called"]:
            delattr(optimizer, key)
        vars(optimizer).update(marks)


@contextlib.contextmanager
def training_restored(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: Any,
    scaler: Any = None,
    *,
    aside: bool = False,
) -> Iterator[None]:
    """Give everything back that a training changes: what is above, the loader's place, the scale."""
    holders = [loader, *(getattr(loader, name, None) for name in ("sampler", "batch_sampler"))]
    generators = {
        id(one): one
        for holder in holders
        if isinstance(one := getattr(holder, "generator", None), torch.Generator)
    }
    drawn = [(one, one.get_state()) for one in generators.values()]
    stateful = hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")
    place = copy.deepcopy(loader.state_dict()) if stateful else None
    scale = None
    if scaler is not None:
        scale = {key: copy.deepcopy(value) for key, value in vars(scaler).items()}
    try:
        with (
            chance_restored(),
            model_restored(model, weights=True, aside=aside),
            optimizer_restored(optimizer, aside=aside),
        ):
            yield
    finally:
        for generator, state in drawn:
            generator.set_state(state)
        if place is not None:
            loader.load_state_dict(place)
        if scale is not None:
            vars(scaler).clear()
            vars(scaler).update(scale)


def _kept(tensor: Tensor, *, aside: bool) -> Tensor:
    """Return a copy of a tensor's values, on the CPU where it is to lie ``aside``."""
    if aside and tensor.device.type != "cpu":
        return tensor.detach().cpu()
    return tensor.detach().clone()
