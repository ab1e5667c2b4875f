"""Parameters in the optimizer have never had a gradient, so they never learn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.relative import described, subject_of
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import RECTIFYING, Role, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Parameter, Step

rule = Rule(__name__, "TL904", Severity.WARNING, explained_by=("dead-relu",))

NUMBER: Final = re.compile(r"(?<![^.])\d+(?![^.])")
"""The index of one of several alike, such as an expert or a block, in a parameter's name."""
FADED: Final = 1e-30
"""Products of a few numbers of this size are 0 in float32."""


@rule.detector
@dataclass
class Detector:
    """Remembers which parameters have ever had a gradient; those are not judged again."""

    needs: ClassVar[tuple[str, ...]] = (Signal.GRADIENT_MISSING,)
    patience: int = 10
    switched: int = 100  # experts and dropped blocks have their turn at last
    dead: float = 0.5
    reached: set[str] = field(default_factory=set, init=False)
    kinds: set[str] = field(default_factory=set, init=False)
    told: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the layers that no gradient has reached; those of one cause together."""
        largest, norms = step.of(Signal.GRADIENT_MAX), step.of(Signal.GRADIENT_NORM)
        ready: list[Parameter] = []
        for parameter, missing in step.trained(Signal.GRADIENT_MISSING):
            name = parameter.name
            if name in self.reached:
                continue
            # The squares of tiny gradients vanish, and a few of many are not in the sample.
            if missing == 0 and (largest.get(name, 1.0) != 0 or norms.get(name, 0.0) != 0):
                self.reached.add(name)
                self.kinds.add(NUMBER.sub("*", name))
                self.streaks.good(name)
            elif missing or not (self._has_dead_units(step) or _fades(largest)):
                self.streaks.bad(name)
                ready.append(parameter)
        yield from self._said(step, ready)

    def _said(self, step: Step, waiting: list[Parameter]) -> Iterator[Diagnosis]:
        """Make one diagnosis of the layers that do not run, and one of those behind a cut."""
        layers = {one.layer for one in step.facts.parameters if one.name in self.reached}
        missing = step.of(Signal.GRADIENT_MISSING)
        parts = {one.name for one in waiting if self._is_part(step, one)}
        # the zeros of what is not chosen go on to what is before it
        zeros = [one.depth for one in waiting if one.name in parts and not missing[one.name]]
        deepest = max(zeros, default=-1)
        ready = []
        for one in waiting:
            may_wait = one.name in parts or (not missing[one.name] and one.depth < deepest)
            patience = max(self.switched if may_wait else self.patience, 1)
            is_shift = one.role is Role.BIAS and one.layer in layers  # that the loss ignores
            if self.streaks.length(one.name) >= patience and not (
                is_shift or one.name in self.told
            ):
                ready.append(one)
        self.told.update(one.name for one in ready)
        # a gradient of zeros comes from a call, though perhaps not of the layer itself
        cut = [one for one in ready if _runs(step, one) or not missing[one.name]]
        unused = [one for one in ready if one not in cut]
        if unused:
            remedy = "call it in `forward`, or leave it out of the model and of the optimizer"
            yield self._one(step, unused, unused[0], "and it is not seen to run", remedy)
        if cut:
            last = max(cut, key=lambda one: one.depth)
            remedy = (
                f"look between `{last.layer}` and the loss for what cuts the graph: `.detach()`, `.data`,"
                " `.item()`, numpy, `argmax`, rounding, `torch.no_grad()`"
            )
            if last.layer and last.layer not in step.facts.layer:  # it has parts, and they run
                remedy = f"look whether `{last.name}` is used for such a batch; then {remedy}"
            if missing[last.name] == 0:
                remedy = (
                    f"look between `{last.layer}` and the loss for what multiplies by 0 or is flat: a mask,"
                    " a loss weight of 0, a rounding, a clamp"
                )
            yield self._one(step, cut, last, "though it runs", remedy)

    def _one(
        self, step: Step, some: list[Parameter], parameter: Parameter, how: str, remedy: str
    ) -> Diagnosis:
        """Make a diagnosis of some parameters, about one of them."""
        subject = subject_of(step, parameter)
        others = len({one.layer for one in some}) - 1
        more = f" (and {others} other layers)" if others else ""
        steps = self.streaks.length(parameter.name)
        # a probe has no optimizer yet
        so = (
            "the optimizer has it, but it never learns"
            if step.facts.optimizers
            else "it cannot learn"
        )
        return rule.seen(
            step.number,
            subject,
            f"no gradient has reached `{parameter.name}` of {described(subject)}{more} in {steps}"
            f" measured steps, {how}: {so}",
            remedy=remedy,
            evidence=(
                Evidence("measured steps without a gradient", steps, None, Signal.GRADIENT_MISSING),
            ),
        )

    def _is_part(self, step: Step, parameter: Parameter) -> bool:
        """Say whether it is of one of several alike, of which another has a gradient."""
        kind = NUMBER.sub("*", parameter.name)
        return kind != parameter.name and kind in self.kinds and not self._is_cut(step, parameter)

    def _is_cut(self, step: Step, parameter: Parameter) -> bool:
        """Say whether the graph ends behind a layer, which is merely numbered.

        It runs in this step and has no gradient at all; or one of zeros, and so has all that is before it.
        An expert that no example is sent to does not run, or is multiplied by 0 while others are reached.
        """
        if step.of(Signal.GRADIENT_MISSING)[parameter.name]:
            return parameter.layer in step.of(Signal.RMS)
        before = (one for one in step.facts.parameters if 0 <= one.depth < parameter.depth)
        return parameter.depth >= 0 and not any(one.name in self.reached for one in before)

    def _has_dead_units(self, step: Step) -> bool:
        """Say whether dead units explain a gradient of 0, before them and behind them."""
        return any(
            dead > self.dead and layer.activation in RECTIFYING
            for layer, dead in step.layers(Signal.DEAD_UNITS)
        )


def _fades(largest: Mapping[str, float]) -> bool:
    """Say whether gradients become so small with depth that the next ones are 0 by rounding."""
    return any(0 < one < FADED for one in largest.values())


def _runs(step: Step, parameter: Parameter) -> bool:
    """Say whether the layer of a parameter, or something inside of it, has been seen to run."""
    own = parameter.layer
    return not own or any(
        name == own or name.startswith((f"{own}.", f"{own}:")) for name in step.facts.layer
    )
