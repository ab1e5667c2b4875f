"""Numbers on their way from the devices to the CPU: all of a step cross together, once."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST: Final = frozenset(
    {
        Signal.LARGEST,
        Signal.NON_FINITE,
        Signal.NON_FINITE_INPUT,
        Signal.HALF_OVERFLOW,
        Signal.ATTENTION_LOGIT,
        Signal.GRADIENT_MAX,
        Signal.BROADCAST,
        Signal.CALLS,
    }
)
"""The signals of which the largest counts where there are several of one name; of others the mean."""
_MEANINGLESS: Final = frozenset(
    {Signal.UPDATE_RATIO, Signal.DECAY_RATIO, Signal.ADAM_UPDATE, Signal.OUTPUT_CHANGE}
)
"""The ratios of which NaN says that there is nothing to compare with: they are left out then."""
_ADDED: Final = frozenset({Signal.CALLS})
_SMALLEST: Final = frozenset({Signal.OUTPUT_CHANGE})
"""Between two forward passes of one step no weight has changed: the smaller is the input's part."""

Values = dict[str, dict[str, float]]


@dataclass(slots=True)
class Gathering:
    """The signals of one step, still where they were measured."""

    _tensors: list[tuple[str, tuple[str, ...], Tensor]] = field(default_factory=list)
    _numbers: list[tuple[str, str, float]] = field(default_factory=list)

    def add(self, signal: str, name: str, value: Tensor | float) -> None:
        """Keep one number: a tensor with one element, on any device, or a plain number."""
        if isinstance(value, Tensor):
            self._tensors.append((signal, (name,), value.detach().reshape(1)))
        else:
            self._numbers.append((signal, name, float(value)))

    def add_row(self, signal: str, names: Sequence[str], values: Tensor) -> None:
        """Keep one number for each name: a tensor of one dimension."""
        self._tensors.append((signal, tuple(names), values.detach()))

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing in it."""
        return not (self._tensors or self._numbers)

    def cross(self) -> Crossing:
        """Start the way to the CPU; nothing waits for it."""
        by_device: dict[torch.device, list[tuple[str, tuple[str, ...], Tensor]]] = defaultdict(list)
        for one in self._tensors:
            by_device[one[2].device].append(one)
        crossing = Crossing(list(self._numbers))
        for device, rows in by_device.items():
            joined = torch.cat(
                [
                    values.to(torch.float64 if device.type == "cpu" else torch.float32)
                    for _, _, values in rows
                ]
            )
            if device.type == "cuda":
                host = torch.empty(joined.shape, dtype=joined.dtype, pin_memory=True)
                host.copy_(joined, non_blocking=True)
                event = torch.cuda.Event()
                event.record(torch.cuda.current_stream(device))
                crossing.events.append(event)
                joined = host
            crossing.arriving.append(([(signal, names) for signal, names, _ in rows], joined))
        return crossing


@dataclass(slots=True)
class Crossing:
    """Numbers that are under way."""

    numbers: list[tuple[str, str, float]]
    arriving: list[tuple[list[tuple[str, tuple[str, ...]]], Tensor]] = field(default_factory=list)
    events: list[torch.cuda.Event] = field(default_factory=list)

    @property
    def has_arrived(self) -> bool:
        """Say whether reading them waits for nothing."""
        return all(event.query() for event in self.events)

    def read(self) -> Values:
        """Wait until they are there and return them by signal and name."""
        for event in self.events:
            event.synchronize()
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for signal, name, value in self.numbers:
            found[signal][name].append(value)
        for rows, joined in self.arriving:
            flat = joined.tolist()
            at = 0
            for signal, names in rows:
                for name in names:
                    found[signal][name].append(flat[at])
                    at += 1
        values = {
            str(signal): {
                name: number
                for name, each in values.items()
                if not math.isnan(number := _combined(signal, each)) or signal not in _MEANINGLESS
            }
            for signal, values in found.items()
        }
        return {signal: each for signal, each in values.items() if each}


def _combined(signal: str, values: list[float]) -> float:
    """Return one number for the several that a layer gave in a step."""
    if len(values) == 1:
        return values[0]
    if signal in _ADDED:
        return sum(values)
    if signal in _SMALLEST:
        return min((value for value in values if value == value), default=values[0])  # noqa: PLR0124
    if signal in _LARGEST:
        return max(values, key=lambda value: (math.isnan(value), value))
    return sum(values) / len(values)
