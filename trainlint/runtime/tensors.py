"""What is asked of any tensor: its plain local part, a bounded sample, the tensors inside of a value."""

from __future__ import annotations

import copy
import math
from collections.abc import MutableMapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENOUGH: Final = 1 << 13
"""How many elements of an activation are looked at, at most; more change no share by over 1 %."""


EXAMPLES: Final = 4
"""So many examples of a batch are looked at, however large each is."""
PIECE: Final = 256
"""How many elements of a large tensor are read in one go, where a sample need not be even."""


def is_plain(tensor: object) -> bool:
    """Say whether something is a tensor of real or complex numbers whose values can be read now."""
    return (
        isinstance(tensor, Tensor)
        and tensor.device.type != "meta"
        and (tensor.is_floating_point() or tensor.is_complex())
        and not is_transformed(tensor)
    )


def is_transformed(tensor: Tensor | None) -> bool:
    """Say whether a tensor stands for others inside of `vmap`, `grad` and their like."""
    return tensor is not None and torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # noqa: SLF001


def is_at_hand(tensor: Tensor) -> bool:
    """Say whether a tensor can be read without waiting for a device."""
    return tensor.device.type == "cpu"


def dense(tensor: Tensor) -> Tensor:
    """Return a tensor that may be sparse with all its elements."""
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def local(tensor: Tensor) -> Tensor:
    """Return a tensor's plain part on this rank, detached; of a sparse one the values that it has."""
    tensor = tensor.detach()
    if hasattr(tensor, "to_local"):
        tensor = tensor.to_local()
    if tensor.layout is not torch.strided:
        tensor = (
            tensor.coalesce().values() if tensor.layout is torch.sparse_coo else tensor.values()
        )
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor


def first_tensor(value: Any) -> Tensor | None:
    """Return the first tensor inside of what a module is given or returns."""
    if isinstance(value, Tensor):  # as nearly always
        return value
    return next(tensors_in(value), None)


def tensors_in(value: Any, depth: int = 4) -> Iterator[Tensor]:
    """Yield the tensors inside of tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        yield value
    elif depth == 0:
        return
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors_in(one, depth - 1)
    elif hasattr(value, "values") and hasattr(value, "keys"):
        for one in value.values():
            yield from tensors_in(one, depth - 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from tensors_in(getattr(value, one.name, None), depth - 1)


def mapped(value: Any, change: Callable[[Any], Any], depth: int = 4) -> Any:
    """Return a value with what is inside of tuples, lists, mappings and dataclasses changed.

    ``change`` is asked for each value, the outermost first; where it returns NotImplemented, what is inside
    of the value is changed, and the container stays what it is.
    """
    made = change(value)
    if made is not NotImplemented:
        return made
    if depth == 0 or isinstance(value, (str, bytes, type)):
        return value

    def inside(one: Any) -> Any:
        return mapped(one, change, depth - 1)

    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(inside, value))
    if type(value) in {tuple, list}:
        return type(value)(map(inside, value))
    new: Any
    if isinstance(value, MutableMapping):
        new = copy.copy(value)
        for key, one in value.items():
            new[key] = inside(one)
        return new
    if is_dataclass(value):
        new = copy.copy(value)
        for field in fields(value):
            object.__setattr__(new, field.name, inside(getattr(value, field.name, None)))
        return new
    return value


def sample(tensor: Tensor, units: int, limit: int = ENOUGH) -> Tensor:
    """Return at most about ``limit`` elements as float32, with every unit (index of that dimension).

    The other dimensions are thinned by strides, the longest first, but a few examples stay. It is a copy
    whose elements lie close together: all that is asked of it touches little memory, at any time.
    """
    if tensor.numel() > limit:
        tensor = tensor[_thinned(tuple(tensor.shape), units, limit)]
    return tensor.to(torch.float32, memory_format=torch.contiguous_format, copy=True)


@lru_cache(maxsize=1024)
def _thinned(shape: tuple[int, ...], units: int, limit: int) -> tuple[slice, ...]:
    """Return the elements of each dimension that a sample holds."""
    strides = [1] * len(shape)
    kept = list(shape)
    while math.prod(kept) > limit:
        few = [EXAMPLES, *[1] * (len(shape) - 1)]
        free = [at for at in range(len(shape)) if at != units % len(shape) and kept[at] > few[at]]
        if not free:
            break
        longest = max(free, key=kept.__getitem__)
        strides[longest] *= 2
        kept[longest] = math.ceil(shape[longest] / strides[longest])
    return tuple(slice(None, None, stride) for stride in strides)


def blocks(tensor: Tensor, limit: int) -> Tensor:
    """Return at most about ``limit`` elements, in pieces that lie close together, always the same ones."""
    count = tensor.numel()
    if count <= limit or not tensor.is_contiguous():
        return tensor if count <= limit else spread_out(tensor, limit)
    pieces = tensor.view(-1)[: count // PIECE * PIECE].view(-1, PIECE)
    return pieces[:: math.ceil(count / limit)]


def spread_out(tensor: Tensor, count: int) -> Tensor:
    """Return at most ``count`` elements as a flat view or copy, evenly spread, always the same ones."""
    flat = tensor.reshape(-1) if tensor.is_contiguous() else tensor.flatten()
    elements = flat.numel()
    if elements <= count:
        return flat
    stride = elements // count
    row = tensor.shape[-1] if tensor.dim() > 1 else 1
    while stride > 1 and math.gcd(stride, row) != 1:
        stride -= 1  # or it would see one column only
    return flat[::stride][:count]
