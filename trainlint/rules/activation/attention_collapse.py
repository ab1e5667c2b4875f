"""An attention looks at one key only, or its logits have grown without bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.remedies import named, rate_over
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer, Step

rule = Rule(
    __name__,
    "TL254",
    Severity.WARNING,
    explained_by=("unnormalised-input", "poor-initial-scale", "exploding-gradient"),
)

SHARP: Final = 0.2
"""Large logits are only told of where they have made the attention this sharp as well."""
AGAIN: Final = 1.5
"""A loss this far above its best is no longer one that sharp attention serves."""


@rule.detector
@dataclass
class Detector:
    """Looks at the entropy of the attention's weights and at its logits."""

    needs: ClassVar[tuple[str, ...]] = (Signal.ATTENTION_ENTROPY, Signal.ATTENTION_LOGIT)
    entropy: float = 0.05  # of the largest possible; Zhai 2023 call this entropy collapse
    logit: float = 50.0
    overflow: float = 1e4  # Dehghani 2023 saw 5e4 when it diverged, float16 ends at 6.5e4
    patience: int = 10
    learned: float = 0.5  # of the first loss: what is learned may well look at one key
    first: dict[str, float] = field(default_factory=dict, init=False)
    level: LossLevel = field(default_factory=LossLevel, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the attentions that have collapsed, the first of a step with how many follow."""
        self.level.add(step)
        logits = step.of(Signal.ATTENTION_LOGIT)
        is_learned = self.level.has_fallen_to(self.learned) and (
            self.level.now < AGAIN * self.level.best
        )
        ready = []
        for layer, entropy in step.layers(Signal.ATTENTION_ENTROPY):
            self.first.setdefault(layer.name, entropy)
            logit = logits.get(layer.name, 0.0)
            is_sharp = entropy < self.entropy or (logit > self.logit and entropy < SHARP)
            is_bad = logit > self.overflow or (is_sharp and not is_learned)
            if self.streaks.seen(layer.name, is_bad=is_bad):
                ready.append((layer, entropy, logit))
        if ready:
            yield self._said(step, *ready[0], others=len(ready) - 1)

    def _said(
        self, step: Step, layer: Layer, entropy: float, logit: float, *, others: int
    ) -> Diagnosis:
        """Make the diagnosis of an attention."""
        more = f", like {others} others," if others else ""
        bound = self.overflow if logit > self.overflow else self.logit
        lowest = self.entropy if logit <= self.logit or entropy < self.entropy else SHARP
        return rule.seen(
            step.number,
            layer,
            f"the weights of {named(layer)}{more} have {entropy:.1%} of the largest possible entropy (bound"
            f" {lowest:.0%}) and logits up to {logit:.3g} (bound {bound:g}), for {self.patience}"
            " measured steps in a row: each query looks at one key, and no gradient tells it of the others",
            remedy=self._remedy(step, layer),
            evidence=(
                Evidence("entropy", entropy, lowest, Signal.ATTENTION_ENTROPY),
                Evidence("largest logit", logit, bound, Signal.ATTENTION_LOGIT),
            ),
        )

    def _remedy(self, step: Step, layer: Layer) -> str:
        """Say what to do, by whether it was so from the start."""
        normalise = "normalise queries and keys (`nn.LayerNorm` or `nn.RMSNorm` over each head)"
        if self.first.get(layer.name, 1.0) < SHARP:
            return (
                "it was so from the first step: divide the logits by the square root of the head's size,"
                f" give the projections of queries and keys Glorot initialisation, or {normalise}"
            )
        return f"{normalise}, try {rate_over(step, 3)}, and let it rise over some hundred steps (warm-up)"
