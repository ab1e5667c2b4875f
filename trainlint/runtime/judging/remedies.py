"""What several detectors advise, in the words of one sentence that names the user's own layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from trainlint.runtime.signals import Activation

if TYPE_CHECKING:
    from trainlint.runtime.signals import Layer, Step

_GAINS: Final = {
    # torch.nn.init.calculate_gain
    Activation.TANH: 5 / 3,
    Activation.RELU: math.sqrt(2),
    Activation.RELU6: math.sqrt(2),
    Activation.LEAKY_RELU: math.sqrt(2 / (1 + 0.01**2)),
    Activation.SELU: 1.0,
}
_KAIMING: Final = frozenset(
    {
        Activation.RELU,
        Activation.RELU6,
        Activation.LEAKY_RELU,
        Activation.PRELU,
        Activation.RRELU,
        Activation.ELU,
        Activation.GELU,
        Activation.SILU,
        Activation.MISH,
        Activation.HARDSWISH,
    }
)


def named(layer: Layer) -> str:
    """Say which layer is meant: its name in backticks, what it is and the line where it is made."""
    place = f", {layer.path.rpartition('/')[2]}:{layer.line}" if layer.line else ""
    return f"`{layer.name}` ({layer.what}{place})"


def initialisation(layer: Layer) -> str:
    """Say which initialisation a layer with a weight needs for the activation that takes its output.

    With the standard deviation that it gives for the layer's own fan. Sources: Glorot & Bengio 2010,
    He et al. 2015, Klambauer et al. 2017.
    """
    activation = layer.followed_by
    fan_in, fan_out = max(layer.fan_in, 1), max(layer.fan_out, 1)
    if activation is Activation.SELU:
        std = math.sqrt(1 / fan_in)
        return (
            'LeCun initialisation, `nn.init.kaiming_normal_(weight, nonlinearity="linear")`'
            f" (std {std:.3g} for its fan-in of {fan_in:,})"
        )
    if activation in _KAIMING:
        std = math.sqrt(2 / fan_in)
        return (
            'Kaiming initialisation, `nn.init.kaiming_normal_(weight, nonlinearity="relu")`'
            f" (std {std:.3g} for its fan-in of {fan_in:,})"
        )
    gain = gain_of(activation)
    std = gain * math.sqrt(2 / (fan_in + fan_out))
    with_gain = ', gain=nn.init.calculate_gain("tanh")' if activation is Activation.TANH else ""
    return (
        f"Glorot initialisation, `nn.init.xavier_normal_(weight{with_gain})`"
        f" (std {std:.3g} for its fans of {fan_in:,} and {fan_out:,})"
    )


def scheme_of(layer: Layer) -> tuple[str, float]:
    """Return the name of the scheme that :func:`initialisation` advises, and its standard deviation."""
    fan_in, fan_out = max(layer.fan_in, 1), max(layer.fan_out, 1)
    if layer.followed_by is Activation.SELU:
        return "LeCun", math.sqrt(1 / fan_in)
    if layer.followed_by in _KAIMING:
        return "Kaiming", math.sqrt(2 / fan_in)
    return "Glorot", gain_of(layer.followed_by) * math.sqrt(2 / (fan_in + fan_out))


def gain_of(activation: Activation | None) -> float:
    """Return the gain by which the craft multiplies an initialisation before an activation."""
    return 1.0 if activation is None else _GAINS.get(activation, 1.0)


def rate_over(step: Step, divisor: float, optimizer: int = 0) -> str:
    """Say which learning rate to try next: that of the step, divided; `1e-3 instead of 3e-3`."""
    seen = step.run("learning_rate")
    if seen is None and optimizer < len(step.facts.optimizers):
        seen = step.facts.optimizers[optimizer].learning_rate
    if not seen:
        return f"a learning rate divided by {divisor:g}"
    return f"a learning rate of {seen / divisor:.2g} instead of {seen:.2g}"
