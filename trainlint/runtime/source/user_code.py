"""The user's own source files: read through `linecache`, parsed once, never imported or run."""

from __future__ import annotations

import ast
import linecache
import os
import re
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from inspect import unwrap
from typing import TYPE_CHECKING, Any, Final

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef

_INSTALLED: Final = ("site-packages", "dist-packages")
_STANDARD: Final = os.path.join(sysconfig.get_paths()["stdlib"], "")
_OWN: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@cache
def is_user_code(filename: str) -> bool:
    """Say whether a file is neither installed nor part of Python or of trainlint."""
    if filename.startswith("<frozen") or not filename:
        return False
    path = os.path.abspath(filename)
    parts = path.split(os.sep)
    return not (
        path.startswith((_STANDARD, os.path.join(_OWN, "")))
        or any(one in parts for one in _INSTALLED)
    )


def shown(filename: str) -> str:
    """Return a file's path as it is shown: relative where it lies under the current directory.

    A cell of a notebook is called as in its tracebacks, `In[3]`; another name that is no file on disk is
    left as it is.
    """
    if not os.path.isfile(filename):
        return _cell(filename) or filename
    path, here = os.path.abspath(filename), os.path.join(os.getcwd(), "")
    return path.removeprefix(here)


def _cell(filename: str) -> str | None:
    """Return what IPython calls the cell that it compiled under a name."""
    ipython = sys.modules.get("IPython")
    with suppress(Exception):  # of a shell that is none of IPython's own
        shell = None if ipython is None else ipython.get_ipython()
        named = None if shell is None else shell.compile.format_code_name(filename)
        return None if named is None else str(named[1])
    return None


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those inside of them, in order; functions and classes are not entered."""
    for one in body:
        yield one
        if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in blocks(one):
                yield from statements(block)


def blocks(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the blocks of a compound statement; nothing for a simple one."""
    match statement:
        case ast.Try() | ast.TryStar():
            yield statement.body
            for handler in statement.handlers:
                yield handler.body
            yield statement.orelse
            yield statement.finalbody
        case ast.Match():
            for case in statement.cases:
                yield case.body
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            yield statement.body
            yield statement.orelse
        case ast.With() | ast.AsyncWith():
            yield statement.body


def dotted(expression: ast.expr) -> str:
    """Return a name with its attributes, `nn.Linear`; nothing for any other expression."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return ""
    return ".".join((expression.id, *reversed(parts)))


def name_pattern(expression: ast.expr) -> re.Pattern[str]:
    """Return what a name can be that is text, an f-string or a calculation: `f"fc{i}"` is `fc.*`."""
    match expression:
        case ast.Constant(value=str(text)):
            return re.compile(re.escape(text))
        case ast.JoinedStr(values=values):
            parts = (
                re.escape(one.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
                else ".*"
                for one in values
            )
            return re.compile("".join(parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return re.compile(name_pattern(left).pattern + name_pattern(right).pattern)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return re.compile(".*".join(map(re.escape, re.split(r"%\d*[a-z]", text))))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return re.compile(".*".join(map(re.escape, re.split(r"\{[^}]*\}", text))))
    return re.compile(".*")


@dataclass(eq=False)
class Code:
    """One source file of the user: its syntax tree and what is defined in it."""

    filename: str
    tree: ast.Module

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """All functions and methods of the file, outer before inner."""
        return tuple(one for one in self._definitions(self.tree.body) if isinstance(one, Function))

    @cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        """All classes of the file, outer before inner."""
        found = self._definitions(self.tree.body)
        return tuple(one for one in found if isinstance(one, ast.ClassDef))

    def _definitions(self, body: Sequence[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
        for one in statements(body):
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield one
                yield from self._definitions(one.body)

    @cached_property
    def calls(self) -> Mapping[str, Sequence[ast.Call]]:
        """All calls of the file by the last part of what is called: `nn.Linear(…)` by `Linear`."""
        found: dict[str, list[ast.Call]] = {}
        for one in ast.walk(self.tree):
            if isinstance(one, ast.Call):
                found.setdefault(dotted(one.func).rpartition(".")[2], []).append(one)
        return found

    @cached_property
    def inside_expressions(self) -> frozenset[str]:
        """The names that are assigned in the middle of an expression, by `:=`."""
        named = (one.target.id for one in ast.walk(self.tree) if isinstance(one, ast.NamedExpr))
        return frozenset(named)

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """What imported and top-level names stand for: `L` for `Linear` after `import Linear as L`."""
        found: dict[str, str] = {}
        for one in statements(self.tree.body):
            match one:
                case ast.ImportFrom():
                    found |= {alias.asname or alias.name: alias.name for alias in one.names}
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=attribute)):
                    found[name] = attribute
        return found

    def enclosing(self, line: int) -> Function | None:
        """Return the innermost function around a line."""
        around = [one for one in self.functions if one.lineno <= line <= (one.end_lineno or 0)]
        return max(around, key=lambda one: one.lineno, default=None)

    def around(self, function: Function) -> Function | None:
        """Return the function in which another one is defined."""
        last = function.end_lineno or 0
        outer = [
            one
            for one in self.functions
            if one is not function
            and one.lineno <= function.lineno
            and last <= (one.end_lineno or 0)
        ]
        return max(outer, key=lambda one: one.lineno, default=None)

    def is_class(self, name: str) -> bool:
        """Say whether a name is surely that of a class: of torch's, of this file or imported."""
        real = self.aliases.get(name, name)
        return (
            isinstance(getattr(nn, real, None), type)
            or any(one.name == real for one in self.classes)
            or (name in self.aliases and real[:1].isupper())
        )

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """The names of the module that was made from this file; nothing where that is not known."""
        if not os.path.isfile(self.filename):
            return vars(sys.modules["__main__"])  # a cell of a notebook
        path, name = os.path.abspath(self.filename), os.path.basename(self.filename)
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.endswith(name) and os.path.abspath(file) == path:
                return vars(module)
        return {}


@dataclass
class Library:
    """The source files that have been read."""

    _codes: dict[str, Code | None] = field(default_factory=dict)
    _classes: dict[type, tuple[Code, ast.ClassDef] | None] = field(default_factory=dict)

    def code(self, filename: str) -> Code | None:
        """Return a file of the user, None if it has no source or is not the user's."""
        if filename not in self._codes:
            self._codes[filename] = None
            lines = linecache.getlines(filename) if is_user_code(filename) else []
            if lines:
                try:
                    tree = ast.parse("".join(map(_plain, lines)))
                except (SyntaxError, ValueError):
                    return None
                self._codes[filename] = Code(filename, tree)
        return self._codes[filename]

    def function(self, value: Any) -> tuple[Code, Function] | None:
        """Return where a function is defined, None if that is not the user's code."""
        compiled = getattr(_unwrapped(value), "__code__", None)
        code = None if compiled is None else self.code(compiled.co_filename)
        if code is None or compiled is None:
            return None
        for one in code.functions:
            first = min((each.lineno for each in one.decorator_list), default=one.lineno)
            if first <= compiled.co_firstlineno <= one.lineno and one.name == compiled.co_name:
                return code, one
        return None

    def class_of(self, kind: type) -> tuple[Code, ast.ClassDef] | None:
        """Return where a class is defined, None if that is not the user's code."""
        if kind not in self._classes:
            self._classes[kind] = self._find_class(kind)
        return self._classes[kind]

    def _find_class(self, kind: type) -> tuple[Code, ast.ClassDef] | None:
        for value in vars(kind).values():
            found = self.function(value)
            if found is not None:
                around, function = found
                for one in around.classes:
                    if one.name == kind.__name__ and function in one.body:
                        return around, one
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        code = self.code(file) if isinstance(file, str) else None
        if code is None:
            return None
        named = [one for one in code.classes if one.name == kind.__name__]
        return (code, named[0]) if len(named) == 1 else None

    def cells(self) -> Iterator[str]:
        """Yield the cells of a notebook, and what else is known to `linecache` only, newest first."""
        for filename in reversed(list(linecache.cache)):
            if not os.path.isfile(filename) and is_user_code(filename):
                yield filename

    def modules(self) -> Iterator[str]:
        """Yield the cells and the files that the user's code has imported."""
        yield from self.cells()
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and is_user_code(file):
                yield file


def _plain(line: str) -> str:
    """Return a line of a notebook's cell without what only IPython understands."""
    return "\n" if line.startswith(("%", "!")) else line


def _unwrapped(value: Any) -> Any:
    """Return the function inside of what stands in a class: a method, a property, a decorated one."""
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value)
    try:
        return unwrap(value)
    except ValueError:
        return value
