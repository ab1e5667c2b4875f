"""How large a batch is, and one of another size made of the same examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainlint.core.errors import UserError
from trainlint.runtime.tensors import mapped, tensors_in


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the batches of a loader have their examples."""

    size: int
    """How many examples a full batch has."""
    place: int
    """Which of its tensors tells how many it has."""
    dimension: int
    """The dimension of this tensor that counts them."""

    def of(self, batch: Any) -> int | None:
        """Return how many examples a batch has; None where it is not made as the others are."""
        for at, one in enumerate(tensors_in(batch)):
            if at == self.place:
                return one.shape[self.dimension] if one.dim() > self.dimension else None
        return None

    def resized(self, batch: Any, size: int) -> Any:
        """Return a batch of another size, with the examples of a full one again and again.

        All tensors with as many rows as the batch has examples are changed, and lists of as many things.
        """

        def change(value: Any) -> Any:
            if isinstance(value, Tensor):
                at = self._dimension(value)
                if at is None:
                    return value
                index = torch.arange(size, device=value.device) % self.size
                return value.index_select(at, index)
            if (
                type(value) in {list, tuple}
                and len(value) == self.size
                and not any(self._dimension(one) is not None for one in tensors_in(value))
            ):
                return type(value)(value[at % self.size] for at in range(size))
            return NotImplemented

        return mapped(batch, change)

    def _dimension(self, tensor: Tensor) -> int | None:
        """Return the dimension of a tensor that counts the examples: the first, or the second."""
        return next((at for at in (0, 1) if tensor.shape[at : at + 1] == (self.size,)), None)


def shape_of(batch: Any, loader: Any) -> Shape:
    """Return where the batches of a loader have their examples, as its first one tells.

    Raises:
        UserError: Nothing in it tells how many examples there are.

    """
    said = getattr(loader, "batch_size", None)
    said = said if isinstance(said, int) else None
    for dimension in (0, 1):
        for at, one in enumerate(tensors_in(batch)):
            if one.dim() > dimension and one.shape[dimension] == (said or one.shape[dimension]):
                return Shape(one.shape[dimension], at, dimension)
    first = next(tensors_in(batch), None)
    if first is not None and first.dim():  # the only batch is smaller than the loader's are to be
        return Shape(first.shape[0], 0, 0)
    msg = "no tensor of the loader's batches tells how many examples they have"
    raise UserError(msg)
