"""What a probe has measured, as plain numbers; nothing here knows torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainlint.runtime.signals import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.signals import Layer


@dataclass(frozen=True, slots=True)
class LayerReport:
    """What a layer does to the signal and to the gradient; what has no meaning for it is None."""

    layer: Layer
    variance: float | None = None
    """Of its output, over all elements."""
    forward: float | None = None
    """Layers with weights: the mean square of the output over that of the input."""
    predicted: float | None = None
    """`forward` as theory has it: fan-in × mean square of the weights, and what the bias adds; for linear
    and convolutional layers. It holds for wide layers whose weights know nothing of the input."""
    running: float | None = None
    """The mean square of the output over that of what the first layer with weights is given."""
    spread: tuple[float, float] | None = None
    """The smallest and the largest `running` over the seeds, where there are several."""
    gradient: float | None = None
    """The root mean square of the loss's gradient with respect to the output."""
    backward: float | None = None
    """Layers with weights: `gradient` over that of the next such layer."""
    backward_running: float | None = None
    """`gradient` over that of the last layer with weights."""
    gain: float | None = None
    """Layers with weights: the root of `forward`, its effective gain."""
    ideal: float | None = None
    """The gain that keeps the mean square through the activation that follows."""
    dead: float | None = None
    saturated: float | None = None
    non_finite: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """A model at a glance, to compare it before and after a remedy."""

    forward: float | None
    """The mean square that the last hidden layer gives, over that of the input."""
    backward: float | None
    """The gradient at the first layer's output over that at the last one's."""
    dead: float | None
    """The largest share of dead units in a layer."""
    saturated: float | None
    """The largest share of outputs of a hidden layer in the flat part."""
    loss: float | None
    diagnoses: tuple[str, ...]
    """The names of the rules that speak."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What the right initialisation of each layer changes, as measured."""

    schemes: tuple[tuple[str, str], ...]
    """The layers that were initialised again, and how."""
    before: Scale
    after: Scale


@dataclass(frozen=True)
class ProbeReport:
    """A model as it is before its first step: one forward and one backward pass, measured."""

    name: str
    """The class of the model."""
    layers: tuple[LayerReport, ...]
    """In the order of the forward pass."""
    diagnoses: tuple[Diagnosis, ...]
    loss: float | None
    """The first loss, where there is one."""
    expected_loss: float | None
    """What guessing gives: ln(classes), ln 2, or the mean square of the targets."""
    output_rms: float | None
    output_mean: float | None
    batch_size: int | None
    without_gradient: tuple[str, ...] = ()
    """The trainable parameters that no gradient reaches."""
    independent: tuple[str, ...] = ()
    """The outputs that are the same for all examples of the batch."""
    seeds: int = 1
    effect: Effect | None = None
    notes: tuple[str, ...] = ()
    """What could not be measured, and why."""
    facts: Facts = field(default_factory=Facts, repr=False)
    signals: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    @property
    def weighted(self) -> tuple[LayerReport, ...]:
        """The layers with weights, without normalisations."""
        return tuple(one for one in self.layers if one.layer.weight and not one.layer.is_norm)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it; what is not finite is a text."""
        return {
            "model": self.name,
            "batch_size": self.batch_size,
            "seeds": self.seeds,
            "loss": _plain(self.loss),
            "expected_loss": _plain(self.expected_loss),
            "output": {"rms": _plain(self.output_rms), "mean": _plain(self.output_mean)},
            "without_gradient": list(self.without_gradient),
            "independent": list(self.independent),
            "notes": list(self.notes),
            "layers": [_row(one) for one in self.layers],
            "effect": None if self.effect is None else _effect(self.effect),
        }

    def __str__(self) -> str:
        """Return the report as plain text of one screen."""
        from trainlint.output.probe_text import lines  # noqa: PLC0415 - rich is not needed before

        return "\n".join(lines(self, colours=False))

    def _repr_html_(self) -> str:
        """Return the report as a notebook shows it."""
        from trainlint.output.fragment import probe  # noqa: PLC0415 - for notebooks alone

        return probe(self)


def _row(one: LayerReport) -> dict[str, Any]:
    """Return a layer as JSON can hold it."""
    layer = one.layer
    numbers = "variance forward predicted running gradient backward backward_running"
    numbers += " gain ideal dead saturated"
    return {
        "layer": layer.name,
        "what": layer.what,
        "path": layer.path,
        "line": layer.line,
        "activation": layer.activation,
        "followed_by": layer.followed_by,
        **{name: _plain(getattr(one, name)) for name in numbers.split()},
        "spread": None if one.spread is None else [_plain(each) for each in one.spread],
        "non_finite": one.non_finite,
    }


def _effect(one: Effect) -> dict[str, Any]:
    """Return the effect of the remedy as JSON can hold it."""
    return {
        "schemes": [{"layer": layer, "scheme": scheme} for layer, scheme in one.schemes],
        **{
            when: {
                **{
                    name: _plain(getattr(scale, name))
                    for name in ("forward", "backward", "dead", "saturated", "loss")
                },
                "diagnoses": list(scale.diagnoses),
            }
            for when, scale in (("before", one.before), ("after", one.after))
        },
    }


def _plain(value: float | None) -> float | str | None:
    """Return a number, or a text for one that JSON cannot hold."""
    return value if value is None or math.isfinite(value) else str(value)
