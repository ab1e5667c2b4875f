"""Plain dropout destroys the self-normalisation of a SELU network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call, FileModel, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL203", Severity.WARNING, fixable=Safety.UNSAFE)

_PLAIN = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find plain dropouts that work on what a SELU puts out."""
    dropped: dict[Step, set[Step]] = {}
    for stack in file.stacks():
        source: Step | None = None
        for step in stack.steps:
            if step.kind in _PLAIN and source is not None:
                dropped.setdefault(step, set()).add(source)
            if step.is_normalisation or not step.passes_on:
                source = step
    for dropout, sources in dropped.items():
        if {source.kind for source in sources} != {"SELU"} or _rate(dropout) == 0:
            continue
        selu = min(sources, key=lambda step: step.at.order)
        better = "AlphaDropout" if dropout.kind == "Dropout" else "FeatureAlphaDropout"
        yield rule.at(
            dropout.at,
            f"{dropout.at.quoted} works on what {selu.at.quoted} puts out, and changes the mean and the "
            "variance that SELU keeps.",
            label="changes mean and variance",
            related=[(selu.at, "the SELU before it")],
            remedy=f"Use `nn.{better}` with a rate of 0.05 to 0.1.",
            fix=_alpha(dropout, better),
        )


def _rate(dropout: Step) -> float | None:
    """Return the rate of a dropout, if it is a known number."""
    if dropout.layer is not None:
        return dropout.layer.number("p")
    given = dropout.at.argument(1, "p") if isinstance(dropout.at, Call) else None
    return None if given is None else given.number()


def _alpha(dropout: Step, better: str) -> Fix | None:
    """Return the edit that takes the alpha dropout of the same module."""
    call = dropout.at
    if not isinstance(call, Call) or call.receiver is None:
        return None
    if dropout.layer is None:
        # F.alpha_dropout is off by default: without a mode it would do nothing.
        if call.argument(2, "training") is None:
            return None
        better = "alpha_dropout" if dropout.kind == "Dropout" else "feature_alpha_dropout"
    edit = call.called.replaced_by(f"{call.receiver.source_text}.{better}")
    return Fix("Use alpha dropout", Safety.UNSAFE, (edit,))
