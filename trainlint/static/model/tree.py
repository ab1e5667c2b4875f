"""The one walk over a syntax tree: scopes, blocks, bindings, and an index of calls and names.

Everything else in the model is answered from what this walk keeps, when it is asked for.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel


class BlockKind(Enum):
    """What a block of statements belongs to."""

    MODULE = auto()
    FUNCTION = auto()
    CLASS = auto()
    LOOP = auto()
    BRANCH = auto()
    """An arm of ``if``, ``match``, ``try``/``except``, or the ``else`` of a loop."""
    WITH = auto()


class Block:
    """A list of statements that run together, and the statement that they hang on."""

    __slots__ = ("arm", "header", "index", "kind", "parent", "scope")

    def __init__(
        self,
        kind: BlockKind,
        header: ast.AST,
        parent: Block | None,
        scope: Scope,
        arm: int,
        index: int,
    ) -> None:
        self.kind = kind
        self.header = header
        self.parent = parent
        self.scope = scope
        self.arm = arm
        """Which arm of its header this is: blocks of one header and different arms exclude each other."""
        self.index = index
        """The number of the header statement in the order of the file."""

    def ancestors(self) -> list[Block]:
        """Return the blocks around this one within the function, itself first."""
        found: list[Block] = []
        block: Block | None = self
        while block is not None and block.scope is self.scope:
            found.append(block)
            block = block.parent
        return found


class ScopeKind(Enum):
    """What opened a scope."""

    MODULE = auto()
    CLASS = auto()
    FUNCTION = auto()
    COMPREHENSION = auto()


class Scope:
    """The names that a module, class, function or comprehension binds."""

    __slots__ = (
        "attributes",
        "bindings",
        "block",
        "calls",
        "children",
        "foreign",
        "generates",
        "index",
        "kind",
        "node",
        "parent",
        "returns",
    )

    def __init__(self, kind: ScopeKind, node: ast.AST, parent: Scope | None) -> None:
        self.kind = kind
        self.node = node
        self.parent = parent
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: dict[str, list[Binding]] = {}
        """Of a class: what its methods assign to attributes of ``self``."""
        self.calls: list[tuple[ast.Call, Site]] = []
        """Of a module or function: every call in it, nested scopes of comprehensions included."""
        self.returns: list[tuple[ast.expr, Site]] = []
        self.foreign: dict[str, Scope] = {}
        """Names declared ``global`` or ``nonlocal`` here, and the scope that they belong to."""
        self.generates = False
        """Of a function: whether it yields."""
        self.index: TreeIndex
        """The index of the file in which it stands."""
        self.children: list[Scope] = []
        self.block: Block | None = None
        if parent is not None:
            self.index = parent.index
            parent.children.append(self)

    @property
    def function(self) -> Scope:
        """The function or module in which code of this scope runs: comprehensions belong to it."""
        scope = self
        while scope.kind is ScopeKind.COMPREHENSION and scope.parent is not None:
            scope = scope.parent
        return scope


class Site:
    """Where an expression stands: its statement, its block, its scope."""

    __slots__ = ("block", "index", "scope", "statement")

    def __init__(self, statement: ast.AST, block: Block, scope: Scope, index: int) -> None:
        self.statement = statement
        self.block = block
        self.scope = scope
        self.index = index


class BindingKind(Enum):
    """How a name got its value."""

    ASSIGN = auto()
    AUGMENT = auto()
    PARAMETER = auto()
    LOOP = auto()
    WITH = auto()
    IMPORT = auto()
    FUNCTION = auto()
    CLASS = auto()
    OTHER = auto()


class Binding:
    """One place where a name, or an attribute of ``self``, gets a value.

    ``value`` is the expression assigned (of a loop: what is iterated; of a parameter: its default);
    ``path`` the indices by which a target unpacks it. ``imported`` is the qualified name of an import.
    """

    __slots__ = ("imported", "kind", "name", "node", "path", "site", "value")

    def __init__(
        self,
        name: str,
        kind: BindingKind,
        site: Site,
        value: ast.expr | None = None,
        path: tuple[int, ...] = (),
        node: ast.AST | None = None,
        imported: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.site = site
        self.value = value
        self.path = path
        self.node = node
        self.imported = imported

    @property
    def definition(self) -> Scope | None:
        """The function or class that the name is bound to by its definition."""
        index, key = self.site.scope.index, id(self.node)
        return index.functions.get(key) or index.classes.get(key)


_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SEQUENCES = (ast.List, ast.Tuple)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


class TreeIndex:
    """What one walk keeps of a file."""

    def __init__(self, tree: ast.Module) -> None:
        self.root = Scope(ScopeKind.MODULE, tree, None)
        self.root.index = self
        self.model: FileModel
        """The model that asks this index."""
        self.calls: dict[str, list[tuple[ast.Call, Site]]] = defaultdict(list)
        """Every call, by the last part of the name that is called."""
        self.names: dict[str, list[tuple[ast.Name, Site]]] = defaultdict(list)
        """Every read of a name."""
        self.attributes: dict[str, list[tuple[ast.Attribute, Site]]] = defaultdict(list)
        """Every attribute that is read, by its name."""
        self.items: dict[str, list[tuple[ast.Subscript, Site]]] = defaultdict(list)
        """Every item that is read at a literal string key, by that key."""
        self.stores: dict[str, list[tuple[ast.expr, Binding]]] = defaultdict(list)
        """Assignments to attributes and items of other objects, by attribute or literal key."""
        self.multiplied: list[tuple[ast.BinOp, Site]] = []
        """Arithmetic with a list or tuple as one of its sides."""
        self.iterated: set[int] = set()
        """What comprehensions iterate over."""
        self.statements: list[tuple[ast.Expr, Site]] = []
        """Expressions that stand as statements, other than calls and constants."""
        self.classes: dict[int, Scope] = {}
        self.functions: dict[int, Scope] = {}
        self.inner_sites: dict[int, Site] = {}
        """The site inside a comprehension or lambda."""
        self.definition_sites: dict[int, Site] = {}
        self.keys: set[str] = set()
        """The keywords of calls and the literal keys of dicts: names under which values are kept."""
        self.star_imports: list[str] = []
        self.imports: set[str] = set()
        """The first parts of all imported names."""
        self.aliases: dict[str, set[str]] = defaultdict(set)
        """Other last names under which something imported is known here, by its real last name."""
        self._index = 0
        block = Block(BlockKind.MODULE, tree, None, self.root, 0, 0)
        self.root.block = block
        self._body(tree.body, block, self.root)

    def close(self) -> None:
        """Take the index apart, so that it is freed at once and not by the garbage collector."""
        scopes = [self.root]
        while scopes:
            scope = scopes.pop()
            scopes += scope.children
            scope.children, scope.calls, scope.returns = [], [], []
            scope.bindings, scope.attributes, scope.foreign = {}, {}, {}
            scope.block = None
        self.__dict__.clear()

    def _body(self, statements: list[ast.stmt], block: Block, scope: Scope) -> None:
        """Walk the statements of a block."""
        for statement in statements:
            self._index += 1
            self._statement(statement, Site(statement, block, scope, self._index))

    def _statement(self, node: Any, site: Site) -> None:
        """Walk one statement."""
        kind = node.__class__
        if kind is ast.Expr:
            value = node.value
            if value.__class__ is not ast.Constant:
                if value.__class__ is not ast.Call:
                    self.statements.append((node, site))
                self._expression(value, site)
        elif kind is ast.Assign:
            self._expression(node.value, site)
            for target in node.targets:
                self._target(target, node.value, (), BindingKind.ASSIGN, site)
        elif kind is ast.If:
            self._if(node, site)
        elif kind in _FUNCTIONS:
            self._function(node, site)
        elif kind is ast.Return:
            if node.value is not None:
                site.scope.function.returns.append((node.value, site))
                self._expression(node.value, site)
        elif kind in _LOOPS:
            self._loop(node, site)
        elif kind is ast.With or kind is ast.AsyncWith:
            for item in node.items:
                self._expression(item.context_expr, site)
                if item.optional_vars is not None:
                    self._target(item.optional_vars, item.context_expr, (), BindingKind.WITH, site)
            self._inner(node.body, BlockKind.WITH, node, site, 0)
        elif kind is ast.Import or kind is ast.ImportFrom:
            self._import(node, site)
        elif kind is ast.ClassDef:
            self._class(node, site)
        elif kind is ast.AugAssign:
            self._expression(node.value, site)
            self._target(node.target, node.value, (), BindingKind.AUGMENT, site)
        elif kind is ast.AnnAssign:
            if node.value is not None:
                self._expression(node.value, site)
            if node.value is not None or site.scope.kind is ScopeKind.CLASS:
                self._target(node.target, node.value, (), BindingKind.ASSIGN, site)
        elif kind is ast.Try or kind is getattr(ast, "TryStar", None):
            self._inner(node.body, BlockKind.BRANCH, node, site, 0)
            for number, handler in enumerate(node.handlers):
                if handler.name:
                    self._bind(handler.name, Binding(handler.name, BindingKind.OTHER, site))
                self._inner(handler.body, BlockKind.BRANCH, node, site, number + 1)
            if node.orelse:
                self._inner(node.orelse, BlockKind.BRANCH, node, site, 0)
            self._body(node.finalbody, site.block, site.scope)
        elif kind is ast.Match:
            self._expression(node.subject, site)
            for number, case in enumerate(node.cases):
                for part in ast.walk(case.pattern):
                    name = getattr(part, "name", None) or getattr(part, "rest", None)
                    if isinstance(name, str):
                        self._bind(name, Binding(name, BindingKind.OTHER, site))
                if case.guard is not None:
                    self._expression(case.guard, site)
                self._inner(case.body, BlockKind.BRANCH, node, site, number)
        elif kind is ast.Global or kind is ast.Nonlocal:
            scope = site.scope
            for name in node.names:
                scope.foreign[name] = self.root if kind is ast.Global else _enclosing(scope, name)
        elif kind is ast.Delete:
            for target in node.targets:
                self._expression(target, site)
        elif kind is ast.Assert or kind is ast.Raise:
            for child in ast.iter_child_nodes(node):
                self._expression(child, site)

    def _inner(
        self, body: list[ast.stmt], kind: BlockKind, header: ast.AST, site: Site, arm: int
    ) -> None:
        """Walk a block that hangs on a statement."""
        self._body(body, Block(kind, header, site.block, site.scope, arm, site.index), site.scope)

    def _if(self, node: ast.If, site: Site) -> None:
        """Walk an ``if`` and its ``elif`` arms, of which there may be hundreds, one in the other."""
        self._expression(node.test, site)
        self._inner(node.body, BlockKind.BRANCH, node, site, 0)
        while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            block = Block(BlockKind.BRANCH, node, site.block, site.scope, 1, site.index)
            node = node.orelse[0]
            self._index += 1
            site = Site(node, block, site.scope, self._index)
            self._expression(node.test, site)
            self._inner(node.body, BlockKind.BRANCH, node, site, 0)
        if node.orelse:
            self._inner(node.orelse, BlockKind.BRANCH, node, site, 1)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, site: Site) -> None:
        """Walk a loop: its body is one block, its ``else`` another."""
        body = Block(BlockKind.LOOP, node, site.block, site.scope, 0, site.index)
        if isinstance(node, ast.While):
            self._expression(node.test, site)
        else:
            self._expression(node.iter, site)
            inside = Site(node, body, site.scope, site.index)
            self._target(node.target, node.iter, (), BindingKind.LOOP, inside)
        self._body(node.body, body, site.scope)
        if node.orelse:
            self._inner(node.orelse, BlockKind.BRANCH, node, site, 1)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, site: Site) -> None:
        """Walk a function: its decorators and defaults outside, its body in a scope of its own."""
        for decorator in node.decorator_list:
            self._expression(decorator, site)
        self._bind_in(
            site.scope, node.name, Binding(node.name, BindingKind.FUNCTION, site, node=node)
        )
        self.definition_sites[id(node)] = site
        scope = Scope(ScopeKind.FUNCTION, node, site.scope)
        self.functions[id(node)] = scope
        inside = self._parameters(node.args, scope, site, node)
        self._body(node.body, inside.block, scope)

    def _parameters(
        self, arguments: ast.arguments, scope: Scope, site: Site, node: ast.AST
    ) -> Site:
        """Bind parameters in their scope and return a site inside it."""
        scope.block = Block(BlockKind.FUNCTION, node, site.block, scope, 0, self._index)
        inside = Site(site.statement, scope.block, scope, self._index)
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        pairs = list(zip(positional, [*defaults, *arguments.defaults], strict=True))
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        for position, (parameter, default) in enumerate(pairs):
            if default is not None:
                self._expression(default, site)
            scope.bindings[parameter.arg] = [
                Binding(
                    parameter.arg, BindingKind.PARAMETER, inside, default, (position,), parameter
                )
            ]
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                binding = Binding(rest.arg, BindingKind.OTHER, inside, node=rest)
                scope.bindings[rest.arg] = [binding]
        return inside

    def _class(self, node: ast.ClassDef, site: Site) -> None:
        """Walk a class: its bases outside, its body in a scope of its own."""
        for part in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
            self._expression(part, site)
        self._bind_in(site.scope, node.name, Binding(node.name, BindingKind.CLASS, site, node=node))
        self.definition_sites[id(node)] = site
        scope = Scope(ScopeKind.CLASS, node, site.scope)
        self.classes[id(node)] = scope
        scope.block = Block(BlockKind.CLASS, node, site.block, scope, 0, site.index)
        self._body(node.body, scope.block, scope)

    def _import(self, node: ast.Import | ast.ImportFrom, site: Site) -> None:
        """Bind what an import brings."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                self.imports.add(first)
                name, target = (alias.asname, alias.name) if alias.asname else (first, first)
                self._alias(alias.name, name)
                self._bind(
                    name, Binding(name, BindingKind.IMPORT, site, node=alias, imported=target)
                )
            return
        module = "." * node.level + (node.module or "")
        self.imports.add(module.partition(".")[0])
        for alias in node.names:
            if alias.name == "*":
                self.star_imports.append(module)
                continue
            name = alias.asname or alias.name
            self._alias(alias.name, name)
            target = module + ("" if module.endswith(".") else ".") + alias.name
            self._bind(name, Binding(name, BindingKind.IMPORT, site, node=alias, imported=target))

    def _alias(self, real: str, name: str) -> None:
        """Keep that an import gave something another last name."""
        last = real.rpartition(".")[2]
        if last != name:
            self.aliases[last].add(name)

    def _target(
        self,
        target: Any,
        value: ast.expr | None,
        path: tuple[int, ...],
        kind: BindingKind,
        site: Site,
    ) -> None:
        """Bind the target of an assignment, a loop or a ``with``."""
        shape = target.__class__
        if shape is ast.Name:
            self._bind(target.id, Binding(target.id, kind, site, value, path, target))
            if kind is BindingKind.ASSIGN and not path and value is not None:
                last = last_name(value)
                if last is not None and last != target.id:
                    self.aliases[last].add(target.id)
        elif shape is ast.Tuple or shape is ast.List:
            literal = value if isinstance(value, ast.Tuple | ast.List) and not path else None
            if literal is not None and kind is BindingKind.ASSIGN and _matches(target, literal):
                for part, item in zip(target.elts, literal.elts, strict=True):
                    self._target(part, item, (), kind, site)
                return
            after_star = False
            for number, part in enumerate(target.elts):
                if isinstance(part, ast.Starred):
                    after_star = True
                    self._target(part.value, None, (), BindingKind.OTHER, site)
                elif after_star:
                    self._target(part, None, (), BindingKind.OTHER, site)
                else:
                    self._target(part, value, (*path, number), kind, site)
        elif shape is ast.Attribute:
            binding = Binding(target.attr, kind, site, value, path, target)
            owner = _class_of_self(target, site)
            if owner is not None:
                owner.attributes.setdefault(target.attr, []).append(binding)
            self.stores[target.attr].append((target, binding))
            self._expression(target.value, site)
        elif shape is ast.Subscript:
            key = target.slice.value if isinstance(target.slice, ast.Constant) else "[]"
            key = key if isinstance(key, str) else "[]"
            self.stores[key].append((target, Binding(key, kind, site, value, path, target)))
            self._expression(target.value, site)
            self._expression(target.slice, site)
        elif shape is ast.Starred:
            self._target(target.value, None, (), BindingKind.OTHER, site)

    def _bind(self, name: str, binding: Binding) -> None:
        """Bind a name where the statement stands: comprehension targets stay inside."""
        self._bind_in(binding.site.scope, name, binding)

    def _bind_in(self, scope: Scope, name: str, binding: Binding) -> None:
        """Bind a name in a scope, or in the one that ``global`` or ``nonlocal`` names."""
        scope = scope.foreign.get(name, scope)
        bindings = scope.bindings.get(name)
        if bindings is None:
            scope.bindings[name] = [binding]
        else:
            bindings.append(binding)

    def _expression(self, root: ast.AST, site: Site) -> None:
        """Walk an expression and index its calls, names and attributes."""
        stack: list[Any] = [root]
        pop, push = stack.pop, stack.append
        while stack:
            node = pop()
            kind = node.__class__
            if kind is ast.Name:
                self.names[node.id].append((node, site))
            elif kind is ast.Constant:
                continue
            elif kind is ast.Attribute:
                self.attributes[node.attr].append((node, site))
                push(node.value)
            elif kind is ast.Call:
                function = node.func
                entry = (node, site)
                site.scope.function.calls.append(entry)
                if function.__class__ is ast.Attribute:
                    self.calls[function.attr].append(entry)
                elif function.__class__ is ast.Name:
                    self.calls[function.id].append(entry)
                else:
                    self.calls["()"].append(entry)
                for word in node.keywords:
                    if word.arg is not None:
                        self.keys.add(word.arg)
                    push(word.value)
                stack.extend(node.args)
                push(function)
            elif kind is ast.Tuple or kind is ast.List:
                stack.extend(node.elts)
            elif kind is ast.BinOp:
                if node.left.__class__ in _SEQUENCES or node.right.__class__ in _SEQUENCES:
                    self.multiplied.append((node, site))
                push(node.right)
                push(node.left)
            elif kind is ast.Subscript:
                key = node.slice
                if key.__class__ is ast.Constant and key.value.__class__ is str:
                    self.items[key.value].append((node, site))
                push(key)
                push(node.value)
            elif kind is ast.Dict:
                for key in node.keys:
                    if key.__class__ is ast.Constant and key.value.__class__ is str:
                        self.keys.add(key.value)
                stack.extend(ast.iter_child_nodes(node))
            elif kind is ast.Yield or kind is ast.YieldFrom:
                site.scope.function.generates = True
                stack.extend(ast.iter_child_nodes(node))
            elif kind in _COMPREHENSIONS:
                self._comprehension(node, site)
            elif kind is ast.Lambda:
                scope = Scope(ScopeKind.FUNCTION, node, site.scope)
                self.functions[id(node)] = scope
                inside = self._parameters(node.args, scope, site, node)
                self.inner_sites[id(node)] = inside
                scope.returns.append((node.body, inside))
                self._expression(node.body, inside)
            elif kind is ast.NamedExpr:
                binding = Binding(node.target.id, BindingKind.ASSIGN, site, node.value)
                self._bind_in(site.scope.function, node.target.id, binding)
                push(node.value)
            else:
                stack.extend(ast.iter_child_nodes(node))

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, site: Site
    ) -> None:
        """Walk a comprehension: its targets are bound in a scope of its own."""
        scope = Scope(ScopeKind.COMPREHENSION, node, site.scope)
        scope.block = site.block
        inside = Site(site.statement, site.block, scope, site.index)
        self.inner_sites[id(node)] = inside
        for number, generator in enumerate(node.generators):
            self.iterated.add(id(generator.iter))
            self._expression(generator.iter, site if number == 0 else inside)
            self._target(generator.target, generator.iter, (), BindingKind.LOOP, inside)
            for condition in generator.ifs:
                self._expression(condition, inside)
        if isinstance(node, ast.DictComp):
            self._expression(node.key, inside)
            self._expression(node.value, inside)
        else:
            self._expression(node.elt, inside)


def last_name(node: ast.expr) -> str | None:
    """Return the last part of a dotted name; None for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _matches(target: ast.Tuple | ast.List, value: ast.Tuple | ast.List) -> bool:
    """Say whether each part of a target gets exactly one item of a literal."""
    return len(target.elts) == len(value.elts) and not any(
        isinstance(part, ast.Starred) for part in (*target.elts, *value.elts)
    )


def _enclosing(scope: Scope, name: str) -> Scope:
    """Return the function around a scope that binds a name."""
    outer = scope.parent
    while outer is not None and (
        outer.kind is not ScopeKind.FUNCTION or name not in outer.bindings
    ):
        outer = outer.parent
    return outer or scope


def _class_of_self(target: ast.Attribute, site: Site) -> Scope | None:
    """Return the class whose method assigns to an attribute of its first parameter."""
    if not isinstance(target.value, ast.Name):
        return None
    scope: Scope | None = site.scope.function
    while scope is not None and scope.parent is not None:
        if scope.parent.kind is ScopeKind.CLASS and scope.kind is ScopeKind.FUNCTION:
            first = next(iter(scope.bindings.values()), [None])[0]
            if (
                first is not None
                and first.kind is BindingKind.PARAMETER
                and first.name == target.value.id
            ):
                return scope.parent
            return None
        if target.value.id in scope.bindings:
            return None
        scope = scope.parent
    return None
