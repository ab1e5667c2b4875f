"""Makes single steps of the user's training, for what tries some and undoes them."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trainlint.core.errors import UserError
from trainlint.runtime.feeding import loss_of, moved, place_of, split

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Stepper:
    """Takes batches of a loader that begins anew where it ends, and makes steps with them."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Any
    loader: Any
    scaler: Any = None
    autocast: torch.dtype | None = None
    accumulate: int = 1
    ratios: list[float] = field(init=False)
    """The rates of the groups over the largest of them."""
    batches: Iterator[Any] = field(init=False)
    device: torch.device = field(init=False)

    def __post_init__(self) -> None:
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        largest = max(rates, default=0.0)
        self.ratios = [one / largest if largest > 0 else 1.0 for one in rates]
        self.device = next(self.model.parameters()).device
        self.batches = self._endless()

    def _endless(self) -> Iterator[Any]:
        """Yield the batches of the loader again and again, on the device of the model."""
        while True:
            count = 0
            for batch in self.loader:
                count += 1
                yield moved(batch, self.device)
            if not count:
                msg = f"{place_of(self.loader)}the loader has no batches"
                raise UserError(msg)

    def set_rate(self, rate: float) -> None:
        """Set the rate of the groups; several keep their ratio to the largest."""
        for group, ratio in zip(self.optimizer.param_groups, self.ratios, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio

    def backward(self, batch: Any, share: float = 1.0) -> float:
        """Add the gradient of a batch's loss times ``share`` to what is there, and return the loss.

        One that is not finite adds nothing.
        """
        args, kwargs, target = split(self.model, batch, has_loss=self.loss is not None)
        context: Any = contextlib.nullcontext()
        if self.autocast is not None:
            context = torch.autocast(self.device.type, self.autocast)
        with context:
            value, _ = loss_of(self.loss, self.model(*args, **kwargs), target)
        loss = float(value.detach())
        if not math.isfinite(loss):
            return math.nan
        value = value * share
        scaled: Tensor = value if self.scaler is None else self.scaler.scale(value)
        scaled.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return loss

    def update(self) -> None:
        """Let the optimizer use the gradients that are there."""
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()

    def step(self) -> float:
        """Make one step and return the loss; one that is not finite changes nothing."""
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for _ in range(self.accumulate):
            total += self.backward(next(self.batches), 1 / self.accumulate) / self.accumulate
            if not math.isfinite(total):
                return math.nan
        self.update()
        return total


def refuse(model: Any, loader: Any) -> None:
    """Raise where no steps can be tried.

    Raises:
        UserError: No parameter is trained, or the loader can be gone through only once.

    """
    if not isinstance(model, nn.Module):
        msg = f"the model is a {type(model).__name__}, not a torch.nn.Module"
        raise UserError(msg)
    if not any(one.requires_grad for one in model.parameters()):
        msg = f"{place_of(model)}no parameter of `{type(model).__name__}` requires a gradient"
        raise UserError(msg)
    if hasattr(loader, "__next__"):
        msg = "the loader can be gone through once, and trying would use it up: give what makes it"
        raise UserError(msg)
