"""A cross-entropy loss over a single output is always 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Layer, Loss

rule = Rule(__name__, "TL304", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find cross-entropy losses whose input is the output of a layer with one unit."""
    for loss in file.losses():
        if loss.kind != "CrossEntropyLoss" or loss.input is None:
            continue
        scores = _rows(file, loss, loss.input)
        heads = [_head(file, origin) for origin in scores.origins()]
        if any(head is None or head.width != 1 or file.is_replaced(head.call) for head in heads):
            continue
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} gets a single output, of which the softmax is always 1: the"
            " loss is 0 and no weight changes.",
            remedy="Use `nn.BCEWithLogitsLoss` with this one unit, or two units.",
            label="one class only",
            related=[(head, "has one output") for head in dict.fromkeys(filter(None, heads))],
        )


def _rows(file: FileModel, loss: Loss, value: Expr) -> Expr:
    """Return the scores before a ``flatten`` that makes rows of them, one for each flat target."""
    if not isinstance(value, Call) or value.method != "flatten" or value.target is not None:
        return value
    given = value.args[1:] if value.callee is not None else value.args
    inner = value.argument(0, "input") if value.callee is not None else value.receiver
    plain = [one.number() for one in given] == [0, 1] and not value.keywords
    if inner is None or not plain or loss.target is None or file.rank_of(loss.target) != 1:
        return value
    makers = file.producers(inner)
    return inner if all(step.kind == "Linear" for step in makers) else value


def _head(file: FileModel, value: Expr) -> Layer | None:
    """Return the layer whose output a value is; None where its shape may have changed since."""
    for step in reversed(file.way_to(value)):
        if not step.is_dropout:
            return None if step.optional or not step.is_linear else step.layer
    return None
