"""The gradient noise scale: the batch whose gradient is as large as its noise.

McCandlish et al. 2018, "An Empirical Model of Large-Batch Training", section 2.2 and appendix A.1.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from trainlint.core.errors import UserError
from trainlint.runtime.tensors import dense
from trainlint.runtime.trials.batch_size_report import NoiseScale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from trainlint.runtime.trials.batches import Shape
    from trainlint.runtime.trials.stepping import Stepper

_DEVIATIONS = 1.96
"""An interval that holds the truth in 95 of 100 measurements, were the estimate's logarithm normal."""
_PATIENCE = 1000
"""After so many batches of other sizes in a row there are none of the first one's."""
_WHOLE = 4
"""Gradients with fewer bytes a number are added up in float32."""


def estimated(pairs: Sequence[tuple[float, float]], small: int, large: int) -> NoiseScale:
    """Estimate the scale from the mean squared norms of gradients of small batches and of large ones.

    Both parts are unbiased and averaged over the pairs before they are divided, as their quotient is not
    (appendix A.1); the interval is that of the jackknife over the pairs, of the logarithm.
    """
    signal = [(large * big - small * little) / (large - small) for little, big in pairs]
    noise = [(little - big) / (1 / small - 1 / large) for little, big in pairs]
    estimate = _quotient(sum(noise), sum(signal))
    examples = len(pairs) * large
    if not math.isfinite(estimate):
        return NoiseScale(None, float(large), math.inf, examples, small, large)
    left = [
        _quotient(sum(noise) - one, sum(signal) - other)
        for one, other in zip(noise, signal, strict=True)
    ]
    if estimate <= 0 or any(not 0 < one < math.inf for one in left):
        low = min((max(one, 0.0) for one in left), default=0.0)
        return NoiseScale(max(estimate, 0.0), low, max(0.0, *left), examples, small, large)
    logs = [math.log(one) for one in left]
    middle = sum(logs) / len(logs)
    spread = math.sqrt((len(logs) - 1) / len(logs) * sum((one - middle) ** 2 for one in logs))
    factor = math.exp(min(_DEVIATIONS * spread, 700.0))
    return NoiseScale(estimate, estimate / factor, estimate * factor, examples, small, large)


def _quotient(noise: float, signal: float) -> float:
    """Return noise over signal; infinite where there is no signal to be seen in the noise."""
    return noise / signal if signal > 0 else math.inf


def measured(
    stepper: Stepper, shape: Shape, pairs: int, parts: int, tell: Callable[[int, int], None]
) -> NoiseScale:
    """Measure gradients of batches of the loader, and of ``parts`` of them together.

    Raises:
        UserError: The loader gives no full batches, or the loss is not finite.

    """
    batches = _full(stepper.batches, shape)
    squares = []
    for at in range(pairs):
        squares.append(_pair(stepper, batches, parts))
        tell(at + 1, pairs)
    return estimated(squares, shape.size, shape.size * parts)


def _full(batches: Iterator[Any], shape: Shape) -> Iterator[Any]:
    """Yield the batches that are as large as the first one: the last of a pass may be smaller."""
    passed = 0
    for batch in batches:
        if shape.of(batch) == shape.size:
            passed = 0
            yield batch
        else:
            passed += 1
        if passed > _PATIENCE:
            msg = f"the loader gives no more batches of {shape.size} examples"
            raise UserError(msg)


def _pair(stepper: Stepper, batches: Iterator[Any], parts: int) -> tuple[float, float]:
    """Return the mean squared norm of the gradients of some batches, and that of their mean."""
    total: dict[int, Tensor] = {}
    little = 0.0
    for batch in islice(batches, parts):
        for one in _gradients(stepper, batch, total):
            little += one / parts
    factor = (_scale(stepper) * parts) ** 2
    big = sum(_square(one) for one in total.values()) / factor
    return little, big


def _gradients(stepper: Stepper, batch: Any, total: dict[int, Tensor]) -> Iterator[float]:
    """Add the gradients of a batch to ``total``, and yield the squared norm of each."""
    stepper.clear()
    if not math.isfinite(stepper.backward(batch)):
        msg = "the loss of a batch is not finite"
        raise UserError(msg)
    factor = _scale(stepper) ** 2
    for parameter in stepper.trained():
        if parameter.grad is None:
            continue
        gradient = dense(parameter.grad.detach())
        yield _square(gradient) / factor
        if id(parameter) in total:
            total[id(parameter)] += gradient
        else:
            is_small = gradient.element_size() < _WHOLE
            total[id(parameter)] = gradient.float() if is_small else gradient.clone()
    stepper.clear()


def _scale(stepper: Stepper) -> float:
    """Return the factor by which a scaler has made the gradients larger."""
    return 1.0 if stepper.scaler is None else float(stepper.scaler.get_scale())


def _square(gradient: Tensor) -> float:
    """Return the squared norm of a gradient."""
    kind = torch.promote_types(gradient.dtype, torch.float32)
    return float(torch.linalg.vector_norm(gradient, dtype=kind)) ** 2
