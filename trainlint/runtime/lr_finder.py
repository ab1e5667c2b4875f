"""`find_lr`: which learning rate to begin with, found by trying some; all is given back as it was."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import torch
from torch import nn

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.progress import Bar
from trainlint.runtime.restoring import training_restored
from trainlint.runtime.stepping import Stepper, refuse

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Sequence

SMOOTHING: Final = 0.9
DIVERGED: Final = 4.0
"""Over this many times the smallest smoothed loss, and the first one, it has diverged (fastai 2018)."""
FACTOR: Final = 3.0
"""From one rate to the next: finer differences are mostly chance (Bengio 2012)."""
WORSE: Final = 1.3
"""Over this many times the loss at the start, a trial of a fixed rate has diverged."""
_FEW: Final = 5

Method = Literal["sweep", "divide"]


@dataclass(frozen=True)
class LRReport:
    """The rates that were tried, the loss with each, and what follows from them."""

    method: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """Smoothed (sweep), or the mean of the last steps of each trial (divide)."""
    suggestion: float | None
    """The rate to begin with; None where none was good."""
    steepest: float | None = None
    """Sweep: where the loss falls most steeply."""
    divergence: float | None = None
    """The smallest rate that was seen to diverge."""
    steps: int = 0
    """How many optimizer steps were made."""
    notes: tuple[str, ...] = field(default=())
    trials: tuple[tuple[float, float], ...] = ()
    """Rates at which it was trained from the same weights, and the loss that each reached."""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "method": self.method,
            "suggestion": self.suggestion,
            "steepest": self.steepest,
            "divergence": self.divergence,
            "steps": self.steps,
            "rates": list(self.rates),
            "losses": [one if math.isfinite(one) else str(one) for one in self.losses],
            "trials": [
                {"rate": rate, "loss": loss if math.isfinite(loss) else str(loss)}
                for rate, loss in self.trials
            ],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return the curve as plain text."""
        from trainlint.output.lr_text import lines  # noqa: PLC0415

        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        """Return the report as a notebook shows it."""
        from trainlint.output.fragment import learning_rates  # noqa: PLC0415 - for notebooks alone

        return learning_rates(self)


def find_lr(  # noqa: PLR0913 - all but four are optional
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: str | nn.Module | Callable[..., Any] | None,
    loader: Any,
    *,
    method: Method = "sweep",
    smallest: float = 1e-7,
    largest: float = 10.0,
    steps: int = 100,
    scaler: Any = None,
    autocast: torch.dtype | None = None,
    accumulate: int = 1,
    confirm: bool = True,
    progress: bool | None = None,
) -> LRReport:
    """Try learning rates on a training that has not begun, and suggest one.

    Model, optimizer, scaler, the loader's generators and all random states are given back as they were.
    Schedulers are not stepped. Several groups keep the ratio of their rates; the rates of the report are
    those of the largest.

    Args:
        model: The model.
        optimizer: Its optimizer.
        loss: A function of output and target, or the name of one, as for :func:`trainlint.probe`.
        loader: Gives batches again and again; when it ends it is begun anew.
        method: `sweep` raises the rate from step to step until the loss diverges (Smith 2017), and
            confirms what this suggests; `divide` trains at a rate that diverges, divides it by 3 and
            begins again from the same weights until it does not, and suggests half of that (Bengio
            2012), which is confirmed in the same way.
        smallest: The first rate of a sweep; below it `divide` gives up.
        largest: The last rate of a sweep, or the first of `divide`.
        steps: The steps of a sweep, or of each trial.
        scaler: A `GradScaler`, if the training has one.
        autocast: The type of automatic mixed precision, if it is used.
        accumulate: Batches for each step.
        confirm: Whether to train at the rate that the method suggests, at three times and a third of it,
            from the same weights, and to go on to where the loss falls lowest. In a sweep each loss comes
            from all rates before; what a rate does by itself only such a trial tells. And what does not
            diverge need not be good: with batch normalisation hardly any rate diverges. It is the best for
            about as many steps as a trial has: for a long training raise ``steps``.
        progress: Whether to show a bar; by default in a terminal.

    Raises:
        UserError: Something cannot be used: no parameters, a loss without a graph, a loader that ends.

    """
    refuse(model, loader)
    if method not in get_args(Method):
        msg = f"method: no method is called `{method}`{nearest(method, get_args(Method))}"
        raise UserError(msg)
    if not 0 < smallest < largest or steps < _FEW:
        msg = f"expects 0 < smallest < largest and at least {_FEW} steps"
        raise UserError(msg)
    bar = Bar(progress)

    def trainer() -> Stepper:
        return Stepper(model, optimizer, loss, loader, scaler, autocast, accumulate)

    with (
        training_restored(model, optimizer, loader, scaler),
        torch.enable_grad(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        if not model.training:
            model.train()

        def fresh() -> contextlib.AbstractContextManager[None]:
            return training_restored(model, optimizer, loader, scaler)

        if method == "sweep":
            with fresh():
                report = _sweep(trainer(), smallest, largest, steps, bar)
        else:
            report = _divide(trainer, fresh, (smallest, largest), steps, bar)
        if confirm and report.suggestion is not None:
            report = _confirmed(report, trainer, fresh, (smallest, largest), steps, bar)
        bar.close()
        return report


def _sweep(
    trainer: Stepper,
    smallest: float,
    largest: float,
    steps: int,
    bar: Bar,
) -> LRReport:
    """Raise the rate from step to step, until the loss diverges."""
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    best, divergence = math.inf, None
    for at in range(steps):
        rate = smallest * (largest / smallest) ** (at / (steps - 1))
        trainer.set_rate(rate)
        value = trainer.step()
        bar.show(at + 1, steps)
        if not math.isfinite(value):
            divergence = rate
            break
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        smooth = average / (1 - SMOOTHING ** (at + 1))
        rates.append(rate)
        losses.append(smooth)
        if at >= _FEW and smooth > best + max((DIVERGED - 1) * abs(best), losses[0] - best):
            divergence = rate
            break
        best = min(best, smooth)
    steepest = _steepest(rates, losses)
    suggestion = _suggested(rates, losses, divergence)
    notes = () if suggestion else ("the loss does not fall at any of the rates",)
    return LRReport(
        "sweep",
        tuple(rates),
        tuple(losses),
        suggestion,
        steepest,
        divergence,
        len(rates),
        notes=notes,
    )


def _steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """Return the rate at which the loss falls most over its logarithm, before its lowest."""
    if len(rates) <= _FEW:
        return None
    lowest = min(range(len(losses)), key=losses.__getitem__)
    slopes = [losses[at + 2] - losses[at - 2] for at in range(2, min(lowest + 1, len(losses) - 2))]
    if not slopes or min(slopes) >= 0:
        return None
    return rates[slopes.index(min(slopes)) + 2]


def _suggested(
    rates: Sequence[float], losses: Sequence[float], divergence: float | None
) -> float | None:
    """Return a third of the rate at which the loss begins to rise for good."""
    if len(rates) <= _FEW:
        return None
    lowest = min(range(len(losses)), key=losses.__getitem__)
    if losses[lowest] >= losses[0] * (1 - 1e-3):
        return None
    return min(rates[lowest], divergence or math.inf) / 3


def _confirmed(
    report: LRReport,
    trainer: Callable[[], Stepper],
    fresh: Callable[[], contextlib.AbstractContextManager[None]],
    ends: tuple[float, float],
    steps: int,
    bar: Bar,
) -> LRReport:
    """Train at the suggested rate and at those around it, and suggest where the loss falls lowest."""
    seen: dict[int, float] = {}
    made = report.steps
    with fresh():
        start = _start(trainer())
    assert report.suggestion is not None

    def rate_of(place: int) -> float:
        assert report.suggestion is not None
        return report.suggestion * FACTOR**place

    def level(place: int) -> float:
        nonlocal made
        if not ends[0] <= rate_of(place) <= ends[1]:
            return math.inf
        if place not in seen:
            bar.tell(f"{steps} steps at {rate_of(place):.2g}")
            with fresh():
                seen[place], count = _trial(trainer(), rate_of(place), steps, start)
            made += count
        return seen[place]

    best = 0
    while not math.isfinite(level(best)) and rate_of(best - 1) >= ends[0]:
        best -= 1
    while (lowest := min((best, best - 1, best + 1), key=level)) != best:
        best = lowest
    suggestion = rate_of(best) if math.isfinite(level(best)) else None
    notes = () if suggestion else ("the loss does not fall at any of the rates",)
    trials = tuple((rate_of(place), seen[place]) for place in sorted(seen))
    return replace(
        report, suggestion=suggestion, steps=made, trials=trials, notes=(*report.notes, *notes)
    )


def _divide(
    trainer: Callable[[], Stepper],
    fresh: Callable[[], contextlib.AbstractContextManager[None]],
    ends: tuple[float, float],
    steps: int,
    bar: Bar,
) -> LRReport:
    """Train at a rate from the same weights, and divide it by 3 until it does not diverge."""
    rates: list[float] = []
    losses: list[float] = []
    rate, made, divergence = ends[1], 0, None
    total = math.ceil(math.log(ends[1] / ends[0], FACTOR)) + 1
    with fresh():
        start = _start(trainer())
    while rate >= ends[0]:
        with fresh():
            final, count = _trial(trainer(), rate, steps, start)
        made += count
        rates.append(rate)
        losses.append(final)
        bar.show(len(rates), total)
        if math.isfinite(final):
            break
        divergence = rate
        rate /= FACTOR
    found = rate / 2 if losses and math.isfinite(losses[-1]) else None
    notes = []
    if divergence is None and found is not None:
        notes.append("the first rate does not diverge: begin with a larger one")
    if found is None:
        notes.append("the loss diverges at all of the rates")
    return LRReport(
        "divide", tuple(rates), tuple(losses), found, None, divergence, made, notes=tuple(notes)
    )


def _start(trainer: Stepper) -> tuple[float, float]:
    """Return the loss before any step, over a few batches, and over what a trial has diverged."""
    losses = [trainer.backward(next(trainer.batches)) for _ in range(_FEW)]
    level = sum(losses) / len(losses)
    return level, level + max((WORSE - 1) * abs(level), 2 * (max(losses) - min(losses)))


def _trial(
    trainer: Stepper, rate: float, steps: int, start: tuple[float, float]
) -> tuple[float, int]:
    """Return the mean loss of the last fifth of a trial, infinite if it diverges, and the steps made.

    It diverges where the mean of a few steps rises far over the loss of before, even if it comes back, or
    where it ends above it. The mean and not the median: at a rate that is too high most batches
    may fit, and a few do not at all.
    """
    losses: list[float] = []
    trainer.set_rate(rate)
    for at in range(steps):
        value = trainer.step()
        if not math.isfinite(value):
            return math.inf, at + 1
        losses.append(value)
        if at >= _FEW and not sum(losses[-_FEW:]) / _FEW <= start[1]:
            return math.inf, at + 1
    ending = losses[-max(_FEW, steps // 5) :]
    level = sum(ending) / len(ending)
    return (level if level <= start[0] else math.inf), steps
