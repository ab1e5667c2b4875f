"""The model is better than it can be: on validation by far, or after a handful of steps."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL927", Severity.WARNING)

RECENT = 20
"""How many training losses before an evaluation make the level that it is compared with."""
LEARNED = 0.5
"""Under this share of ln(classes) a model knew something before it was watched."""
MANY = 16
"""Batches with fewer examples may hold one label by chance."""


@rule.detector
@dataclass
class Detector:
    """Compares validation with training, and the first losses with what chance gives."""

    needs: ClassVar[tuple[str, ...]] = ()
    better: float = 0.3  # validation over training; augmentation and dropout explain over half
    patience: int = 2  # evaluations
    early: int = 50  # steps
    solved: float = 0.001  # of ln(classes)
    training: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)
    classes: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT), init=False)
    streaks: Streaks = field(init=False)
    first: float | None = field(default=None, init=False)
    has_one_label: bool = field(default=True, init=False)
    has_spoken: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say what is too good."""
        if step.facts.need_not_fall:
            return
        yield from self._validation(step)
        loss, class_loss = step.run(Signal.LOSS), step.run(Signal.CLASS_LOSS)
        if loss is not None and math.isfinite(loss):
            self.training.append(loss)
        if class_loss is not None and math.isfinite(class_loss):
            self.classes.append(class_loss)
            if step.number <= self.early and not self.has_spoken:
                yield from self._early(step, class_loss)

    def _validation(self, step: Step) -> Iterator[Diagnosis]:
        """Say that validation is better than training by far."""
        validation = step.run(Signal.VALIDATION_LOSS)
        seen = self.classes or self.training  # a cross entropy without smoothing and penalties
        if validation is None or len(seen) < RECENT // 2:
            return
        level = min(median(seen), median(self.training))
        dropout = next((one for one in step.facts.layers if "Dropout" in one.kind), None)
        bound = self.better if dropout is None else self.better / 2
        is_bad = 0 <= validation < bound * level
        if self.streaks.seen("", is_bad=is_bad):
            yield rule.seen(
                step.number,
                step.facts.run,
                f"the validation loss is {validation:.3g}, {validation / level:.0%} of the training loss of"
                f" {level:.3g} (bound {bound:.0%}), for {self.patience} evaluations in a row",
                remedy="look for labels in the validation inputs, for examples that are in both sets, and"
                " at whether both losses are computed alike: reduction, weights, augmentation",
                evidence=(
                    Evidence("validation over training", validation / level, bound, "val_loss"),
                ),
            )

    def _early(self, step: Step, loss: float) -> Iterator[Diagnosis]:
        """Say that a problem is solved before it can be."""
        classes = step.run(Signal.CLASSES)
        if classes is None or classes < 2 or (step.run(Signal.BATCH_SIZE) or 0) < MANY:  # noqa: PLR2004
            return
        share = loss / math.log(classes)
        self.first = share if self.first is None else self.first
        self.has_one_label = self.has_one_label and step.run(Signal.TARGET_SHARE) == 1
        if self.first < LEARNED or not 0 <= share < self.solved:
            return
        self.has_spoken = True
        why = "all labels are the same" if self.has_one_label else "no real problem is that easy"
        ways = (
            "look at how the labels are made, and shuffle the data"
            if self.has_one_label
            else "look for the label among the inputs, or something that is made of it"
        )
        yield rule.seen(
            step.number,
            step.facts.run,
            f"the loss is {loss:.2g} after {step.number} steps, {share:.1g} of what a guess among"
            f" {classes:.0f} classes has (bound {self.solved:g}): {why}",
            remedy=ways,
            evidence=(Evidence("loss over chance", share, self.solved, Signal.CLASS_LOSS),),
            severity=None if self.has_one_label else Severity.ADVICE,
        )
