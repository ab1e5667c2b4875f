"""A binary cross-entropy of probabilities receives the raw output of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Loss, Step

rule = Rule(__name__, "TL309", Severity.ERROR, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find losses of probabilities whose input is the output of a linear layer on every way."""
    wrong = {loss: makers for loss in file.losses() if (makers := _raw_makers(file, loss))}
    for loss, makers in wrong.items():
        assert loss.input is not None
        edit = _rename(loss)
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
    makers = file.producers(loss.input)
    if any(not step.is_linear or step.optional for step in makers):
        return ()
    if any(step.layer is not None and _is_replaced(file, step.layer) for step in makers):
        return ()
    return makers


def _is_replaced(file: FileModel, head: Layer) -> bool:
    """Say whether something else is put into the layer's place later."""
    holder = file.holder(head.call)
    if holder is None:
        return False
    name = holder[0].rpartition(".")[2]
    return any(target.text != holder[0] for target, _ in file.assignments(name))


def _rename(loss: Loss) -> Edit | None:
    """Return the edit that makes it the loss with logits."""
    if loss.made is None:
        return loss.call.called.renamed("binary_cross_entropy_with_logits")
    return loss.made.called.renamed("BCEWithLogitsLoss")
