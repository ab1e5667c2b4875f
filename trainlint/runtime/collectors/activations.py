"""Signals of layers: what modules and functions return, and the gradients that come back to them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import ref

import torch
from torch import Tensor, nn

from trainlint.runtime.anatomy import is_between
from trainlint.runtime.signals import RECTIFYING, Activation, Signal
from trainlint.runtime.tensors import ENOUGH, first_tensor, is_plain, local, sample, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainlint.runtime.collectors.attention import Attention
    from trainlint.runtime.gathering import Gathering
    from trainlint.runtime.signals import Layer

WINDOW: Final = 10
"""Measured steps for which a unit must be 0 to count as dead (runtime catalogue: `dead-relu`)."""
ENOUGH_SAMPLES: Final = 1000
"""The window grows until it holds as many values of each unit; a small batch proves little."""
LONGEST: Final = 100
"""The steps that it holds at most."""
CALLS: Final = 4
"""Of a layer that runs more often in a step, as in a loop over time, only the first calls are looked at."""
FLAT_TANH: Final = 0.97  # Glorot & Bengio 2010 look at the same part
FLAT_SIGMOID: Final = 0.03
FLAT_SOFTMAX: Final = 0.01
HALF_LIMIT: Final = 6e4  # float16 ends at 65504
ALIVE: Final = 1 << 16
"""How many elements are looked at to see which of its features a rectifier passes."""


@dataclass(slots=True)
class _Alive:
    """In which step the units of a rectifier were not 0 the last time, and how much was seen since when."""

    last: Tensor
    """By unit: the number of that step, counted from 1 by those that were looked at."""
    count: int = 0
    samples: deque[int] = field(default_factory=lambda: deque(maxlen=LONGEST))
    """Of the steps of the window: how many values of each unit were seen."""

    def add(self, masks: Sequence[Tensor], count: int) -> None:
        """Add a step, and forget the first ones that are not needed any more."""
        self.count += 1
        for mask in masks:
            self.last = self.last.masked_fill(mask, self.count)
        self.samples.append(count)
        while len(self.samples) > WINDOW and sum(self.samples) - self.samples[0] >= ENOUGH_SAMPLES:
            self.samples.popleft()

    @property
    def dead(self) -> Tensor:
        """How many units were 0 in all steps of the window."""
        return torch.count_nonzero(self.last <= self.count - len(self.samples))


@dataclass(slots=True)
class _Seen:
    """A tensor that has been looked at in this step; whoever is given it next need not look again."""

    tensor: ref[Tensor]
    version: int
    units: int
    """The dimension of its units."""
    numbers: Tensor | None = None
    """The elements that were looked at, as they were."""

    def is_of(self, tensor: Tensor) -> bool:
        """Say whether it is this tensor, and nobody has written to it since."""
        return self.tensor() is tensor and self.version == tensor._version  # noqa: SLF001


@dataclass
class Activations:
    """Looks at outputs while they are at hand; keeps only numbers, and which units were alive.

    ``around`` runs what looks at a gradient in the middle of a backward: with a clock and a guard.
    """

    around: Callable[[Callable[[Tensor], None], Tensor], None]
    enough: int = ENOUGH
    """How many elements of a tensor are looked at, at most."""
    whole: bool = False
    """Whether gradients are looked at whole: that of a last time step or of a token is in few places."""
    _alive: dict[str, _Alive] = field(default_factory=dict)
    _calls: dict[str, int] = field(default_factory=dict)
    _seen: dict[int, _Seen] = field(default_factory=dict)
    """By the identity of a tensor of this step."""
    _now: dict[str, list[tuple[Tensor, int]]] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget the tensors and the counts of the step before."""
        self._calls.clear()
        self._seen.clear()
        self._now.clear()

    def wants(self, name: str) -> bool:
        """Say whether another call of a layer is looked at in this step; counts the call."""
        self._calls[name] = self._calls.get(name, 0) + 1
        return self._calls[name] <= CALLS

    def end(self, gathering: Gathering) -> None:
        """Give what only shows when the step is over."""
        gathering.settle()
        for name, calls in self._calls.items():
            gathering.add(Signal.CALLS, name, calls)
        for name, seen in self._now.items():
            masks, samples = zip(*seen, strict=True)
            if any(mask.shape != masks[0].shape for mask in masks):
                continue
            alive = self._alive.get(name)
            if (
                alive is None
                or alive.last.shape != masks[0].shape
                or alive.last.device != masks[0].device
            ):
                none = torch.zeros(masks[0].shape, dtype=torch.int32, device=masks[0].device)
                alive = self._alive[name] = _Alive(none)
            alive.add(masks, sum(samples))
            gathering.later((alive.dead,), _Dead(name, masks[0].numel(), tuple(alive.samples)))
        self._seen.clear()
        self._now.clear()

    def module(
        self, layer: Layer, module: nn.Module, inputs: object, output: object, gathering: Gathering
    ) -> None:
        """Look at a leaf's input and output."""
        given, made = _float_in(inputs), first_tensor(output)
        if made is None or not is_plain(made):
            return
        before = None if given is None else self._known(given)
        self._output(layer, made, self._units_of(made, module, given), gathering)
        if given is not None:
            if layer.weight or layer.is_norm:
                self._input(layer, given, before, gathering)
            self._look_at_sign(layer, given, made, before, gathering)

    def function(
        self, layer: Layer, given: Tensor | None, made: Tensor, gathering: Gathering
    ) -> None:
        """Look at what a function was given and what it returned."""
        if not is_plain(made):
            return
        before = None if given is None else self._known(given)
        self._output(layer, made, self._units_of(made, None, given), gathering)
        if given is not None and is_plain(given):
            self._look_at_sign(layer, given, made, before, gathering)

    def attention(self, layer: Layer, seen: Attention | None, gathering: Gathering) -> None:
        """Look at the weights of some queries of an attention, which its kernel never shows."""
        if seen is not None:
            entropy, largest = seen.look()
            gathering.add(Signal.ATTENTION_ENTROPY, layer.name, entropy)
            gathering.add(Signal.ATTENTION_LOGIT, layer.name, largest)

    def _output(self, layer: Layer, made: Tensor, units: int, gathering: Gathering) -> None:
        """Look at an output, and have its gradient looked at when it comes."""
        plain = local(made)
        if plain.numel() == 0:
            return
        numbers = sample(plain, units, self.enough)
        self._seen[id(made)].numbers = numbers
        whole = wide = None
        if numbers.numel() < plain.numel() and not _keeps_finite(layer):
            # One that is not finite makes the sum so: nothing else is as cheap.
            whole = plain.sum(dtype=torch.float32 if plain.dtype is torch.float16 else None)
        if layer.activation in RECTIFYING and numbers.dim() > 1:
            wide = numbers if units != -1 else sample(plain, -1, ALIVE)
        is_half = plain.dtype is torch.float16
        gathering.soon(
            lambda: self._look_at_output(layer, numbers, (whole, wide), units, is_half, gathering)
        )
        if made.requires_grad and made.grad_fn is not None:
            made.register_hook(
                _Returning(self.around, layer.name, gathering, units, self.enough, self.whole)
            )

    def _look_at_output(
        self,
        layer: Layer,
        numbers: Tensor,
        more: tuple[Tensor | None, Tensor | None],
        units: int,
        is_half: bool,  # noqa: FBT001
        gathering: Gathering,
    ) -> None:
        """Look at the sample of an output; ``more`` is the sum of all of it, and a larger sample."""
        whole, wide = more
        total = numbers.sum()
        tensors = [
            total,
            total if whole is None else whole,
            torch.linalg.vector_norm(numbers),
            *torch.aminmax(numbers),
            torch.count_nonzero(numbers),
        ]
        look = _Output(layer.name, numbers, is_half)
        if numbers.dim() > 1 and numbers.shape[0] > 1:
            look.has_spread = True
            tensors.append(torch.linalg.vector_norm(numbers - numbers.mean(0)))
        if wide is not None:
            self._now.setdefault(layer.name, []).append(
                (_highest(wide, units) != 0, wide.numel() // wide.shape[units])
            )
        flat = _flat(numbers, layer.activation)
        if flat is not None:
            look.flat = flat.numel()
            tensors.append(torch.count_nonzero(flat))
            if flat.shape == numbers.shape and numbers.dim() > 1:
                look.units = numbers.shape[units]
                tensors.append(torch.count_nonzero(_any_but(~flat, units)))
        gathering.later(tuple(tensors), look.tell)

    def _input(
        self, layer: Layer, given: Tensor, before: _Seen | None, gathering: Gathering
    ) -> None:
        """Look at the input of a layer with a weight."""
        plain = local(given)
        if plain.numel() == 0:
            return
        numbers = None if before is None else before.numbers
        if numbers is None:
            numbers = sample(plain, -1, self.enough)
        look = _Input(layer.name, numbers)
        gathering.soon(
            lambda: gathering.later((numbers.sum(), torch.linalg.vector_norm(numbers)), look.tell)
        )

    def _look_at_sign(
        self,
        layer: Layer,
        given: Tensor,
        made: Tensor,
        before: _Seen | None,
        gathering: Gathering,
    ) -> None:
        """Say which share of an activation's input is negative; one that works in place leaves none."""
        if layer.activation is None:
            return
        numbers = None if before is None else before.numbers
        if numbers is None:
            if given.data_ptr() == made.data_ptr() or given.numel() == 0:
                return
            numbers = sample(local(given), self._seen[id(made)].units, self.enough)
        count, name = numbers.numel(), layer.name
        gathering.soon(
            lambda: gathering.later(
                (torch.count_nonzero(numbers < 0),),
                lambda got: ((Signal.NEGATIVE, name, got[0] / count),),
            )
        )

    def _known(self, given: Tensor) -> _Seen | None:
        """Return what is known of a tensor, if it has been looked at as it is now."""
        seen = self._seen.get(id(given))
        return seen if seen is not None and seen.is_of(given) else None

    def sampled(self, given: Tensor) -> Tensor:
        """Return a sample of a tensor whose units are its second dimension, which may be known."""
        before = self._known(given)
        if before is not None and before.numbers is not None and before.units == 1:
            return before.numbers
        return sample(local(given), 1, self.enough)

    def _units_of(self, made: Tensor, module: nn.Module | None, given: Tensor | None) -> int:
        """Return the dimension of an output's units: channels of a convolution, features of others."""
        units = -1
        if isinstance(module, (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase)):  # noqa: SLF001
            units = 1 if made.dim() > 1 else -1
        elif not isinstance(module, (nn.Linear, nn.LayerNorm)):
            known = None if given is None else self._seen.get(id(given))
            if (
                known is not None
                and given is not None
                and known.tensor() is given
                and given.dim() == made.dim()
            ):
                units = known.units
            elif made.dim() in {4, 5}:
                units = 1
        self._seen[id(made)] = _Seen(ref(made), made._version, units)  # noqa: SLF001
        return units


@dataclass(slots=True)
class _Dead:
    """Says how many units of a rectifier are dead, once the count has crossed."""

    name: str
    units: int
    samples: tuple[int, ...]

    def __call__(self, got: list[float]) -> Iterator[tuple[str, str, float]]:
        yield Signal.DEAD_UNITS, self.name, got[0] / max(self.units, 1)
        yield Signal.WINDOW_STEPS, self.name, len(self.samples)
        yield Signal.WINDOW_SAMPLES, self.name, sum(self.samples)


@dataclass(slots=True)
class _Output:
    """Says what a look at an output has shown, once its numbers have crossed."""

    name: str
    numbers: Tensor
    is_half: bool
    has_spread: bool = False
    flat: int = 0
    """Of how many elements or rows it was asked whether they lie in the flat part; 0 for none."""
    units: int = 0
    """Of how many units it was asked whether they lie there always."""

    def tell(self, got: list[float]) -> Iterator[tuple[str, str, float]]:
        """Yield the signals."""
        name, count = self.name, self.numbers.numel()
        total, whole, norm, low, high, filled, *others = got
        square = norm * norm / count
        mean, largest = total / count, max(abs(low), abs(high))
        yield Signal.MEAN, name, mean
        yield Signal.RMS, name, math.sqrt(square)
        yield Signal.VARIANCE, name, max(square - mean * mean, 0.0)
        yield Signal.LARGEST, name, largest
        yield Signal.NON_FINITE, name, _not_finite(self.numbers, whole)
        yield Signal.ZERO, name, 1 - filled / count
        if self.is_half:
            beyond = 0 if largest <= HALF_LIMIT else int((self.numbers.abs() > HALF_LIMIT).sum())
            yield Signal.HALF_OVERFLOW, name, beyond / count
        if self.has_spread:
            apart = others.pop(0)
            yield Signal.BATCH_VARIANCE, name, apart * apart / count / max(square, 1e-30)
        if self.flat:
            yield Signal.SATURATED, name, others.pop(0) / self.flat
        if self.units:
            yield Signal.SATURATED_UNITS, name, 1 - others.pop(0) / self.units


@dataclass(slots=True)
class _Input:
    """Says what a look at an input has shown."""

    name: str
    numbers: Tensor

    def tell(self, got: list[float]) -> Iterator[tuple[str, str, float]]:
        """Yield the signals."""
        total, norm = got
        count = self.numbers.numel()
        square = norm * norm / count
        yield Signal.INPUT_RMS, self.name, math.sqrt(square)
        yield Signal.INPUT_VARIANCE, self.name, max(square - (total / count) ** 2, 0.0)
        yield Signal.NON_FINITE_INPUT, self.name, _not_finite(self.numbers, total)


@dataclass(slots=True)
class _Returning:
    """Looks at the gradient of an output when it comes back; changes nothing of it."""

    around: Callable[[Callable[[Tensor], None], Tensor], None]
    name: str
    gathering: Gathering
    units: int
    enough: int
    whole: bool

    def __call__(self, gradient: Tensor) -> None:
        self.around(self.look, gradient)

    def look(self, gradient: Tensor) -> None:
        """Look at a gradient."""
        if not is_plain(gradient) or gradient.numel() == 0:
            return
        plain = local(gradient)
        numbers = plain.float() if self.whole else sample(plain, self.units, self.enough)
        count, name = numbers.numel(), self.name

        def tell(got: list[float]) -> Iterator[tuple[str, str, float]]:
            total, norm = got
            square = norm * norm / count
            yield Signal.OUTPUT_GRADIENT_RMS, name, math.sqrt(square)
            yield Signal.OUTPUT_GRADIENT_VARIANCE, name, max(square - (total / count) ** 2, 0.0)

        def measure() -> None:
            self.gathering.later((numbers.sum(), torch.linalg.vector_norm(numbers)), tell)

        if self.whole:  # it is no copy, and will be written to
            measure()
        else:
            self.gathering.soon(measure)


def _float_in(inputs: object) -> Tensor | None:
    """Return the first tensor of numbers that a module was given."""
    if isinstance(inputs, tuple) and inputs and is_plain(inputs[0]):  # as nearly always
        found: Tensor = inputs[0]
        return found
    return next((one for one in tensors_in(inputs) if is_plain(one)), None)


def _not_finite(numbers: Tensor, total: float) -> float:
    """Count the NaN and infinite numbers; their sum, or one they are part of, is finite if all are."""
    if math.isfinite(total):
        return 0
    return max(int((~torch.isfinite(numbers)).sum()), 1)


def _keeps_finite(layer: Layer) -> bool:
    """Say whether a layer's output is finite wherever its input is: then a sample of it is enough."""
    return layer.activation is not None or layer.is_norm or is_between(layer)


def _highest(numbers: Tensor, units: int) -> Tensor:
    """Return the largest value of each unit."""
    if units in {-1, numbers.dim() - 1}:
        return numbers.flatten(0, -2).amax(0)
    return numbers.movedim(units, 0).flatten(1).amax(1)


def _any_but(mask: Tensor, units: int) -> Tensor:
    """Return for each unit whether any of its values is true."""
    return mask.movedim(units, 0).flatten(1).any(1)


def _flat(numbers: Tensor, activation: Activation | None) -> Tensor | None:
    """Return which outputs lie in the flat part of an activation; None where it has none."""
    match activation:
        case Activation.TANH:
            return numbers.abs() > FLAT_TANH
        case Activation.SIGMOID:
            return (numbers < FLAT_SIGMOID) | (numbers > 1 - FLAT_SIGMOID)
        case Activation.HARDTANH:
            return numbers.abs() >= 1
        case Activation.HARDSIGMOID:
            return (numbers <= 0) | (numbers >= 1)
        case Activation.SOFTMAX if numbers.dim() > 1 and numbers.shape[-1] > 1:
            entropy = torch.special.entr(numbers.clamp(min=0)).sum(-1)
            return torch.lt(entropy, FLAT_SOFTMAX * math.log(numbers.shape[-1]))
    return None
