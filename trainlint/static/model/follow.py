"""Following a value backwards to the expressions that made it.

Reaching definitions within a function are exact for straight lines, branches and ``with``; a loop's
body counts as run once. Across functions a parameter stands for the arguments of every call in the
file. Where the trace is lost the name itself is the answer: nothing is guessed.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.elsewhere import Symbol
from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import (
    Binding,
    BindingKind,
    Block,
    BlockKind,
    Scope,
    ScopeKind,
    Site,
)

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel

_MOST_CALL_SITES = 12
_MOST_ORIGINS = 24
_MOST_DEPTH = 60
_MOST_STEPS = 300_000
"""Bounds the work on one file: past it the trace of every further value counts as lost."""

_KEEPS_OBJECT = frozenset(
    [
        "to",
        "cuda",
        "cpu",
        "float",
        "half",
        "double",
        "bfloat16",
        "eval",
        "train",
        "requires_grad_",
        "share_memory",
        "to_empty",
        "type",
        "xpu",
    ]
)
"""Methods of a module or tensor that return the object they are called on."""

_WRAPPERS = frozenset(
    {
        "torch.compile",
        "torch.jit.script",
        "torch.nn.DataParallel",
        "torch.nn.parallel.DistributedDataParallel",
        "torch.distributed.fsdp.FullyShardedDataParallel",
        "torch.distributed.fsdp.fully_shard",
        "torch.nn.utils.weight_norm",
        "torch.nn.utils.spectral_norm",
        "torch.nn.utils.parametrizations.weight_norm",
        "torch.nn.utils.parametrizations.spectral_norm",
        "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
        "copy.deepcopy",
        "apex.parallel.DistributedDataParallel",
    }
)
"""Functions that return their first argument, wrapped."""

_NAMESPACES = frozenset(
    {
        "argparse.Namespace",
        "types.SimpleNamespace",
        "easydict.EasyDict",
        "omegaconf.OmegaConf.create",
        "ml_collections.ConfigDict",
        "addict.Dict",
        "munch.Munch",
        "munch.munchify",
        "builtins.dict",
    }
)
_ARGUMENT_NAMES = frozenset(
    ["args", "opt", "opts", "cfg", "config", "conf", "hparams", "hps", "params", "flags", "FLAGS"]
)


class Follower:
    """Answers where a value of one file comes from."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._origins: dict[int, tuple[Expr, ...]] = {}
        self._objects: dict[int, tuple[Expr, ...]] = {}
        self._under_way: set[int] = set()
        self._targets: dict[int, Scope | None] = {}
        self._call_sites: dict[int, tuple[Call, ...]] = {}
        self._finding_calls: set[int] = set()
        self._definitions: dict[int, Scope | None] = {}
        self._cuts = 0
        self._fuel = _MOST_STEPS

    # -- origins ------------------------------------------------------------------------------

    def origins(self, expr: Expr) -> tuple[Expr, ...]:
        """Return the expressions that may have made a value; see :meth:`Expr.origins`."""
        key = id(expr.node)
        known = self._origins.get(key)
        if known is not None:
            return known
        if expr.model is not self.model:
            return expr.model.follower.origins(expr)
        self._fuel -= 1
        if key in self._under_way or self._fuel < 0 or len(self._under_way) > _MOST_DEPTH:
            self._cuts += 1
            return (expr,)
        cuts = self._cuts
        self._under_way.add(key)
        try:
            steps = self.definitions(expr)
            if steps is None:
                found: tuple[Expr, ...] = (expr,)
            else:
                unique: dict[Expr, None] = {}
                for step in steps:
                    for origin in self.origins(step) if step != expr else (expr,):
                        unique[origin] = None
                found = tuple(unique) if len(unique) <= _MOST_ORIGINS else (expr,)
        finally:
            self._under_way.discard(key)
        if not self._under_way or cuts == self._cuts:
            self._origins[key] = found
        return found

    def objects(self, expr: Expr) -> tuple[Expr, ...]:
        """Return the origins behind wrappers that keep an object; see :meth:`Expr.objects`."""
        known = self._objects.get(id(expr.node))
        if known is not None:
            return known
        if expr.model is not self.model:
            return expr.model.follower.objects(expr)
        self._objects[id(expr.node)] = (expr,)
        found: dict[Expr, None] = {}
        for origin in self.origins(expr):
            inner = self._unwrapped(origin)
            if inner is None:
                found[origin] = None
            else:
                for part in self.objects(inner):
                    found[part] = None
        self._objects[id(expr.node)] = tuple(found)
        return tuple(found)

    def _unwrapped(self, expr: Expr) -> Expr | None:
        """Return the object that a wrapping call keeps; None if this is no such call."""
        if not isinstance(expr, Call):
            return None
        symbol = expr.called.symbol
        if (symbol is not None and symbol.kind != "value") or expr.target is not None:
            return None
        if expr.callee in _WRAPPERS:
            return expr.args[0] if expr.args else expr.keywords.get("module")
        if expr.callee is not None:
            return None
        receiver = expr.receiver
        if receiver is not None and expr.method in _KEEPS_OBJECT:
            return receiver
        if (
            expr.method in {"prepare", "setup", "prepare_model", "setup_module"}
            and len(expr.args) == 1
        ):
            return expr.args[0]
        return None

    def definitions(self, expr: Expr) -> list[Expr] | None:
        """Return what a value is, one step back; None where it is made, or the trace is lost."""
        if expr.model is not self.model:
            return expr.model.follower.definitions(expr)
        node = expr.node
        if isinstance(node, ast.Name):
            return self._definitions_of_name(expr, node)
        if isinstance(node, ast.Attribute):
            return self._definitions_of_attribute(expr, node)
        if isinstance(node, ast.IfExp):
            return [expr.child(node.body), expr.child(node.orelse)]
        if isinstance(node, ast.NamedExpr):
            return [expr.child(node.value)]
        if isinstance(node, ast.Await):
            return [expr.child(node.value)]
        if isinstance(node, ast.Subscript):
            return self._definitions_of_item(expr, node)
        if isinstance(expr, Call):
            return self._results(expr)
        return None

    def _results(self, call: Call) -> list[Expr] | None:
        """Return what a function of this file returns."""
        if call.method == "get" and call.receiver is not None and call.args:
            return self._item(call.receiver, call.args[0].literal(), call)
        symbol = call.called.symbol
        if symbol is not None and symbol.kind == "class":
            return None
        target = call.target
        if target is None or target.kind is not ScopeKind.FUNCTION or not target.returns:
            return None
        if target.generates:
            return None
        return [
            self._handed_back(call, target, node) or self.model.expr(node, site)
            for node, site in target.returns
        ]

    def _handed_back(self, call: Call, target: Scope, node: ast.expr) -> Expr | None:
        """Return the argument of a call that a function gives back: ``layer`` of ``init(layer)``."""
        bindings = target.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.PARAMETER:
            return None
        position = bindings[0].path[0]
        if self._is_bound_method(target) and not self._passes_self(call, target):
            position -= 1
        return call.argument(position, bindings[0].name) if position >= 0 else None

    def _definitions_of_name(self, expr: Expr, node: ast.Name) -> list[Expr] | None:
        """Return the values that a name may hold where it is read."""
        found = self.model.names.lookup(node.id, expr.site.scope)
        if found is None:
            return None
        scope, bindings = found
        reaching = self.reaching(scope, bindings, expr.site)
        values: list[Expr] = []
        for binding in reaching:
            made = self.values_of(binding)
            if made is None:
                if len(reaching) == 1:
                    return None
                made = [expr]
            values += made
        return values or None

    def is_settled(self, expr: Expr, depth: int = 0) -> bool:
        """Say whether the file alone decides about a value; see :attr:`Expr.is_settled`."""
        node = expr.node
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.UnaryOp):
            return self.is_settled(expr.child(node.operand), depth)
        if isinstance(node, ast.BinOp | ast.IfExp):
            sides = expr.operands or (expr.child(node.body), expr.child(node.orelse))  # type: ignore[union-attr]
            return all(self.is_settled(side, depth) for side in sides)
        if depth > _MOST_DEPTH or not isinstance(node, ast.Name | ast.Attribute):
            return False
        if isinstance(node, ast.Name):
            found = self.model.names.lookup(node.id, expr.site.scope)
            bindings = [] if found is None else self.reaching(*found, expr.site)
        else:
            bindings = self._attribute_bindings(expr, node)
        return bool(bindings) and all(
            one.kind is BindingKind.ASSIGN
            and one.value is not None
            and not one.path
            and self.is_settled(self.model.expr(one.value, one.site), depth + 1)
            for one in bindings
        )

    def binding(self, expr: Expr) -> Binding | None:
        """Return the one binding that a name or attribute of self has where it is read."""
        if expr.model is not self.model:
            return expr.model.follower.binding(expr)
        node = expr.node
        if isinstance(node, ast.Name):
            found = self.model.names.lookup(node.id, expr.site.scope)
            if found is None:
                return None
            reaching = self.reaching(*found, expr.site)
        elif isinstance(node, ast.Attribute):
            reaching = self._attribute_bindings(expr, node)
        else:
            return None
        return reaching[0] if len(reaching) == 1 else None

    def constants(self, expr: Expr) -> list[Expr]:
        """Return all values that a name or attribute ever has, if only plain assignments give them.

        Nothing of what a loop changes, of options, and of parameters that others may pass.
        """
        node = expr.node
        if isinstance(node, ast.Name):
            found = self.model.names.lookup(node.id, expr.site.scope)
            bindings = [] if found is None else found[1]
        elif isinstance(node, ast.Attribute):
            home = self.model.class_of_self(expr.site, node.value)
            bindings = [] if home is None else self.bindings_in_class(home, node.attr, expr.site)
        else:
            return []
        values: list[Expr] = []
        for binding in bindings:
            if binding.kind is BindingKind.PARAMETER and len(bindings) == 1:
                passed = self._arguments(binding) if self.call_sites(binding.site.scope) else None
                if passed is None:
                    return []
                values += passed
            elif binding.kind is BindingKind.ASSIGN and binding.value and not binding.path:
                changes = any(one.kind is BlockKind.LOOP for one in binding.site.block.ancestors())
                if changes and len(bindings) > 1:
                    return []
                values.append(self.model.expr(binding.value, binding.site))
            else:
                return []
        return values

    def values_of(self, binding: Binding) -> list[Expr] | None:
        """Return the expressions that a binding may take its value from; None if unknown."""
        home = binding.site.scope.index
        if home is not self.model.index:
            return home.model.follower.values_of(binding)
        kind = binding.kind
        if kind is BindingKind.IMPORT and binding.imported is not None:
            symbol = self.model.elsewhere.find(binding.imported)
            return symbol.values if isinstance(symbol, Symbol) else None
        if kind is BindingKind.PARAMETER:
            return self._arguments(binding)
        if binding.value is None:
            return None
        value = self.model.expr(binding.value, binding.site)
        if kind is BindingKind.ASSIGN or (kind is BindingKind.WITH and not binding.path):
            return self.element(value, binding.path) if binding.path else [value]
        if kind is BindingKind.LOOP:
            return self._iterated(value, binding.path)
        return None

    def _iterated(self, iterable: Expr, path: tuple[int, ...]) -> list[Expr] | None:
        """Return what a loop over a literal gives its variable."""
        if isinstance(iterable, Call) and iterable.callee == "builtins.enumerate" and iterable.args:
            if len(path) < 1 or path[0] != 1:
                return None
            iterable, path = iterable.args[0], path[1:]
        found: list[Expr] = []
        for origin in self.origins(iterable):
            items = origin.items
            if items is None or not items:
                return None
            for item in items:
                parts = self.element(item, path) if path else [item]
                if parts is None:
                    return None
                found += parts
        return found

    def element(self, value: Expr, path: tuple[int, ...]) -> list[Expr] | None:
        """Return what unpacking a value gives at a path of indices."""
        found: list[Expr] = []
        for origin in self.origins(value):
            items = origin.items
            if items is None and isinstance(origin, Call) and origin.method in {"prepare", "setup"}:
                items = origin.args
            if items is None or path[0] >= len(items):
                return None
            found += (
                [items[path[0]]] if len(path) == 1 else self.element(items[path[0]], path[1:]) or []
            )
        return found or None

    # -- reaching definitions -----------------------------------------------------------------

    def reaching(self, scope: Scope, bindings: list[Binding], site: Site) -> list[Binding]:
        """Return the bindings of a name that may hold where it is read."""
        if len(bindings) == 1 or scope.kind is ScopeKind.COMPREHENSION:
            return bindings
        if scope.function is not site.scope.function:
            return bindings
        around = site.block.ancestors()
        found: list[Binding] = []
        sure: set[tuple[int, int]] = set()
        for binding in reversed(bindings):
            if binding.site.index >= site.index and not _is_target_of(binding, site):
                continue
            if binding.kind is BindingKind.AUGMENT and _is_list(binding.value):
                continue
            block = _settled(binding.site.block)
            if binding.site.scope.function is not scope.function:
                found.append(binding)
                continue
            if block in around:
                found.append(binding)
                return found[::-1]
            if _excludes(block, around):
                continue
            if _leaves(block, around) and binding.kind is not BindingKind.LOOP:
                continue
            if any((id(one.header), one.arm) in sure for one in _outward(block, around)):
                continue
            found.append(binding)
            if _covers(block, around, sure):
                return found[::-1]
        if not found:
            loops = {block for block in around if block.kind is BlockKind.LOOP}
            found = [
                binding
                for binding in bindings
                if binding.site.index >= site.index
                and loops.intersection(binding.site.block.ancestors())
            ]
        return found[::-1]

    # -- parameters and calls -----------------------------------------------------------------

    def _arguments(self, binding: Binding) -> list[Expr] | None:
        """Return what the calls of a function in this file pass for a parameter."""
        scope = binding.site.scope
        position = binding.path[0]
        default = None
        if binding.value is not None and scope.parent is not None:
            outer = Site(scope.node, _outer_block(scope), scope.parent, binding.site.index)
            default = self.model.expr(binding.value, outer)
        option = self._option(scope, binding.name)
        if option is not None:
            return [option]
        if isinstance(default, Call) and default.callee in {"typer.Option", "typer.Argument"}:
            return [default.args[0]] if default.args else None
        abroad = self.model.elsewhere.calls(scope)
        if abroad is None:
            return None
        calls = (*self.call_sites(scope), *abroad)
        if not calls:
            return None if default is None else [default]
        if len(calls) > _MOST_CALL_SITES:
            return None
        shift = 1 if self._is_bound_method(scope) else 0
        if position < shift:
            return None
        found: list[Expr] = []
        for call in calls:
            place = position
            if shift and not self._passes_self(call, scope):
                place -= shift
            value = call.argument(place, binding.name)
            if value is None:
                if default is None or call.is_open:
                    return None
                value = default
            found.append(value)
        return found

    def argument_for(self, call: Call, binding: Binding) -> Expr | None:
        """Return what one call of a function of the file passes for a parameter; None if nothing."""
        scope, place = binding.site.scope, binding.path[0]
        if self._is_bound_method(scope) and not self._passes_self(call, scope):
            place -= 1
        return call.argument(place, binding.name) if place >= 0 else None

    def _option(self, scope: Scope, name: str) -> Expr | None:
        """Return the default of the click option that fills a parameter."""
        function = self.model.function_of(scope)
        for decorator in function.decorators if function is not None else ():
            if isinstance(decorator, Call) and decorator.method == "option":
                for argument in decorator.args:
                    flag = argument.string() if isinstance(argument.node, ast.Constant) else None
                    if flag is not None and flag.lstrip("-").replace("-", "_") == name:
                        return decorator.keywords.get("default")
        return None

    def _is_bound_method(self, scope: Scope) -> bool:
        """Say whether the first parameter of a function is its instance or class."""
        if scope.parent is None or scope.parent.kind is not ScopeKind.CLASS:
            return False
        decorators = getattr(scope.node, "decorator_list", ())
        return not any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in decorators)

    def _passes_self(self, call: Call, scope: Scope) -> bool:
        """Say whether a call passes the instance by hand: ``Base.__init__(self, ...)``."""
        receiver = call.receiver
        if receiver is None or scope.parent is None:
            return False
        if receiver.name == "self" or isinstance(receiver, Call):
            return False
        return (
            any(
                self.definition(origin) is not None
                and self.definition(origin) is not scope
                and self.definition(origin).kind is ScopeKind.CLASS  # type: ignore[union-attr]
                for origin in receiver.origins()
            )
            and bool(call.args)
            and call.args[0].name == "self"
        )

    def call_sites(self, scope: Scope) -> tuple[Call, ...]:
        """Return the calls of a function in this file; of a class's ``__init__``, those of the class."""
        key = id(scope)
        if key in self._call_sites:
            return self._call_sites[key]
        if scope.index is not self.model.index:
            return scope.index.model.follower.call_sites(scope)
        if key in self._finding_calls:
            return ()
        self._finding_calls.add(key)
        self._call_sites[key] = self.calls_of(scope)
        self._finding_calls.discard(key)
        return self._call_sites[key]

    def calls_of(self, scope: Scope) -> tuple[Call, ...]:
        """Look in this file for the calls of a function, of this file or of another one."""
        found: dict[Call, None] = {}
        name = getattr(scope.node, "name", None)
        names = scope.index.model.follower.names_of(scope, name)
        if name == "__init__" and scope.index is not self.model.index:
            names |= self._derived_from(scope)
        aliases = self.model.index.aliases
        for last in names | {alias for one in names for alias in aliases.get(one, ())}:
            for node, site in self.model.index.calls.get(last, ()):
                call = self.model.call(node, site)
                target = call.target
                if target is scope or (
                    name == "__init__"
                    and target is not None
                    and target.kind is ScopeKind.CLASS
                    and self.model.method_scope(target, "__init__") is scope
                ):
                    found[call] = None
        return tuple(sorted(found, key=lambda call: call.order))

    def names_of(self, scope: Scope, name: str | None) -> set[str]:
        """Return the last names under which a function may be called."""
        index = self.model.index
        if name is None:
            return {
                binding.name
                for bindings in (scope.parent.bindings.values() if scope.parent else ())
                for binding in bindings
                if binding.value is scope.node
            }
        names = {name}
        if name == "__init__":
            names |= self._derived_from(scope)
        if name in {"forward", "__call__"} and scope.parent is not None:
            names |= self.model.instance_names(scope.parent)
        return names | {alias for one in names for alias in index.aliases.get(one, ())}

    def _derived_from(self, init: Scope) -> set[str]:
        """Return the names of the classes of this file that have an ``__init__``, by inheritance too."""
        return {
            str(getattr(cls.node, "name", ""))
            for cls in self.model.index.classes.values()
            if init.parent in self.model.lineage(cls)
        }

    def target(self, call: Call) -> Scope | None:
        """Return the function or class of this file that a call enters."""
        key = id(call.node)
        if key in self._targets:
            return self._targets[key]
        if call.model is not self.model:
            return call.model.follower.target(call)
        self._targets[key] = None
        self._targets[key] = found = self._target(call)
        return found

    def _target(self, call: Call) -> Scope | None:
        """Resolve what is called."""
        called = call.called
        if isinstance(called, Call) and called.callee == "builtins.super":
            return None
        receiver = call.receiver
        if isinstance(receiver, Call) and receiver.callee == "builtins.super":
            home = call.site.scope.function.parent
            if home is not None and home.kind is ScopeKind.CLASS and call.method is not None:
                for base in self.model.lineage(home)[1:]:
                    scope = self.model.own_method_scope(base, call.method)
                    if scope is not None:
                        return scope
            return None
        if called.qualified is not None:
            return None
        unknown = called.is_attribute and not self.model.may_define(called.name or "")
        if unknown and called.symbol is None:
            return None
        found: set[int] = set()
        scope = None
        for origin in self.objects(called):
            one = self.definition(origin)
            if one is None:
                made = self.model.class_of_self(origin.site, origin.node)
                if isinstance(origin, Call):
                    made = origin.target
                if made is not None and made.kind is ScopeKind.CLASS:
                    one = self.model.method_scope(made, "forward") or self.model.method_scope(
                        made, "__call__"
                    )
            if one is None:
                if isinstance(origin.node, ast.Constant) and origin.node.value is None:
                    continue
                return None
            found.add(id(one))
            scope = one
        return scope if len(found) == 1 else None

    def definition(self, expr: Expr) -> Scope | None:
        """Return the function or class of this file that a name or attribute stands for."""
        key = id(expr.node)
        if expr.model is not self.model:
            return expr.model.follower.definition(expr)
        if key not in self._definitions:
            self._definitions[key] = None
            self._definitions[key] = self._definition(expr)
        return self._definitions[key]

    def _definition(self, expr: Expr) -> Scope | None:
        """Resolve a name or attribute."""
        node = expr.node
        if isinstance(node, ast.Lambda):
            return self.model.index.functions.get(id(node))
        symbol = self.model.names.symbol(node, expr.site)
        if symbol is not None:
            return symbol.definition
        if isinstance(node, ast.Name):
            found = self.model.names.lookup(node.id, expr.site.scope)
            bindings = [] if found is None else self.reaching(*found, expr.site)
        elif isinstance(node, ast.Attribute):
            bindings = self._attribute_bindings(expr, node)
        else:
            return None
        if not bindings or bindings[-1].kind not in {BindingKind.FUNCTION, BindingKind.CLASS}:
            return None
        return bindings[-1].definition

    # -- attributes and items -----------------------------------------------------------------

    def _definitions_of_attribute(self, expr: Expr, node: ast.Attribute) -> list[Expr] | None:
        """Return the values that an attribute may hold where it is read."""
        if expr.qualified is not None:
            return None
        if expr.symbol is not None:
            return expr.symbol.values
        if not self.model.may_hold(node.attr):
            return None
        bindings = self._attribute_bindings(expr, node)
        if bindings:
            values: list[Expr] = []
            for binding in bindings:
                made = self._property(binding) or self.values_of(binding)
                if made is None:
                    if len(bindings) == 1:
                        return None
                    made = [expr]
                values += made
            return values
        return self._field(expr, node)

    def _property(self, binding: Binding) -> list[Expr] | None:
        """Return what a property returns."""
        if binding.kind is not BindingKind.FUNCTION or binding.node is None:
            return None
        decorators = getattr(binding.node, "decorator_list", ())
        if not any(
            getattr(one, "id", getattr(one, "attr", "")) in _PROPERTIES for one in decorators
        ):
            return None
        scope = binding.definition
        if scope is None:
            return None
        return [self.model.expr(value, site) for value, site in scope.returns] or None

    def _attribute_bindings(self, expr: Expr, node: ast.Attribute) -> list[Binding]:
        """Return what the class of an instance assigns to an attribute."""
        home = self.model.class_of_self(expr.site, node.value)
        if home is not None:
            return self.bindings_in_class(home, node.attr, expr.site)
        found: list[Binding] = []
        for origin in self.objects(expr.child(node.value)):
            symbol = origin.called.symbol if isinstance(origin, Call) else None
            if symbol is not None and not symbol.may_hold(node.attr):
                return []
            scope = origin.target if isinstance(origin, Call) else self.definition(origin)
            if scope is None or scope.kind is not ScopeKind.CLASS:
                return []
            if isinstance(origin, Call) and node.attr in origin.keywords:
                return []
            found += self.bindings_in_class(scope, node.attr, expr.site)
        return found

    def bindings_in_class(self, home: Scope, name: str, site: Site) -> list[Binding]:
        """Return the bindings of an attribute in a class and its bases in this file."""
        found: list[Binding] = []
        for scope in self.model.lineage(home):
            own = scope.attributes.get(name, [])
            same = [one for one in own if one.site.scope.function is site.scope.function]
            if same and scope is home:
                before = self.reaching(site.scope.function, same, site)
                before = [one for one in before if one.site.index < site.index]
                if before and any(
                    _settled(one.site.block) in site.block.ancestors() for one in before
                ):
                    return before
            found += own
            found += scope.bindings.get(name, [])
            if found:
                break
        placed = [one for one in found if not _is_none(one.value)]
        return placed or found

    def _field(self, expr: Expr, node: ast.Attribute) -> list[Expr] | None:
        """Return the value of a field of a namespace, a parsed command line or a dataclass."""
        base = expr.child(node.value)
        saved = self._saved_hyperparameter(base, node.attr)
        if saved is not None:
            return saved
        assigned = self._assigned_elsewhere(base, node.attr)
        found: list[Expr] = []
        for origin in self.objects(base):
            value = self._field_of(origin, node.attr, base)
            if value is None:
                return assigned or None
            found.append(value)
        return [*found, *assigned]

    def _saved_hyperparameter(self, base: Expr, name: str) -> list[Expr] | None:
        """Return what Lightning keeps as ``self.hparams.name``: a parameter of ``__init__``."""
        if base.name != "hparams" or base.owner is None:
            return None
        home = self.model.class_of_self(base.site, base.owner.node)
        init = None if home is None else self.model.method_scope(home, "__init__")
        if init is None:
            return None
        bindings = init.bindings.get(name, [])
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.PARAMETER:
            return None
        return self._arguments(bindings[0])

    def _field_of(self, origin: Expr, name: str, base: Expr) -> Expr | None:
        """Return a field of one origin."""
        if isinstance(origin, Call):
            if origin.method in {"parse_args", "parse_known_args"}:
                return origin.model.command_line_default(name)
            target = origin.target
            if target is not None and target.kind is ScopeKind.CLASS:
                return origin.keywords.get(name)
            if origin.callee in _NAMESPACES:
                if origin.args and (entries := origin.args[0].origins()[0].entries) is not None:
                    return entries.get(name)
                return origin.keywords.get(name)
            return None
        entries = origin.entries
        if entries is not None:
            return entries.get(name)
        if origin.is_name and (base.name in _ARGUMENT_NAMES or origin.name in _ARGUMENT_NAMES):
            return self.model.command_line_default(name)
        return None

    def _assigned_elsewhere(self, base: Expr, name: str) -> list[Expr]:
        """Return what is assigned to a field of the same object: ``args.lr = 0.1``."""
        text = base.text
        found = []
        for target, binding in self.model.index.stores.get(name, ()):
            if not isinstance(target, ast.Attribute) or binding.value is None:
                continue
            if self.model.expr(target.value, binding.site).text == text:
                found.append(self.model.expr(binding.value, binding.site))
        return found

    def _definitions_of_item(self, expr: Expr, node: ast.Subscript) -> list[Expr] | None:
        """Return what stands at a known key or index."""
        key = node.slice
        if isinstance(key, ast.Constant):
            return self._item(expr.child(node.value), key.value, expr)
        if isinstance(key, ast.UnaryOp | ast.Name | ast.Attribute):
            found = self._item(expr.child(node.value), expr.child(key).literal(), expr)
            made = any(isinstance(item, Call) for item in found or ())
            return None if made and self._is_open_parameter(expr.child(key)) else found
        return None

    def _is_open_parameter(self, expr: Expr) -> bool:
        """Say whether a key is a parameter of a function that the file never calls.

        In a table of things that are made, its default is one of all that callers may ask for.
        """
        binding = self.binding(expr)
        if binding is None or binding.kind is not BindingKind.PARAMETER:
            return False
        return not self.call_sites(binding.site.scope)

    def _item(self, base: Expr, key: object, expr: Expr) -> list[Expr] | None:
        """Return the item of a literal container at a key."""
        found: list[Expr] = []
        for origin in self.origins(base):
            if isinstance(key, str):
                entries = _entries(origin)
                if entries is None or key not in entries:
                    return None
                found.append(entries[key])
            elif isinstance(key, int) and not isinstance(key, bool):
                items = origin.items
                if items is None or not -len(items) <= key < len(items):
                    return None
                found.append(items[key])
            else:
                return None
        if isinstance(key, str):
            text = base.text
            for target, binding in self.model.index.stores.get(key, ()):
                if isinstance(target, ast.Subscript) and binding.value is not None:
                    holder = self.model.expr(target.value, binding.site)
                    if holder.text == text and binding.value is not expr.node:
                        found.append(self.model.expr(binding.value, binding.site))
        return found or None


def _entries(origin: Expr) -> dict[str, Expr] | None:
    """Return the items of a literal mapping by their keys, those of a ``ModuleDict`` of one included."""
    if isinstance(origin, Call) and origin.callee == "torch.nn.ModuleDict":
        given = origin.args[0].origins() if len(origin.args) == 1 else ()
        return given[0].entries if len(given) == 1 else None
    return origin.entries


_PROPERTIES = frozenset({"property", "cached_property"})


def _is_none(node: ast.expr | None) -> bool:
    """Say whether a value is the placeholder None."""
    return isinstance(node, ast.Constant) and node.value is None


def _is_list(node: ast.expr | None) -> bool:
    """Say whether a value is written as a list: adding one to a list keeps the list."""
    return isinstance(node, ast.List | ast.ListComp)


def _outer_block(scope: Scope) -> Block:
    """Return the block in which a function is defined."""
    block = scope.block.parent if scope.block is not None else None
    if block is None:
        msg = "a function stands in a block"
        raise ValueError(msg)
    return block


def _is_target_of(binding: Binding, site: Site) -> bool:
    """Say whether a binding is the target of the loop whose body the site is in."""
    return binding.kind is BindingKind.LOOP and binding.site.index == site.index


def _settled(block: Block) -> Block:
    """Return the block in which a binding holds afterwards: a ``with`` or ``try`` always runs."""
    while block.parent is not None and (
        block.kind is BlockKind.WITH
        or (block.kind is BlockKind.BRANCH and isinstance(block.header, ast.Try) and block.arm == 0)
    ):
        block = block.parent
    return block


def _outward(block: Block, around: list[Block]) -> list[Block]:
    """Return the blocks from one outward, up to those around the place of reading."""
    found = []
    current: Block | None = block
    while current is not None and current not in around:
        found.append(current)
        current = current.parent
    return found


def _excludes(block: Block, around: list[Block]) -> bool:
    """Say whether a block and the place of reading are different arms of one statement."""
    arms = {id(one.header): one.arm for one in around if one.kind is BlockKind.BRANCH}
    return any(
        one.kind is BlockKind.BRANCH and arms.get(id(one.header), one.arm) != one.arm
        for one in _outward(block, around)
    )


def _leaves(block: Block, around: list[Block]) -> bool:
    """Say whether control leaves after the block, so that nothing bound in it is read later."""
    return any(
        one.kind is BlockKind.BRANCH and _ends_in_jump(one) for one in _outward(block, around)
    )


def _ends_in_jump(block: Block) -> bool:
    """Say whether the last statement of a branch leaves it for good."""
    body = _body_of(block)
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _body_of(block: Block) -> list[ast.stmt]:
    """Return the statements of a branch."""
    header = block.header
    if isinstance(header, ast.If):
        return header.body if block.arm == 0 else header.orelse
    if isinstance(header, ast.Try) and block.arm > 0:
        return header.handlers[block.arm - 1].body
    if isinstance(header, ast.Match):
        return header.cases[block.arm].body
    return []


def _covers(block: Block, around: list[Block], sure: set[tuple[int, int]]) -> bool:
    """Mark a block as one that surely binds; say whether every path to the reading now does."""
    current = block
    while current not in around:
        if current.kind is BlockKind.BRANCH and isinstance(current.header, ast.If):
            sure.add((id(current.header), current.arm))
            other = 1 - current.arm
            if not current.header.orelse:
                return False
            done = (id(current.header), other) in sure
            if not done:
                body = current.header.body if other == 0 else current.header.orelse
                done = isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
            if not done:
                return False
        elif (
            current.kind is not BlockKind.WITH and current.kind is not BlockKind.BRANCH
        ) or current.kind is BlockKind.BRANCH:
            return False
        if current.parent is None:
            return False
        current = current.parent
    return True
