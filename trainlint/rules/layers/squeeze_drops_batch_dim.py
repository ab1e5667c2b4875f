"""A `squeeze()` without a dimension also drops a batch of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Step

rule = Rule(__name__, "TL616", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find squeezed outputs of layers with one unit, and of models, that a loss or a caller gets."""
    given = _given_to_losses(file)
    for call in file.method_calls("squeeze"):
        value = _squeezed(call)
        if value is None or file.is_test or call.without_gradient:
            continue
        head = _head(file, value)
        if head is None and not (call in given and _is_of_model(file, value)):
            continue
        if call not in given and not _is_returned(file, call):
            continue
        fix = None
        if head is not None and head.layer is not None and head.layer.kind == "Linear":
            edit = (
                call.replaced_by(f"{call.called.source_text}(-1)")
                if call.callee is None
                else call.with_argument("dim", "-1")
            )
            fix = Fix("Drop the last dimension only", Safety.UNSAFE, (edit,))
        yield rule.at(
            call,
            f"{call.quoted} drops every dimension of size 1, the batch too where it holds a single"
            " example: shapes then differ from those of the targets.",
            remedy="Say which dimension: `.squeeze(-1)`.",
            label="drops a batch of one",
            related=[] if head is None else [(head.at, "has one output")],
            fix=fix,
        )


def _squeezed(call: Call) -> Expr | None:
    """Return what a call squeezes without saying where; None where it is no such call."""
    if call.method != "squeeze" or call.keywords or call.is_open:
        return None
    if call.callee == "torch.squeeze":
        return call.args[0] if len(call.args) == 1 else None
    return call.receiver if call.callee is None and call.target is None and not call.args else None


def _head(file: FileModel, value: Expr) -> Step | None:
    """Return the layer with one unit whose output a value is, on a straight way."""
    for step in reversed(file.way_to(value)):
        if step.is_dropout or step.is_activation:
            continue
        if step.optional or step.layer is None or not step.is_linear or step.layer.width != 1:
            return None
        return step
    return None


def _is_of_model(file: FileModel, value: Expr) -> bool:
    """Say whether a value is what a call of a model puts out, or one number for each row of it."""
    return all(
        isinstance(origin, Call)
        and origin.callee is None
        and bool(origin.args)
        and file.role_of(origin.called) == "model"
        for origin in map(_ungathered, value.origins())
    )


def _ungathered(value: Expr) -> Expr:
    """Return the tensor from which ``q.gather(1, actions)`` takes a number for each row."""
    if not isinstance(value, Call) or value.method != "gather" or value.target is not None:
        return value
    inner = value.argument(0, "input") if value.callee is not None else value.receiver
    dim = value.argument(0 if value.callee is None else 1, "dim")
    rows = dim is not None and dim.number() in {1, -1}
    return inner.origins()[0] if inner is not None and rows and len(inner.origins()) == 1 else value


def _given_to_losses(file: FileModel) -> set[Expr]:
    """Return what losses get as input, where the target is not squeezed alike."""
    found: set[Expr] = set()
    for loss in file.losses():
        target = loss.target
        alike = target is not None and any(
            isinstance(one, Call) and _squeezed(one) is not None for one in target.origins()
        )
        if loss.input is not None and not alike:
            found.update(loss.input.origins())
            found.add(loss.input)
    return found


def _is_returned(file: FileModel, call: Call) -> bool:
    """Say whether the ``forward`` of a module returns a value."""
    return any(
        call == value or call in value.origins()
        for module in file.modules
        if module.forward is not None
        for value in module.forward.returns
    )
