"""Gives a loader back as it was: its place in the data, its sources of chance, its workers."""

from __future__ import annotations

import contextlib
import random
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_INSIDE: Final = (
    *("sampler", "batch_sampler", "collate_fn", "dataset", "datasets"),
    *("transform", "target_transform", "transforms"),
)
"""Where loaders, samplers and datasets hold what they are made of."""
_DEEPEST: Final = 5


@contextlib.contextmanager
def loader_restored(loader: Any) -> Iterator[None]:
    """Give back the states of a loader's generators, and its place where it or its dataset tells it."""
    with contextlib.ExitStack() as undo:
        for one in _undone(loader):
            undo.callback(one)
        yield


def _undone(loader: Any) -> Iterator[Callable[[], Any]]:
    """Yield what gives each part of a loader back."""
    seen: set[int] = set()
    knows = _is_stateful(loader)  # then it tells the places of its parts, too
    for holder in _parts(loader):
        for value in (getattr(holder, "generator", None), *_values(holder)):
            again = None if id(value) in seen else drawn(value)
            if again is not None:
                seen.add(id(value))
                yield again
        if holder is loader or not knows:
            yield _placed(holder) if _is_stateful(holder) else _counted(holder)


@contextlib.contextmanager
def workers_apart(loader: Any) -> Iterator[None]:
    """Let a loader begin with workers of its own, and end them; those that persist are left as they are."""
    keeps = getattr(loader, "persistent_workers", False) and hasattr(loader, "_iterator")
    if not keeps or _is_stateful(loader):
        yield
        return
    before, loader._iterator = loader._iterator, None  # noqa: SLF001
    try:
        yield
    finally:
        own, loader._iterator = loader._iterator, before  # noqa: SLF001
        if hasattr(own, "_shutdown_workers"):
            own._shutdown_workers()  # noqa: SLF001


def _parts(loader: Any, depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield a loader and what it is made of."""
    yield loader
    if depth == 0 or isinstance(loader, torch.Tensor):
        return
    for name in _INSIDE:
        inside = getattr(loader, name, None)
        for one in inside if isinstance(inside, (list, tuple)) else [inside]:
            if one is not None and hasattr(one, "__dict__") and not isinstance(one, type):
                yield from _parts(one, depth - 1)


def _values(holder: Any) -> list[Any]:
    """Return the attributes of an object."""
    return list(vars(holder).values()) if hasattr(holder, "__dict__") else []


def _is_stateful(holder: Any) -> bool:
    """Say whether an object tells its place, and can be put there."""
    return hasattr(holder, "state_dict") and hasattr(holder, "load_state_dict")


def _placed(holder: Any) -> Callable[[], Any]:
    """Return what puts an object to the place that it tells now."""
    place = deepcopy(holder.state_dict())
    return lambda: None if place is None else holder.load_state_dict(place)


def _counted(holder: Any) -> Callable[[], Any]:
    """Return what gives an object the numbers that it has now: an epoch, a position."""
    if isinstance(holder, torch.utils.data.DataLoader) or not hasattr(holder, "__dict__"):
        return lambda: None
    numbers = {key: one for key, one in vars(holder).items() if type(one) in {bool, int, float}}
    return lambda: vars(holder).update(numbers)


def drawn(source: Any) -> Callable[[], Any] | None:
    """Return what puts a source of chance to where it is now; None for anything else."""
    if isinstance(source, torch.Generator):
        state = source.get_state()
        return lambda: source.set_state(state)
    if isinstance(source, random.Random) and not isinstance(source, random.SystemRandom):
        place = source.getstate()
        return lambda: source.setstate(place)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(source, numpy.random.RandomState):
        array = source.get_state()
        return lambda: source.set_state(array)
    if numpy is not None and isinstance(source, numpy.random.Generator):
        bits = source.bit_generator
        inner = bits.state
        return lambda: setattr(bits, "state", inner)
    return None
