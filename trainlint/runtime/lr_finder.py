"""`find_lr`: which learning rate to begin with, found by trying some; all is given back as it was."""

from __future__ import annotations

import contextlib
import copy
import math
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from torch import Tensor, nn

from trainlint.core.errors import UserError
from trainlint.runtime.feeding import loss_of, place_of, split
from trainlint.runtime.restoring import chance_restored, model_restored, optimizer_restored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SMOOTHING: Final = 0.9
DIVERGED: Final = 4.0
"""Over this many times the smallest smoothed loss a sweep has diverged (fastai 2018)."""
WORSE: Final = 1.3
"""Over this many times the first loss a trial of a fixed rate has diverged."""
_BAR: Final = 30
_FEW: Final = 5

Method = Literal["sweep", "divide"]


@dataclass(frozen=True)
class LRReport:
    """The rates that were tried, the loss with each, and what follows from them."""

    method: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """Smoothed (sweep), or the median of the last steps of each trial (divide)."""
    suggestion: float | None
    """The rate to begin with; None where none was good."""
    steepest: float | None = None
    """Sweep: where the loss falls most steeply."""
    divergence: float | None = None
    """The smallest rate that was seen to diverge."""
    steps: int = 0
    """How many optimizer steps were made."""
    notes: tuple[str, ...] = field(default=())

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
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return the curve as plain text."""
        from trainlint.output.lr_text import lines  # noqa: PLC0415

        return "\n".join(lines(self))


@dataclass
class _Trainer:
    """Makes single steps of the user's training."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Any
    loader: Any
    scaler: Any
    autocast: torch.dtype | None
    accumulate: int
    ratios: list[float] = field(init=False)
    batches: Iterator[Any] = field(init=False)

    def __post_init__(self) -> None:
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        largest = max(rates, default=0.0)
        self.ratios = [one / largest if largest > 0 else 1.0 for one in rates]
        self.batches = self._endless()

    def _endless(self) -> Iterator[Any]:
        while True:
            count = 0
            for batch in self.loader:
                count += 1
                yield batch
            if not count:
                msg = f"{place_of(self.loader)}the loader has no batches"
                raise UserError(msg)

    def step(self, rate: float) -> float:
        """Make one step at a rate and return the loss; one that is not finite changes nothing."""
        for group, ratio in zip(self.optimizer.param_groups, self.ratios, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio
        self.optimizer.zero_grad(set_to_none=True)
        device = next(self.model.parameters()).device
        total = 0.0
        for _ in range(self.accumulate):
            args, kwargs, target = split(
                self.model, _moved(next(self.batches), device), has_loss=self.loss is not None
            )
            context: Any = contextlib.nullcontext()
            if self.autocast is not None:
                context = torch.autocast(device.type, self.autocast)
            with context:
                value, _ = loss_of(self.loss, self.model(*args, **kwargs), target)
            total += float(value.detach()) / self.accumulate
            if not math.isfinite(total):
                return math.nan
            value = value / self.accumulate
            scaled: Tensor = value if self.scaler is None else self.scaler.scale(value)
            scaled.backward()  # type: ignore[no-untyped-call, unused-ignore]
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return total


def _moved(value: Any, device: torch.device) -> Any:
    """Return a batch on the device of the model."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: _moved(one, device) for key, one in value.items()}
    if type(value) in {tuple, list}:
        return type(value)(_moved(one, device) for one in value)
    return value


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
        method: `sweep` raises the rate from step to step until the loss diverges (Smith 2017);
            `divide` trains at a rate that diverges, divides it by 3 and begins again from the same
            weights until it does not, and suggests half of that (Bengio 2012).
        smallest: The first rate of a sweep; below it `divide` gives up.
        largest: The last rate of a sweep, or the first of `divide`.
        steps: The steps of a sweep, or of each trial.
        scaler: A `GradScaler`, if the training has one.
        autocast: The type of automatic mixed precision, if it is used.
        accumulate: Batches for each step.
        progress: Whether to show a bar; by default in a terminal.

    Raises:
        UserError: Something cannot be used: no parameters, a loss without a graph, a loader that ends.

    """
    if not any(one.requires_grad for one in model.parameters()):
        msg = f"{place_of(model)}no parameter of `{type(model).__name__}` requires a gradient"
        raise UserError(msg)
    if not 0 < smallest < largest or steps < _FEW:
        msg = f"expects 0 < smallest < largest and at least {_FEW} steps"
        raise UserError(msg)
    if hasattr(loader, "__next__"):
        msg = "the loader can be gone through once, and trying rates would use it up: give what makes it"
        raise UserError(msg)
    bar = _bar if (progress if progress is not None else sys.stderr.isatty()) else None

    def trainer() -> _Trainer:
        return _Trainer(model, optimizer, loss, loader, scaler, autocast, accumulate)

    with (
        _restored(model, optimizer, loader, scaler),
        torch.enable_grad(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        if not model.training:
            model.train()
        if method == "sweep":
            return _sweep(trainer(), smallest, largest, steps, bar)

        def fresh() -> contextlib.AbstractContextManager[None]:
            return _restored(model, optimizer, loader, scaler)

        return _divide(trainer, fresh, (smallest, largest), steps, bar)


@contextlib.contextmanager
def _restored(
    model: nn.Module, optimizer: torch.optim.Optimizer, loader: Any, scaler: Any
) -> Iterator[None]:
    """Give everything back that a training changes."""
    holders = [loader, *(getattr(loader, name, None) for name in ("sampler", "batch_sampler"))]
    generators = {
        id(one): one
        for holder in holders
        if isinstance(one := getattr(holder, "generator", None), torch.Generator)
    }
    drawn = [(one, one.get_state()) for one in generators.values()]
    stateful = hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")
    place = copy.deepcopy(loader.state_dict()) if stateful else None
    scale = None
    if scaler is not None:
        scale = {key: copy.deepcopy(value) for key, value in vars(scaler).items()}
    try:
        with chance_restored(), model_restored(model, weights=True), optimizer_restored(optimizer):
            yield
    finally:
        for generator, state in drawn:
            generator.set_state(state)
        if place is not None:
            loader.load_state_dict(place)
        if scale is not None:
            vars(scaler).clear()
            vars(scaler).update(scale)


def _sweep(
    trainer: _Trainer,
    smallest: float,
    largest: float,
    steps: int,
    bar: Callable[[int, int], None] | None,
) -> LRReport:
    """Raise the rate from step to step, until the loss diverges."""
    rates: list[float] = []
    losses: list[float] = []
    average = 0.0
    best, divergence = math.inf, None
    for at in range(steps):
        rate = smallest * (largest / smallest) ** (at / (steps - 1))
        value = trainer.step(rate)
        if bar is not None:
            bar(at + 1, steps)
        if not math.isfinite(value):
            divergence = rate
            break
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        smooth = average / (1 - SMOOTHING ** (at + 1))
        rates.append(rate)
        losses.append(smooth)
        if at >= _FEW and smooth > DIVERGED * best:
            divergence = rate
            break
        best = min(best, smooth)
    if bar is not None:
        sys.stderr.write("\n")
    steepest = _steepest(rates, losses)
    suggestion = _suggested(rates, losses, divergence)
    notes = () if suggestion else ("the loss does not fall at any of the rates",)
    return LRReport(
        "sweep", tuple(rates), tuple(losses), suggestion, steepest, divergence, len(rates), notes
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


def _divide(
    trainer: Callable[[], _Trainer],
    fresh: Callable[[], contextlib.AbstractContextManager[None]],
    ends: tuple[float, float],
    steps: int,
    bar: Callable[[int, int], None] | None,
) -> LRReport:
    """Train at a rate from the same weights, and divide it by 3 until it does not diverge."""
    rates: list[float] = []
    losses: list[float] = []
    rate, made, divergence = ends[1], 0, None
    total = math.ceil(math.log(ends[1] / ends[0], 3)) + 1
    while rate >= ends[0]:
        with fresh():
            final, count = _trial(trainer(), rate, steps)
        made += count
        rates.append(rate)
        losses.append(final)
        if bar is not None:
            bar(len(rates), total)
        if math.isfinite(final):
            break
        divergence = rate
        rate /= 3
    if bar is not None:
        sys.stderr.write("\n")
    found = rate / 2 if losses and math.isfinite(losses[-1]) else None
    notes = []
    if divergence is None and found is not None:
        notes.append("the first rate does not diverge: begin with a larger one")
    if found is None:
        notes.append("the loss diverges at all of the rates")
    return LRReport(
        "divide", tuple(rates), tuple(losses), found, None, divergence, made, tuple(notes)
    )


def _trial(trainer: _Trainer, rate: float, steps: int) -> tuple[float, int]:
    """Return the level that the loss reaches at a rate, infinite if it diverges, and the steps made."""
    losses: list[float] = []
    for at in range(steps):
        value = trainer.step(rate)
        if not math.isfinite(value):
            return math.inf, at + 1
        losses.append(value)
        start = sorted(losses[:_FEW])[min(len(losses), _FEW) // 2]
        level = sorted(losses[-_FEW:])[min(len(losses), _FEW) // 2]
        if at >= 2 * _FEW and level > 2 * WORSE * max(start, 1e-12):
            return math.inf, at + 1
    ending = sorted(losses[-max(_FEW, steps // 5) :])
    level = ending[len(ending) // 2]
    first = sorted(losses[:_FEW])[_FEW // 2]
    # the first step has been made before the second loss: a jump at once counts, too
    return (level if level <= min(losses[0], first) else math.inf), steps


def _bar(done: int, total: int) -> None:
    """Show how far it is."""
    full = _BAR * done // total
    sys.stderr.write(f"\r[{'#' * full}{'.' * (_BAR - full)}] {done}/{total}")
    sys.stderr.flush()
