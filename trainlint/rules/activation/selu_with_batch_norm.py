"""Batch normalisation beside a SELU does by force what the SELU is there to do by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Step

rule = Rule(__name__, "TL204", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find batch normalisations whose neighbour is a SELU."""
    found: dict[Step, Step] = {}
    for stack in file.stacks():
        last: Step | None = None
        for step in stack.steps:
            if step.passes_on and not step.is_batch_norm:
                continue
            if last is not None and {step.kind, last.kind} & {"SELU"}:
                norm = step if step.is_batch_norm else last
                if norm.is_batch_norm:
                    found.setdefault(norm, step if norm is last else last)
            last = step
    for norm, selu in found.items():
        yield rule.at(
            norm.at,
            f"{norm.at.quoted} normalises by the statistics of the batch what {selu.at.quoted} beside it "
            "is there to normalise by itself.",
            label="normalises by force",
            related=[(selu.at, "normalises itself")],
            remedy="Take one: SELU with LeCun initialisation and no normalisation, or batch normalisation "
            "with ReLU, GELU or SiLU.",
        )
