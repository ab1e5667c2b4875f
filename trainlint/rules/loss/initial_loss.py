"""The first loss of a classification is far from what guessing gives, so the logits begin too large."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named
from trainlint.runtime.judging.updates import has_moved
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(
    __name__, "TL350", Severity.WARNING, explained_by=("unnormalised-input", "poor-initial-scale")
)

FEW = 8
"""A mean over fewer examples is so noisy that only twice the factor proves anything."""


@rule.detector
@dataclass
class Detector:
    """Compares the first cross entropy with that of a guess, once."""

    needs: ClassVar[tuple[str, ...]] = (Signal.CLASS_LOSS, Signal.CLASSES)
    factor: float = 2.0  # Karpathy 2019 asks for -log(1 / classes)
    is_over: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the run if its first loss is no guess's; afterwards nothing."""
        if self.is_over:
            return
        self.is_over = True
        if has_moved(step):
            return
        loss, classes = step.run(Signal.CLASS_LOSS), step.run(Signal.CLASSES) or 0
        if loss is None or not math.isfinite(loss) or classes < 2:  # noqa: PLR2004 - no choice
            return
        if step.facts.alternates or any(one.has_state for one in step.facts.optimizers):
            return  # there is no start to speak of: it is another's turn, or the run goes on
        chance = math.log(classes)
        examples = step.run(Signal.BATCH_SIZE)
        factor = self.factor * (2 if examples is not None and examples < FEW else 1)
        seen = (
            f"the first cross entropy is {loss:.3g}, and guessing among {classes:.0f} classes gives"
        )
        last = _last(step)
        if loss > factor * chance:
            yield rule.seen(
                step.number,
                step.facts.run if last is None else last,
                f"{seen} {chance:.3g} (bound {factor:g} times that): the first steps only shrink logits"
                " that are too large",
                remedy=_smaller(last),
                evidence=(Evidence("first loss", loss, factor * chance, Signal.CLASS_LOSS),),
            )
        elif loss < chance / factor:
            yield rule.seen(
                step.number,
                step.facts.run,
                f"{seen} {chance:.3g} (bound 1/{factor:g} of that): the model knows the labels already",
                remedy="if no checkpoint was loaded, look for the label, or what follows from it, among"
                " the inputs",
                evidence=(Evidence("first loss", loss, chance / factor, Signal.CLASS_LOSS),),
                severity=Severity.ADVICE,
            )


def _last(step: Step) -> Layer | None:
    """Return the layer whose output the logits are."""
    weighted = [one for one in step.facts.layers if one.weight and not one.is_norm]
    return weighted[-1] if weighted else None


def _smaller(last: Layer | None) -> str:
    """Say how to begin with small logits."""
    if last is None:
        return "initialise the last layer with a standard deviation of 0.01 and a bias of 0"
    return (
        f"initialise {named(last)} with `nn.init.normal_(weight, std=0.01)` and a bias of 0, or"
        " normalise in front of it"
    )
