"""`find_batch_size`: the largest batch that fits, and from where on a larger one is of little use."""

from __future__ import annotations

import math
import time
import warnings
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from trainlint.core.errors import UserError
from trainlint.runtime.trials.batch_size_report import BatchSizeReport
from trainlint.runtime.trials.batches import shape_of
from trainlint.runtime.trials.loader_places import workers_apart
from trainlint.runtime.trials.loading import blaming
from trainlint.runtime.trials.memory import bounded, free, has_run_out
from trainlint.runtime.trials.noise_scale import measured
from trainlint.runtime.trials.progress import Bar
from trainlint.runtime.trials.restoring import training_restored
from trainlint.runtime.trials.stepping import Stepper, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from trainlint.runtime.trials.batch_size_report import NoiseScale
    from trainlint.runtime.trials.batches import Shape

_UNKNOWN: Final = 1 << 16
"""Where nobody knows how many examples there are, no larger batch is tried."""
_STEPS: Final = 2
"""Of each try: the optimizer makes its state in the first one, and its memory counts in the second."""
_FEWEST_PAIRS: Final = 4


def find_batch_size(  # noqa: PLR0913 - all but four are optional
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: str | nn.Module | Callable[..., Any] | None,
    loader: Any,
    *,
    limit: int | None = None,
    noise: bool = True,
    pairs: int = 8,
    parts: int = 8,
    after: int = 0,
    scaler: Any = None,
    autocast: torch.dtype | str | None = None,
    progress: bool | None = None,
) -> BatchSizeReport:
    """Find the largest batch that fits into memory, and estimate how large a useful one is.

    The size is doubled from that of the loader's batches until memory runs out, and then bisected; each try
    makes two steps from the weights of before. Then the gradient noise scale is estimated at the weights as
    they are, from gradients of the loader's batches. Model, optimizer, scaler, the loader's generators and
    all random states are given back as they were.

    Args:
        model: The model.
        optimizer: Its optimizer, whose state takes memory, too.
        loss: A function of output and target, or the name of one, as for :func:`trainlint.probe`.
        loader: Gives batches again and again. Batches of other sizes are made of the examples of its first.
        limit: The largest size to try; by default the number of examples of the loader.
        noise: Whether to estimate the useful size, too (McCandlish et al. 2018).
        pairs: How many pairs of a small and a large gradient to average over; only as many as the loader
            has batches for, but at least 4.
        parts: How many batches of the loader make a large one.
        after: Train so many steps before the noise is measured: it grows while the loss falls.
        scaler: A `GradScaler`, if the training has one.
        autocast: The type of automatic mixed precision, or its name, if it is used.
        progress: Whether to show a bar; by default in a terminal.

    Raises:
        UserError: Something cannot be used: no parameters, a loss without a graph, a loader that ends.

    """
    refuse(model, optimizer, loss, loader, needs_rate=False)
    if (limit is not None and limit < 1) or pairs < 2 or parts < 2 or after < 0:  # noqa: PLR2004
        msg = "expects a limit of at least 1, 2 pairs of 2 parts or more, and 0 steps or more"
        raise UserError(msg)

    def stepper() -> Stepper:
        return Stepper(model, optimizer, loss, loader, scaler, autocast)

    def restored() -> AbstractContextManager[None]:
        # what is kept takes none of the device's memory
        return training_restored(model, optimizer, loss, loader, scaler, aside=True)

    found, notes = None, []
    with (
        workers_apart(loader),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        warnings.catch_warnings(),
        closing(Bar(progress)) as bar,
    ):
        warnings.simplefilter("ignore")
        tries = _Tries(stepper, restored, bar)
        with restored():
            batch = next(stepper().batches)
        shape = shape_of(batch, loader)
        most = limit or _examples(loader, shape.size)
        with bounded(next(model.parameters()).device):
            largest = _largest(tries, batch, shape, most)
        if largest is not None and noise:
            batches = _batches(loader)
            if largest < shape.size <= most:
                notes.append(
                    f"the loader's batches of {shape.size} do not fit: with smaller ones the noise can be"
                    " measured"
                )
            elif batches < 2:  # noqa: PLR2004
                notes.append(
                    "the loader has one batch: the noise can be measured with several, smaller ones"
                )
            else:
                parts = min(parts, batches)  # those of one pass are different examples
                pairs = min(pairs, max(batches // parts, _FEWEST_PAIRS))
                try:
                    with restored():
                        found = _noise(stepper(), shape, (pairs, parts, after), bar)
                except UserError as error:  # what fits is known all the same
                    notes.append(f"the noise is not measured: {error}")
    return BatchSizeReport(
        tuple(tries.seconds),
        tuple(tries.seconds.values()),
        largest,
        most,
        shape.size,
        found,
        after,
        any(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in model.modules()),  # noqa: SLF001
        tuple(notes),
    )


@dataclass
class _Tries:
    """Makes steps with batches of some sizes, each time from the same weights."""

    stepper: Callable[[], Stepper]
    restored: Callable[[], AbstractContextManager[None]]
    bar: Bar
    seconds: dict[int, float | None] = field(default_factory=dict)
    """For one step with each size; None where memory ran out."""

    def fits(self, batch: Any, shape: Shape, size: int) -> bool:
        """Say whether steps with a batch of some size can be made."""
        self.bar.tell(f"a batch of {size:,}")
        self.seconds[size] = None
        try:
            with self.restored():
                self.seconds[size] = _timed(self.stepper(), batch, shape, size)
        except Exception as error:
            if not has_run_out(error):
                if size == shape.size:
                    raise
                with blaming(f"a training step with {size} examples instead of {shape.size}"):
                    raise
        if self.seconds[size] is None:
            free()
        return self.seconds[size] is not None


def _timed(stepper: Stepper, batch: Any, shape: Shape, size: int) -> float:
    """Make steps with a batch of some size, and return the time of the fastest one."""
    device = stepper.device
    stepper.train()
    one = batch if size == shape.size else shape.resized(batch, size)
    took = math.inf
    for at in range(_STEPS):
        start = time.perf_counter()
        value = stepper.step_with([one])
        if at == 0 and size == shape.size and not math.isfinite(value):
            msg = "the loss of the first batch is not finite before any step"
            raise UserError(msg)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        took = min(took, time.perf_counter() - start)
    return took


def _largest(tries: _Tries, batch: Any, shape: Shape, most: int) -> int | None:
    """Return the largest size that fits: by doubling or halving, and then by bisection."""
    fitting, failing = 0, most + 1
    size = min(shape.size, most)
    while size > fitting and size < failing:
        if tries.fits(batch, shape, size):
            fitting = size
            size = min(2 * size, most) if failing > most else (fitting + failing) // 2
        else:
            failing = size
            size = (fitting + failing) // 2
    return fitting or None


def _noise(stepper: Stepper, shape: Shape, plan: tuple[int, int, int], bar: Bar) -> NoiseScale:
    """Train for some steps, and measure the noise."""
    pairs, parts, after = plan
    stepper.train()
    for at in range(after):
        if not math.isfinite(stepper.step()):
            msg = f"the loss is not finite in step {at + 1} before it"
            raise UserError(msg)
        bar.show(at + 1, after)
    return measured(stepper, shape, pairs, parts, bar.show)


def _examples(loader: Any, size: int) -> int:
    """Return how many examples a loader has, or a bound where nobody knows."""
    for one, each in ((getattr(loader, "dataset", None), 1), (loader, size)):
        try:
            return max(len(one) * each, 1)  # type: ignore[arg-type]
        except TypeError:
            continue
    return _UNKNOWN


def _batches(loader: Any) -> int:
    """Return how many batches a loader has; many where nobody knows."""
    try:
        return len(loader)
    except TypeError:
        return _UNKNOWN


__all__ = ["BatchSizeReport", "find_batch_size"]
