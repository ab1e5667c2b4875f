"""A deep plain stack without normalisation or skip connections is hard to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, ModuleClass, Stack, Step

rule = Rule(__name__, "TL606", Severity.WARNING)

_NORMALISES_ITSELF = {"SELU", "AlphaDropout", "FeatureAlphaDropout", "normalize"}


@rule.check
def check(
    file: FileModel,
    *,
    layers: int = 8,  # He 2015: plain stacks get worse with depth
) -> Iterator[Diagnosis]:
    """Find plain stacks of that many layers in which nothing keeps the size of the signal."""
    told: set[Layer] = set()
    for stack in file.stacks():
        steps = stack.linear_steps
        built = {step.layer for step in steps if step.layer is not None}
        if len(steps) < layers or built & told or not _is_plain(stack):
            continue
        if file.touches_weights or file.speaks_of("(weight|spectral)_norm"):
            return
        if any(_keeps_signal(module) for module in file.modules if built & {*module.layers}):
            continue
        told |= built
        yield rule.at(
            stack.at,
            f"{len(steps)} layers from {steps[0].at.quoted} on follow each other without normalisation"
            " or skip connection: little is left of the signal at the end, and of the gradient at"
            " the start.",
            remedy="Normalise after or before each activation, add skip connections, or initialise"
            " each layer for the activation that follows.",
            label=f"{len(steps)} plain layers",
            related=[(steps[0].at, "the first"), (steps[-1].at, "the last")],
        )


def _is_plain(stack: Stack) -> bool:
    """Say whether every step is known, and nothing but layers, activations and changes of shape."""
    return stack.is_plain and all(_is_plain_step(step) for step in stack.steps)


def _is_plain_step(step: Step) -> bool:
    """Say whether a step may be part of a plain stack: it neither normalises nor skips."""
    if step.is_normalisation or step.kind in _NORMALISES_ITSELF:
        return False
    return step.is_linear or step.layer is None or not step.layer.has_weights


def _keeps_signal(module: ModuleClass) -> bool:
    """Say whether a module that uses a stack may normalise or join elsewhere on its way."""
    return (
        not module.stacks
        or any(layer.is_normalisation for layer in module.layers)
        or any(not stack.is_plain for stack in module.stacks)
    )
