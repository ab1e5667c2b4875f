"""A cross-entropy loss over a single output is always 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Layer

rule = Rule(__name__, "TL304", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find cross-entropy losses whose input is the output of a layer with one unit."""
    for loss in file.losses():
        if loss.kind != "CrossEntropyLoss" or loss.input is None:
            continue
        head = _head(file, loss.input)
        if head is None or head.width != 1 or _is_replaced(file, head):
            continue
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} gets a single output, of which the softmax is always 1: the"
            " loss is 0 and no weight changes.",
            remedy="Use `nn.BCEWithLogitsLoss` with this one unit, or two units.",
            label="one class only",
            related=[(head, "has one output")],
        )


def _head(file: FileModel, value: Expr) -> Layer | None:
    """Return the layer whose output a value is; None where its shape may have changed since."""
    for step in reversed(file.way_to(value)):
        if not step.is_dropout:
            return None if step.optional or not step.is_linear else step.layer
    return None


def _is_replaced(file: FileModel, head: Layer) -> bool:
    """Say whether something else is put into the head's place later."""
    holder = file.holder(head.call)
    if holder is None:
        return False
    name = holder[0].rpartition(".")[2]
    return any(target.text != holder[0] for target, _ in file.assignments(name))
