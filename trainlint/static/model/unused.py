"""Layers that a module makes and never puts data through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.layers import ModuleClass

_BASES = frozenset({"torch.nn.Module", "lightning.LightningModule", "builtins.object", "abc.ABC"})
_BY_NAME = frozenset(
    [
        "children",
        "named_children",
        "getattr",
        "get_submodule",
        "vars",
        "eval",
        "exec",
        "setattr",
        "__getattr__",
        "__getattribute__",
        "add_module",
        "register_module",
        "attrgetter",
    ]
)
"""Calls that may reach a layer without its name being written."""
_TABLES = ("_modules", "__dict__")


@immutable
class UnusedLayer:
    """A layer with weights that the constructor of a module keeps and nothing reads."""

    module: ModuleClass
    attribute: str
    made: Call

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.made.path

    @property
    def span(self) -> Span:
        """Where it is made."""
        return self.made.span


def unused_layers(module: ModuleClass) -> Iterator[UnusedLayer]:
    """Yield the layers with weights that no code of the module's project reads."""
    model = module.model
    forward = module.forward
    if forward is None or not forward.returns or not module.knows_bases or module.is_decorated:
        return
    if not set(module.bases) <= _BASES or _reaches_by_name(module):
        return
    for name, bindings in module.attributes.items():
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.ASSIGN or bindings[0].path:
            continue
        value = bindings[0].value
        if value is None:
            continue
        made = model.expr(value, bindings[0].site)
        function = made.function
        if not isinstance(made, Call) or function is None or function.name != "__init__":
            continue
        kept = model.module_of(made)
        if kept is not None and kept not in kept.model.modules:
            continue
        if model.trains(made) and not _is_read(module, name):
            yield UnusedLayer(module, name, made)


def _reaches_by_name(module: ModuleClass) -> bool:
    """Say whether a method of the module, or of a base, may reach its layers without naming them."""
    for scope in module.model.lineage(module.scope):
        model = scope.index.model
        for call in model.method_calls(*_BY_NAME):
            around = model.class_around(call)
            if around is not None and around.scope is scope:
                return True
        for table in _TABLES:
            for read in model.attributes_read(table):
                around = model.class_around(read)
                if around is not None and around.scope is scope:
                    return True
    running = {function.name for function in module.running}
    return any(
        call.function is not None and call.function.name in running
        for call in module.model.method_calls("modules", "named_modules", "parameters")
    )


def _is_read(module: ModuleClass, name: str) -> bool:
    """Say whether anything reads an attribute of this name, other than to initialise it."""
    models = {scope.index.model for scope in module.model.lineage(module.scope)}
    for model in models:
        if any(not _is_initialised(read) for read in model.attributes_read(name)):
            return True
        if re.search(rf"['\"][\w. ]*\b{re.escape(name)}\b[\w. ]*['\"]", model.source.text):
            return True
    return module.model.elsewhere.is_read(module.name, name)


def _is_initialised(read: Expr) -> bool:
    """Say whether a layer is read only to fill its weights: ``nn.init.zeros_(self.fc.weight)``."""
    if not read.around or read.around[0].name not in {"weight", "bias"}:
        return False
    for around in read.around:
        if isinstance(around, Call):
            last = around.method or ""
            return (around.callee or "").startswith("torch.nn.init.") or (
                around.callee is None and last.endswith("_") and not last.startswith("requires")
            )
    return False
