"""Numbers on their way from the devices to the CPU: all of a step cross together, once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from trainlint.runtime import tensors as of_tensors
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

MANY: Final = 128
"""So many samples wait at most: a few MB."""

Values = dict[str, dict[str, float]]
Told = Iterable[tuple[str, str, float]]
"""Numbers as they are kept: a signal, the name of a layer or parameter, the value."""


@dataclass(slots=True)
class Gathering:
    """The signals of one step, still where they were measured."""

    _waiting: list[tuple[tuple[Tensor, ...], Callable[[list[float]], Told]]] = field(
        default_factory=list
    )
    _numbers: list[tuple[str, str, float]] = field(default_factory=list)
    _postponed: list[Callable[[], None]] = field(default_factory=list)

    def add(self, signal: str, name: str, value: Tensor | float) -> None:
        """Keep one number: a tensor with one element, on any device, or a plain number."""
        if isinstance(value, Tensor):
            self.later((value.detach().reshape(()),), lambda got: ((signal, name, got[0]),))
        else:
            self._numbers.append((signal, name, float(value)))

    def add_row(
        self,
        signal: str,
        names: Sequence[str],
        values: Tensor,
    ) -> None:
        """Keep one number for each name: a tensor of one dimension."""
        self.later(
            (values.detach(),),
            lambda got: ((signal, name, value) for name, value in zip(names, got, strict=True)),
        )

    def later(self, tensors: tuple[Tensor, ...], tell: Callable[[list[float]], Told]) -> None:
        """Keep tensors of no or one dimension; what they say is worked out of all their elements.

        Only once they have crossed: arithmetic with single numbers is cheap there, and dear on a device.
        """
        self._waiting.append((tensors, tell))

    def soon(self, look: Callable[[], None]) -> None:
        """Postpone looking at a sample that has been copied, until there are many.

        Small operations one after the other take a fraction of the time that each takes between two
        large ones of the training, which leave the caches cold.
        """
        self._postponed.append(look)
        if len(self._postponed) >= MANY:
            self.settle()

    def settle(self) -> None:
        """Look at all samples that wait for it."""
        postponed, self._postponed = self._postponed, []
        for look in postponed:
            look()

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing in it."""
        return not (self._waiting or self._numbers or self._postponed)

    def cross(self) -> Crossing:
        """Start the way to the CPU; nothing waits for it."""
        self.settle()
        tensors = [one for some, _ in self._waiting for one in some]
        kinds: dict[tuple[torch.device, torch.dtype, bool], list[int]] = defaultdict(list)
        for at, one in enumerate(tensors):
            kinds[one.device, one.dtype, one.dim() == 0].append(at)
        by_device: dict[torch.device, list[tuple[list[int], Tensor]]] = defaultdict(list)
        for (device, _, is_single), places in kinds.items():
            some = [tensors[at] for at in places]
            joined = torch.stack(some) if is_single else torch.cat(some)
            wide = torch.float64 if of_tensors.is_at_hand(joined) else torch.float32
            by_device[device].append((places, joined.to(wide)))
        crossing = Crossing(list(self._numbers), self._waiting)
        crossing.lengths = [one.numel() for one in tensors]
        for device, parts in by_device.items():
            joined = torch.cat([part for _, part in parts]) if len(parts) > 1 else parts[0][1]
            if device.type == "cuda":
                host = torch.empty(joined.shape, dtype=joined.dtype, pin_memory=True)
                host.copy_(joined, non_blocking=True)
                event = torch.cuda.Event()
                event.record(torch.cuda.current_stream(device))
                crossing.events.append(event)
                joined = host
            crossing.arriving.append(([at for places, _ in parts for at in places], joined))
        return crossing


@dataclass(slots=True)
class Crossing:
    """Numbers that are under way."""

    numbers: list[tuple[str, str, float]]
    waiting: list[tuple[tuple[Tensor, ...], Callable[[list[float]], Told]]]
    lengths: list[int] = field(default_factory=list)
    """How many elements each of the tensors has."""
    arriving: list[tuple[list[int], Tensor]] = field(default_factory=list)
    """For each device: which tensors lie one behind the other, and their elements."""
    events: list[torch.cuda.Event] = field(default_factory=list)

    @property
    def has_arrived(self) -> bool:
        """Say whether all are there."""
        return all(event.query() for event in self.events)

    def read(self) -> Values:
        """Wait for them, if they are not there yet, and return them by signal and name."""
        for event in self.events:
            event.synchronize()
        parts: list[list[float]] = [[] for _ in self.lengths]
        for places, joined in self.arriving:
            flat = joined.tolist()
            start = 0
            for at in places:
                end = start + self.lengths[at]
                parts[at] = flat[start:end]
                start = end
        values: dict[str, dict[str, float]] = defaultdict(dict)
        several: dict[tuple[str, str], list[float]] = {}
        for signal, name, value in self._told(parts):
            known = values[signal]
            if name in known:
                several.setdefault((signal, name), [known[name]]).append(value)
            else:
                known[name] = value
        for (signal, name), each in several.items():
            values[signal][name] = _combined(signal, each)
        for one in _MEANINGLESS & values.keys():
            values[one] = {
                name: value for name, value in values[one].items() if not math.isnan(value)
            }
        return {str(signal): each for signal, each in values.items() if each}

    def _told(self, parts: list[list[float]]) -> Iterator[tuple[str, str, float]]:
        """Yield what the elements of all tensors say, and the numbers that never were on a device."""
        yield from self.numbers
        at = 0
        for tensors, tell in self.waiting:
            many = len(tensors)
            got = (
                parts[at] if many == 1 else [one for part in parts[at : at + many] for one in part]
            )
            at += many
            yield from tell(got)


def _combined(signal: str, values: list[float]) -> float:
    """Return one number for the several that a layer gave in a step."""
    if signal in _ADDED:
        return sum(values)
    if signal in _SMALLEST:
        return min((value for value in values if value == value), default=values[0])  # noqa: PLR0124
    if signal in _LARGEST:
        return max(values, key=lambda value: (math.isnan(value), value))
    return sum(values) / len(values)
