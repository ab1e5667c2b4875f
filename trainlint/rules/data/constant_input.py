"""Features of the input never vary, so nothing can be learned from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL751", Severity.ERROR)

ALL = 1 - 1e-9
SEVERAL = 2
"""Examples in a batch that can differ from each other."""


@rule.detector
@dataclass
class Detector:
    """Waits until enough batches have shown which features vary."""

    needs: ClassVar[tuple[str, ...]] = (Signal.INPUT_CONSTANT,)
    patience: int = 20
    soon: int = 3  # where each step has several examples, and all are the same
    share: float = 0.5  # rare words and the borders of images are constant in many batches
    every: Streaks = field(init=False)
    single: Streaks = field(init=False)
    many: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.every, self.many = Streaks(self.soon), Streaks(self.patience)
        self.single = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if its input does not vary, or hardly."""
        share = step.run(Signal.INPUT_CONSTANT)
        if share is None:
            return
        is_all = share >= ALL
        is_single = (step.run(Signal.BATCH_SIZE) or 1) < SEVERAL
        says_all = (self.single if is_single else self.every).seen("", is_bad=is_all)
        says_many = self.many.seen("", is_bad=self.share < share < ALL)
        if not (says_all or says_many):
            return
        which = "no feature" if is_all else f"only {1 - share:.0%} of the features"
        bound = ALL if is_all else self.share
        steps = self.soon if is_all and not is_single else self.patience
        yield rule.seen(
            step.number,
            step.facts.run,
            f"{which} of the model's input varied in {steps} measured steps"
            f" (bound {1 - bound:.0%}): {'all examples are the same' if is_all else 'the rest is idle'}",
            remedy="look at two examples as the model is given them: an index that is never advanced, a"
            " buffer that is overwritten, or a mask or scale of 0"
            if is_all
            else "drop the constant features, or look for the step of the data pipeline that empties them",
            evidence=(Evidence("constant features", share, bound, Signal.INPUT_CONSTANT),),
            severity=None if is_all else Severity.ADVICE,
        )
