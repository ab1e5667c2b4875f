"""A normalisation is built for another number of features than the layer in front of it puts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Stack, Step

rule = Rule(__name__, "TL609", Severity.ERROR)

_CHANNELS = "num_features"
_SIZES = {
    "GroupNorm": "num_channels",
    "LayerNorm": "normalized_shape",
    "RMSNorm": "normalized_shape",
}
_RESHAPES = {"GLU", "PixelShuffle", "PixelUnshuffle"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find normalisations right behind a layer whose known width is not theirs."""
    told: set[Layer] = set()
    for stack in () if file.is_test else file.stacks():
        for norm, source in _pairs(stack):
            width, size = _width(source), _size(norm)
            if norm in told or width is None or size is None or width == size:
                continue
            if source.call.expected_to_fail or not _is_last_axis(stack, source, norm):
                continue
            told.add(norm)
            yield rule.at(
                norm,
                f"{norm.call.quoted} expects {size} features and gets the {width} of"
                f" {source.call.quoted}, so the first forward pass fails.",
                remedy=f"Build the normalisation for {width} features, or the layer with {size}.",
                label=f"expects {size}",
                related=[(source, f"puts out {width}")],
            )


def _pairs(stack: Stack) -> Iterator[tuple[Layer, Layer]]:
    """Yield each normalisation with the layer whose output it surely gets."""
    source: Layer | None = None
    for step in stack.steps:
        if step.is_normalisation and step.layer is not None and source is not None:
            if _is_sure(step):
                yield step.layer, source
        elif step.layer is not None and (step.is_linear or step.kind == "Embedding"):
            source = step.layer if _is_sure(step) else None
        elif not _keeps_features(step):
            source = None


def _is_sure(step: Step) -> bool:
    """Say whether the layer of a step is always the one."""
    return not step.optional and not step.one_of_several


def _keeps_features(step: Step) -> bool:
    """Say whether a step leaves the number of features as it is."""
    if step.kind in _RESHAPES or step.kind.startswith("Flatten"):
        return False
    return step.is_activation or step.is_dropout or step.is_normalisation or step.kind == "Identity"


def _width(source: Layer) -> int | None:
    """Return the number of outputs of a layer, if it is known for sure."""
    for name in ("out_features", "out_channels", "embedding_dim"):
        if (value := source.constant(name)) is not None:
            return value
    return None


def _size(norm: Layer) -> int | None:
    """Return the number of features that a normalisation is built for, and fails without."""
    counts = norm.argument("track_running_stats")
    by_default = norm.is_batch_norm and (counts is None or counts.truth() is True)
    if not norm.has_weights and not by_default:
        return None
    return norm.constant(_SIZES.get(norm.kind, _CHANNELS))


def _is_last_axis(stack: Stack, source: Layer, norm: Layer) -> bool:
    """Say whether both surely speak of the same axis of the data.

    A ``LayerNorm`` normalises the last axis, which ``Linear`` puts out and convolutions do not. The
    others normalise the second axis, which after a ``Linear`` is its output only if the data has
    two: where it was flattened, or another normalisation of the stack fits its layer.
    """
    last = norm.kind in {"LayerNorm", "RMSNorm"}
    if source.kind.removeprefix("Lazy").startswith("Conv"):
        return not last
    if last or source.kind == "Embedding":
        return last
    places = [number for number, step in enumerate(stack.steps) if step.layer == norm]
    if any(stack.ranks[number] == 2 for number in places):  # noqa: PLR2004 - batch and features
        return True
    return any(
        other.kind == norm.kind and _size(other) == _width(linear) != _size(norm)
        for other, linear in _pairs(stack)
        if linear.kind == source.kind and _size(other) is not None
    )
