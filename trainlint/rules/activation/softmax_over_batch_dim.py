"""A softmax over dimension 0 makes the samples of a batch compete, not the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Step

rule = Rule(__name__, "TL213", Severity.ADVICE)

_KINDS = {"Softmax", "LogSoftmax", "Softmin"}
_MOVES_BATCH = {"squeeze", "squeeze_", "t", "transpose", "permute", "view", "reshape", "movedim"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find softmaxes over dimension 0 of what a layer puts out."""
    told: dict[Expr, Step] = {}
    for stack in file.stacks():
        source: Step | None = None
        moved = False
        for step in stack.steps:
            if step.kind in _KINDS and source is not None and source.is_linear and not moved:
                told.setdefault(step.at, source)
            if not (step.keeps_values or step.is_dropout or step.is_factor):
                source, moved = step, False
            moved = moved or step.kind in _MOVES_BATCH
    for at, source in told.items():
        if not isinstance(at, Call) or _dimension(at) != 0:
            continue
        if source.layer is None or source.layer.width == 1:
            continue  # one score for each item: attention over a sequence
        yield rule.at(
            at,
            f"{at.quoted} sums to 1 over dimension 0 of what {source.at.quoted} puts out, which is the"
            " batch: the samples compete with each other, and the classes of a sample do not.",
            remedy="Take the softmax over the classes: `dim=-1`, or `dim=1` for images.",
            label="over the batch",
            related=[(source.at, "puts out batch first")],
        )


def _dimension(call: Call) -> float | int | None:
    """Return the dimension that a softmax is told, as a layer, a function or a method."""
    given = call.keywords.get("dim")
    if given is None:
        constructed = (call.callee or "").rpartition(".")[2][:1].isupper()
        place = 1 if call.callee is not None and not constructed else 0
        given = call.argument(place)
    return None if given is None else given.number()
