"""Probes a model that is named on the command line."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.probe import probed
from trainlint.runtime.signals import Origin
from trainlint.runtime.trials.feeding import first_of, moved, place_of
from trainlint.runtime.trials.loading import arguments, blaming, device_of, load, random_inputs
from trainlint.runtime.trials.restoring import chance_restored, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.config import Settings
    from trainlint.runtime.trials.probed import ProbeReport


def probed_by_name(target: str, options: dict[str, Any], settings: Settings) -> ProbeReport:
    """Make the model and its batch, and measure."""
    dtype = getattr(torch, options["dtype"], None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        known = ("float32", "float64", "float16", "bfloat16")
        msg = f"--dtype: no such type is known: `{options['dtype']}`{nearest(options['dtype'], known)}"
        raise UserError(msg)
    device = device_of(options["device"])
    given = load(target)
    make = _factory(given, target, arguments(options["args"]), device, dtype)
    loss: Any = options["loss"]
    if loss is not None and ":" in loss:
        loss = load(loss, "--loss")
        if inspect.isclass(loss):
            with blaming("making the loss", loss):
                loss = loss()
    with chance_restored():
        seeded(0)
        if options["batch"]:
            function = load(options["batch"], "--batch")
            with blaming("the batch", function):
                made = function() if callable(function) else function
                batch = moved(first_of(made), device, dtype)
        else:
            batch = random_inputs(options["inputs"], dtype, device)
    first = _tuple(batch, has_target=bool(options["batch"]) or loss is None)
    with blaming("probing the model", given):
        return probed(
            make,
            first,
            loss,
            settings,
            origin=_origin(given, target),
            seeds=options["seeds"],
            remedy=options["remedy"],
        )


def _tuple(batch: Any, *, has_target: bool) -> Any:
    """Return random inputs with a place for the target, which the loss then draws."""
    if has_target or isinstance(batch, dict):
        return batch
    return (*batch, None) if isinstance(batch, tuple) else (batch, None)


def _factory(
    given: Any, target: str, args: dict[str, Any], device: torch.device, dtype: torch.dtype
) -> Callable[[], Any]:
    """Return a function that makes the model on a device and in a type."""
    if not callable(given):
        msg = f"{target} is of type `{type(given).__name__}`, neither a model nor a function that makes one"
        raise UserError(msg)
    if isinstance(given, nn.Module) and args:
        msg = f"--arg: {target} is a model already, nothing makes it"
        raise UserError(msg)

    def make() -> Any:
        if isinstance(given, nn.Module):
            return given.to(device, dtype)
        with blaming("making the model", given):
            model = given(**args)
            if not isinstance(model, nn.Module) or any(one.is_meta for one in model.parameters()):
                return model  # which the probe refuses in its own words
            return model.to(device, dtype)

    return make


def _origin(given: Any, target: str) -> Origin:
    """Return the line where the factory is defined."""
    path, _, line = place_of(given).removesuffix(": ").rpartition(":")
    return Origin(path, int(line)) if path else Origin(target.rpartition(":")[0], 1)
