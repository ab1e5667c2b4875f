"""A model's `forward` is called directly, past its hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL524", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``model.forward(x)`` where the model is one, and no instance that calls itself."""
    if not file.has_layers or file.is_test:
        return
    for call in file.method_calls("forward"):
        model = call.receiver
        if model is None or not _is_model(file, model):
            continue
        if file.layer_of(model) is None and _is_forward_of_a_wrapper(call):
            continue
        edit = call.called.replaced_by(model.operand_text)
        yield rule.at(
            call.called,
            f"{call.called.quoted} is called past `__call__`, so hooks, `torch.compile` and what wraps"
            " the model are skipped.",
            remedy=f"Call the model itself: `{model.text}(...)`.",
            label="skips the hooks",
            fix=Fix("Call the model", Safety.UNSAFE, (edit,)),
        )


def _is_model(file: FileModel, model: Expr) -> bool:
    """Say whether a method is called on an instance of a module other than ``self``."""
    if file.class_of_self(model.site, model.node) is not None or model.qualified is not None:
        return False
    module = file.module_of(model)
    if module is not None:
        return module in module.model.modules
    return (
        all(file.trains(one) for one in model.objects())
        or file.layer_of(model) is not None
        or file.role_of(model) == "model"
    )


def _is_forward_of_a_wrapper(call: Call) -> bool:
    """Say whether a ``forward`` may hand on to that of what it wraps."""
    function = call.function
    return function is not None and function.name == "forward"
