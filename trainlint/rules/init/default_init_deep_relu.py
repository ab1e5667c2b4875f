"""A deep plain ReLU stack keeps PyTorch's default initialisation, which is too small for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Step

rule = Rule(__name__, "TL112", Severity.ADVICE)

_RECTIFIERS = {"ReLU", "ReLU6", "LeakyReLU"}
_SHRINKS = 6.0  # 1 / 3 by the default bound, 1 / 2 by the rectifier


@rule.check
def check(
    file: FileModel,
    *,
    layers: int = 6,  # the signal has shrunk 200 times
) -> Iterator[Diagnosis]:
    """Find plain stacks of that many rectified layers whose weights nothing in the file sets."""
    if file.serves_tests or file.touches_weights or file.speaks_of("(weight|spectral)_norm"):
        return
    told: set[Layer] = set()
    for stack in file.stacks():
        run = max(_runs(stack.steps), key=len, default=[])
        built = {step.layer for step in run if step.layer is not None}
        if len(run) < layers or built & told:
            continue
        told |= built
        yield rule.at(
            run[0].at,
            f"{run[0].at.quoted} is the first of {len(run)} layers in a row that feed a ReLU with the"
            " default initialisation, which lets the signal shrink to about"
            f" 1/{_SHRINKS ** (len(run) / 2):.0f} on its way.",
            remedy='Initialise each with `nn.init.kaiming_normal_(weight, nonlinearity="relu")` and a'
            " bias of 0, normalise, or add skip connections.",
            label=f"the first of {len(run)}",
            related=[(run[-1].at, "the last")] if run[-1].at != run[0].at else [],
        )


def _runs(steps: tuple[Step, ...]) -> Iterator[list[Step]]:
    """Yield the linear layers of each stretch in which every one feeds a rectifier, unnormalised."""
    run: list[Step] = []
    waiting: Step | None = None
    for step in steps:
        if step.is_linear and not step.optional:
            if waiting is not None:
                yield run
                run = []
            waiting = step
        elif step.kind in _RECTIFIERS and not step.optional:
            if waiting is not None:
                run.append(waiting)
            waiting = None
        elif step.is_normalisation or step.optional or not step.passes_on:
            yield run
            run, waiting = [], None
    yield run
