"""The gradient shrinks on its way to the first layers, so that they hardly learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from trainlint.core.diagnosis import Evidence, Severity
from trainlint.core.rule import Rule
from trainlint.runtime.judging.levels import LossLevel
from trainlint.runtime.judging.relative import (
    described,
    fall_with_depth,
    has_dead_layer,
    is_gradual,
    relative_gradients,
    slope_with_depth,
    subject_of,
)
from trainlint.runtime.judging.remedies import initialisation, named
from trainlint.runtime.judging.streaks import Streaks
from trainlint.runtime.signals import SATURATING, Activation, Layer, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.judging.relative import Relative
    from trainlint.runtime.signals import Step

rule = Rule(__name__, "TL901", Severity.WARNING, explained_by=("dead-relu", "saturated-activation"))

SEVERAL = 2
"""From how many saturating activations on they are the likely cause rather than one of many things."""


@rule.detector
@dataclass
class Detector:
    """Compares the relative gradients of the first layers with those of the last."""

    needs: ClassVar[tuple[str, ...]] = (Signal.GRADIENT_RMS, Signal.WEIGHT_RMS)
    ratio: float = 1e-3  # AUTOTRAINER
    severe: float = 1e-6
    layers: int = 4
    patience: int = 5
    cause: float = 0.5  # dead or saturated units that explain it
    floor: float = 0.05  # of the first loss: what is learned has small gradients
    level: LossLevel = field(default_factory=LossLevel, init=False)

    def __post_init__(self) -> None:
        self.streaks = Streaks(self.patience)

    def observe(self, step: Step) -> Iterator[Diagnosis]:
        """Yield the first layer of a model whose gradient vanishes on the way to it."""
        self.level.add(step)
        if self._has_other_cause(step):
            self.streaks = Streaks(self.patience)
            return
        by_update = _is_scale_free(step)
        for seen in relative_gradients(step):
            if len(seen) < self.layers:
                continue
            ratios = _by_update(step, seen) if by_update else [one.ratio for one in seen]
            if len(ratios) < self.layers:
                continue
            fall = fall_with_depth(ratios)
            is_steady = slope_with_depth(ratios) > 0 and is_gradual(ratios, self.ratio)
            vanishes = fall < self.ratio and is_steady
            group = str(seen[0].parameter.optimizer)
            is_many = self.streaks.seen(group, is_bad=vanishes)
            is_severe = vanishes and fall < self.severe
            if self.streaks.seen(f"severe {group}", is_bad=is_severe) or is_many:
                yield self._said(step, seen[0], fall, is_update=by_update)

    def _has_other_cause(self, step: Step) -> bool:
        """Say whether dead or saturated units stop the gradient, or hardly any is left to need it.

        Sigmoids are left in: a stack of them shrinks the gradient whether they are saturated or not.
        """
        saturating = SATURATING - {Activation.SIGMOID}
        return (
            self.level.has_fallen_to(self.floor)
            or has_dead_layer(step, self.cause)
            or any(
                flat > self.cause and layer.activation in saturating and not layer.is_output
                for layer, flat in step.layers(Signal.SATURATED)
            )
        )

    def _said(self, step: Step, first: Relative, fall: float, *, is_update: bool) -> Diagnosis:
        """Make the diagnosis, about the first layer."""
        subject = subject_of(step, first.parameter)
        bound = self.severe if fall < self.severe else self.ratio
        what = "updates" if is_update else "gradients"
        return rule.seen(
            step.number,
            subject,
            f"relative to the weights, the {what} of the first third of the layers, from"
            f" {described(subject)} on, are {fall:.1e} of those of the last third (bound {bound:.0e}) for"
            f" {self.patience} steps in a row: the first layers hardly learn",
            remedy=_remedy(step, subject),
            evidence=(
                Evidence("first third over last third", fall, bound, Signal.GRADIENT_RMS),
                Evidence("gradient of the first layer", first.gradient, None, Signal.GRADIENT_RMS),
            ),
            severity=Severity.ERROR if fall < self.severe else None,
        )


def _is_scale_free(step: Step) -> bool:
    """Say whether weights stand right before a normalisation: their gradient depends on their size."""
    pairs = zip(step.facts.layers, step.facts.layers[1:], strict=False)
    return any(one.weight and not one.is_norm and other.is_norm for one, other in pairs)


def _by_update(step: Step, seen: list[Relative]) -> list[float]:
    """Return by which share of itself each weight is changed, where that is known."""
    changes = step.of(Signal.UPDATE_RATIO)
    known = (changes.get(one.parameter.name, 0.0) for one in seen)
    return [one for one in known if one > 0]


def _remedy(step: Step, subject: object) -> str:
    """Say what to do, by what stands between the first layers and the last."""
    flat = [one for one in step.facts.layers if one.activation in SATURATING and not one.is_output]
    if len(flat) >= SEVERAL and isinstance(subject, Layer):
        kinds = "/".join(sorted({f"`{one.kind}`" for one in flat}))
        return (
            f"put `nn.ReLU` or `nn.GELU` in the place of the {len(flat)} {kinds} between the layers, and"
            f" give them Kaiming initialisation; to keep them, give {named(subject)} and those behind it"
            f" {initialisation(subject)} and a normalisation each"
        )
    recurrent = next((one for one in step.facts.layers if one.is_recurrent), None)
    if recurrent is not None and recurrent.kind.startswith("RNN"):
        return f"put a gated cell, `nn.LSTM` or `nn.GRU`, in the place of {named(recurrent)}"
    if not any(one.is_norm for one in step.facts.layers):
        return (
            "put a normalisation (`nn.BatchNorm1d`, `nn.BatchNorm2d`, `nn.LayerNorm`) behind each of the"
            " layers, or add their input to their output (skip connections)"
        )
    return "add the input of each block to its output (skip connections)"
