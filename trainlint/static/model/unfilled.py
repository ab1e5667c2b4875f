"""Parameters that are made of memory as it happens to be, and that nothing fills."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel
    from trainlint.static.model.layers import ModuleClass

_EMPTY = frozenset(
    {
        *("torch.empty", "torch.empty_like", "torch.empty_strided"),
        *("torch.Tensor", "torch.FloatTensor", "torch.cuda.FloatTensor", "torch.DoubleTensor"),
    }
)
_PLAIN_BASES = frozenset({"torch.nn.Module", "lightning.LightningModule", "builtins.object"})
_FILLS_ALL = frozenset({"apply", "load_state_dict", "parameters", "named_parameters", "state_dict"})
_NAMES_OPENLY = frozenset({"setattr", "getattr", "vars"})


@immutable
class EmptyParameter:
    """A parameter of uninitialised memory that a module keeps and uses, and that nothing fills."""

    module: ModuleClass
    attribute: str
    made: Call
    """``torch.empty(...)`` or an older spelling of it."""
    used: Expr
    """The first place where the way of the data reads it."""


def empty_parameters(model: FileModel) -> Iterator[EmptyParameter]:
    """Yield the parameters that surely keep what was in memory when the module was made.

    Silent wherever anything might fill them: the attribute is named outside of the way of the data,
    or in a file that imports the class; the class has bases outside of the project; in its file, or in
    that of a base, a function goes through all parameters; ``self`` is handed on.
    """
    for module in model.modules:
        if not set(module.bases) <= _PLAIN_BASES:
            continue
        candidates = list(_candidates(model, module))
        if not candidates or any(_may_fill_all(one, module) for one in _models(module)):
            continue
        for name, made in candidates:
            reads = [one for one in model.attributes_read(name) if _may_be_of(module, one)]
            running = set(module.running)
            used = [one for one in reads if one.function in running]
            if not used or len(used) < len(reads) or _is_stored(module, name):
                continue
            if model.elsewhere.is_read(module.name, name):
                continue
            if not any(_fills(model, read) for read in used):
                yield EmptyParameter(module, name, made, used[0])


def _models(module: ModuleClass) -> set[FileModel]:
    """Return the models of the files that define a module and its bases."""
    return {scope.index.model for scope in module.model.lineage(module.scope)}


def _candidates(model: FileModel, module: ModuleClass) -> Iterator[tuple[str, Call]]:
    """Yield the attributes that the constructor sets to a parameter of uninitialised memory."""
    for name, bindings in module.attributes.items():
        if len(bindings) != 1 or bindings[0].value is None or bindings[0].path:
            continue
        value = model.expr(bindings[0].value, bindings[0].site)
        if not isinstance(value, Call) or value.callee != "torch.nn.Parameter" or not value.args:
            continue
        trained = value.argument(1, "requires_grad")
        if trained is not None and trained.truth() is not True:
            continue
        inner = value.args[0]
        if isinstance(inner, Call) and inner.callee in _EMPTY and _has_elements(inner):
            yield name, inner


def _has_elements(made: Call) -> bool:
    """Say whether a tensor is made by its sizes, and none of them is 0."""
    if not made.args or "meta" in made.text:
        return False
    last = (made.callee or "").rpartition(".")[2]
    if last.endswith("Tensor") and any(one.items is not None for one in made.args):
        return False  # a tensor of these values
    if last.endswith("Tensor") and len(made.args) == 1 and made.args[0].number() is None:
        return False  # perhaps of values, too
    sizes = [size for one in made.args for size in (one.items or (one,))]
    return all(size.number() != 0 for size in sizes)


def _may_fill_all(model: FileModel, module: ModuleClass) -> bool:
    """Say whether anything may fill every parameter of a module without naming it."""
    for call in model.method_calls(*_FILLS_ALL, *_NAMES_OPENLY):
        if call.method not in {"parameters", "named_parameters"} or not _goes_to_optimizer(call):
            return True
    if any(True for _ in model.attributes_read("__dict__")):
        return True
    return any(_hands_self_on(call) for method in module.methods for call in method.calls)


def _hands_self_on(call: Call) -> bool:
    """Say whether a call is given ``self``, other than that of a base's constructor."""
    given = (*call.args, *call.keywords.values())
    is_base = call.callee == "builtins.super" or call.method == "__init__"
    return not is_base and any(one.is_name and one.text == "self" for one in given)


def _goes_to_optimizer(call: Call) -> bool:
    """Say whether parameters are handed to something as they are, and not gone through."""
    return any(
        (taker.callee or "").startswith(("torch.optim.", "torch.nn.utils.clip_grad"))
        for taker in call.model.calls_taking(call)
    )


def _may_be_of(module: ModuleClass, attribute: Expr) -> bool:
    """Say whether an attribute may be one of a module: not where it is of another class's ``self``."""
    model, owner = module.model, attribute.owner
    home = None if owner is None else model.class_of_self(attribute.site, owner.node)
    if home is None:
        return True
    return module.scope in model.lineage(home) or home in model.lineage(module.scope)


def _is_stored(module: ModuleClass, name: str) -> bool:
    """Say whether anything but the constructor assigns the attribute, or names it in a string."""
    model = module.model
    targets = [model.expr(target, binding.site) for target, binding in model.index.stores[name]]
    if len([one for one in targets if _may_be_of(module, one)]) > 1:
        return True
    return f'"{name}"' in model.source.text or f"'{name}'" in model.source.text


def _fills(model: FileModel, read: Expr) -> bool:
    """Say whether a read of the parameter may change what it holds."""
    statement = read.site.statement
    if isinstance(statement, ast.Assign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if any(part is read.node for target in targets for part in ast.walk(target)):
            return True
    function = read.function
    for call in () if function is None else function.calls:
        in_place = (call.method or "").endswith("_")
        if in_place and read in call.parts():
            return True
    return any(one.owner == read for one in model.attributes_read("data"))
