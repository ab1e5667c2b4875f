"""`find_lr`: which learning rate to begin with, found by trying some; all is given back as it was."""

from __future__ import annotations

import math
import statistics
import warnings
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import torch
from torch import nn

from trainlint.core.errors import UserError, nearest
from trainlint.runtime.tensors import tensors_in
from trainlint.runtime.trials.loader_places import workers_apart
from trainlint.runtime.trials.progress import Bar
from trainlint.runtime.trials.restoring import training_restored
from trainlint.runtime.trials.stepping import Stepper, maximises, refuse

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
_SEEN: Final = 1e-3
"""By this share of the first loss it falls visibly."""
_DEVIATIONS: Final = 2
"""What falls by less may fall by chance."""
_FLAT: Final = "the loss does not fall at any of the rates"
_FEWEST: Final = 10
"""In fewer steps a sweep sees nothing."""
_SETTLED: Final = round(1 / (1 - SMOOTHING))
"""After so many steps a smoothed loss is no longer mostly that of one batch."""

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
    """The smallest rate that was seen to diverge, in the sweep or in a trial."""
    steps: int = 0
    """How many optimizer steps were made."""
    notes: tuple[str, ...] = field(default=())
    trials: tuple[tuple[float, float], ...] = ()
    """Rates at which it was trained from the same weights, and the loss that each reached."""
    start: float | None = None
    """The loss before any step; None where nothing was trained from the same weights.

    What ends above it has not fallen, and is not suggested.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return {
            "method": self.method,
            "suggestion": self.suggestion,
            "steepest": self.steepest,
            "divergence": self.divergence,
            "steps": self.steps,
            "start": self.start,
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
    autocast: torch.dtype | str | None = None,
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
        autocast: The type of automatic mixed precision, or its name, if it is used.
        accumulate: Batches for each step.
        confirm: Whether to train at the rate that the method suggests, at three times and a third of it,
            from the same weights, and to go on to where the loss falls lowest. In a sweep each loss comes
            from all rates before; what a rate does by itself only such a trial tells. And what does not
            diverge need not be good: with batch normalisation hardly any rate diverges. It is the best for
            about as many steps as a trial has: for a long training raise ``steps``.
        progress: Whether to show a bar; by default in a terminal.

    Raises:
        UserError: Something cannot be used: no parameters, a loss without a graph, a loader that ends, a
            batch whose loss is not finite before any step.

    """
    refuse(model, optimizer, loss, loader, needs_rate=True)
    if method not in get_args(Method):
        msg = f"method: no method is called `{method}`{nearest(method, get_args(Method))}"
        raise UserError(msg)
    if not 0 < smallest < largest < math.inf or steps < _FEWEST or accumulate < 1:
        msg = (
            f"expects 0 < smallest < largest, at least {_FEWEST} steps and 1 batch or more for each,"
            f" not {smallest:g}, {largest:g}, {steps} and {accumulate}"
        )
        raise UserError(msg)
    broken: list[Any] = []

    def trainer() -> Stepper:
        return Stepper(model, optimizer, loss, loader, scaler, autocast, accumulate, broken)

    def fresh() -> contextlib.AbstractContextManager[None]:
        return training_restored(model, optimizer, loss, loader, scaler)

    with (
        workers_apart(loader),
        fresh(),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        warnings.catch_warnings(),
        closing(Bar(progress)) as bar,
    ):
        warnings.simplefilter("ignore")
        trainer().train()
        search = _Search(trainer, fresh, (smallest, largest), steps, bar)
        report = search.sweep() if method == "sweep" else search.divide()
        if confirm and report.suggestion is not None:
            report = search.confirmed(report)
    if maximises(optimizer):
        said = "the optimizer maximises: what is shown is the negative of the loss"
        report = replace(report, notes=(*report.notes, said))
    return report


class _Trial(NamedTuple):
    """A training at one rate."""

    loss: float
    """The mean over the last fifth of the steps; infinite where it diverges."""
    steps: int
    chance: float = 0.0
    """By how much it differs from the loss before any step by the choice of batches: one deviation."""


@dataclass(frozen=True)
class _Search:
    """Trains at some rates, each time from the same weights or from rate to rate."""

    trainer: Callable[[], Stepper]
    fresh: Callable[[], contextlib.AbstractContextManager[None]]
    ends: tuple[float, float]
    steps: int
    bar: Bar

    def sweep(self) -> LRReport:
        """Raise the rate from step to step, until the loss diverges."""
        rates: list[float] = []
        losses: list[float] = []
        average = 0.0
        best, divergence = math.inf, None
        smallest, largest = self.ends
        with self.fresh():
            trainer = self.trainer()
            for at in range(self.steps):
                rate = min(smallest * (largest / smallest) ** (at / (self.steps - 1)), largest)
                trainer.set_rate(rate)
                value = trainer.step()
                self.bar.show(at + 1, self.steps)
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
        if not math.isfinite(value):
            self.refuse_broken(trainer)
        suggestion = _suggested(rates, losses, divergence)
        return LRReport(
            "sweep",
            tuple(rates),
            tuple(losses),
            suggestion,
            _steepest(rates, losses),
            divergence,
            len(rates),
            notes=() if suggestion else (_FLAT,),
        )

    def divide(self) -> LRReport:
        """Train at a rate from the same weights, and divide it by 3 until it does not diverge."""
        rates: list[float] = []
        losses: list[float] = []
        rate, made, divergence = self.ends[1], 0, None
        total = math.ceil(math.log(self.ends[1] / self.ends[0], FACTOR)) + 1
        start = self.start
        found = None
        while found is None and rate >= self.ends[0]:
            trial = self.trial(rate, start)
            made += trial.steps
            rates.append(rate)
            losses.append(trial.loss)
            self.bar.show(len(rates), total)
            if trial.loss <= start[0]:
                found = max(rate / 2, self.ends[0])
            elif math.isinf(trial.loss):
                divergence = rate
            rate /= FACTOR
        notes = []
        if found is not None and len(rates) == 1:
            notes.append("the first rate does not diverge: begin with a larger one")
        if found is None:
            notes.append(_FLAT)
        return LRReport(
            "divide",
            tuple(rates),
            tuple(losses),
            found,
            None,
            divergence,
            made,
            notes=tuple(notes),
            start=start[0],
        )

    def confirmed(self, report: LRReport) -> LRReport:
        """Train at the suggested rate and at those around it, and suggest where the loss falls lowest."""
        assert report.suggestion is not None
        middle = report.suggestion
        seen: dict[int, _Trial] = {}
        start = self.start

        def rate_of(place: int) -> float:
            return middle * math.pow(FACTOR, place)

        def level(place: int) -> float:
            if not self.ends[0] <= rate_of(place) <= self.ends[1]:
                return math.inf
            if place not in seen:
                self.bar.tell(f"{self.steps} steps at {rate_of(place):.2g}")
                seen[place] = self.trial(rate_of(place), start)
            return seen[place].loss if seen[place].loss <= start[0] else math.inf

        best = 0
        while not math.isfinite(level(best)) and rate_of(best - 1) >= self.ends[0]:
            best -= 1
        while (lowest := min((best, best - 1, best + 1), key=level)) != best:
            best = lowest
        notes = list(report.notes)
        if not math.isfinite(level(best)):
            notes.append(_FLAT)
        elif start[0] - level(best) < _DEVIATIONS * seen[best].chance:
            notes.append(
                "the loss falls no further than it differs by chance: more steps tell more"
            )
        else:
            if rate_of(best + 1) > self.ends[1]:
                notes.append("a larger rate may be better still: none was tried over `largest`")
            if rate_of(best - 1) < self.ends[0]:
                notes.append("a smaller rate may be better still: none was tried under `smallest`")
        diverging = [rate_of(place) for place, one in seen.items() if math.isinf(one.loss)]
        known = [] if report.divergence is None else [report.divergence]
        return replace(
            report,
            divergence=min((*known, *diverging), default=None),
            suggestion=rate_of(best) if math.isfinite(level(best)) else None,
            steps=report.steps + sum(one.steps for one in seen.values()),
            trials=tuple((rate_of(place), seen[place].loss) for place in sorted(seen)),
            start=start[0],
            notes=tuple(notes),
        )

    @cached_property
    def start(self) -> tuple[float, float]:
        """Return the loss before any step, over a few batches, and over what a trial has diverged."""
        with self.fresh():
            trainer = self.trainer()
            losses = [trainer.backward(next(trainer.batches)) for _ in range(_FEW)]
        level = sum(losses) / len(losses)
        if not math.isfinite(level):
            self.refuse_broken(trainer)
        return level, level + max((WORSE - 1) * abs(level), 2 * (max(losses) - min(losses)))

    def trial(self, rate: float, start: tuple[float, float]) -> _Trial:
        """Train at a rate.

        It diverges where the mean of a few steps rises far over the loss of before, even if it comes back.
        The mean and not the median: at a rate that is too high most batches may fit, and a few do not at
        all.
        """
        losses: list[float] = []
        with self.fresh():
            trainer = self.trainer()
            trainer.set_rate(rate)
            for at in range(self.steps):
                value = trainer.step()
                if not math.isfinite(value):
                    break
                losses.append(value)
                if at >= _FEW and not sum(losses[-_FEW:]) / _FEW <= start[1]:
                    return _Trial(math.inf, at + 1)
        if not math.isfinite(value):
            self.refuse_broken(trainer)
            return _Trial(math.inf, len(losses) + 1)
        ending = losses[-max(_FEW, self.steps // 5) :]
        chance = statistics.stdev(ending) * math.sqrt(1 / _FEW + 1 / len(ending))
        return _Trial(sum(ending) / len(ending), self.steps, chance)

    def refuse_broken(self, trainer: Stepper) -> None:
        """Raise where not the rate is to blame for a loss that is not finite, but the batch or the model.

        Raises:
            UserError: The batch has such a loss before any step, too.

        """
        batch = trainer.broken[0]
        with self.fresh():
            if math.isfinite(self.trainer().backward(batch)):
                return
        is_nan = any(
            one.is_floating_point() and bool(one.isnan().any()) for one in tensors_in(batch)
        )
        where = (
            "the batch has NaN in it" if is_nan else "look at the weights, the batch and the loss"
        )
        msg = f"the loss of a batch is not finite before any step, so no rate helps: {where}"
        raise UserError(msg)


def _steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """Return the rate at which the loss falls most over its logarithm, before its lowest."""
    lowest = min(range(len(losses)), key=losses.__getitem__, default=0)
    first = min(_SETTLED, len(losses) // 3)
    places = range(max(first, 2), min(lowest + 1, len(losses) - 2))
    slopes = {at: losses[at + 2] - losses[at - 2] for at in places}
    steepest = min(slopes, key=slopes.__getitem__, default=None)
    return None if steepest is None or slopes[steepest] >= 0 else rates[steepest]


def _suggested(
    rates: Sequence[float], losses: Sequence[float], divergence: float | None
) -> float | None:
    """Return a third of the rate at which the loss begins to rise for good."""
    if len(rates) <= _FEW:
        return None
    lowest = min(range(len(losses)), key=losses.__getitem__)
    if losses[0] - losses[lowest] <= _SEEN * abs(losses[0]):
        return None
    return min(rates[lowest], divergence or math.inf) / 3
