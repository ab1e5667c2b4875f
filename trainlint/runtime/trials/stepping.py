"""Makes single steps of the user's training, for what tries some and undoes them."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.tensors import tensors_in
from trainlint.runtime.trials.feeding import (
    CLASSIFYING,
    LOSSES,
    copied,
    known_as,
    loss_of,
    moved,
    place_of,
    split,
)
from trainlint.runtime.trials.memory import has_run_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ONCE: Final = ("builtins", "itertools", "torch.utils.data.dataloader")
"""Whose iterators begin nowhere anew; one of a class of the user's may."""


@dataclass
class Stepper:
    """Takes batches of a loader that begins anew where it ends, and makes steps with them."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Any
    loader: Any
    scaler: Any = None
    autocast: torch.dtype | str | None = None
    accumulate: int = 1
    broken: list[Any] = field(default_factory=list)
    """The last batch whose loss was not finite."""
    batches: Iterator[Any] = field(init=False)
    device: torch.device = field(init=False)
    _ratios: list[float] = field(init=False)
    _sign: float = field(init=False)
    _wants_closure: bool = field(init=False)
    _type: torch.dtype | None = field(init=False)

    def __post_init__(self) -> None:
        self._ratios = _ratios(self.optimizer)
        self._type = _type_of(self.autocast)
        self._sign = -1.0 if maximises(self.optimizer) else 1.0
        self.device = next(self.model.parameters()).device
        # not a method: a circle of references would keep the workers of a loader alive
        self.batches = _endless(self.loader, self.device)
        parameters = _parameters(self.optimizer.step)
        self._wants_closure = "closure" in parameters and (
            parameters["closure"].default is inspect.Parameter.empty
        )

    def train(self) -> None:
        """Begin to train; parts that are not to train, such as a frozen norm, stay as they are."""
        if not self.model.training:
            self.model.train()

    def trained(self) -> list[Tensor]:
        """Return what the optimizer trains."""
        return [one for group in self.optimizer.param_groups for one in group["params"]]

    def clear(self) -> None:
        """Forget all gradients, also of what the optimizer does not train."""
        self.optimizer.zero_grad(set_to_none=True)
        self.model.zero_grad(set_to_none=True)

    def set_rate(self, rate: float) -> None:
        """Set the rate of the groups; several keep their ratio to the largest."""
        for group, ratio in zip(self.optimizer.param_groups, self._ratios, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio

    def backward(self, batch: Any, share: float = 1.0) -> float:
        """Add the gradient of a batch's loss times ``share`` to what is there, and return the loss.

        One that is not finite adds nothing. Where the optimizer maximises, its negative is returned.
        """
        args, kwargs, target = split(self.model, batch, has_loss=self.loss is not None)
        if target is None and len(args) == 1 and not kwargs and not _judges_classes(self.loss):
            target = args[0]  # an autoencoder is to give back what it is given
        context: Any = contextlib.nullcontext()
        if self.autocast is not None:
            context = torch.autocast(self.device.type, self._type)
        given, named = copied((args, kwargs))  # a model may write to what it is given
        with context:
            value, note = loss_of(self.loss, self.model(*given, **named), target)
        if note:
            raise UserError(_without_loss(self.model, self.loss))
        loss = float(value.detach())
        if not math.isfinite(loss):
            self.broken[:] = [batch]
            return math.nan
        value = value * share
        scaled: Tensor = value if self.scaler is None else self.scaler.scale(value)
        scaled.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return self._sign * loss

    def step(self) -> float:
        """Make one step and return the loss; one that is not finite changes nothing."""
        return self.step_with(list(itertools.islice(self.batches, self.accumulate)))

    def step_with(self, batches: Sequence[Any]) -> float:
        """Make one step with the mean gradient of some batches, and return their mean loss."""
        total = self._gradient(batches)
        if math.isfinite(total):
            self._update(batches)
        return total

    def _gradient(self, batches: Sequence[Any]) -> float:
        """Set the gradient to the mean of those of some batches, and return their mean loss."""
        self.clear()
        share, total = 1 / len(batches), 0.0
        for batch in batches:
            total += self.backward(batch, share) * share
            if not math.isfinite(total):
                return math.nan
        return total

    def _update(self, batches: Sequence[Any]) -> None:
        """Let the optimizer use the gradients that are there, or find others itself, as LBFGS does."""

        def closure() -> Tensor:
            with torch.enable_grad():
                return torch.tensor(self._sign * self._gradient(batches))

        if self.scaler is not None:
            if self._wants_closure and self.scaler.is_enabled():
                msg = f"`{type(self.optimizer).__name__}` needs a closure, and a GradScaler gives it none"
                raise UserError(msg)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            return
        if not self._wants_closure:
            try:
                self.optimizer.step()
            except Exception as error:
                if "closure" not in _parameters(self.optimizer.step) or has_run_out(error):
                    raise
                self._wants_closure = True  # it may say that it needs one only here
                with contextlib.suppress(Exception):
                    self.optimizer.step(closure)  # type: ignore[arg-type, unused-ignore]
                    return
                raise
            return
        self.optimizer.step(closure)  # type: ignore[arg-type, unused-ignore]


def _type_of(autocast: torch.dtype | str | None) -> torch.dtype | None:
    """Return the type of mixed precision, which may be given by its name."""
    found = getattr(torch, autocast, None) if isinstance(autocast, str) else autocast
    is_known = isinstance(found, torch.dtype) and found.is_floating_point
    if autocast is not None and not is_known:
        msg = f"autocast: expects a type such as torch.bfloat16, not `{autocast}`"
        raise UserError(msg)
    return found


def _endless(loader: Any, device: torch.device) -> Iterator[Any]:
    """Yield the batches of a loader again and again, on a device."""
    for passed in itertools.count():
        count = 0
        for batch in loader() if _makes_batches(loader) else loader:
            count += 1
            yield moved(batch, device)
        if not count:
            again = " when it is gone through again" if passed else ""
            msg = f"{place_of(loader)}the loader has no batches{again}"
            raise UserError(msg)


def _makes_batches(loader: Any) -> bool:
    """Say whether a loader is a function that makes one."""
    return callable(loader) and not isinstance(loader, Iterable)


def _ratios(optimizer: torch.optim.Optimizer) -> list[float]:
    """Return the rates of the groups over the largest of them; a warm-up may begin with none at all."""
    for key in ("lr", "initial_lr"):
        rates = [group.get(key) for group in optimizer.param_groups]
        largest = max((float(one) for one in rates if one is not None), default=0.0)
        if largest > 0:
            return [float(one or 0.0) / largest for one in rates]
    return [1.0 for _ in optimizer.param_groups]


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function; none where it does not tell them."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _takes_two(loss: Any) -> bool:
    """Say whether a loss can be called with output and target, as far as it tells."""
    try:
        inspect.signature(loss.forward if isinstance(loss, nn.Module) else loss).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True


def _judges_classes(loss: Any) -> bool:
    """Say whether a loss is named whose targets are classes."""
    return isinstance(loss, str) and known_as(loss) in CLASSIFYING


def _without_loss(model: nn.Module, loss: Any) -> str:
    """Return why there is no loss of the training itself."""
    place = place_of(model)
    if loss is None:
        return f"{place}the model returns no loss of its own: give one, a function or a name such as `mse`"
    return f"{place}the batches of the loader have no targets for the loss `{loss}`"


def maximises(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether an optimizer raises the loss."""
    return any(group.get("maximize") is True for group in optimizer.param_groups)


def refuse(model: Any, optimizer: Any, loss: Any, loader: Any, *, needs_rate: bool) -> None:
    """Raise where no steps can be tried.

    Raises:
        UserError: No parameter is trained, or none by the optimizer, or it has no rate to be set; or the
            loader can be gone through only once, or gives single examples.

    """
    if not isinstance(model, nn.Module):
        msg = f"the model is of type `{type(model).__name__}`, not a torch.nn.Module"
        raise UserError(msg)
    if not isinstance(optimizer, torch.optim.Optimizer):
        msg = f"the optimizer is of type `{type(optimizer).__name__}`, not a torch.optim.Optimizer"
        raise UserError(msg)
    if any(nn.parameter.is_lazy(one) for one in model.parameters()):
        msg = f"{place_of(model)}the model has lazy layers: give it a batch before its optimizer is made"
        raise UserError(msg)
    trained = {id(one) for one in model.parameters() if one.requires_grad}
    if not trained:
        msg = f"{place_of(model)}no parameter of `{type(model).__name__}` requires a gradient"
        raise UserError(msg)
    if trained.isdisjoint(id(one) for group in optimizer.param_groups for one in group["params"]):
        msg = f"{place_of(model)}the optimizer has no parameter of `{type(model).__name__}`"
        raise UserError(msg)
    if needs_rate and any(
        not isinstance(group.get("lr"), (int, float, Tensor)) for group in optimizer.param_groups
    ):
        msg = f"the optimizer `{type(optimizer).__name__}` has no learning rate to be set"
        raise UserError(msg)
    if isinstance(loss, str) and known_as(loss) not in LOSSES:
        msg = f"no loss is called `{loss}`{nearest(known_as(loss), LOSSES)}"
        raise UserError(msg)
    if not (loss is None or isinstance(loss, str) or callable(loss)):
        msg = f"the loss is of type `{type(loss).__name__}`, not a function or the name of one"
        raise UserError(msg)
    if callable(loss) and not _takes_two(loss):
        msg = (
            f"{place_of(loss)}the loss takes other arguments than output and target: give a function of"
            " these two"
        )
        raise UserError(msg)
    _refuse_loader(loader)


def _refuse_loader(loader: Any) -> None:
    """Raise where a loader does not give batches again and again."""
    can_begin = isinstance(loader, Iterable) or hasattr(loader, "__getitem__")
    if hasattr(loader, "__next__") and (not can_begin or type(loader).__module__ in _ONCE):
        msg = (
            "the loader can be gone through once, and trying would use it up: give the function that"
            " makes it"
        )
        raise UserError(msg)
    if not can_begin and not callable(loader):
        msg = f"the loader is of type `{type(loader).__name__}`, which gives no batches"
        raise UserError(msg)
    if isinstance(loader, torch.utils.data.Dataset) and hasattr(loader, "__getitem__"):
        first = loader[0]
        parts = first if isinstance(first, (tuple, list)) else (first,)
        numbers = (one for one in parts if isinstance(one, (bool, int, float)))
        if any(one.dim() == 0 for one in tensors_in(first)) or any(True for _ in numbers):
            msg = (
                f"the loader is a dataset, `{type(loader).__name__}`, that gives single examples: give a"
                " DataLoader of it"
            )
            raise UserError(msg)
