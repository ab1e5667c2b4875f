"""The program that a configuration stands for, as a syntax tree whose nodes stand in its text."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, TypeVar

from trainlint.static.configs.interpolation import followed, refers
from trainlint.static.configs.values import Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Several

    from trainlint.static.configs.recognise import Made, Recognised
    from trainlint.static.configs.values import Value

_Node = TypeVar("_Node", bound=ast.AST)

_FACTOR: Final = 1
"""A rate of 1 is how one writes that a schedule, told elsewhere, gives the rate."""


def program_of(documents: Iterable[Recognised], line_starts: Several[int]) -> ast.Module:
    """Return the tree: one assignment for each part of the training."""
    return _Writer(line_starts).module(list(documents))


class _Writer:
    """Writes the statements, and numbers the names that it needs."""

    def __init__(self, line_starts: Several[int]) -> None:
        self._line_starts = line_starts
        self._names = 0
        self._followed: dict[int, str] = {}
        self._before: list[ast.stmt] = []

    def module(self, documents: list[Recognised]) -> ast.Module:
        """Write everything."""
        packages = {one.callee.partition(".")[0] for doc in documents for one in doc.parts}
        aliases = [ast.alias(name) for name in sorted(packages)]
        body: list[ast.stmt] = []
        if aliases:
            for alias in aliases:
                self._at(alias, (0, 0))
            body.append(self._at(ast.Import(aliases), (0, 0)))
        for document in documents:
            body += self._statements(document)
        return ast.Module(body, [])

    def _statements(self, document: Recognised) -> Iterator[ast.stmt]:
        """Write the parts of one document; what sets their rates comes last."""
        self._followed.clear()
        optimizers = []
        for part in document.parts:
            if part.sets_rate and not part.callee.startswith("torch.optim.lr_scheduler."):
                continue
            name = self._name(part.name or "part")
            if part.is_optimizer:
                optimizers.append((name, part))
            call = self._call(part, document.root)
            yield from self._before
            self._before.clear()
            yield self._assign(name, call, part.place)
        unknown = document.speaks_of_schedules or any(
            part.sets_rate and not part.callee.startswith("torch.optim.lr_scheduler.")
            for part in document.parts
        )
        for name, part in optimizers:
            if not (unknown and part.is_open):
                continue
            called = self._at(ast.Name("scheduler", ast.Load()), part.place)
            given = self._at(ast.Name(name, ast.Load()), part.place)
            made = self._at(ast.Call(called, [given], []), part.place)
            yield self._at(ast.Expr(made), part.place)

    def _call(self, part: Made, root: Value) -> ast.expr:
        """Write the call of one part."""
        place = part.place
        positional = [self._value(one, root) for one in part.positional]
        if part.takes_parameters and not positional:
            model = self._at(ast.Name("model", ast.Load()), place)
            method = self._at(ast.Attribute(model, "parameters", ast.Load()), place)
            positional = [self._at(ast.Call(method, [], []), place)]
        keywords = [
            self._at(ast.keyword(name, self._value(value, root)), (value.start, value.end))
            for name, value in part.arguments.items()
            if not (part.is_optimizer and name == "lr" and _is_idle(part, value))
        ]
        if part.is_open:
            rest = self._at(ast.Name("arguments_of_the_code", ast.Load()), place)
            keywords.append(self._at(ast.keyword(None, rest), place))
        return self._at(ast.Call(self._dotted(part), positional, keywords), place)

    def _dotted(self, part: Made) -> ast.expr:
        """Write the dotted name of what is called, each part of it where it is written."""
        names = part.callee.split(".")
        start, end = part.place
        written = end - start == len(part.callee)
        stop = start + len(names[0]) if written else end
        node: ast.expr = self._at(ast.Name(names[0], ast.Load()), (start, stop))
        for name in names[1:]:
            stop = stop + 1 + len(name) if written else end
            node = self._at(ast.Attribute(node, name, ast.Load()), (start, stop))
        return node

    def _value(self, value: Value, root: Value) -> ast.expr:
        """Write a value: as it is, as the name of what it refers to, or as a name of nothing."""
        place = (value.start, value.end)
        if isinstance(value, Scalar):
            if not refers(value):
                return self._at(ast.Constant(value.value), place)
            found = followed(value, root)
            if found is not None and (found.start, found.end) != place:
                name = self._followed.get(id(found))
                if name is None:
                    name = self._followed[id(found)] = self._name("value")
                    written = self._value(found, root)
                    self._before.append(self._assign(name, written, (found.start, found.end)))
                return self._at(ast.Name(name, ast.Load()), place)
        if isinstance(value, Sequence) and all(isinstance(one, Scalar) for one in value.items):
            # Lists of lists may be aliases of aliases without an end, and say nothing to a rule.
            items = [self._value(item, root) for item in value.items]
            return self._at(ast.List(items, ast.Load()), place)
        return self._at(ast.Name(self._name("unknown"), ast.Load()), place)

    def _assign(self, name: str, value: ast.expr, place: tuple[int, int]) -> ast.stmt:
        """Write an assignment."""
        target = self._at(ast.Name(name, ast.Store()), place)
        return self._at(ast.Assign([target], value), place)

    def _name(self, word: str) -> str:
        """Return a name that nothing else has."""
        self._names += 1
        readable = "".join(letter if letter.isalnum() else "_" for letter in word)
        return f"{readable}_{self._names}"

    def _at(self, node: _Node, place: tuple[int, int]) -> _Node:
        """Let a node stand at two offsets of the text; columns count characters."""
        for offset, (line, column) in zip(
            place, (("lineno", "col_offset"), ("end_lineno", "end_col_offset")), strict=True
        ):
            number = bisect_right(self._line_starts, offset)
            setattr(node, line, number)
            setattr(node, column, offset - self._line_starts[number - 1])
        return node


def _is_idle(part: Made, value: Value) -> bool:
    """Say whether a rate says nothing of the training: 0, or a 1 that waits for a schedule."""
    given = value.value if isinstance(value, Scalar) else None
    return given == 0 or (part.is_open and given == _FACTOR)
