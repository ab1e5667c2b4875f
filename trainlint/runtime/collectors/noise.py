"""The gradient noise scale: how large a batch would have to be for the gradient to outweigh its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from trainlint.runtime.gathering import Gathering

SMOOTHING: Final = 0.9


@dataclass
class Noise:
    """Compares the gradients of two steps in a row: what differs is noise (McCandlish et al. 2018, A.1).

    Only the sampled elements are compared, for the ratio is the same for any fair sample. Numerator and
    denominator are smoothed apart, since each is noisy itself.
    """

    _before: Tensor | None = None
    _step: int = 0
    _signal: Tensor | None = None
    _noise: Tensor | None = None

    def feed(self, step: int, samples: Sequence[Tensor], gathering: Gathering) -> None:
        """Take the sampled gradient of a step; the noise scale is in batches."""
        now = torch.cat([one.float() for one in samples]) if samples else None
        before, last = self._before, self._step
        self._before, self._step = now, step
        if now is None or before is None or last != step - 1 or before.shape != now.shape:
            return
        small = (now.square().sum() + before.square().sum()) / 2
        large = ((now + before) / 2).square().sum()
        signal, noise = 2 * large - small, 2 * (small - large)
        if self._signal is not None and self._noise is not None:
            signal = SMOOTHING * self._signal + (1 - SMOOTHING) * signal
            noise = SMOOTHING * self._noise + (1 - SMOOTHING) * noise
        self._signal, self._noise = signal, noise
        gathering.add(Signal.NOISE_SCALE, "", noise / signal.clamp(min=1e-30))
