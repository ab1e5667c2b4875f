"""Weights do not change: no optimizer has them, or its updates are too small to change a bit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.remedies import rate_over
from trainlint.runtime.judging.updates import Rate, Sufferers, Worst
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(
    __name__,
    "TL451",
    Severity.WARNING,
    explained_by=("no-gradient", "dead-relu", "half-precision-stagnation", "scaler-skips"),
)

COPIES: Final = ("target", "teacher", "shadow", "momentum", "averag", "reference")
COPIES_IN_SHORT: Final = frozenset({"ema", "swa", "avg", "old", "ref", "k"})
"""How copies of a model are called that are written and not trained: of Q-networks, of teachers, means."""
MOST = 0.5
"""Over this share of all elements a model is left out of the optimizer on purpose."""


@rule.detector
@dataclass
class Detector:
    """Looks for parameters in no optimizer once, and for such as stay the same to the bit."""

    needs: ClassVar[tuple[str, ...]] = ()
    patience: int = 20  # measured steps
    turns: int = 5  # steps after which each of several optimizers has stepped
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    rate: Rate = field(default_factory=Rate, init=False)
    sufferers: Sufferers = field(init=False)
    seen: tuple[Parameter, ...] = field(default=(), init=False)
    due: float = field(default=math.inf, init=False)
    left_out: frozenset[str] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.sufferers = Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say which weights are left out, and which are not moved."""
        if step.facts.parameters is not self.seen:
            self.seen = step.facts.parameters
            # What changes again meanwhile waits no longer, or who changes in each step is never judged.
            self.due = min(self.due, step.number + self.turns - 1)
        if step.number >= self.due:
            self.due = math.inf
            yield from self._left_out(step)
        self.loss.add(step)
        if not step.of(Signal.UNCHANGED):
            return
        is_done = self.loss.has_fallen_to(0.001) or not self.rate.is_settled(step)
        gradients = step.of(Signal.GRADIENT_NORM)
        worst = self.sufferers.worst(
            (parameter, same, same == 1 and not is_done and gradients.get(parameter.name, 0) > 0)
            for parameter, same in step.trained(Signal.UNCHANGED)
            if parameter.role is not Role.EMBEDDING and not parameter.is_sparse
        )
        if worst is not None:
            yield self._unmoved(step, worst)

    def _left_out(self, step: Step) -> Iterator[Diagnosis]:
        """Say which trainable parameters are in no optimizer."""
        trainable = [one for one in step.facts.parameters if one.trainable]
        missing = [one for one in trainable if one.optimizer < 0 and not _is_copy(one.name)]
        new = [one for one in missing if one.name not in self.left_out]
        self.left_out = frozenset(one.name for one in missing)
        if not new:
            return
        total = max(sum(one.elements for one in trainable), 1)
        share = sum(one.elements for one in missing) / total
        layers = list(dict.fromkeys(one.layer for one in new))
        worst = Worst(new[0], share, len(new) - 1)
        is_most = share > MOST
        ways = (
            f"freeze it, `{layers[0] or 'model'}.requires_grad_(False)`, if that is meant; else give"
            " the optimizer `model.parameters()`"
            if is_most
            else f"make the optimizer after `{layers[0] or 'model'}` is in the model, or"
            " `optimizer.add_param_group` it; freeze what is not to be trained"
        )
        yield rule.seen(
            step.number,
            new[0],
            f"{worst.shown} {'are' if len(new) > 1 else 'is'} trainable, but in no optimizer that is"
            f" watched: {share:.0%} of the model stays as it was initialised",
            remedy=ways,
            evidence=(Evidence("share of the model", share, None),),
            severity=Severity.ADVICE if is_most else None,
        )

    def _unmoved(self, step: Step, worst: Worst) -> Diagnosis:
        """Say that an optimizer does not move what it has."""
        parameter = worst.parameter
        rate = parameter.learning_rate
        return rule.seen(
            step.number,
            parameter,
            f"{worst.shown} stayed the same to the bit for {self.patience} measured steps in a row, though"
            f" there is a gradient: updates at a learning rate of {rate:.1g} are lost in rounding",
            remedy=f"try {rate_over(step, 1e-3, parameter.optimizer)}, and look for code that writes the"
            " old weights back",
            evidence=(Evidence("share unchanged", worst.value, 1.0, Signal.UNCHANGED),),
        )


def _is_copy(name: str) -> bool:
    """Say whether a parameter belongs to what is copied from a model that is trained."""
    words = re.findall(r"[a-z]+", name.lower())
    return any(word in COPIES_IN_SHORT or any(it in word for it in COPIES) for word in words)
