"""Which numbers of a step loggers are told: few for any model, and the same ones in every run of it."""

from __future__ import annotations

import fnmatch
import math
import re
from typing import TYPE_CHECKING, Final

from trainlint.runtime.signals import METRIC, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

CURVES: Final = 8
"""So many layers have curves of their own in each signal, spread over the depth of the model."""
FOLLOWED: Final = 8
"""So many more have them from a diagnosis on that speaks of them."""

_NO_CURVE: Final = frozenset(
    {
        Signal.CLASSES,
        Signal.EPOCH,
        Signal.INPUT_FINGERPRINT,
        Signal.OWN_SECONDS,
        Signal.RUN_SECONDS,
        Signal.TRAINING,
        Signal.VALIDATION_LOSS,
    }
)
"""Signals of the run that say nothing as a curve, or that the user has logged."""
_OF_WEIGHTS: Final = (Signal.GRADIENT_RMS, Signal.UPDATE_RATIO)
_OF_LAYERS: Final = (Signal.RMS, Signal.DEAD_UNITS, Signal.SATURATED)
_SHARES: Final = frozenset({Signal.DEAD_UNITS, Signal.SATURATED})
"""Of these only the largest says anything of all layers."""


class Choice:
    """Chooses by patterns, such as `gradient_rms/*`; or without them what shows a training as a whole.

    That is: the signals of the run; and of gradients, updates and activations the lowest, the median
    and the highest of all layers and the numbers of some layers, which stay the same.
    """

    def __init__(self, patterns: Sequence[str] | None = None) -> None:
        self._wanted = (
            None if patterns is None else re.compile("|".join(map(fnmatch.translate, patterns)))
        )
        self._is_wanted: dict[str, bool] = {}
        self._chosen: dict[str, dict[str, None]] = {}
        self._followed: dict[str, None] = {}

    def follow(self, diagnosis: Diagnosis) -> None:
        """Choose from now on also what a diagnosis speaks of."""
        layer = "" if diagnosis.moment is None else diagnosis.moment.layer
        if layer and len(self._followed) < FOLLOWED:
            self._followed[layer] = None

    def of(self, step: Step) -> Iterator[tuple[str, float]]:
        """Yield the chosen numbers of a step by their names: `total_norm`, `rms/fc1`."""
        if self._wanted is not None:
            yield from self._by_patterns(step, self._wanted)
            return
        for signal, values in step.signals.items():
            if "" in values and signal not in _NO_CURVE and not signal.startswith(METRIC):
                yield str(signal), values[""]
        weights = {one.weight: one.name for one in step.facts.layers if one.weight}
        for signal in (*_OF_WEIGHTS, *_OF_LAYERS):
            values = step.of(signal)
            if signal in _OF_WEIGHTS:
                values = {name: values[name] for name in weights if name in values}
            elif signal is Signal.RMS:
                values = {name: values[name] for name in weights.values() if name in values}
            yield from self._of_layers(signal, values, step, weights)

    def _by_patterns(self, step: Step, wanted: re.Pattern[str]) -> Iterator[tuple[str, float]]:
        """Yield the numbers whose names the patterns match."""
        for signal, values in step.signals.items():
            for subject, value in values.items():
                name = f"{signal}/{subject}" if subject else str(signal)
                known = self._is_wanted.get(name)
                if known is None:
                    known = self._is_wanted[name] = wanted.match(name) is not None
                if known:
                    yield name, value

    def _of_layers(
        self, signal: Signal, values: Mapping[str, float], step: Step, weights: Mapping[str, str]
    ) -> Iterator[tuple[str, float]]:
        """Yield what is told of one signal of the layers; those of parameters have their names."""
        named = {name: value for name, value in values.items() if name}
        if len(named) > 1:
            finite = sorted(value for value in named.values() if math.isfinite(value))
            odd = next((value for value in named.values() if not math.isfinite(value)), None)
            if finite and signal not in _SHARES:
                yield f"{signal}_lowest", finite[0]
                yield f"{signal}_median", finite[len(finite) // 2]
            yield f"{signal}_highest", finite[-1] if odd is None else odd
        if named and signal not in self._chosen:
            self._chosen[signal] = dict.fromkeys(_spread(tuple(named)))
        for name, value in named.items():
            if name in self._chosen[signal] or self._is_followed(name, step, weights):
                yield f"{signal}/{name}", value

    def _is_followed(self, name: str, step: Step, weights: Mapping[str, str]) -> bool:
        """Say whether a diagnosis has spoken of a layer or parameter, or of the layer that has it."""
        if not self._followed:
            return False
        if name in self._followed or weights.get(name) in self._followed:
            return True
        layer = step.facts.layer.get(name)
        return layer is not None and layer.weight in self._followed


def _spread(names: Sequence[str]) -> list[str]:
    """Return some of the names with equal distances, the first and the last among them."""
    if len(names) <= CURVES:
        return list(names)
    return [names[round(at * (len(names) - 1) / (CURVES - 1))] for at in range(CURVES)]
