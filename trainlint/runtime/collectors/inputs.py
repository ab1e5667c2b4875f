"""Signals of what a model is given: its scale, whether it varies, and whether the output depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from trainlint.runtime.signals import Signal
from trainlint.runtime.tensors import is_plain, sample, spread_out, tensors_in

if TYPE_CHECKING:
    from trainlint.runtime.gathering import Gathering

FEATURES: Final = 1 << 16
KEPT: Final = 1024
"""Elements of an output that are kept to be compared with the next one."""


@dataclass
class Inputs:
    """Looks at the inputs and outputs of a model; remembers the last output and what features vary."""

    _least: Tensor | None = None
    _most: Tensor | None = None
    _output: Tensor | None = None
    _print: Tensor | None = None
    _last_print: Tensor | None = None

    def given(self, inputs: object, gathering: Gathering) -> None:
        """Look at what the model is given."""
        self._print = None
        tensors = list(tensors_in(inputs))
        if not tensors:
            return
        first = tensors[0]
        if first.dim() == 0 or first.numel() == 0 or first.device.type == "meta":
            return
        if torch._C._functorch.is_functorch_wrapped_tensor(first):  # noqa: SLF001
            return
        gathering.add(Signal.BATCH_SIZE, "", first.shape[0])
        self._print = _fingerprint(first.detach())
        gathering.add(Signal.INPUT_FINGERPRINT, "", self._print)
        if not is_plain(first) or first.is_complex() or first.dim() < 2:
            return
        features = 1 if first.dim() in {4, 5} else -1
        seen = sample(first.detach(), features).movedim(features, 0).flatten(1)
        if seen.shape[0] > FEATURES:
            return
        mean = seen.mean(1)
        std = (seen - mean[:, None]).square().mean(1).sqrt()
        moving = std > 0
        gathering.add(Signal.INPUT_STD, "", (seen - seen.mean()).square().mean().sqrt())
        offset = torch.where(moving, mean.abs() / std.clamp(min=1e-30), 0.0)
        gathering.add(Signal.INPUT_OFFSET, "", offset.max())
        smallest = torch.where(moving, std, torch.inf).min()
        gathering.add(Signal.INPUT_SPREAD, "", torch.where(moving.any(), std.max() / smallest, 1.0))
        self._note_range(seen, gathering)

    def made(self, output: object, gathering: Gathering) -> None:
        """Compare the model's output with that for the batch before."""
        tensor = next((one for one in tensors_in(output) if is_plain(one)), None)
        if tensor is None or self._print is None:
            return
        now = spread_out(tensor.detach(), KEPT).float()
        before, last = self._output, self._last_print
        if (
            before is not None
            and last is not None
            and before.shape == now.shape
            and (before.device == now.device)
        ):
            change = (now - before).square().mean().sqrt()
            scale = before.square().mean().sqrt().clamp(min=1e-30)
            differs = self._print != last.to(self._print.device)
            gathering.add(Signal.OUTPUT_CHANGE, "", torch.where(differs, change / scale, torch.nan))
        self._output, self._last_print = now.clone(), self._print

    def _note_range(self, seen: Tensor, gathering: Gathering) -> None:
        """Remember between which values each feature has been."""
        least, most = seen.amin(1), seen.amax(1)
        old_least, old_most = self._least, self._most
        if old_least is not None and old_most is not None and old_least.shape == least.shape:
            least = torch.minimum(least, old_least.to(least.device))
            most = torch.maximum(most, old_most.to(most.device))
        self._least, self._most = least, most
        gathering.add(Signal.INPUT_CONSTANT, "", (least == most).float().mean())


def _fingerprint(tensor: Tensor) -> Tensor:
    """Return a number that depends on some elements and their places."""
    values = spread_out(tensor, KEPT)
    values = values.abs() if values.is_complex() else values
    weights = torch.linspace(1.0, 2.0, values.numel(), device=values.device, dtype=torch.float32)
    return (values.float() * weights).sum() + 1e-3 * tensor.shape[0]
