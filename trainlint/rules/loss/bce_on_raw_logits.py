"""A binary cross-entropy of probabilities receives the raw output of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Loss, Step

rule = Rule(__name__, "TL309", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses of probabilities whose input is what a linear layer puts out, or a sum with it."""
    wrong = {loss: makers for loss in file.losses() if (makers := _raw_makers(file, loss))}
    for loss, makers in wrong.items():
        assert loss.input is not None
        edit = loss.with_logits
        others = [one for one in file.losses() if one.made == loss.made and one not in wrong]
        mended = () if edit is None or (loss.made is not None and others) else (edit,)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} takes probabilities, but {loss.input.quoted} holds raw"
            " logits: a score outside of 0 to 1 ends in an error.",
            remedy="Use `nn.BCEWithLogitsLoss`, which applies the sigmoid itself.",
            label="takes no sigmoid",
            related=[(step.at, "raw logits") for step in makers],
            fix=Fix("Use the loss with logits", Safety.UNSAFE, mended) if mended else None,
        )


def _raw_makers(file: FileModel, loss: Loss) -> tuple[Step, ...]:
    """Return the layers whose raw output a loss of probabilities is given; none where not sure."""
    if loss.kind != "BCELoss" or loss.input is None or loss.call.expected_to_fail:
        return ()
    return _raw_ways(file, loss.input)


def _raw_ways(file: FileModel, value: Expr) -> tuple[Step, ...]:
    """Return the layers whose raw output, or a sum with it, a value is on every way."""
    found: list[Step] = []
    for step in file.producers(value):
        if step.kind == "add" and not step.optional:
            sides = (_raw_ways(file, side) for side in step.at.operands)
            made = next(filter(None, sides), ())
        else:
            replaced = step.layer is not None and file.is_replaced(step.layer.call)
            made = (step,) if step.is_linear and not step.optional and not replaced else ()
        if not made:
            return ()
        found += made
    return tuple(found)
