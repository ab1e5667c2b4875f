"""How the user's code builds a module: the expressions of its children, followed as a person would."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from torch import nn

from trainlint.runtime.source.user_code import (
    Code,
    Function,
    blocks,
    dotted,
    name_pattern,
    statements,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence

    from trainlint.runtime.source.user_code import Library

Found = TypeVar("Found")

_RETURNS_ITSELF: Final = frozenset(
    {"to", "cuda", "cpu", "xpu", "float", "double", "half", "bfloat16", "train", "eval", "apply"}
    | {"requires_grad_", "share_memory", "to_empty", "type"}
)
_WRAPS_FIRST: Final = frozenset({"compile", "deepcopy", "script", "DataParallel", "prepare"})
"""Functions and classes that return, or hold, the module that they are given first."""
_COLLECTIONS: Final = frozenset({"Sequential", "ModuleList", "ModuleDict"})
_COPIES: Final = frozenset({"list", "tuple", "OrderedDict", "dict"})
_DEEPEST: Final = 12
"""How often a name or a call is followed: code that goes round in circles comes to an end."""


@dataclass(frozen=True, eq=False)
class Scope:
    """A function, or a whole file, in which an expression stands."""

    code: Code
    function: Function | None = None
    owner: type | None = None
    """The class of `self`, in a method."""
    called: Callable[[], Site | None] = lambda: None
    """Find the call that gave the function its arguments."""


@dataclass(frozen=True, eq=False)
class Site:
    """An expression that builds a module, or a collection of them."""

    node: ast.expr
    scope: Scope

    @property
    def line(self) -> int:
        """The line on which it starts."""
        return self.node.lineno

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line."""
        return self.scope.code.filename, self.line

    def at(self, node: ast.expr) -> Site:
        """Return another expression of the same scope."""
        return replace(self, node=node)


@dataclass(frozen=True, eq=False)
class Item:
    """One child, with a pattern of its name where that is written."""

    site: Site
    key: re.Pattern[str] | None = None


@dataclass(frozen=True, eq=False)
class Repeat:
    """Children that are built in a loop, any number of times."""

    parts: Parts


@dataclass(frozen=True, eq=False)
class Choice:
    """Children of which one branch builds some and another branch others."""

    options: tuple[Parts, ...]


@dataclass(frozen=True, eq=False)
class Unknown:
    """Any number of children of whose building nothing is known."""


Part = Item | Repeat | Choice | Unknown
Parts = tuple[Part, ...]
UNKNOWN: Final[Parts] = (Unknown(),)


@dataclass
class Construction:
    """Reads how modules are built from the source files of a library."""

    library: Library
    _following: int = field(default=0, init=False)

    # --- one module

    def may_be(self, site: Site, module: nn.Module) -> bool:
        """Say whether an expression can have built a module: its class is the one, or not known."""
        node = bare(site.node)
        match node:
            case ast.Constant() | ast.Lambda() | ast.Dict() | ast.List() | ast.Tuple():
                return False
            case ast.IfExp(body=body, orelse=orelse):
                return any(self.may_be(site.at(one), module) for one in (body, orelse))
            case ast.BoolOp(values=values):
                return any(self.may_be(site.at(one), module) for one in values)
            case ast.Name():
                found = list(self._bindings(site.at(node)))
                return not found or self._deeper(
                    lambda: any(self.may_be(one, module) for one in found), default=True
                )
            case ast.Call(func=called):
                name = dotted(called)
                last = name.rpartition(".")[2]
                if last and site.scope.code.is_class(last):
                    real = site.scope.code.aliases.get(last, last)
                    return real.removeprefix("Lazy") in class_names(module)
                returned = list(self._returns(site.at(node)))
                return not returned or self._deeper(
                    lambda: any(self.may_be(one, module) for one in returned), default=True
                )
        return True

    def followed(self, site: Site, module: nn.Module, *, anywhere: bool = False) -> Site | None:
        """Return the expression behind names and branches that has built a module, None if unknown.

        ``anywhere`` in its file, for a name that is used in another one.
        """
        node = bare(site.node)
        options: list[Site]
        match node:
            case ast.Call():
                return site.at(node)
            case ast.Name():
                options = list(self._bindings(site.at(node), anywhere=anywhere))
            case ast.IfExp(body=body, orelse=orelse):
                options = [site.at(body), site.at(orelse)]
            case ast.BoolOp(values=values):
                options = [site.at(one) for one in values]
            case _:
                return None
        able = [one for one in options if self.may_be(one, module)]
        found = [
            each
            for one in able
            if (each := self._deeper(partial(self.followed, one, module), default=None))
        ]
        return (
            found[-1]
            if len(found) == len(able) and len({one.place for one in found}) == 1
            else None
        )

    def assigned(
        self, owner: type, name: str, called: Callable[[], Site | None]
    ) -> list[list[Site]]:
        """Return what the methods of a class and its bases assign to an attribute, class by class."""
        found = []
        for kind in owner.__mro__:
            for scope in self.methods(owner, kind, called):
                assert scope.function is not None
                sites = list(self._assigned_in(scope, scope.function, name))
                if sites:
                    found.append(sites)
        return found

    def methods(
        self, owner: type, kind: type, called: Callable[[], Site | None]
    ) -> Iterator[Scope]:
        """Yield the methods that a class itself defines, `__init__` first."""
        defined = self.library.class_of(kind)
        if defined is None:
            return
        code, node = defined
        own = [one for one in statements(node.body) if isinstance(one, Function)]
        for one in sorted(own, key=lambda one: one.name != "__init__"):
            yield Scope(code, one, owner, self._initialised(owner, kind, called))

    def _initialised(
        self, owner: type, kind: type, called: Callable[[], Site | None]
    ) -> Callable[[], Site | None]:
        """Return how the arguments of a class's `__init__` are found: those of a base are a class's."""
        if kind is owner:
            return called

        def from_derived() -> Site | None:
            for derived in owner.__mro__[: owner.__mro__.index(kind)]:
                for scope in self.methods(owner, derived, called):
                    assert scope.function is not None
                    if scope.function.name == "__init__":
                        calls = list(_super_calls(scope.function))
                        return Site(calls[0], scope) if len(calls) == 1 else None
            return called()

        return from_derived

    def _assigned_in(self, scope: Scope, function: Function, name: str) -> Iterator[Site]:
        """Yield what a method assigns to an attribute of its `self`."""
        this = _self_of(function)
        for one in statements(function.body):
            for key, value in _attributes_set(one, this):
                if key.fullmatch(name) and not _mentions(value, this, name):
                    yield Site(value, scope)

    # --- the children of a collection

    def children(
        self, site: Site | None, module: nn.Module, owner_scopes: Sequence[Scope] = ()
    ) -> list[Site | None]:
        """Return the expression that has built each child of a collection, None where unknown.

        ``owner_scopes`` are the methods that fill it as `self`, where its class is the user's.
        """
        parts: Parts = ()
        for scope in owner_scopes:
            assert scope.function is not None
            this = _self_of(scope.function)
            grown, is_reset = self._grown(scope, this, scope.function.body, None)
            parts = (Choice((parts, grown)),) if is_reset and parts else parts + grown
        if not parts:
            parts = UNKNOWN if site is None else self._built_as(site, module)
        return self._matched(parts, list(module.named_children()))

    def grown_attribute(
        self, scopes: Sequence[Scope], name: str, module: nn.Module
    ) -> list[Site | None]:
        """Return the expression of each child of a collection that methods keep in an attribute."""
        parts: Parts = ()
        for scope in scopes:
            assert scope.function is not None
            target = f"{_self_of(scope.function)}.{name}"
            grown, is_reset = self._grown(scope, target, scope.function.body, None)
            parts = (Choice((parts, grown)),) if is_reset and parts else parts + grown
        return self._matched(parts, list(module.named_children()))

    def _built_as(self, site: Site, module: nn.Module) -> Parts:
        """Return the parts of a call of a class of the user's that has no `__init__` of its own."""
        node = bare(site.node)
        if isinstance(node, ast.Call) and type(module).__name__ not in _COLLECTIONS:
            last = dotted(node.func).rpartition(".")[2]
            if site.scope.code.aliases.get(last, last) == type(module).__name__:
                kind = next(iter(_COLLECTIONS & class_names(module)), "")
                return self._collected(site.at(node), node, kind)
        return self._built(site)

    def _built(self, site: Site) -> Parts:
        """Return the parts of an expression that makes a collection."""
        return self._deeper(lambda: self._parts_of(site), default=UNKNOWN)

    def _parts_of(self, site: Site) -> Parts:
        node = bare(site.node)
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                return tuple(part for one in elements for part in self._element(site.at(one)))
            case (
                ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element)
            ):
                return (Repeat(self._repeated(site.at(element), node.generators)),)
            case ast.Dict(keys=keys, values=values):
                parts: Parts = ()
                for key, value in zip(keys, values, strict=True):
                    one = site.at(value)
                    parts += self._built(one) if key is None else (Item(one, name_pattern(key)),)
                return parts
            case ast.DictComp(key=key, value=value):
                return (Repeat((Item(site.at(value), name_pattern(key)),)),)
            case ast.BinOp(left=left, op=ast.Add() | ast.BitOr(), right=right):
                return self._built(site.at(left)) + self._built(site.at(right))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                many = left if isinstance(bare(left), (ast.List, ast.Tuple)) else right
                return (Repeat(self._built(site.at(many))),)
            case ast.IfExp(body=body, orelse=orelse):
                return (Choice((self._built(site.at(body)), self._built(site.at(orelse)))),)
            case ast.Name(id=name):
                return self._named(site.at(node), name)
            case ast.Call():
                return self._called(site.at(node), node)
        return UNKNOWN

    def _repeated(self, site: Site, generators: list[ast.comprehension]) -> Parts:
        """Return the parts of a comprehension's element; `m for pair in … for m in (a, b)` are two."""
        node = bare(site.node)
        for one in generators:
            iterated = bare(one.iter)
            if (
                isinstance(node, ast.Name)
                and isinstance(one.target, ast.Name)
                and one.target.id == node.id
                and isinstance(iterated, (ast.List, ast.Tuple))
            ):
                return self._built(site.at(iterated))
        return self._element(site)

    def _element(self, site: Site) -> Parts:
        """Return the parts of one element: a starred one is many, a pair has a name."""
        match site.node:
            case ast.Starred(value=value):
                return self._built(site.at(value))
            case ast.Tuple(elts=[key, value]) | ast.List(elts=[key, value]):
                return (Item(site.at(value), name_pattern(key)),)
            case ast.Constant():
                return ()
        return (Item(site),)

    def _called(self, site: Site, call: ast.Call) -> Parts:
        """Return the parts of a collection that a call makes."""
        name = dotted(call.func)
        last = name.rpartition(".")[2]
        real = site.scope.code.aliases.get(last, last)
        if real in _COLLECTIONS or real in _COPIES:
            return self._collected(site, call, real)
        if is_super_init(call):
            return self._collected(site, call, "Sequential")
        if last in _WRAPS_FIRST and call.args:
            return self._built(site.at(call.args[0]))
        returned = list(self._returns(site))
        if returned:
            options = tuple(self._built(one) for one in returned)
            return options[0] if len(options) == 1 else (Choice(options),)
        return UNKNOWN

    def _collected(self, site: Site, call: ast.Call, kind: str) -> Parts:
        """Return the parts that the arguments of a collection's class are."""
        only = call.args[0] if len(call.args) == 1 else None
        keywords = tuple(
            Item(site.at(one.value), name_pattern(ast.Constant(one.arg)))
            for one in call.keywords
            if one.arg and kind in {"dict", "OrderedDict"}
        )
        if only is not None and not isinstance(only, ast.Starred):
            followed = bare(only)
            named = [followed]
            if isinstance(followed, ast.Name):
                named += [bare(one.node) for one in self._bindings(site.at(followed))]
            if kind != "Sequential" or any(self._is_dictionary(site, one) for one in named):
                return self._built(site.at(only)) + keywords
        return tuple(part for one in call.args for part in self._element(site.at(one))) + keywords

    @staticmethod
    def _is_dictionary(site: Site, node: ast.expr) -> bool:
        """Say whether an expression makes a dictionary, which a Sequential takes as its children."""
        if isinstance(node, ast.Call):
            last = dotted(node.func).rpartition(".")[2]
            return site.scope.code.aliases.get(last, last) in {"OrderedDict", "dict"}
        return isinstance(node, (ast.Dict, ast.DictComp))

    def _named(self, site: Site, name: str) -> Parts:
        """Return the parts of a collection that has a local name, an argument's or a file's."""
        scope: Scope | None = site.scope
        line: int | None = site.line
        while scope is not None:
            body = scope.code.tree.body if scope.function is None else scope.function.body
            grown, is_reset = self._grown(scope, name, body, line)
            if grown or is_reset:
                return grown
            if scope.function is not None:
                given = self._argument(scope, name)
                if given is not None:
                    return self._built(given)
                if name in _parameters(scope.function):
                    return UNKNOWN
            scope, line = _outer(scope), None
        return UNKNOWN

    def _grown(
        self, scope: Scope, target: str, body: Sequence[ast.stmt], stop: int | None
    ) -> tuple[Parts, bool]:
        """Return the parts that statements put into a collection, and whether they make it anew.

        Those from the line ``stop`` on are left out, but for a loop around it.
        """
        parts: Parts = ()
        is_reset = False
        for one in body:
            if stop is not None and one.lineno > stop:
                break
            contains = stop is not None and one.lineno <= stop <= (one.end_lineno or 0)
            inner = list(blocks(one))
            if not inner:
                if contains:
                    break
                change = self._change(scope, target, one)
                if change is not None:
                    added, resets = change
                    if isinstance(added, _Front):
                        parts = added.parts + parts
                    else:
                        parts = added if resets else parts + added
                    is_reset = is_reset or resets
                continue
            grown = [self._grown(scope, target, each, stop if contains else None) for each in inner]
            if contains:
                is_loop = isinstance(one, (ast.For, ast.AsyncFor, ast.While))
                for each, (new, resets) in zip(inner, grown, strict=True):
                    if each and each[0].lineno <= (stop or 0) <= (each[-1].end_lineno or 0):
                        if resets:
                            return new, True
                        if is_loop:
                            whole, _ = self._grown(scope, target, each, None)
                            parts += (Repeat(whole),) if whole else ()
                        parts += new
                break
            if not any(new or resets for new, resets in grown):
                continue
            resets = any(resets for _, resets in grown)
            match one:
                case ast.For() | ast.AsyncFor() | ast.While():
                    repeated = tuple(part for new, _ in grown for part in new)
                    parts = (Choice((parts, repeated)),) if resets else (*parts, Repeat(repeated))
                case ast.If() | ast.Match() | ast.Try() | ast.TryStar():
                    options = (
                        [new if anew else parts + new for new, anew in grown]
                        if resets
                        else [new for new, _ in grown]
                    )
                    if isinstance(one, ast.Match):
                        options.append(parts if resets else ())
                    choice = (Choice(tuple(options)),)
                    parts = choice if resets else parts + choice
                case _:
                    (new, _), *_ = grown
                    parts = new if resets else parts + new
            is_reset = is_reset or resets
        return parts, is_reset

    def _change(
        self, scope: Scope, target: str, statement: ast.stmt
    ) -> tuple[Parts | _Front, bool] | None:
        """Return what one statement puts into a collection and whether it makes it; None for others."""
        match statement:
            case ast.Assign(targets=targets, value=value):
                for one in targets:
                    if dotted(one) == target:
                        if _mentions_name(value, target):
                            return self._extended(Site(value, scope), target), False
                        return self._built(Site(value, scope)), True
                    if isinstance(one, ast.Subscript) and dotted(one.value) == target:
                        return (Item(Site(value, scope), name_pattern(one.slice)),), False
            case ast.AnnAssign(target=one, value=ast.expr() as value) if dotted(one) == target:
                return self._built(Site(value, scope)), True
            case ast.AugAssign(target=one, value=value) if dotted(one) == target:
                return self._built(Site(value, scope)), False
            case ast.Expr(value=ast.Call() as call):
                return self._called_on(scope, target, call)
        return None

    def _extended(self, site: Site, target: str) -> Parts | _Front:
        """Return what `layers = layers + [new]` adds."""
        match bare(site.node):
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                if dotted(left) == target:
                    return self._built(site.at(right))
                if dotted(right) == target:
                    return _Front(self._built(site.at(left)))
            case ast.List(elts=[ast.Starred(value=first), *rest]) if dotted(first) == target:
                return tuple(part for one in rest for part in self._element(site.at(one)))
        return UNKNOWN

    def _called_on(
        self, scope: Scope, target: str, call: ast.Call
    ) -> tuple[Parts | _Front, bool] | None:
        """Return what a method of the collection adds to it: `append`, `add_module` and the like."""

        def site(node: ast.expr) -> Site:
            return Site(node, scope)

        is_self = scope.owner is not None and "." not in target
        if is_super_init(call) and is_self:
            return self._built(site(call)), bool(call.args)
        match call:
            case ast.Call(func=ast.Name(id="setattr"), args=[held, key, value]):
                if dotted(held) == target:
                    return (Item(site(value), name_pattern(key)),), False
                return None
            case ast.Call(func=ast.Attribute(value=held, attr=method), args=arguments):
                if dotted(held) != target:
                    return None
                match method, arguments:
                    case "append", [value]:
                        return self._element(site(value)), False
                    case "extend" | "update", [value]:
                        return self._built(site(value)), False
                    case "add_module" | "register_module", [key, value]:
                        return (Item(site(value), name_pattern(key)),), False
                    case "insert", [ast.Constant(value=0), value]:
                        return _Front((Item(site(value)),)), False
                    case "insert" | "pop" | "reverse" | "sort" | "clear", _:
                        return UNKNOWN, False
        return None

    def _matched(self, parts: Parts, children: list[tuple[str, nn.Module]]) -> list[Site | None]:
        """Return which item has built each child: the one in all ways in which the whole fits."""
        machine = _Machine()
        machine.add(parts)
        found: list[Site | None] = []
        for (_, child), items in zip(children, machine.run(self, children), strict=True):
            sites = []
            for item in items:
                if item is None:
                    break
                sites.append(self.followed(item.site, child) or item.site)
            is_sure = len(sites) == len(items) and len({one.place for one in sites}) == 1
            found.append(sites[0] if is_sure else None)
        return found

    # --- names and calls

    def _deeper(self, look: Callable[[], Found], *, default: Found) -> Found:
        """Follow something further, unless it has gone on for too long."""
        if self._following >= _DEEPEST:
            return default
        self._following += 1
        try:
            return look()
        finally:
            self._following -= 1

    def _bindings(self, site: Site, *, anywhere: bool = False) -> Iterator[Site]:
        """Yield what a name can stand for where it is used."""
        assert isinstance(site.node, ast.Name)
        name, scope = site.node.id, site.scope
        line: int | None = None if anywhere else site.line
        while True:
            body = scope.code.tree.body if scope.function is None else scope.function.body
            is_inside = name in scope.code.inside_expressions
            assigned = _assignments(body, name, line, is_inside=is_inside)
            found = [Site(one, scope) for one in assigned]
            if found:
                yield from found
                return
            if scope.function is not None and name in _parameters(scope.function):
                given = self._argument(scope, name)
                if given is not None:
                    yield given
                return
            outer = _outer(scope)
            if outer is None:
                return
            scope, line = outer, None

    @staticmethod
    def _argument(scope: Scope, name: str) -> Site | None:
        """Return what a function's parameter was given, its default where it was given nothing."""
        function = scope.function
        if function is None or name not in _parameters(function):
            return None
        call = scope.called()
        names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if scope.owner is not None and names:
            names = names[1:]
        if call is not None and isinstance(call.node, ast.Call):
            arguments = call.node.args
            if any(isinstance(one, ast.Starred) for one in arguments):
                return None
            if any(one.arg is None for one in call.node.keywords):
                return None
            for one in call.node.keywords:
                if one.arg == name:
                    return call.at(one.value)
            if name in names and names.index(name) < len(arguments):
                return call.at(arguments[names.index(name)])
            default = _default(function, name)
            return None if default is None else Site(default, replace(scope, function=None))
        return None

    def _returns(self, site: Site) -> Iterator[Site]:
        """Yield what a call returns, where it calls a function or method of the user."""
        call = site.node
        assert isinstance(call, ast.Call)
        found = self._function(site.scope, call.func)
        if found is None:
            return
        code, function, owner = found
        inside = Scope(code, function, owner, lambda: site)
        for one in statements(function.body):
            if isinstance(one, ast.Return) and one.value is not None:
                yield Site(one.value, inside)

    def _function(
        self, scope: Scope, called: ast.expr
    ) -> tuple[Code, Function, type | None] | None:
        """Return the function of the user that an expression names."""
        match called:
            case ast.Attribute(value=ast.Name(id=this), attr=name) if (
                scope.owner is not None
                and scope.function is not None
                and this in {_self_of(scope.function), "self", "cls", scope.owner.__name__}
            ):
                for kind in scope.owner.__mro__:
                    for method in self.methods(scope.owner, kind, lambda: None):
                        if method.function is not None and method.function.name == name:
                            is_static = any(
                                dotted(one) == "staticmethod"
                                for one in method.function.decorator_list
                            )
                            owner = None if is_static else scope.owner
                            return method.code, method.function, owner
                return None
            case ast.Name(id=name):
                for one in scope.code.functions:
                    if one.name == name and not _is_method(scope.code, one):
                        return scope.code, one, None
        value: object = types.SimpleNamespace(**scope.code.values)
        for part in dotted(called).split("."):
            value = (
                vars(value).get(part)
                if isinstance(value, (types.ModuleType, types.SimpleNamespace))
                else None
            )
        found = self.library.function(value) if isinstance(value, types.FunctionType) else None
        return None if found is None else (*found, None)


@dataclass(frozen=True, eq=False)
class _Front:
    """Parts that are put in front of the others."""

    parts: Parts


@dataclass
class _Machine:
    """Parts as a finite automaton, so that loops and branches cost no more than their number."""

    free: list[list[int]] = field(default_factory=lambda: [[]])
    taking: list[list[tuple[Item | None, int]]] = field(default_factory=lambda: [[]])
    end: int = 0

    def add(self, parts: Parts) -> None:
        """Make the automaton of some parts, from state 0."""
        self.end = self._add(parts, 0)

    def _new(self) -> int:
        self.free.append([])
        self.taking.append([])
        return len(self.free) - 1

    def _add(self, parts: Parts, state: int) -> int:
        for part in parts:
            match part:
                case Item():
                    after = self._new()
                    self.taking[state].append((part, after))
                    state = after
                case Unknown():
                    after = self._new()
                    self.free[state].append(after)
                    self.taking[after].append((None, after))
                    state = after
                case Repeat(parts=repeated):
                    start = self._new()
                    self.free[state].append(start)
                    self.free[self._add(repeated, start)].append(start)
                    state = self._new()
                    self.free[start].append(state)
                case Choice(options=options):
                    after = self._new()
                    for option in options:
                        start = self._new()
                        self.free[state].append(start)
                        self.free[self._add(option, start)].append(after)
                    state = after
        return state

    def run(
        self, construction: Construction, children: list[tuple[str, nn.Module]]
    ) -> list[list[Item | None]]:
        """Return the items that can have built each child; none at all where the whole does not fit."""
        able: dict[tuple[int, int], bool] = {}

        def takes(item: Item | None, at: int) -> bool:
            if item is None:
                return True
            key = (id(item), at)
            if key not in able:
                name, child = children[at]
                able[key] = (item.key is None or item.key.fullmatch(name) is not None) and (
                    construction.may_be(item.site, child)
                )
            return able[key]

        forward = [self._closed({0})]
        for at in range(len(children)):
            reached = {
                after
                for state in forward[-1]
                for item, after in self.taking[state]
                if takes(item, at)
            }
            forward.append(self._closed(reached))
        if self.end not in forward[-1]:
            return [[] for _ in children]
        good = {self.end}
        found: list[list[Item | None]] = []
        for at in range(len(children) - 1, -1, -1):
            back = {state for state in forward[at + 1] if self._closed({state}) & good}
            used = [
                (state, item)
                for state in forward[at]
                for item, after in self.taking[state]
                if after in back and takes(item, at)
            ]
            found.append([item for _, item in used])
            good = {state for state, _ in used}
        return found[::-1]

    def _closed(self, states: set[int]) -> set[int]:
        """Return all states that are reached without taking a child."""
        reached, pending = set(states), list(states)
        while pending:
            for one in self.free[pending.pop()]:
                if one not in reached:
                    reached.add(one)
                    pending.append(one)
        return reached


def class_names(module: nn.Module) -> frozenset[str]:
    """Return the names of a module's class and of its bases."""
    kinds = type(module).__mro__
    return frozenset(one.__name__ for one in kinds if one not in {nn.Module, object})


def bare(node: ast.expr) -> ast.expr:
    """Return an expression without what returns the module that it is given: `.to(device)`, `:=`."""
    while True:
        match node:
            case ast.NamedExpr(value=value):
                node = value
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if (
                name in _RETURNS_ITSELF and not (isinstance(value, ast.Name) and value.id == "self")
            ):
                node = value
            case _:
                return node


def is_wrapper(call: ast.Call) -> bool:
    """Say whether a call wraps the module that it is given first, as `torch.compile` does."""
    return dotted(call.func).rpartition(".")[2] in {*_WRAPS_FIRST, "DistributedDataParallel", "DDP"}


def is_super_init(call: ast.Call) -> bool:
    """Say whether a call is `super().__init__(…)`."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
            return True
    return False


def _super_calls(function: Function) -> Iterator[ast.Call]:
    for one in statements(function.body):
        if (
            isinstance(one, ast.Expr)
            and isinstance(one.value, ast.Call)
            and is_super_init(one.value)
        ):
            yield one.value


def _self_of(function: Function) -> str:
    first = (*function.args.posonlyargs, *function.args.args)
    return first[0].arg if first else ""


def _parameters(function: Function) -> set[str]:
    own = function.args
    return {one.arg for one in (*own.posonlyargs, *own.args, *own.kwonlyargs)}


def _default(function: Function, name: str) -> ast.expr | None:
    own = function.args
    positional = [*own.posonlyargs, *own.args]
    pairs = list(zip(reversed(positional), reversed(own.defaults), strict=False))
    for argument, default in [*pairs, *zip(own.kwonlyargs, own.kw_defaults, strict=True)]:
        if argument.arg == name:
            return default
    return None


def _outer(scope: Scope) -> Scope | None:
    """Return the scope around one: the function that defines a function, then the file."""
    if scope.function is None:
        return None
    around = scope.code.around(scope.function)
    return Scope(scope.code, around)


def _is_method(code: Code, function: Function) -> bool:
    return any(function in one.body for one in code.classes)


def _attributes_set(statement: ast.stmt, this: str) -> Iterator[tuple[re.Pattern[str], ast.expr]]:
    """Yield the attributes that a statement gives to `self`, as patterns, with their values."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for one, what in _unpacked(target, value):
                    name = dotted(one)
                    if name.startswith(f"{this}.") and name.count(".") == 1:
                        yield name_pattern(ast.Constant(name.partition(".")[2])), what
                    elif isinstance(one, ast.Subscript) and dotted(one.value) == f"{this}._modules":
                        yield name_pattern(one.slice), what
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            name = dotted(target)
            if name.startswith(f"{this}.") and name.count(".") == 1:
                yield name_pattern(ast.Constant(name.partition(".")[2])), value
        case ast.Expr(value=ast.Call(func=called, args=[*_, key, value] as given)):
            match called:
                case ast.Attribute(
                    value=held, attr="add_module" | "register_module" | "__setattr__"
                ):
                    if dotted(held) == this or isinstance(held, ast.Call):
                        yield name_pattern(key), value
                case ast.Name(id="setattr") if dotted(given[0]) == this:
                    yield name_pattern(key), value


def _unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield targets with their values; those of `a, b = x, y` one by one."""
    match target, bare(value):
        case (
            (ast.Tuple(elts=targets) | ast.List(elts=targets)),
            (ast.Tuple(elts=values) | ast.List(elts=values)),
        ) if len(targets) == len(values):
            for one, what in zip(targets, values, strict=True):
                yield from _unpacked(one, what)
        case (
            (ast.Tuple(elts=targets) | ast.List(elts=targets)),
            (ast.GeneratorExp(elt=element) | ast.ListComp(elt=element)),
        ):
            for one in targets:
                yield one, element
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), _):
            for one in targets:
                yield one, value
        case _:
            yield target, value


def _assignments(
    body: Sequence[ast.stmt], name: str, line: int | None, *, is_inside: bool
) -> Iterator[ast.expr]:
    """Yield what statements before a line assign to a name, ``is_inside`` of expressions, too."""
    for one in statements(body):
        if line is not None and one.lineno > line:
            continue
        is_before = line is None or (one.end_lineno or 0) < line
        match one:
            case ast.Assign(targets=targets, value=value) if is_before:
                for target in targets:
                    for each, what in _unpacked(target, value):
                        if dotted(each) == name and not _mentions_name(what, name):
                            yield what
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value):
                if found == name and is_before:
                    yield value
            case ast.For(target=ast.Name(id=found), iter=iterated) if found == name:
                elements = bare(iterated)
                if isinstance(elements, (ast.List, ast.Tuple)):
                    yield from elements.elts
            case ast.With(items=items):
                for item in items:
                    if item.optional_vars is not None and dotted(item.optional_vars) == name:
                        yield item.context_expr
        for child in ast.iter_child_nodes(one) if is_inside else ():
            if isinstance(child, ast.expr):
                for inside in ast.walk(child):
                    if isinstance(inside, ast.NamedExpr) and inside.target.id == name:
                        yield inside.value


def _mentions(value: ast.expr, this: str, name: str) -> bool:
    """Say whether an expression wraps the attribute that it is assigned to."""
    return any(
        isinstance(one, ast.Attribute) and dotted(one) == f"{this}.{name}"
        for one in ast.walk(value)
    )


def _mentions_name(value: ast.expr, name: str) -> bool:
    """Say whether an expression makes something of what already has the name."""
    return any(isinstance(one, ast.expr) and dotted(one) == name for one in ast.walk(value))
