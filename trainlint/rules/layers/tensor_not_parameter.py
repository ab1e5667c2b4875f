"""A tensor that requires a gradient is kept as a plain attribute, so nothing trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, ModuleClass

rule = Rule(__name__, "TL603", Severity.WARNING, fixable=Safety.UNSAFE)

_FACTORIES = {
    f"torch.{name}"
    for name in ("rand", "randn", "zeros", "ones", "full", "empty", "tensor", "eye", "linspace")
}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find tensors with a gradient that a module sets up, reads in ``forward`` and never registers."""
    for module in () if file.is_test else file.modules:
        if module.method("parameters") or module.method("named_parameters"):
            continue
        for name, places in module.attributes.items():
            made = next(iter(module.attribute(name)), None)
            if len(places) != 1 or not isinstance(made, Call):
                continue
            if not _requires_gradient(made) or made.function in module.running:
                continue
            if not _is_only_computed_with(file, module, name):
                continue
            yield rule.at(
                made,
                f"`self.{name}` collects gradients, but is not registered: `parameters()` does not"
                " yield it, so no optimizer trains it.",
                remedy="Wrap it in `nn.Parameter`, which registers it and requires a gradient by"
                " itself.",
                label="no parameter",
                fix=_fix(file, made),
            )


def _requires_gradient(made: Call) -> bool:
    """Say whether a call makes a tensor that surely requires a gradient."""
    if made.callee in _FACTORIES or made.callee == "torch.autograd.Variable":
        flag = made.keywords.get("requires_grad")
        return flag is not None and flag.truth() is True
    tensor = made.receiver
    if made.method != "requires_grad_" or not isinstance(tensor, Call):
        return False
    flag = made.argument(0, "requires_grad")
    return tensor.callee in _FACTORIES and (flag is None or flag.truth() is True)


def _is_only_computed_with(file: FileModel, module: ModuleClass, name: str) -> bool:
    """Say whether ``forward`` reads an attribute, and nothing else but an initialisation does.

    Whatever else reads it may hand it to an optimizer.
    """
    own = f"self.{name}"
    if any(target.text != own for target, _ in file.assignments(name)):
        return False
    inside = False
    for read in file.attributes_read(name):
        if read.function in module.running:
            inside = True
        elif read.text == own and _is_of_another(file, read, module):
            continue
        elif not _is_initialised(file, read):
            return False
    if any(call.mentions(name) for call in file.calls_to("torch.autograd.grad")):
        return False  # asked for its gradient, and not trained: the scale of a penalty
    registered = (*file.method_calls("register_parameter", "register_buffer", "setattr"),)
    return inside and not any(
        argument.string() in {name, None} for call in registered for argument in call.args[:1]
    )


def _is_of_another(file: FileModel, read: Expr, module: ModuleClass) -> bool:
    """Say whether ``self`` is an instance of a class that has nothing to do with the module."""
    other = file.class_around(read)
    return other is not None and module.scope not in file.lineage(other.scope)


def _is_initialised(file: FileModel, read: Expr) -> bool:
    """Say whether an expression is read only to be filled: ``nn.init.normal_(self.w)``."""
    calls = list(file.calls_taking(read))
    return bool(calls) and all((one.callee or "").startswith("torch.nn.init.") for one in calls)


def _fix(file: FileModel, made: Call) -> Fix | None:
    """Return the fix that wraps the tensor; None where the file has no short name for it."""
    parameter = file.spelling("torch.nn.Parameter")
    tensor: str | None = None
    if made.method == "requires_grad_" and made.receiver is not None:
        tensor = made.receiver.source_text
    elif made.callee == "torch.autograd.Variable":
        tensor = made.args[0].source_text if made.args else None
    else:
        edit = made.without_argument(made.keywords["requires_grad"])
        tensor = None if edit is None else made.source_with(edit)
    if parameter is None or tensor is None:
        return None
    edits = (made.replaced_by(f"{parameter}({tensor})"),)
    return Fix("Make it a parameter", Safety.UNSAFE, edits)
