"""What theory says of a layer: by which gain an activation keeps the scale, and what each makes of it.

Sources: Glorot & Bengio 2010, He et al. 2015, Klambauer et al. 2017; for other scales than 1 the mean field
of Poole et al. 2016 and Schoenholz et al. 2017.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from trainlint.runtime.signals import Activation

if TYPE_CHECKING:
    from collections.abc import Callable

_STEPS: Final = 2000
"""An even number: no node lies at 0, where rectifiers have no slope."""
_REACH: Final = 9.0
_SELU: Final = (1.0507009873554805, 1.6732632423543772)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _gelu(x: float) -> float:
    return 0.5 * x * math.erfc(-x / math.sqrt(2))


def _elu(x: float) -> float:
    return x if x > 0 else math.expm1(x)


def _selu(x: float) -> float:
    return _SELU[0] * (x if x > 0 else _SELU[1] * math.expm1(x))


_FUNCTIONS: Final[dict[Activation, Callable[[float], float]]] = {
    Activation.RELU: lambda x: max(x, 0.0),
    Activation.RELU6: lambda x: min(max(x, 0.0), 6.0),
    Activation.LEAKY_RELU: lambda x: max(x, 0.01 * x),
    Activation.PRELU: lambda x: max(x, 0.25 * x),
    Activation.RRELU: lambda x: max(x, 11 / 48 * x),
    Activation.ELU: _elu,
    Activation.CELU: _elu,
    Activation.SELU: _selu,
    Activation.GELU: _gelu,
    Activation.SILU: lambda x: x * _sigmoid(x),
    Activation.MISH: lambda x: x * math.tanh(_softplus(x)),
    Activation.SOFTPLUS: _softplus,
    Activation.TANH: math.tanh,
    Activation.SIGMOID: _sigmoid,
    Activation.HARDTANH: lambda x: min(max(x, -1.0), 1.0),
    Activation.HARDSIGMOID: lambda x: min(max(x / 6 + 0.5, 0.0), 1.0),
    Activation.HARDSWISH: lambda x: x * min(max(x / 6 + 0.5, 0.0), 1.0),
    Activation.SOFTSIGN: lambda x: x / (1 + abs(x)),
    Activation.LOGSIGMOID: lambda x: -_softplus(-x),
}


@lru_cache(maxsize=4096)
def moments(activation: Activation | None, variance: float) -> tuple[float, float]:
    """Return the mean squares of an activation and of its slope, for normal inputs of a variance."""
    function = None if activation is None else _FUNCTIONS.get(activation)
    if function is None:
        return variance, 1.0
    width = 2 * _REACH / (_STEPS - 1)
    deviation = math.sqrt(variance)
    tiny = 1e-4 * max(deviation, 1e-30)
    value = slope = 0.0
    for at in range(_STEPS):
        z = -_REACH + at * width
        chance = math.exp(-z * z / 2) * width / math.sqrt(2 * math.pi)
        x = deviation * z
        value += chance * function(x) ** 2
        slope += chance * ((function(x + tiny) - function(x - tiny)) / (2 * tiny)) ** 2
    return value, slope


@lru_cache(maxsize=64)
def ideal_gain(activation: Activation | None) -> float:
    """Return the gain by which the mean square of 1 comes through a layer and its activation."""
    return 1 / math.sqrt(moments(activation, 1.0)[0])


def predicted(
    activation: Activation | None, weight: float, given: float, depth: int
) -> list[tuple[float, float]]:
    """Return the variance of each pre-activation, and by which factor it shrinks gradients' variance.

    ``weight`` is fan times the variance of the weights (both fans being equal), ``given`` the mean square
    of the input. There are no biases.
    """
    found = []
    variance = weight * given
    for _ in range(depth):
        value, slope = moments(activation, variance)
        found.append((variance, weight * slope))
        variance = weight * value
    return found
