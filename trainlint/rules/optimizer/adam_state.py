"""Adam divides by what is not the size of the gradient: by `eps`, or by an average that is too old."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.updates import Rate, Sufferers, Worst
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(
    __name__,
    "TL454",
    Severity.WARNING,
    explained_by=("no-gradient", "dead-relu", "vanishing-gradient"),
)


USUAL_EPS: Final = 1e-8
"""A larger one is chosen on purpose in reinforcement learning (Hessel et al. 2018: 1.5e-4)."""
CUT: Final = 10.0
"""A gradient that clipping makes so many times smaller is small because of it."""
RISEN: Final = 3.0
"""A second moment that is so many times the smallest one so far rises by itself."""


@rule.detector
@dataclass
class Detector:
    """Compares the root of the second moment with `eps`, and updates with the learning rate."""

    needs: ClassVar[tuple[str, ...]] = ()
    eps: float = 1.0  # times: under it half of each step is lost
    update: float = 3.0  # times the learning rate; about 1 at most when healthy
    patience: int = 10  # measured steps
    loss: LossLevel = field(default_factory=LossLevel, init=False)
    rate: Rate = field(default_factory=Rate, init=False)
    small: Sufferers = field(init=False)
    large: Sufferers = field(init=False)
    lowest: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Set the patience."""
        self.small, self.large = Sufferers(self.patience), Sufferers(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Say where `eps` is too large, and where beta2 is."""
        self.loss.add(step)
        if not (step.of(Signal.SECOND_MOMENT) or step.of(Signal.ADAM_UPDATE)):
            return
        is_settled = self.rate.is_settled(step)
        for parameter, root in step.trained(Signal.SECOND_MOMENT):
            if root > 0:
                self.lowest[parameter.name] = min(root, self.lowest.get(parameter.name, root))
        is_done = self.loss.has_fallen_to(0.1)
        worst = self.small.worst(
            (
                parameter,
                eps / root,
                root < self.eps * eps and not (is_done or self._is_rising(parameter, root)),
            )
            for parameter, root in step.trained(Signal.SECOND_MOMENT)
            if parameter.role not in {Role.EMBEDDING, Role.BIAS} and root > 0
            for eps in (step.facts.optimizers[parameter.optimizer].eps,)
            if not (step.facts.plays and eps > USUAL_EPS)
        )
        if worst is not None:
            yield self._small(step, worst)
        worst = self.large.worst(
            (parameter, update, self.update < update < math.inf and is_settled)
            for parameter, update in step.trained(Signal.ADAM_UPDATE)
            if parameter.role is not Role.EMBEDDING and not parameter.is_sparse
        )
        if worst is not None:
            yield self._large(step, worst)

    def _is_rising(self, parameter: Parameter, root: float) -> bool:
        """Say whether a gradient that was small at first is on its way up by itself.

        A last layer that starts near 0, as those of policies do, lets hardly any through.
        """
        return root > RISEN * self.lowest[parameter.name]

    def _small(self, step: Step, worst: Worst) -> Diagnosis:
        """Say that `eps` outweighs the gradient."""
        parameter: Parameter = worst.parameter
        eps = step.facts.optimizers[parameter.optimizer].eps
        root = eps / worst.value
        return rule.seen(
            step.number,
            parameter,
            f"Adam's divisor for {worst.shown} is {root:.1g}, under its eps of {eps:.0e} for"
            f" {self.patience} measured steps in a row: steps shrink with the gradient, as by plain SGD",
            remedy=_larger(step, root),
            evidence=(Evidence("divisor", root, self.eps * eps, Signal.SECOND_MOMENT),),
        )

    def _large(self, step: Step, worst: Worst) -> Diagnosis:
        """Say that the second moment is older than the gradient."""
        parameter: Parameter = worst.parameter
        beta2 = step.facts.optimizers[parameter.optimizer].beta2
        ways = f"lower beta2 from {beta2:g} to {0.95 if beta2 > 0.98 else 0.9:g}"  # noqa: PLR2004
        return rule.seen(
            step.number,
            parameter,
            f"Adam's updates of {worst.shown} are {worst.value:.2g} times the learning rate (bound"
            f" {self.update:g}) for {self.patience} measured steps in a row: its second moment is still"
            " that of smaller gradients",
            remedy=f"{ways}, clip the gradients by norm, or warm the rate up",
            evidence=(Evidence("update over rate", worst.value, self.update, Signal.ADAM_UPDATE),),
        )


def _larger(step: Step, root: float) -> str:
    """Say how to bring the divisor over `eps`: by what makes the gradients that small."""
    before, after = step.run(Signal.TOTAL_NORM_BEFORE), step.run(Signal.TOTAL_NORM)
    if step.run(Signal.CLIPPED) and before and after and before > CUT * after:
        return (
            f"clip less: gradients with a norm of {before:.2g} are cut to {after:.2g}, to which Adam"
            " is indifferent until eps outweighs what is left"
        )
    return (
        f"try an eps of {10 ** math.floor(math.log10(root) - 1):.0e}, or scale the loss or the inputs up,"
        " whose gradients are that small"
    )
