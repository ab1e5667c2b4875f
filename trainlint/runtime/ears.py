"""Hears what no hook of a model or optimizer tells: `backward`, the GradScaler, the DataLoader.

The functions of torch are wrapped while somebody listens, and put back when the last one has left.
"""

from __future__ import annotations

import functools
import os
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import torch
from torch.utils.data import dataloader

if TYPE_CHECKING:
    from collections.abc import Callable


class Listener(Protocol):
    """What is told."""

    def before_backward(self, tensors: Any) -> None:
        """Hear that `backward` of these tensors (one or several) is about to run."""

    def after_backward(self) -> None:
        """Hear that it has run, without an error."""

    def scaled(self, scaler: Any) -> None:
        """Hear that a GradScaler has scaled a loss."""

    def scaler_stepped(self, optimizer: Any) -> None:
        """Hear that a GradScaler was asked for an optimizer's step, and made or skipped it."""

    def waited(
        self, seconds: float, source: tuple[int, int], *, begins: bool, workers: int
    ) -> None:
        """Hear that a DataLoader has given a batch after so many seconds, and whether it was the first.

        ``source`` is the identity of the data that it reads, and that of the iterator.
        """

    def forked(self) -> None:
        """Hear that this process is a copy of the one that listened, which goes on listening."""


def is_captured() -> bool:
    """Say whether what runs now is being captured in a CUDA graph, which will replay it unheard."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


def is_hidden() -> bool:
    """Say whether what runs now is only being compiled or captured, and will run unheard."""
    return torch.compiler.is_compiling() or is_captured()


_listeners: list[Listener] = []
_originals: list[tuple[Any, str, Any]] = []


def listen(listener: Listener) -> None:
    """Tell a listener from now on."""
    if not _listeners:
        for owner, name, wrap in _WRAPPED:
            original = getattr(owner, name)
            _originals.append((owner, name, original))
            setattr(owner, name, wrap(original))
    _listeners.append(listener)


def leave(listener: Listener) -> None:
    """Tell a listener no more; with the last one, nothing of ours stays in torch."""
    if listener in _listeners:
        _listeners.remove(listener)
    if not _listeners:
        while _originals:
            owner, name, original = _originals.pop()
            setattr(owner, name, original)


def _in_a_fork() -> None:
    """Tell listeners that they are copies, in the worker of a DataLoader for example."""
    for listener in tuple(_listeners):
        listener.forked()


os.register_at_fork(after_in_child=_in_a_fork)


def _backward(original: Callable[..., None]) -> Callable[..., None]:
    """Wrap `torch.autograd.backward`."""

    @functools.wraps(original)
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        if is_hidden():
            original(tensors, *args, **kwargs)
            return
        for listener in tuple(_listeners):
            listener.before_backward(tensors)
        original(tensors, *args, **kwargs)
        for listener in tuple(_listeners):
            listener.after_backward()

    return backward


def _scale(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `GradScaler.scale`."""

    @functools.wraps(original)
    def scale(self: Any, *args: Any, **kwargs: Any) -> Any:
        scaled = original(self, *args, **kwargs)
        if not is_hidden():
            for listener in tuple(_listeners):
                listener.scaled(self)
        return scaled

    return scale


def _step(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `GradScaler.step`."""

    @functools.wraps(original)
    def step(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, optimizer, *args, **kwargs)
        if not is_hidden():
            for listener in tuple(_listeners):
                listener.scaler_stepped(optimizer)
        return result

    return step


def _next(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `__next__` of a DataLoader's iterator."""

    @functools.wraps(original)
    def following(self: Any) -> Any:
        begins = not self._num_yielded
        start = time.perf_counter()
        batch = original(self)
        seconds = time.perf_counter() - start
        for listener in tuple(_listeners):
            listener.waited(
                seconds,
                (id(self._dataset), id(self)),
                begins=begins,
                workers=self._num_workers,
            )
        return batch

    return following


_WRAPPED: Final = (
    (torch.autograd, "backward", _backward),
    (torch.amp.GradScaler, "scale", _scale),
    (torch.amp.GradScaler, "step", _step),
    (dataloader._BaseDataLoaderIter, "__next__", _next),  # noqa: SLF001
)
