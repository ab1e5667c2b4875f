"""A module assigns to itself before `nn.Module.__init__` has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Function, ModuleClass

rule = Rule(__name__, "TL619", Severity.ERROR, fixable=Safety.UNSAFE)

_BASES = {
    "torch.nn.Module",
    "torch.nn.Sequential",
    "torch.nn.ModuleList",
    "torch.nn.ModuleDict",
    "lightning.LightningModule",
    "builtins.object",
    "abc.ABC",
}
_SKIPS = {"__dict__", "__setattr__", "__new__", "_modules"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find constructors that put a layer into a module before, or without, the constructor of the base."""
    for module in file.modules:
        init = file.own_method_scope(module.scope, "__init__")
        constructor = None if init is None else file.function_of(init)
        if constructor is None or not set(module.bases) <= _BASES or _is_unusual(file, module):
            continue
        if not any(base != "builtins.object" for base in module.bases):
            continue
        kept = next(_kept_layers(file, module, constructor), None)
        if kept is None or kept.expected_to_fail:
            continue
        base = next(filter(_runs_base, constructor.calls), None)
        if base is None and any(_runs_base(call) for one in module.methods for call in one.calls):
            continue
        if base is not None and (base.blocks != kept.blocks or base.order < kept.order):
            continue
        edits = _edits(base, kept, constructor)
        without = "without" if base is None else "before"
        yield rule.at(
            kept,
            f"`{module.name}` keeps {kept.quoted} {without} a call of `super().__init__()`, so"
            " constructing it ends in an error.",
            remedy="Call `super().__init__()` first.",
            label="nothing to keep it in yet",
            related=[] if base is None else [(base, "runs too late")],
            fix=Fix("Call `super().__init__()` first", Safety.UNSAFE, edits) if edits else None,
        )


def _is_unusual(file: FileModel, module: ModuleClass) -> bool:
    """Say whether the class makes its instances, or keeps its attributes, in a way of its own."""
    reads = {expr.text for name in _SKIPS for expr in file.attributes_read(name)}
    return (
        not module.knows_bases
        or module.is_decorated
        or any(file.assignments("__dict__"))
        or any(module.method(name) for name in ("__setattr__", "__new__"))
        or any(text.startswith(("self.", "super().")) for text in reads)
    )


def _kept_layers(file: FileModel, module: ModuleClass, constructor: Function) -> Iterator[Expr]:
    """Yield the layers, modules and parameters that the constructor assigns to ``self``, in order."""
    values = [
        value
        for name in module.attributes
        for value in module.attribute(name)
        if value.function == constructor
    ]
    for value in sorted(values, key=lambda one: one.order):
        if isinstance(value, Call) and not value.conditions and _is_registered(file, value):
            yield value


def _is_registered(file: FileModel, value: Call) -> bool:
    """Say whether ``nn.Module`` registers a value that is assigned to an attribute."""
    if value.callee in {"torch.nn.Parameter", "torch.nn.Buffer"}:
        return True
    if file.layers.kind(value) is not None:
        return True
    made = file.module_of(value)
    return made is not None and value.target is made.scope and made in made.model.modules


def _runs_base(call: Call) -> bool:
    """Say whether a call runs a constructor of a base."""
    return call.method in {"__init__", "super_init", "__attrs_init__", "init"}


def _edits(base: Call | None, kept: Expr, constructor: Function) -> tuple[Edit, ...]:
    """Return the edits that run the constructor of the base before anything else."""
    if base is not None:
        return base.moved(before=kept) if base.is_statement else ()
    first = constructor.first_statement
    edit = None if first is None else first.line_before("super().__init__()")
    return () if edit is None else (edit,)
