"""Dropout stands in front of a batch normalisation, whose running variance is then wrong in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Step

rule = Rule(__name__, "TL214", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find batch normalisations whose input comes from a dropout, but for changes of shape."""
    found: dict[Step, set[Step]] = {}
    for stack in file.stacks():
        source: Step | None = None
        for step in stack.steps:
            if step.is_batch_norm and source is not None:
                found.setdefault(step, set()).add(source)
            if not step.keeps_values:
                source = step
    for norm, sources in found.items():
        dropout = min(sources, key=lambda step: step.at.order)
        if not all(_drops(step) for step in sources) or not _normalises_batch(norm):
            continue
        yield rule.at(
            dropout.at,
            f"{dropout.at.quoted} hands its output to {norm.at.quoted}, which keeps the variance of thinned"
            " units: in evaluation nothing is dropped, and it scales by the wrong number.",
            remedy="Put the dropout behind the last batch normalisation.",
            label="changes the variance",
            related=[(norm.at, "keeps the variance in training")],
            fix=_swapped(file, dropout, norm),
        )


def _drops(step: Step) -> bool:
    """Say whether a step is a dropout that is on in training and off in evaluation, surely."""
    if not step.is_dropout or step.optional:
        return False
    rate = step.rate
    return rate is not None and rate > 0


def _normalises_batch(norm: Step) -> bool:
    """Say whether a step normalises by statistics that it keeps."""
    return not norm.optional and norm.layer is not None and norm.layer.has_mode


def _swapped(file: FileModel, dropout: Step, norm: Step) -> Fix | None:
    """Return the edits that change the places of two neighbours in one ``Sequential``."""
    for container in file.calls_to("torch.nn.Sequential"):
        for one, other in zip(container.args, container.args[1:], strict=False):
            if one == dropout.at and other == norm.at:
                edits = (one.replaced_by(other.source_text), other.replaced_by(one.source_text))
                return Fix("Drop behind the normalisation", Safety.UNSAFE, edits)
    return None
