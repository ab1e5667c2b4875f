"""Signals of layers: what modules and functions return, and the gradients that come back to them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import ref

import torch
from torch import Tensor, nn

from trainlint.runtime.signals import RECTIFYING, Activation, Signal
from trainlint.runtime.tensors import first_tensor, is_plain, local, non_finite, sample, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass(slots=True)
class _Alive:
    """Which units of a rectifier were not 0 in the last measured steps."""

    masks: deque[Tensor] = field(default_factory=lambda: deque(maxlen=LONGEST))
    samples: deque[int] = field(default_factory=lambda: deque(maxlen=LONGEST))

    def add(self, mask: Tensor, count: int) -> None:
        """Add a step, and forget the first ones that are not needed any more."""
        self.masks.append(mask)
        self.samples.append(count)
        while len(self.masks) > WINDOW and sum(self.samples) - self.samples[0] >= ENOUGH_SAMPLES:
            self.masks.popleft()
            self.samples.popleft()


@dataclass
class Activations:
    """Looks at outputs while they are at hand; keeps only numbers, and which units were alive.

    ``around`` runs what looks at a gradient in the middle of a backward: with a clock and a guard.
    """

    around: Callable[[Callable[[Tensor], None], Tensor], None]
    whole: bool = False
    """Whether gradients are looked at whole: that of a last time step or of a token is in few places."""
    _alive: dict[str, _Alive] = field(default_factory=dict)
    _calls: dict[str, int] = field(default_factory=dict)
    _units: dict[int, tuple[ref[Tensor], int]] = field(default_factory=dict)
    """By the identity of a tensor of this step: itself, and the dimension of its units."""
    _now: dict[str, list[tuple[Tensor, int]]] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget the tensors and the counts of the step before."""
        self._calls.clear()
        self._units.clear()
        self._now.clear()

    def wants(self, name: str) -> bool:
        """Say whether another call of a layer is looked at in this step; counts the call."""
        self._calls[name] = self._calls.get(name, 0) + 1
        return self._calls[name] <= CALLS

    def end(self, gathering: Gathering) -> None:
        """Give what only shows when the step is over."""
        for name, calls in self._calls.items():
            gathering.add(Signal.CALLS, name, calls)
        for name, seen in self._now.items():
            masks, samples = zip(*seen, strict=True)
            if any(mask.shape != masks[0].shape for mask in masks):
                continue
            alive = self._alive.setdefault(name, _Alive())
            if alive.masks and (
                alive.masks[0].shape != masks[0].shape or alive.masks[0].device != masks[0].device
            ):
                alive.masks.clear()
                alive.samples.clear()
            alive.add(
                masks[0] if len(masks) == 1 else torch.stack(masks).any(0),
                sum(samples),
            )
            ever = torch.stack(tuple(alive.masks)).any(0)
            gathering.add(Signal.DEAD_UNITS, name, 1 - ever.float().mean())
            gathering.add(Signal.WINDOW_STEPS, name, len(alive.masks))
            gathering.add(Signal.WINDOW_SAMPLES, name, sum(alive.samples))
        self._units.clear()
        self._now.clear()

    def module(
        self, layer: Layer, module: nn.Module, inputs: object, output: object, gathering: Gathering
    ) -> None:
        """Look at a leaf's input and output."""
        given, made = _float_in(inputs), first_tensor(output)
        if made is None or not is_plain(made):
            return
        units = self._units_of(made, module, given)
        self._output(layer, made, units, gathering)
        if given is not None:
            if layer.weight or layer.is_norm:
                self._input(layer, given, gathering)
            if layer.activation is not None and given.data_ptr() != made.data_ptr():
                negative = sample(local(given), units) < 0
                gathering.add(Signal.NEGATIVE, layer.name, negative.float().mean())

    def function(
        self, layer: Layer, given: Tensor | None, made: Tensor, gathering: Gathering
    ) -> None:
        """Look at what a function was given and what it returned."""
        if not is_plain(made):
            return
        units = self._units_of(made, None, given)
        self._output(layer, made, units, gathering)
        if given is not None and is_plain(given) and given.data_ptr() != made.data_ptr():
            negative = sample(local(given), units) < 0
            gathering.add(Signal.NEGATIVE, layer.name, negative.float().mean())

    def attention(self, layer: Layer, seen: Attention | None, gathering: Gathering) -> None:
        """Look at the weights of some queries of an attention, which its kernel never shows."""
        if seen is not None:
            entropy, largest = seen.look()
            gathering.add(Signal.ATTENTION_ENTROPY, layer.name, entropy)
            gathering.add(Signal.ATTENTION_LOGIT, layer.name, largest)

    def _output(self, layer: Layer, made: Tensor, units: int, gathering: Gathering) -> None:
        """Look at an output, and have its gradient looked at when it comes."""
        name = layer.name
        plain = local(made)
        if plain.numel() == 0:
            return
        low, high = torch.aminmax(plain)
        largest = torch.maximum(low.abs(), high.abs()).float()
        numbers = sample(plain, units)
        square = numbers.square().mean()
        mean = numbers.mean()
        gathering.add(Signal.MEAN, name, mean)
        gathering.add(Signal.RMS, name, square.sqrt())
        gathering.add(Signal.VARIANCE, name, (square - mean.square()).clamp(min=0))
        gathering.add(Signal.LARGEST, name, largest)
        gathering.add(Signal.NON_FINITE, name, non_finite(numbers, largest))
        zero = numbers == 0
        gathering.add(Signal.ZERO, name, zero.float().mean())
        if plain.dtype is torch.float16:
            gathering.add(Signal.HALF_OVERFLOW, name, (numbers.abs() > HALF_LIMIT).float().mean())
        if numbers.dim() > 1 and numbers.shape[0] > 1:
            spread = (numbers - numbers.mean(0)).square().mean() / square.clamp(min=1e-30)
            gathering.add(Signal.BATCH_VARIANCE, name, spread)
        if layer.activation in RECTIFYING and numbers.dim() > 1:
            self._now.setdefault(name, []).append(
                (_any_but(~zero, units), numbers.numel() // numbers.shape[units])
            )
        flat = _flat(numbers, layer.activation)
        if flat is not None:
            gathering.add(Signal.SATURATED, name, flat.float().mean())
            if flat.shape == numbers.shape and numbers.dim() > 1:
                always = 1 - _any_but(~flat, units).float().mean()
                gathering.add(Signal.SATURATED_UNITS, name, always)
        if made.requires_grad and made.grad_fn is not None:
            made.register_hook(_Returning(self.around, name, gathering, units, self.whole))

    def _input(self, layer: Layer, given: Tensor, gathering: Gathering) -> None:
        """Look at the input of a layer with a weight."""
        plain = local(given)
        if plain.numel() == 0:
            return
        numbers = sample(plain, -1)
        square, mean = numbers.square().mean(), numbers.mean()
        gathering.add(Signal.INPUT_RMS, layer.name, square.sqrt())
        gathering.add(Signal.INPUT_VARIANCE, layer.name, (square - mean.square()).clamp(min=0))
        gathering.add(Signal.NON_FINITE_INPUT, layer.name, non_finite(numbers, square))

    def _units_of(self, made: Tensor, module: nn.Module | None, given: Tensor | None) -> int:
        """Return the dimension of an output's units: channels of a convolution, features of others."""
        units = -1
        if isinstance(module, (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase)):  # noqa: SLF001
            units = 1 if made.dim() > 1 else -1
        elif not isinstance(module, (nn.Linear, nn.LayerNorm)):
            known = None if given is None else self._units.get(id(given))
            if (
                known is not None
                and known[0]() is given
                and given is not None
                and (given.dim() == made.dim())
            ):
                units = known[1]
            elif made.dim() in {4, 5}:
                units = 1
        self._units[id(made)] = (ref(made), units)
        return units


@dataclass(slots=True)
class _Returning:
    """Looks at the gradient of an output when it comes back; changes nothing of it."""

    around: Callable[[Callable[[Tensor], None], Tensor], None]
    name: str
    gathering: Gathering
    units: int
    whole: bool

    def __call__(self, gradient: Tensor) -> None:
        self.around(self.look, gradient)

    def look(self, gradient: Tensor) -> None:
        """Look at a gradient."""
        if not is_plain(gradient) or gradient.numel() == 0:
            return
        plain = local(gradient)
        numbers = plain.float() if self.whole else sample(plain, self.units)
        square, mean = numbers.square().mean(), numbers.mean()
        self.gathering.add(Signal.OUTPUT_GRADIENT_RMS, self.name, square.sqrt())
        variance = (square - mean.square()).clamp(min=0)
        self.gathering.add(Signal.OUTPUT_GRADIENT_VARIANCE, self.name, variance)


def _float_in(inputs: object) -> Tensor | None:
    """Return the first tensor of numbers that a module was given."""
    return next((one for one in tensors_in(inputs) if is_plain(one)), None)


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
