"""The gradient grows far beyond its level or the size of the weights."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.relative import (
    described,
    fall_with_depth,
    is_gradual,
    relative_gradients,
    subject_of,
)
from trainlint.runtime.judging.remedies import initialisation, named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Layer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(__name__, "TL902", Severity.ERROR)

RECENT: Final = 50
"""Of how many measured steps the level is the median."""
HARM: Final = 0.1
"""A step that changes the weights by less than this share of them does no harm, however large it looks."""
HIGHER: Final = 1.1
"""By how much the rate rises where the steps after it are given grace."""


@rule.detector
@dataclass
class Detector:
    """Compares the norm of all gradients, as the optimizer gets them, with its level and the weights."""

    needs: ClassVar[tuple[str, ...]] = (Signal.TOTAL_NORM, Signal.WEIGHT_NORM, Signal.GRADIENT_NORM)
    jump: float = 100.0  # times the median, for one step
    rise: float = 10.0  # times the median, for `patience` steps
    patience: int = 3
    growth: float = 1e3  # of the first layers' relative gradient over that of the last
    scale: float = 1e4  # times the norm of the weights; Pascanu 2013 speaks of walls in the loss
    start: int = 10
    norms: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)
    first: list[float] = field(default_factory=list, init=False)
    """What the run began with: a gradient that has become small may be as large again."""
    rate: float = field(default=math.inf, init=False)
    grace: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(1)
        self.patient = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layer with the largest gradient when that explodes."""
        norm = _norm(step)
        if not math.isfinite(norm):
            return  # there are rules about that
        said = self._against_level(step, norm) or self._against_weights(step, norm)
        if said is None and not self._is_adaptive(step):
            said = self._with_depth(step)
        self.norms.append(norm)
        if len(self.first) < self.start:
            self.first.append(norm)
        loss = step.run(Signal.LOSS)
        if loss is not None and math.isfinite(loss):
            self.losses.append(loss)
        if said is not None:
            yield said

    def _against_level(self, step: Step, norm: float) -> Diagnosis | None:
        """Compare a norm with the median of the last ones, while the loss does not fall with it."""
        rate = step.run(Signal.LEARNING_RATE) or 0.0
        self.grace = 2 if rate > HIGHER * self.rate else max(self.grace - 1, 0)
        self.rate = rate
        level = median(self.norms) if len(self.norms) >= self.start else 0.0
        is_usual = len(self.first) == self.start and norm <= median(self.first)
        # The gradient of a policy grows with its rewards.
        is_expected = self.grace or is_usual or step.facts.plays
        if level <= 0 or is_expected or self._loss_falls(step):
            self.streaks.good("jump")
            self.patient.good("rise")
            return None
        times = norm / level
        jumps = self.streaks.seen("jump", is_bad=times > self.jump)
        rises = self.patient.seen("rise", is_bad=times > self.rise)
        if not (jumps or rises):
            return None
        bound = self.jump if jumps else self.rise
        row = "" if jumps else f" for {self.patience} steps in a row"
        return self._said(
            step,
            f"the gradient's norm is {norm:.3g}, {times:.0f} times the median of the last {len(self.norms)}"
            f" measured steps (bound {bound:g}){row}",
            Evidence("norm over its median", times, bound, Signal.TOTAL_NORM),
        )

    def _against_weights(self, step: Step, norm: float) -> Diagnosis | None:
        """Compare a norm with that of the weights, where the step is as large as it."""
        own = [size for _, size in step.trained(Signal.WEIGHT_NORM) if math.isfinite(size)]
        weights = math.hypot(*own)
        rate = step.run(Signal.LEARNING_RATE) or 0.0
        does_harm = rate * norm > HARM * weights and not self._is_adaptive(step)
        is_bad = weights > 0 and norm > self.scale * weights and does_harm
        if not self.streaks.seen("scale", is_bad=is_bad):
            return None
        times = norm / weights
        return self._said(
            step,
            f"the gradient's norm is {norm:.3g}, {times:.1e} times that of the weights (bound"
            f" {self.scale:.0e})",
            Evidence("norm over the weights'", times, self.scale, Signal.TOTAL_NORM),
        )

    def _with_depth(self, step: Step) -> Diagnosis | None:
        """Compare the first layers with the last: the gradient may grow on its way back."""
        for seen in relative_gradients(step):
            ratios = [one.ratio for one in seen]
            times = fall_with_depth(ratios) if len(seen) > self.patience else 0.0
            explodes = times > self.growth and is_gradual(ratios, self.growth)
            name = f"depth {seen[0].parameter.optimizer}"
            if self.patient.seen(name, is_bad=explodes):
                return self._said(
                    step,
                    f"relative to the weights, the gradients of the first third of the layers are"
                    f" {times:.1e} times those of the last third (bound {self.growth:.0e}) for"
                    f" {self.patience} steps in a row",
                    Evidence(
                        "first third over last third", times, self.growth, Signal.GRADIENT_RMS
                    ),
                )
        return None

    def _said(self, step: Step, message: str, evidence: Evidence) -> Diagnosis:
        """Make the diagnosis, about the layer with the largest gradient."""
        subject = _largest(step)
        if subject is None:
            return rule.seen(
                step.number,
                step.facts.run,
                message,
                remedy=self._remedy(step, None),
                evidence=(evidence,),
            )
        return rule.seen(
            step.number,
            subject,
            f"{message}; the most of it is that of {described(subject)}",
            remedy=self._remedy(step, subject),
            evidence=(evidence,),
        )

    def _remedy(self, step: Step, subject: object) -> str:
        """Say what to do, by when it explodes and in what."""
        usual = quantiles(self.norms, n=10)[-1] if len(self.norms) >= self.start else 1.0
        clip = (
            f"clip by norm, `nn.utils.clip_grad_norm_(model.parameters(), {usual:.2g})`, between"
            " `loss.backward()` and `optimizer.step()`"
        )
        if any(one.is_recurrent for one in step.facts.layers):
            return f"{clip}; then try {rate_over(step, 3)}"
        if len(self.norms) < self.start and isinstance(subject, Layer) and subject.fan_in:
            return (
                f"check the scale of inputs and targets, give {named(subject)} {initialisation(subject)},"
                f" and try {rate_over(step, 3)}; {clip}"
            )
        return f"try {rate_over(step, 3)}, and {clip}"

    def _loss_falls(self, step: Step) -> bool:
        """Say whether the loss lies under its level: a gradient grows where a plateau is left, too."""
        loss = step.run(Signal.LOSS)
        return loss is not None and bool(self.losses) and loss < median(self.losses)

    @staticmethod
    def _is_adaptive(step: Step) -> bool:
        """Say whether the optimizers divide the gradients by their scale."""
        optimizers = step.facts.optimizers
        return bool(optimizers) and all(one.is_adaptive for one in optimizers)


def _norm(step: Step) -> float:
    """Return the norm of all gradients; of finite ones whose squares overflow, the largest element."""
    norm = step.run(Signal.TOTAL_NORM)
    bad = step.of(Signal.GRADIENT_NON_FINITE)
    if norm == math.inf and bad and not any(bad.values()):
        return max(step.of(Signal.GRADIENT_MAX).values(), default=math.inf)
    return math.nan if norm is None else norm


def _largest(step: Step) -> Layer | Parameter | None:
    """Return the layer whose parameter has the largest gradient."""
    norms = [
        (norm, parameter)
        for parameter, norm in step.trained(Signal.GRADIENT_NORM)
        if not math.isnan(norm)
    ]
    if not norms:
        return None
    return subject_of(step, max(norms, key=lambda pair: pair[0])[1])
