"""A cross-entropy loss receives log-probabilities and normalises them a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL313", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find cross-entropy losses whose input is the output of a log-softmax on every way."""
    for loss in file.losses():
        if loss.kind != "CrossEntropyLoss" or loss.input is None or file.is_test:
            continue
        makers = file.producers(loss.input)
        if any(step.kind != "LogSoftmax" or step.optional for step in makers) or not makers:
            continue
        edits = [step.removal for step in makers]
        mended = tuple(edit for edit in edits if edit is not None)
        fix = Fix("Hand the logits to the loss", Safety.UNSAFE, mended)
        yield rule.at(
            loss,
            f"{loss.call.called.quoted} applies the log-softmax itself, but {loss.input.quoted} is"
            " the output of one: the second changes nothing and costs a pass over all classes.",
            remedy="Hand the logits to the loss, or keep the log-softmax and use `nn.NLLLoss`.",
            label="applies the log-softmax again",
            related=[(step.at, "the first log-softmax") for step in makers],
            fix=fix if len(mended) == len(edits) else None,
        )
