"""Gives a batch to a model and what comes out to a loss, whatever shapes both have."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.tensors import is_plain, mapped, tensors_in
from trainlint.runtime.trials.loader_places import loader_restored, workers_apart
from trainlint.runtime.trials.memory import has_run_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Loss = str | nn.Module | Callable[..., Any] | None

LOSSES: Final = ("cross_entropy", "mse", "l1", "huber", "bce_with_logits", "bce", "nll")
CLASSIFYING: Final = ("cross_entropy", "nll")
"""Those whose targets are classes."""
_TARGETS: Final = ("labels", "label", "targets", "target", "y")
_SEQUENCES: Final = 3


def moved(value: Any, device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """Return a batch on a device; floating-point tensors in a type, too."""

    def change(one: Any) -> Any:
        if isinstance(one, Tensor):
            kind = dtype if dtype is not None and one.is_floating_point() else one.dtype
            return one.to(device, kind)
        # a batch of a library that knows how to move itself, such as a graph
        knows = callable(getattr(one, "to", None)) and not isinstance(one, Mapping)
        return one.to(device) if knows else NotImplemented

    return mapped(value, change)


def first_of(batch: Any) -> Any:
    """Return the first batch of a loader or an iterator; anything else is the batch.

    Raises:
        UserError: There is none.

    """
    if batch is None:
        msg = "the batch is None"
        raise UserError(msg)
    if not isinstance(batch, (DataLoader, Iterator)):
        return batch
    try:
        with ExitStack() as stack:
            if isinstance(batch, DataLoader):
                stack.enter_context(loader_restored(batch))
                stack.enter_context(workers_apart(batch))
            return next(iter(batch))
    except StopIteration as error:
        msg = f"the batch is a {type(batch).__name__} without any"
        raise UserError(msg) from error


def refuse_empty(inputs: Any) -> None:
    """Refuse inputs without a single number.

    Raises:
        UserError: They are such.

    """
    found = list(tensors_in(inputs))
    if found and not any(one.numel() for one in found):
        msg = f"the batch is empty: the model is given the shape {tuple(found[0].shape)}"
        raise UserError(msg)


def copied(inputs: Any) -> Any:
    """Return inputs with tensors of their own, whose gradients are not those of the user's; once each."""
    known: dict[int, Tensor] = {}

    def change(one: Any) -> Any:
        if not isinstance(one, Tensor):
            return NotImplemented
        if id(one) not in known:
            known[id(one)] = one.detach().clone().requires_grad_(one.requires_grad)
        return known[id(one)]

    return mapped(inputs, change)


def takes(model: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Say whether the forward of a model can be called so."""
    try:
        inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True


def split(model: nn.Module, batch: Any, *, has_loss: bool) -> tuple[tuple[Any, ...], dict, Any]:  # type: ignore[type-arg]
    """Return what of a batch the model is given, by place and by name, and the target."""
    if isinstance(batch, Mapping):
        given = dict(batch)
        label = next((one for one in _TARGETS if one in given), None)
        if label is None:
            return ((), given, batch) if takes(model, (), given) else ((batch,), {}, batch)
        target = given[label]
        rest = {key: value for key, value in given.items() if key != label}
        if not has_loss and takes(model, (), given):
            return (), given, target
        return ((), rest, target) if takes(model, (), rest) else ((batch,), {}, target)
    if isinstance(batch, (tuple, list)) and not hasattr(batch, "_fields"):
        if has_loss and len(batch) > 1:
            return *_given(model, tuple(batch[:-1])), batch[-1]
        if takes(model, tuple(batch), {}):
            return tuple(batch), {}, None
        if len(batch) > 1 and takes(model, tuple(batch[:-1]), {}):
            return tuple(batch[:-1]), {}, batch[-1]
        return (batch,), {}, None
    return (batch,), {}, batch if has_loss and not isinstance(batch, Tensor) else None


def _given(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return how a model takes the inputs of a batch; one that is several itself is taken apart."""
    only = inputs[0] if len(inputs) == 1 else None
    if isinstance(only, Mapping) and _is_named(model, only) and takes(model, (), only):
        return (), dict(only)
    if takes(model, inputs, {}):
        return inputs, {}
    several = isinstance(only, (tuple, list)) and takes(model, tuple(only), {})
    return (tuple(only) if several else (inputs,)), {}  # type: ignore[arg-type]


def _is_named(model: nn.Module, inputs: Mapping[str, Any]) -> bool:
    """Say whether the names of some inputs are those of the arguments of a model's forward."""
    try:
        known = inspect.signature(model.forward).parameters
    except (TypeError, ValueError):
        return False
    return bool(inputs) and all(one in known for one in inputs)


def loss_of(loss: Any, output: Any, target: Any) -> tuple[Tensor, str]:
    """Return a scalar to go backward from, and what it is where it is no loss of the user.

    Raises:
        UserError: There is no tensor to go backward from, or the name of the loss is not known.

    """
    if callable(loss):
        try:
            value = loss(output, target)
        except (AttributeError, TypeError) as error:
            if target is not None:
                raise
            msg = (
                f"{place_of(loss)}the loss is given no target, and fails ({type(error).__name__}: {error}):"
                " give a batch whose last member is the target"
            )
            raise UserError(msg) from error
        found = value if isinstance(value, Tensor) else _own_loss(value)
        if found is None:
            msg = f"{place_of(loss)}the loss is of type `{type(value).__name__}`, not a tensor"
            raise UserError(msg)
        return _checked(found, loss), ""
    own = _own_loss(output) if loss is None else None
    if own is not None:
        return _checked(own, loss), ""
    made = differentiable(output)
    if not made:
        msg = (
            "no output of the model depends on its parameters: there is nothing to go backward from"
        )
        raise UserError(msg)
    if loss is None:
        return (
            projection(made),
            "gradients are those of a random projection of the output, for there is no loss",
        )
    return _named(str(loss), made[0], target)


def _own_loss(output: Any) -> Tensor | None:
    """Return the loss that a model computes itself.

    It is its `loss`, the one number that it returns, alone or among others, or the sum of a mapping of
    nothing but numbers.
    """
    if isinstance(output, Tensor):
        return output if _is_loss(output) else None
    if isinstance(output, tuple) and not hasattr(output, "_fields"):
        numbers = [one for one in output if isinstance(one, Tensor) and one.dim() == 0]
        return numbers[0] if len(output) > 1 and len(numbers) == 1 else None
    found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
    if isinstance(found, Tensor):
        return found if found.numel() == 1 else None
    if isinstance(output, Mapping) and output and all(map(_is_loss, output.values())):
        return torch.stack(list(output.values())).sum()
    return None


def _is_loss(value: Any) -> bool:
    """Say whether something is one number with a gradient."""
    return is_plain(value) and value.dim() == 0 and value.requires_grad


def closed(output: Any, depth: int = 4) -> str:
    """Return the class of something in an output that may hold tensors which nobody finds; or nothing."""
    if (
        depth == 0
        or output is None
        or isinstance(output, (Tensor, str, bytes, int, float, complex))
    ):
        return ""
    if isinstance(output, Mapping):
        inside: Iterable[Any] = output.values()
    elif isinstance(output, (tuple, list)):
        inside = output
    elif is_dataclass(output) and not isinstance(output, type):
        inside = (getattr(output, one.name, None) for one in fields(output))
    else:
        return type(output).__name__
    return next(filter(None, (closed(one, depth - 1) for one in inside)), "")


def differentiable(output: Any) -> list[Tensor]:
    """Return what of an output depends on the parameters; a loss with a name is that of the first."""
    return [one for one in tensors_in(output) if is_plain(one) and one.requires_grad]


def projection(outputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of random projections of outputs."""
    device = outputs[0].device
    return sum((_projected(one).to(device) for one in outputs), start=torch.zeros(()))


def _projected(output: Tensor) -> Tensor:
    """Return the product of an output with random signs, over its examples."""
    values = torch.view_as_real(output) if output.is_complex() else output
    signs = torch.empty_like(values, dtype=torch.float32).bernoulli_().mul_(2).sub_(1)
    return (values.float() * signs).sum() / max(1, values.shape[0] if values.dim() else 1)


def _checked(value: Tensor, loss: Any) -> Tensor:
    """Return a loss that `backward` can be called on."""
    if value.numel() != 1:
        msg = f"{place_of(loss)}the loss has the shape {tuple(value.shape)}, not one number"
        raise UserError(msg)
    if not value.requires_grad:
        msg = f"{place_of(loss)}the loss has no graph: it does not depend on the parameters"
        raise UserError(msg)
    return value.reshape(()) if value.dim() else value


def _named(name: str, output: Tensor, target: Any) -> tuple[Tensor, str]:
    """Return a loss of torch, of random targets where there are none."""
    name = known_as(name)
    if name not in LOSSES:
        msg = f"loss: no loss is called `{name}`{nearest(name, LOSSES)}"
        raise UserError(msg)
    note = ""
    values = output.float()
    functional = nn.functional
    if name in CLASSIFYING:
        is_plain_target = isinstance(target, Tensor) and (
            target.shape == values.shape[:1] + values.shape[2:]
            or (target.shape == values.shape and target.is_floating_point())  # shares of classes
        )
        if values.dim() == _SEQUENCES and not is_plain_target:
            values = values.flatten(0, 1)  # (batch, place, class)
            target = target.flatten() if isinstance(target, Tensor) else None
        if not isinstance(target, Tensor):
            shape = (values.shape[0], *values.shape[2:])
            target = torch.randint(values.shape[min(1, values.dim() - 1)], shape)
            note = "the loss is that of random targets, for none are given"
        target = target.to(values.device)
        call = functional.cross_entropy if name == "cross_entropy" else functional.nll_loss
        return _checked(_fitting(name, call, values, target), None), note
    if not isinstance(target, Tensor):
        note = "the loss is that of random targets, for none are given"
        target = (
            torch.randn_like(values) if "bce" not in name else torch.bernoulli(0 * values + 0.5)
        )
        target = target.detach()
    target = target.to(values.device, values.dtype)
    calls: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "mse": functional.mse_loss,
        "l1": functional.l1_loss,
        "huber": functional.huber_loss,
        "bce": functional.binary_cross_entropy,
        "bce_with_logits": functional.binary_cross_entropy_with_logits,
    }
    return _checked(_fitting(name, calls[name], values, target), None), note


def _fitting(
    name: str, call: Callable[[Tensor, Tensor], Tensor], output: Tensor, target: Tensor
) -> Tensor:
    """Return a loss of torch, or say in one line what does not fit.

    Raises:
        UserError: The output and the target are not such that the loss can be computed.

    """
    try:
        return call(output, target)
    except (IndexError, ValueError, RuntimeError) as error:
        if has_run_out(error):
            raise
        kind = str(target.dtype).removeprefix("torch.")
        msg = (
            f"`{name}` of an output of shape {tuple(output.shape)} and a target of shape"
            f" {tuple(target.shape)} ({kind}) fails ({type(error).__name__}: {error})"
        )
        raise UserError(" ".join(msg.split())) from error


def known_as(name: str) -> str:
    """Return what a loss is called here: `cross-entropy` and `nll_loss` are meant, too."""
    return name.replace("-", "_").removesuffix("_loss")


def place_of(function: Any) -> str:
    """Return where a function or a class of the user is defined, `model.py:12: `; nothing for others."""
    from trainlint.runtime.source.user_code import is_user_code, shown  # noqa: PLC0415

    try:
        target = (
            function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
        )
        file = inspect.getsourcefile(target)
        if file is None or not is_user_code(file):
            return ""
        return f"{shown(file)}:{inspect.getsourcelines(target)[1]}: "
    except (OSError, TypeError):
        return ""
