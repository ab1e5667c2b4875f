"""Units of a layer begin with the same weights, so they compute the same and learn the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.remedies import initialisation
from trainlint.runtime.signals import Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(__name__, "TL151", Severity.WARNING)

SHORT = 8
"""Rows of fewer elements point the same way by chance, once there are many."""
DEPTHWISE = 2
"""A weight of more dimensions whose second is 1 gives each unit an input of its own."""


@rule.detector
@dataclass
class Detector:
    """Looks at the rows of each weight at the start, and once again when training had time."""

    needs: ClassVar[tuple[str, ...]] = (Signal.SIMILAR_ROWS,)
    share: float = 0.1
    again: int = 50  # steps after which units that are still alike stay alike
    alike: set[str] = field(default_factory=set, init=False)
    is_started: bool = field(default=False, init=False)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the weights too many of whose rows are alike."""
        is_first, self.is_started = not self.is_started, True
        seen = [
            (one, share) for one, share in step.trained(Signal.SIMILAR_ROWS) if _may_be_judged(one)
        ]
        # what a layer computes from several weights differs where one of them does
        apart = {(one.layer, one.shape[0]) for one, share in seen if share <= self.share}
        for parameter, share in seen:
            if not share > self.share or (parameter.layer, parameter.shape[0]) in apart:
                continue
            if is_first:
                self.alike.add(parameter.name)
                yield self._said(step, parameter, share, "at the start", None)
            elif parameter.name in self.alike and step.number >= self.again:
                self.alike.discard(parameter.name)
                when = f"after {step.number} steps still"
                yield self._said(step, parameter, share, when, Severity.ERROR)

    def _said(
        self,
        step: Step,
        parameter: Parameter,
        share: float,
        when: str,
        severity: Severity | None,
    ) -> Diagnosis:
        """Say that units are alike."""
        layer = step.facts.layer.get(parameter.layer)
        how = "random values, as `nn.init.xavier_normal_` does"
        if layer is not None:
            how = initialisation(layer)
        return rule.seen(
            step.number,
            parameter,
            f"{share:.0%} of the units of `{parameter.layer or parameter.name}` have the same weights"
            f" as another {when} (bound {self.share:.0%}): they count as one unit",
            remedy=f"give `{parameter.name}` {how}; only biases may begin all equal",
            evidence=(Evidence("units like another", share, self.share, Signal.SIMILAR_ROWS),),
            severity=severity,
        )


def _may_be_judged(parameter: Parameter) -> bool:
    """Say whether rows are units that see the same inputs, and long enough to differ."""
    rows = parameter.shape[0] if parameter.shape else 0
    if parameter.role is not Role.WEIGHT or rows < 2:  # noqa: PLR2004 - one is like no other
        return False
    is_depthwise = len(parameter.shape) > DEPTHWISE and parameter.shape[1] == 1
    return not is_depthwise and parameter.elements // rows >= SHORT
