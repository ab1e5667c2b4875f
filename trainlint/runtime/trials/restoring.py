"""Gives a model, an optimizer and the sources of chance back as they were, to the bit."""

from __future__ import annotations

import contextlib
import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from trainlint.runtime.trials.loader_places import drawn, loader_restored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_OF_ALL: Final = frozenset(vars(nn.Module()))
"""The attributes of every module, which hold what is restored by its kind."""
_OF_OPTIMIZERS: Final = frozenset({"state", "param_groups", "defaults"})
_TABLES: Final = ("_parameters", "_buffers", "_non_persistent_buffers_set", "_modules")
_CONTAINERS: Final = (list, dict, set, deque, OrderedDict, Counter, defaultdict)


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
    """Give back a model's parts, buffers, gradients, modes and attributes, and its weights.

    All weights where they will change; else those that a forward pass may write to. While it lasts there
    are no gradients; those of before are laid aside, not copied. ``aside`` keeps what is copied in the
    memory of the CPU. Where one thing cannot be given back all others are.
    """
    with contextlib.ExitStack() as undo:
        for one in _undone(model, weights=weights, aside=aside):
            undo.callback(one)
        with gradients_restored(model.parameters()):
            yield


def _undone(model: nn.Module, *, weights: bool, aside: bool) -> Iterator[Callable[[], Any]]:
    """Yield what gives each thing of a model back, the first of them last."""
    modules = list(model.modules())
    for module in modules:
        # TorchScript keeps what its modules have, and lets nothing be put in its place
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for key in _TABLES:
            yield _refilled(vars(module)[key])
        # what torch's own wrappers of parallel trainings set up once is to stay
        yield _tensors_of(module) if _is_of_torch(module) else _attributes(module, aside=aside)
    changing = modules if weights else [one for one in modules if _may_write(one)]
    written = {id(one) for module in changing for one in module.parameters(recurse=False)}
    for parameter in model.parameters():
        yield _valued(parameter, aside=aside) if id(parameter) in written else _placed(parameter)
    for buffer in model.buffers():
        yield _valued(buffer, aside=aside)
    for module in modules:
        yield partial(setattr, module, "training", module.training)


@contextlib.contextmanager
def gradients_restored(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Give back gradients and what is to have one; while it lasts there are no gradients."""
    before = [(one, one.grad, one.requires_grad) for one in parameters]
    for parameter, _, _ in before:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient, wanted in before:
            parameter.requires_grad_(wanted)
            parameter.grad = gradient


@contextlib.contextmanager
def parameters_restored(parameters: Iterable[Tensor], *, aside: bool = False) -> Iterator[None]:
    """Give back parameters that are in no model, with their gradients."""
    parameters = list(parameters)
    with contextlib.ExitStack() as undo:
        for one in parameters:
            undo.callback(_valued(one, aside=aside))
        with gradients_restored(parameters):
            yield


@contextlib.contextmanager
def memory_restored(model: nn.Module) -> Iterator[None]:
    """Give parameters the memory back that they had, where they were given other: nothing is copied."""
    with contextlib.ExitStack() as undo:
        for one in model.parameters():
            undo.callback(_placed(one))
        yield


def modules_of(model: nn.Module, loss: Any) -> list[nn.Module]:
    """Return a model, and the loss where it is a module, or a method of one, of its own."""
    owner = getattr(loss, "__self__", loss)
    inside = {id(one) for one in model.modules()}
    return [model, owner] if isinstance(owner, nn.Module) and id(owner) not in inside else [model]


def _is_of_torch(module: nn.Module) -> bool:
    """Say whether a module is torch's own: what those of parallel trainings set up once is to stay."""
    return type(module).__module__.partition(".")[0] == "torch"


def _may_write(module: nn.Module) -> bool:
    """Say whether a forward pass may write to a module's weights: the user's, or a bounded embedding's."""
    return not _is_of_torch(module) or getattr(module, "max_norm", None) is not None


def _attributes(holder: Any, *, aside: bool, but: frozenset[str] = _OF_ALL) -> Callable[[], None]:
    """Return what gives back what an object has beside its parts: counters, averages, caches, chance."""
    values = vars(holder)
    kept = {key: value for key, value in values.items() if key not in but}
    inside = list(filter(None, (_inside(one, aside=aside) for one in kept.values())))

    def undo() -> None:
        for key in [key for key in values if key not in kept and key not in but]:
            del values[key]
        values.update(kept)
        for one in inside:
            one()

    return undo


def _tensors_of(module: nn.Module) -> Callable[[], None]:
    """Return what gives back the tensors that a module of torch's computes: a normalised weight."""
    values = vars(module)
    kept = {key: value for key, value in values.items() if isinstance(value, Tensor)}
    return lambda: values.update(kept)


def _inside(value: Any, *, aside: bool, depth: int = 3) -> Callable[[], Any] | None:
    """Return what gives back what is in a value, where that may change in its place."""
    if isinstance(value, Tensor):
        return _valued(value, aside=aside)
    if type(value) in _CONTAINERS and depth:
        items = value.values() if isinstance(value, dict) else value
        more = [_inside(one, aside=aside, depth=depth - 1) for one in items]
        return _refilled(value, *filter(None, more))
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return partial(numpy.copyto, value, value.copy())
    return drawn(value)


def _refilled(container: Any, *inside: Callable[[], Any]) -> Callable[[], None]:
    """Return what fills a container with what is in it now, and gives that back."""
    content = dict(container) if isinstance(container, dict) else list(container)

    def undo() -> None:
        container.clear()
        if isinstance(container, dict):
            dict.update(container, content)  # a Counter would add
        elif isinstance(container, set):
            container.update(content)
        else:
            container.extend(content)
        for one in inside:
            one()

    return undo


def _placed(tensor: Tensor) -> Callable[[], None]:
    """Return what gives a tensor the memory and the shape back that it has."""
    if _is_empty(tensor) or tensor.is_inference() or tensor.layout is not torch.strided:
        return lambda: None
    before = tensor.data

    def undo() -> None:
        if tensor.data_ptr() != before.data_ptr() or tensor.shape != before.shape:
            tensor.data = before

    return undo


def _valued(tensor: Tensor, *, aside: bool) -> Callable[[], None]:
    """Return what gives a tensor its memory and its values back, where they have changed."""
    if _is_empty(tensor):
        return lambda: None
    value, place, version = _kept(tensor, aside=aside), _placed(tensor), _version(tensor)
    shares = any(
        step == 0 and size > 1 for step, size in zip(_strides(tensor), tensor.shape, strict=False)
    )

    def undo() -> None:
        place()
        if shares:  # nothing can have written to one that is expanded
            return
        # what is written through `.data` leaves no trace but the values
        if _version(tensor) == version and torch.equal(tensor, value.to(tensor.device)):
            return
        with torch.inference_mode() if tensor.is_inference() else torch.no_grad():
            tensor.copy_(value)

    return undo


def _version(tensor: Tensor) -> int:
    """Return how often a tensor has been written to; of one made for inference nobody counts it."""
    return 0 if tensor.is_inference() else tensor._version  # noqa: SLF001


def _strides(tensor: Tensor) -> tuple[int, ...]:
    """Return the steps between the elements of a tensor; none where it is not strided."""
    return tensor.stride() if tensor.layout is torch.strided else ()


def _is_empty(tensor: Tensor) -> bool:
    """Say whether a tensor has no values yet, as those of lazy layers."""
    return isinstance(
        tensor, (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)
    )


@contextlib.contextmanager
def optimizer_restored(optimizer: torch.optim.Optimizer, *, aside: bool = False) -> Iterator[None]:
    """Give back an optimizer's state and settings, in the same tensors."""
    inside: list[Callable[[], None]] = []

    def outline(value: Any) -> Any:
        """Return the containers of a value anew, around the same tensors, whose values are kept."""
        if isinstance(value, Tensor):
            inside.append(_valued(value, aside=aside))
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
    inside.append(_attributes(optimizer, aside=aside, but=_OF_OPTIMIZERS))
    try:
        yield
    finally:
        for one in inside:
            one()
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, before in zip(optimizer.param_groups, groups, strict=True):
            group.clear()
            group.update(before)


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
    with contextlib.ExitStack() as stack:
        stack.enter_context(chance_restored())
        stack.enter_context(loader_restored(loader))
        modules = modules_of(model, loss)
        for one in modules:
            stack.enter_context(model_restored(one, weights=True, aside=aside))
        known = {id(each) for one in modules for each in one.parameters()}
        groups = optimizer.param_groups
        others = [one for group in groups for one in group["params"] if id(one) not in known]
        stack.enter_context(parameters_restored(others, aside=aside))
        stack.enter_context(optimizer_restored(optimizer, aside=aside))
        if scaler is not None:
            stack.callback(_attributes(scaler, aside=aside, but=frozenset()))
        yield


def _kept(tensor: Tensor, *, aside: bool) -> Tensor:
    """Return a copy of a tensor's values, on the CPU where it is to lie ``aside``."""
    if aside and tensor.device.type != "cpu":
        return tensor.detach().cpu()
    return tensor.detach().clone()
