"""Plain lists and dicts that a module keeps, of which ``nn.Module`` knows nothing."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr, Function
from trainlint.static.model.layers import CONTAINERS
from trainlint.static.model.tree import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel
    from trainlint.static.model.layers import ModuleClass

_OF_TEXTS = re.compile(
    r"(?:\w+\.)*(?i:list|tuple|set|sequence|iterable|collection)\[str(?:, \.\.\.)?\]"
)
_LISTS = (ast.List, ast.Tuple, ast.ListComp)
_DICTS = (ast.Dict, ast.DictComp)
_LIST_CALLS = {"builtins.list", "builtins.tuple"}
_DICT_CALLS = {"builtins.dict", "collections.OrderedDict"}
_READS_ONLY = {
    f"builtins.{name}"
    for name in (
        "len",
        "enumerate",
        "zip",
        "reversed",
        "iter",
        "range",
        "print",
        "sum",
        "list",
        "map",
    )
}


@immutable
class PlainCollection:
    """A list, tuple or dict that a method of a module assigns to an attribute of ``self``."""

    module: ModuleClass
    attribute: str
    at: Expr
    """The value that is assigned: the collection itself, or the variable that holds it."""
    made: Expr
    """The collection where it is written."""
    items: tuple[Expr, ...]
    """What it holds and what is put into it later, as far as it can be followed."""

    @property
    def is_dict(self) -> bool:
        """Whether it is a dict."""
        made = self.made
        return isinstance(made.node, _DICTS) or getattr(made, "callee", None) in _DICT_CALLS

    @property
    def is_written_whole(self) -> bool:
        """Whether the file shows every item and, of a dict, that all keys are strings.

        A container of modules can take its place.
        """
        if not self.is_dict:
            return True
        if isinstance(self.made.node, ast.DictComp):
            return _has_text_keys(self.made, self.made.node)
        entries = self.made.entries if isinstance(self.made.node, ast.Dict) else None
        return entries is not None and bool(entries) and len(entries) == len(self.items)

    @property
    def is_wrapped(self) -> bool:
        """Whether anything else may register its items: it is handed to a call, or kept twice."""
        model = self.module.model
        return any(not _only_reads(model, read) for read in self._reads)

    @property
    def users(self) -> tuple[Function, ...]:
        """The methods other than the constructor that read it."""
        found = (read.function for read in self._reads if read.is_attribute)
        return tuple(one for one in dict.fromkeys(found) if one and one.name != "__init__")

    @property
    def _reads(self) -> Iterator[Expr]:
        """Yield the reads of the attribute, and of the variable that it was built in."""
        yield from _reads_of(self.module.model, f"self.{self.attribute}", self.at)
        if self.made != self.at:
            for read in _reads_of(self.module.model, self.at.text, self.made):
                if read != self.at:
                    yield read


def plain_collections(module: ModuleClass) -> Iterator[PlainCollection]:
    """Yield the plain collections that a module keeps; none that it also assigns something else."""
    model = module.model
    for name, bindings in module.attributes.items():
        placed = [one for one in bindings if one.kind is BindingKind.ASSIGN and not one.path]
        if len(placed) != 1 or placed[0].value is None:
            continue
        if any(one.kind not in {BindingKind.ASSIGN, BindingKind.AUGMENT} for one in bindings):
            continue
        if len([one for one in bindings if one.kind is BindingKind.ASSIGN]) != 1:
            continue
        at = model.expr(placed[0].value, placed[0].site)
        origins = at.origins()
        if len(origins) != 1 or not _is_collection(origins[0]):
            continue
        made = origins[0]
        if made != at and (not at.is_name or made.function != at.function):
            continue
        items = [*_written(model, made), *_added(model, f"self.{name}", at)]
        if made != at:
            items += _added(model, at.text, made)
        yield PlainCollection(module, name, at, made, tuple(items))


def _is_collection(made: Expr) -> bool:
    """Say whether an expression is a list, tuple or dict as written."""
    if isinstance(made, Call):
        return made.callee in _LIST_CALLS | _DICT_CALLS
    return isinstance(made.node, _LISTS + _DICTS)


def _has_text_keys(made: Expr, node: ast.DictComp) -> bool:
    """Say whether all keys of a comprehension are surely strings."""
    key = node.key
    if isinstance(key, ast.JoinedStr):
        return True
    for one in node.generators:
        if isinstance(one.target, ast.Name) and ast.dump(key) == ast.dump(
            ast.Name(one.target.id, ast.Load())
        ):
            return _gives_texts(made, one.iter)
    return False


def _gives_texts(made: Expr, node: ast.expr) -> bool:
    """Say whether an iterable is written as one of strings, or annotated so where it is a parameter."""
    if isinstance(node, ast.List | ast.Tuple):
        return all(
            isinstance(one, ast.Constant) and isinstance(one.value, str) for one in node.elts
        )
    function = made.function
    arguments = None if function is None else getattr(function.node, "args", None)
    if not isinstance(node, ast.Name) or arguments is None or function is None:
        return False
    bound = function.scope.bindings.get(node.id, ())
    annotations = (
        ast.unparse(one.annotation)
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        if one.arg == node.id and one.annotation is not None
    )
    return len(bound) == 1 and any(_OF_TEXTS.fullmatch(one.strip("'")) for one in annotations)


def _written(model: FileModel, made: Expr) -> Iterator[Expr]:
    """Yield the items with which a collection is written."""
    node = made.node
    if isinstance(made, Call):
        for argument in (*made.args, *made.keywords.values()):
            if isinstance(argument.node, _LISTS + _DICTS + (ast.GeneratorExp,)):
                yield from _written(model, argument)
            else:
                yield argument
    elif isinstance(node, ast.ListComp | ast.GeneratorExp):
        yield model.expr(node.elt, model.index.inner_sites[id(node)])
    elif isinstance(node, ast.DictComp):
        yield model.expr(node.value, model.index.inner_sites[id(node)])
    elif isinstance(node, ast.Dict):
        yield from (made.child(value) for value in node.values)
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            whole = item.value if isinstance(item, ast.Starred) else item
            part = made.child(whole)
            yield from _written(model, part) if whole is not item else (part,)


def _added(model: FileModel, name: str, near: Expr) -> Iterator[Expr]:
    """Yield what is put into a collection of this name after it is made."""
    for call in model.method_calls("append", "insert", "extend"):
        if call.receiver is not None and _is_it(call.receiver, name, near) and call.args:
            extends = call.method == "extend"
            yield from _written(model, call.args[0]) if extends else (call.args[-1],)
    last = name.rpartition(".")[2]
    for targets in model.index.stores.values():
        for target, binding in targets:
            if isinstance(target, ast.Subscript) and binding.value is not None:
                owner = model.expr(target.value, binding.site)
                if _is_it(owner, name, near):
                    yield model.expr(binding.value, binding.site)
    grown = near.site.scope.function.bindings.get(last, [])
    if name != last:
        grown = [one for target, one in model.index.stores.get(last, ()) if _grows(target, name)]
    for binding in grown:
        if binding.kind is BindingKind.AUGMENT and binding.value is not None:
            value = model.expr(binding.value, binding.site)
            if _is_near(value, name, near):
                yield from _written(model, value)


def _grows(target: ast.expr, name: str) -> bool:
    """Say whether an assignment is to the attribute of this name."""
    return isinstance(target, ast.Attribute) and ast.unparse(target) == name


def _is_it(expr: Expr, name: str, near: Expr) -> bool:
    """Say whether an expression is the variable or attribute of this name, seen from a place."""
    return expr.text == name and _is_near(expr, name, near)


def _is_near(expr: Expr, name: str, near: Expr) -> bool:
    """Say whether a name means the same in two places: in one class, or in one function."""
    if name.startswith("self."):
        home = expr.model.class_around(expr)
        return home is not None and home == expr.model.class_around(near)
    return expr.site.scope.function is near.site.scope.function


def _reads_of(model: FileModel, name: str, near: Expr) -> Iterator[Expr]:
    """Yield where a variable or an attribute of ``self`` is read."""
    last = name.rpartition(".")[2]
    reads = model.attributes_read(last) if last != name else model.names_read(last)
    yield from (read for read in reads if _is_it(read, name, near))


def _only_reads(model: FileModel, read: Expr) -> bool:
    """Say whether a read of a collection hands neither it nor its items to anything that keeps them.

    A function may count it or go through it; a loop in the method that makes it may do anything.
    """
    statement = read.site.statement
    if isinstance(statement, ast.Assign | ast.Return) and statement.value is read.node:
        return False
    function = read.function
    if function is not None and function.name == "__init__" and _is_iterated(model, read):
        return False
    for call in () if function is None else function.calls:
        given = [*call.node.args, *(word.value for word in call.node.keywords)]
        given += [one.value for one in given if isinstance(one, ast.Starred)]
        if any(one is read.node for one in given) and call.callee not in _READS_ONLY:
            return False
        if model.layers.kind(call) in CONTAINERS and read in call.parts():
            return False
    return True


def _is_iterated(model: FileModel, read: Expr) -> bool:
    """Say whether a loop or comprehension goes through an expression."""
    statement = read.site.statement
    if isinstance(statement, ast.For):
        return read in model.expr(statement.iter, read.site).parts()
    return id(read.node) in model.index.iterated
