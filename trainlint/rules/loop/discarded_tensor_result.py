"""The result of an operation on a tensor is thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import PURE_METHODS, Call, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL517", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find statements that are nothing but a method of a tensor that leaves the tensor as it is."""
    if not file.has_layers or file.is_test:
        return
    for call in file.method_calls(*sorted(PURE_METHODS)):
        if not call.is_statement or call.expected_to_fail or call.is_tried or call.is_displayed:
            continue
        tensor = _subject(file, call)
        if tensor is None or not _is_used_afterwards(file, call, tensor):
            continue
        what = tensor.quoted
        yield rule.at(
            call,
            f"{call.quoted} puts out a new tensor that is thrown away: {what} stays as it was.",
            remedy=f"Assign the result: `{tensor.text} = {_short(call)}`.",
            label="has no effect",
        )


def _subject(file: FileModel, call: Call) -> Expr | None:
    """Return the tensor that a call seems to change."""
    if call.callee is None:
        return call.receiver if call.receiver and file.is_tensor(call.receiver) else None
    last = call.callee.rpartition(".")[2]
    if call.callee not in {f"torch.{last}", f"torch.nn.functional.{last}"}:
        return None
    if "out" in call.keywords or "inplace" in call.keywords:
        return None
    return call.args[0] if call.args else None


def _is_used_afterwards(file: FileModel, call: Call, tensor: Expr) -> bool:
    """Say whether the tensor itself is read later, as if it had been changed."""
    if not (tensor.is_name or tensor.is_attribute):
        return False
    reads = (
        file.names_read(tensor.text) if tensor.is_name else file.attributes_read(tensor.name or "")
    )
    return any(
        read.same_as(tensor) and read.function == call.function and (read.order > call.order)
        for read in reads
    )


def _short(call: Call) -> str:
    """Return the text of a call as a remedy can hold it."""
    return call.quoted.strip("`")
