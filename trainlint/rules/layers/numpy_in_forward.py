"""A `forward` computes with numpy, through which no gradient flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL618", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find the outputs of layers that go into numpy on the way through a ``forward``."""
    seen: set[Call] = set()
    for module in file.modules if file.has_layers else ():
        for function in module.running:
            for call in function.calls if function.path == file.source.path else ():
                layer = _taken_from(file, call)
                if layer is None or call in seen or _is_apart(call):
                    continue
                seen.add(call)
                yield rule.at(
                    call,
                    f"{call.quoted} takes the output of {layer.quoted} into numpy, which knows no"
                    " gradients: the call ends in an error while they are recorded.",
                    remedy="Use the function of `torch` by that name; where no gradient is wanted,"
                    " call `.detach()` first.",
                    label="leaves the graph",
                    related=[(layer, "no gradient comes back here")],
                )


def _taken_from(file: FileModel, call: Call) -> Expr | None:
    """Return the layer whose output, with its gradient, a call takes into numpy; None if none."""
    if call.callee is None:
        if call.method != "numpy" or call.args or call.receiver is None:
            return None
        return file.carries_gradient(call.receiver)
    if not call.callee.startswith("numpy."):
        return None
    found = (file.carries_gradient(argument) for argument in call.args)
    return next((one for one in found if one is not None), None)


def _is_apart(call: Call) -> bool:
    """Say whether a call runs only where no gradient is recorded, or may do so."""
    return call.without_gradient or any(
        test.mentions("training") or test.mentions("requires_grad") for test, _ in call.decided_by
    )
