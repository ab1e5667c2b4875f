"""A loss that applies softmax or sigmoid itself is given probabilities, so its gradient fades."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import named
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Activation, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(__name__, "TL351", Severity.ERROR)

TWO = 2
"""Two logits up to 1 apart cannot be told from probabilities, for they are known up to a constant."""


@rule.detector
@dataclass
class Detector:
    """Counts the steps in which all inputs of a logits loss are probabilities."""

    needs: ClassVar[tuple[str, ...]] = (Signal.PROBABILITY_INPUT,)
    share: float = 0.99
    patience: int = 3
    streaks: Streaks = field(init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield what makes the probabilities."""
        share = step.run(Signal.PROBABILITY_INPUT) or 0.0
        classes = step.run(Signal.CLASSES)
        maker = _maker(step, Activation.SIGMOID if classes is None else Activation.SOFTMAX)
        is_bad = share > self.share and (maker is not None or classes != TWO)
        if not self.streaks.seen("", is_bad=is_bad):
            return
        loss, function = ("binary cross entropy with logits", "sigmoid")
        if classes is not None:
            loss, function = ("cross entropy", "softmax")
        whose = f"{named(maker)} gives" if maker is not None else "the training gives"
        yield rule.seen(
            step.number,
            step.facts.run if maker is None else maker,
            f"{whose} the {loss} probabilities in {share:.0%} of the rows of {self.patience} steps"
            f" (bound {self.share:.0%}): the loss applies {function} itself, and twice flattens it",
            remedy=f"give the loss the logits: drop {_what(maker, function)} from the training, and"
            " apply it only where probabilities are shown",
            evidence=(
                Evidence(
                    "rows that are probabilities", share, self.share, Signal.PROBABILITY_INPUT
                ),
            ),
        )


def _maker(step: Step, activation: Activation) -> Layer | None:
    """Return the layer whose output the probabilities are; None where the loop makes them."""
    last = [one for one in step.facts.layers if one.is_output and one.activation is activation]
    return last[-1] if last else None


def _what(maker: Layer | None, function: str) -> str:
    """Say what is to be dropped."""
    return f"the {function} in front of it" if maker is None else f"`{maker.name}`"
