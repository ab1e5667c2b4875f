"""Many hidden layers saturate with no normalisation: the gradient vanishes on its way down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Step

rule = Rule(__name__, "TL205", Severity.WARNING)

_SATURATING = {"Sigmoid": 1.0, "Tanh": 1 / 3}
"""How deep each counts: of four sigmoid layers as torch draws them the first has 1.5e-4 of the gradient of
the last, of four tanh 3e-2, of twelve 4e-4."""


@rule.check
def check(
    file: FileModel,
    *,
    depth: int = 4,  # of sigmoids; Glorot 2010: stalls there
) -> Iterator[Diagnosis]:
    """Find stacks in which that many hidden layers one after the other saturate."""
    found: dict[Step, list[Step]] = {}
    for stack in file.stacks():
        for run in _runs(stack.steps):
            if _depth(run) >= depth and not file.suits_tanh(run):
                known = found.setdefault(run[0], run)
                if len(run) > len(known):
                    found[run[0]] = run
    for first, run in found.items():
        yield rule.at(
            first.at,
            f"{first.at.quoted} is the first of {len(run)} hidden layers in a row that saturate, with no "
            f"normalisation between them: what reaches this one of the gradient is near 0.",
            label=f"the first of {len(run)}",
            related=[(run[-1].at, "the last")] if run[-1].at != first.at else [],
            remedy="Use ReLU, GELU or SiLU with matching initialisation, or normalise in each layer.",
        )


def _depth(run: list[Step]) -> float:
    """Return how many sigmoids would lose as much."""
    return round(sum(_SATURATING[step.kind] for step in run), 6)


def _runs(steps: tuple[Step, ...]) -> Iterator[list[Step]]:
    """Yield the saturating activations of hidden layers that follow each other."""
    run: list[Step] = []
    waiting: Step | None = None
    after_layer = False
    for step in steps:
        if step.is_linear and not step.optional:
            if waiting is not None:
                run.append(waiting)
            waiting, after_layer = None, True
        elif step.kind in _SATURATING and after_layer and not step.optional:
            waiting, after_layer = step, False
        elif step.is_normalisation or not step.passes_on:
            yield run
            run, waiting, after_layer = [], None, False
    yield run
