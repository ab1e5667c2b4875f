"""Gives a model, an optimizer and the sources of chance back as they were, to the bit."""

from __future__ import annotations

import contextlib
import random
import sys
from collections import deque
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from trainlint.runtime.trials.loader_places import loader_restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OF_ALL: Final = frozenset(vars(nn.Module()))
"""The attributes of every module, which hold what is restored by its kind."""
_CONTAINERS: Final = (list, dict, set, deque)


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
    modules = list(model.modules())
    modes = [(one, one.training) for one in modules]
    # TorchScript keeps what its modules have, and lets nothing be put in its place
    python = [one for one in modules if not isinstance(one, torch.jit.ScriptModule)]
    own = [one for one in python if not _is_of_torch(one)]
    attributes = [(vars(one), _attributes(one, aside=aside)) for one in own]
    tables = [(one._buffers, dict(one._buffers)) for one in python]  # noqa: SLF001
    buffers = [
        (one, _kept(one, aside=aside))
        for one in model.buffers()
        if not isinstance(one, nn.parameter.UninitializedBuffer)
    ]
    try:
        with parameters_restored(model.parameters(), weights=weights, aside=aside):
            yield
    finally:
        with torch.no_grad():
            for tensor, value in buffers:
                if (
                    tensor.shape != value.shape
                ):  # an observer of a quantisation grows with what it sees
                    tensor.resize_(value.shape)
                tensor.copy_(value)
        for table, before in tables:
            table.clear()
            table.update(before)
        for values, kept in attributes:
            _put_back(values, kept)
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def parameters_restored(
    parameters: Iterable[Tensor], *, weights: bool, aside: bool = False
) -> Iterator[None]:
    """Give back gradients, and weights where they will change; while it lasts there are no gradients."""
    parameters = list(parameters)
    gradients = [(one, one.grad, one.requires_grad) for one in parameters]
    saved = [(one, _kept(one, aside=aside)) for one in parameters] if weights else []
    for one in parameters:
        one.grad = None
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in saved:
                tensor.copy_(value)
        for parameter, gradient, wanted in gradients:
            parameter.requires_grad_(wanted)
            parameter.grad = gradient


@contextlib.contextmanager
def memory_restored(model: nn.Module) -> Iterator[None]:
    """Give parameters the memory back that they had, where they were given other: nothing is copied."""
    saved = [(one, one.data) for one in model.parameters()]
    try:
        yield
    finally:
        for parameter, before in saved:
            parameter.data = before


def _is_of_torch(module: nn.Module) -> bool:
    """Say whether a module is torch's own: what those of parallel trainings set up once is to stay."""
    return type(module).__module__.partition(".")[0] == "torch"


def _attributes(module: nn.Module, *, aside: bool) -> dict[str, tuple[Any, Any]]:
    """Return what a module has beside its parts, and what is in it: counters, averages, caches."""
    return {
        key: (value, _content(value, aside=aside))
        for key, value in vars(module).items()
        if key not in _OF_ALL
    }


def _content(value: Any, *, aside: bool) -> Any:
    """Return what a value holds that may change in its place."""
    if isinstance(value, Tensor) and not value.is_inference():
        return value._version, _kept(value, aside=aside)  # noqa: SLF001 - tells that it was written to
    return copy(value) if type(value) in _CONTAINERS else None


def _put_back(values: dict[str, Any], kept: dict[str, tuple[Any, Any]]) -> None:
    """Give the attributes of a module back, and take away those that are new."""
    for key in [key for key in values if key not in kept and key not in _OF_ALL]:
        del values[key]
    for key, (value, content) in kept.items():
        values[key] = value
        if content is None:
            continue
        if isinstance(value, Tensor):
            version, before = content
            if value._version != version:  # noqa: SLF001
                with torch.no_grad():
                    value.copy_(before)
        else:
            value.clear()
            (value.extend if isinstance(value, (list, deque)) else value.update)(content)


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
    loss: Any,
    loader: Any,
    scaler: Any = None,
    *,
    aside: bool = False,
) -> Iterator[None]:
    """Give everything back that a training changes: what is above, the loader's place, the scale.

    The optimizer may train what is in neither the model nor the loss: that is given back, too.
    """
    scale = None
    if scaler is not None:
        scale = {key: deepcopy(value) for key, value in vars(scaler).items()}
    with contextlib.ExitStack() as stack:
        stack.enter_context(chance_restored())
        stack.enter_context(loader_restored(loader))
        modules = [one for one in (model, loss) if isinstance(one, nn.Module)]
        for one in modules:
            stack.enter_context(model_restored(one, weights=True, aside=aside))
        known = {id(each) for one in modules for each in one.parameters()}
        groups = optimizer.param_groups
        others = [one for group in groups for one in group["params"] if id(one) not in known]
        stack.enter_context(parameters_restored(others, weights=True, aside=aside))
        stack.enter_context(optimizer_restored(optimizer, aside=aside))
        try:
            yield
        finally:
            if scale is not None:
                vars(scaler).clear()
                vars(scaler).update(scale)


def _kept(tensor: Tensor, *, aside: bool) -> Tensor:
    """Return a copy of a tensor's values, on the CPU where it is to lie ``aside``."""
    if aside and tensor.device.type != "cpu":
        return tensor.detach().cpu()
    return tensor.detach().clone()
