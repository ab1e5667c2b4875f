"""Expressions of the user's code, and the questions one can ask of any of them."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainlint.core.diagnosis import Span
from trainlint.core.loop import LoopEvent
from trainlint.static.model.purpose import words_of
from trainlint.static.model.tree import (
    Binding,
    BindingKind,
    Block,
    BlockKind,
    Scope,
    Site,
    last_name,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trainlint.core.fix import Edit
    from trainlint.static.model.elsewhere import Symbol
    from trainlint.static.model.file import FileModel


_CUTS = frozenset({"detach", "detach_", "item", "numpy", "tolist", "argmax", "argmin"})
"""Methods whose result no gradient flows back through."""


class Unknown:
    """The value of what cannot be followed; equal to nothing, true of nothing."""

    def __repr__(self) -> str:
        """Show the one word."""
        return "UNKNOWN"

    def __bool__(self) -> bool:
        """Refuse to be taken for a truth value."""
        msg = "UNKNOWN is neither true nor false: compare with `is UNKNOWN` first"
        raise TypeError(msg)


UNKNOWN = Unknown()


class Expr:
    """An expression and where it stands.

    Two are equal if they are the same place of the file.
    """

    __slots__ = ("__dict__", "model", "node", "site")
    # There are very many: without a place for `__dict__` each of them would make one at once.

    def __init__(self, model: FileModel, node: Any, site: Site) -> None:
        self.model = model
        self.node = node
        self.site = site

    def __eq__(self, other: object) -> bool:
        """Compare by place."""
        return isinstance(other, Expr) and other.node is self.node

    def __hash__(self) -> int:
        """Hash by place."""
        return id(self.node) >> 4

    def __repr__(self) -> str:
        """Show the source text."""
        return f"<{type(self).__name__} {self.text}>"

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.model.source.path

    @property
    def span(self) -> Span:
        """The stretch of the file."""
        return self.model.source.span(self.node)

    @property
    def line(self) -> int:
        """The line on which it starts, from 1."""
        return int(getattr(self.node, "lineno", 1))

    @property
    def text(self) -> str:
        """The source text, on one line."""
        return " ".join(self.model.source.segment(self.node).split())

    @property
    def quoted(self) -> str:
        """The source text in backticks, shortened to what a message can hold."""
        text = self.text
        return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"  # noqa: PLR2004

    @cached_property
    def qualified(self) -> str | None:
        """The qualified name through imports and aliases (``torch.nn.functional.relu``), or None."""
        return self.model.names.qualified(self.node, self.site)

    @property
    def symbol(self) -> Symbol | None:
        """What a name or attribute stands for in another file of the project."""
        return self.model.names.symbol(self.node, self.site)

    @property
    def name(self) -> str | None:
        """The last part of a name as written: ``criterion`` of ``self.criterion``."""
        return last_name(self.node)

    @property
    def is_name(self) -> bool:
        """Whether this is a plain name."""
        return isinstance(self.node, ast.Name)

    @property
    def is_attribute(self) -> bool:
        """Whether this is an attribute of something."""
        return isinstance(self.node, ast.Attribute)

    @property
    def owner(self) -> Expr | None:
        """What an attribute, or an item, is taken of: ``self.net`` of ``self.net.fc``."""
        if isinstance(self.node, ast.Attribute | ast.Subscript):
            return self.child(self.node.value)
        return None

    @property
    def key(self) -> str | None:
        """The word by which an item is taken: ``epochs`` of ``config["epochs"]``."""
        word = getattr(self.node, "slice", None)
        if isinstance(word, ast.Constant) and isinstance(word.value, str):
            return word.value
        return None

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The two sides of an arithmetic expression; empty for anything else."""
        if isinstance(self.node, ast.BinOp):
            return (self.child(self.node.left), self.child(self.node.right))
        return ()

    @property
    def operator(self) -> str | None:
        """The name of the operator of an arithmetic expression: ``Add``, ``Div``, ``Mod``..."""
        return type(self.node.op).__name__ if isinstance(self.node, ast.BinOp) else None

    @property
    def items(self) -> tuple[Expr, ...] | None:
        """The items of a list, tuple or set as written; None for anything else or with a star."""
        if not isinstance(self.node, ast.List | ast.Tuple | ast.Set):
            return None
        if any(isinstance(item, ast.Starred) for item in self.node.elts):
            return None
        return tuple(self.child(item) for item in self.node.elts)

    @property
    def entries(self) -> dict[str, Expr] | None:
        """The string-keyed entries of a dict literal or a ``dict(...)`` call; None otherwise."""
        node = self.node
        if isinstance(node, ast.Dict):
            return {
                key.value: self.child(value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
        if isinstance(self, Call) and self.callee == "builtins.dict" and not self.args:
            return dict(self.keywords)
        return None

    @cached_property
    def function(self) -> Function | None:
        """The function that this stands in; None at the level of the module or of a class."""
        scope = self.site.scope.function
        return self.model.function_of(scope)

    @property
    def statement(self) -> Expr:
        """The statement that this stands in."""
        return Expr(self.model, self.site.statement, self.site)

    @property
    def assigned_to(self) -> str | None:
        """The variable or attribute that this very value is assigned to, as written."""
        holder = self.model.holder(self)
        return None if holder is None else holder[0]

    @property
    def is_displayed(self) -> bool:
        """Whether it is the last expression of a notebook's cell, whose value is shown."""
        return self.is_statement and self.line in self.model.source.displayed

    @property
    def is_statement(self) -> bool:
        """Whether its value is thrown away: it is a statement of its own."""
        statement = self.site.statement
        return isinstance(statement, ast.Expr) and statement.value is self.node

    @property
    def order(self) -> tuple[int, int, int]:
        """A key that sorts expressions by when they run: by statement, inner before outer."""
        node = self.node
        return (
            self.site.index,
            int(getattr(node, "end_lineno", 0)),
            int(getattr(node, "end_col_offset", 0)),
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks around it within its function, from the outermost."""
        return tuple(reversed(self.site.block.ancestors()))

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops around it within its function, from the outermost."""
        return tuple(
            Loop(self.model, block) for block in self.blocks if block.kind is BlockKind.LOOP
        )

    @property
    def contexts(self) -> tuple[Expr, ...]:
        """What the ``with`` statements and decorators around it name, from the outermost."""
        found: list[Expr] = []
        function = self.function
        if function is not None:
            found += function.decorators
        for block in self.blocks:
            if block.kind is BlockKind.WITH:
                site = self.model.site_of_block(block)
                found += [
                    self.model.expr(item.context_expr, site)
                    for item in getattr(block.header, "items", ())
                ]
        return tuple(found)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """The tests of the ``if`` statements in whose first arm it stands, from the outermost."""
        return tuple(
            self.model.expr(block.header.test, self.model.site_of_block(block))
            for block in self.blocks
            if block.kind is BlockKind.BRANCH
            and isinstance(block.header, ast.If)
            and block.arm == 0
        )

    @property
    def decided_by(self) -> tuple[tuple[Expr, bool], ...]:
        """The tests that decide whether it runs, and what they must give, from the outermost.

        Those of the ``if`` statements around it, and of earlier ones whose arm leaves the function
        or the loop: after ``if not self.training: return x`` the rest is only run in training.
        """
        found: list[tuple[Expr, bool]] = []
        for block in self.blocks:
            header = block.header
            if block.kind is BlockKind.BRANCH and isinstance(header, ast.If):
                site = self.model.site_of_block(block)
                found.append((self.model.expr(header.test, site), block.arm == 0))
            for statement in _statements(block):
                if getattr(statement, "lineno", 0) >= self.line:
                    break
                if isinstance(statement, ast.If) and _leaves(statement.body):
                    site = Site(statement, block, block.scope, block.index)
                    found.append((self.model.expr(statement.test, site), False))
        return tuple(found)

    def is_conditional_in(self, loop: Loop) -> bool:
        """Say whether an ``if`` or the like decides, within a loop, whether it runs."""
        tests = (test for test, _ in self.decided_by)
        if any(loop.block in test.site.block.ancestors() for test in tests):
            return True
        after = self.blocks[self.blocks.index(loop.block) + 1 :]
        return any(block.kind is BlockKind.BRANCH for block in after)

    @property
    def without_gradient(self) -> bool:
        """Whether it stands under ``no_grad`` or ``inference_mode``, and no ``enable_grad`` in there."""
        modes = (records_gradient(context) for context in reversed(self.contexts))
        return next((mode for mode in modes if mode is not None), "on") == "off"

    @property
    def expected_to_fail(self) -> bool:
        """Whether it stands in a test that expects an exception: ``with pytest.raises(...)``."""
        return any(
            isinstance(context, Call)
            and context.method in {"raises", "assertRaises", "assertRaisesRegex"}
            for context in self.contexts
        )

    @property
    def is_default(self) -> bool:
        """Whether it stands as the default of a parameter, which a caller may replace."""
        return isinstance(self.site.statement, ast.FunctionDef | ast.AsyncFunctionDef)

    @property
    def around(self) -> tuple[Expr, ...]:
        """The expressions that it is a part of, within its statement, from the innermost."""
        way = _way_to(self.site.statement, self.node) or []
        return tuple(self.child(node) for node in way if isinstance(node, ast.expr))

    @property
    def is_tried(self) -> bool:
        """Whether it stands in the body of a ``try``: whether it works at all may be the question."""
        return any(isinstance(block.header, ast.Try) and not block.arm for block in self.blocks)

    def parts(self) -> Iterator[Expr]:
        """Yield every expression inside this one, itself included."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.expr):
                yield self.child(node)

    def ingredients(self) -> Iterator[Expr]:
        """Yield every expression that this value is made of and that gradients flow back to.

        Follows names to the values that they stand for, calls to their arguments and to what they
        are called on; stops where a value is cut from its network (``detach()``, ``item()``).
        """
        seen: set[Expr] = set()
        queue: list[Expr] = [self]
        while queue:
            expr = queue.pop()
            if expr in seen or (isinstance(expr, Call) and expr.method in _CUTS):
                continue
            seen.add(expr)
            yield expr
            origins = expr.origins()
            queue += (origin for origin in origins if origin != expr)
            if origins == (expr,) and expr.is_name:
                queue += expr.unpacked_from
            if isinstance(expr, Call):
                queue += (*expr.args, *expr.keywords.values())
                queue += [] if expr.receiver is None else [expr.receiver]
            elif isinstance(
                expr.node, ast.BinOp | ast.UnaryOp | ast.Subscript | ast.Tuple | ast.List
            ):
                nodes = ast.iter_child_nodes(expr.node)
                queue += (expr.child(node) for node in nodes if isinstance(node, ast.expr))

    def origins(self) -> tuple[Expr, ...]:
        """Return every expression that may have made this value.

        Follows variables, attributes of ``self`` and of instances, parameters to the calls in the
        file, dict entries and functions that return them. What cannot be followed is returned as
        the name where the trace was lost, so a caller that knows each of the origins knows all.
        """
        return self.model.follower.origins(self)

    def objects(self) -> tuple[Expr, ...]:
        """Return the origins behind wrappers that keep an object: ``.to(device)``, ``DDP(...)``."""
        return self.model.follower.objects(self)

    @property
    def binding(self) -> Binding | None:
        """Of a name where the trace was lost: the one binding that it has, if it is one."""
        return self.model.follower.binding(self)

    @property
    def is_loop_variable(self) -> bool:
        """Whether this is a name that a ``for`` gives its values."""
        binding = self.binding
        return binding is not None and binding.kind is BindingKind.LOOP

    @property
    def is_parameter(self) -> bool:
        """Whether this is a parameter of the function that it stands in."""
        binding = self.binding
        return binding is not None and binding.kind is BindingKind.PARAMETER

    @property
    def unpacked_from(self) -> tuple[Expr, ...]:
        """Of a name where the trace was lost: the value of which an assignment takes a part for it."""
        binding = self.binding
        if binding is None or binding.value is None or not binding.path:
            return ()
        if binding.kind is not BindingKind.ASSIGN:
            return ()
        return (binding.site.scope.index.model.expr(binding.value, binding.site),)

    @property
    def iterated(self) -> Expr | None:
        """Of a name that a ``for`` gives its values: what is iterated."""
        binding = self.binding
        if binding is None or binding.kind is not BindingKind.LOOP or binding.value is None:
            return None
        return self.model.expr(binding.value, binding.site)

    def literal(self) -> object:
        """Return the value, followed as a person would, or ``UNKNOWN``."""
        return self.model.evaluator.value(self)

    def number(self) -> float | int | None:
        """Return the value if it is a known number, else None."""
        value = self.literal()
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def is_settled(self) -> bool:
        """Whether the file alone decides about its value: no caller or command line can set another.

        A literal is, and a name that is given nothing but literals; a parameter with a default is not.
        """
        return self.model.follower.is_settled(self)

    @property
    def is_constant(self) -> bool:
        """Whether its number is the same whoever runs the code, in each round of a loop.

        Not where a loop changes a part of it, an option gives it, or a parameter that nothing in
        the file passes: there ``number()`` is what it is at first, or by default.
        """
        return self.model.evaluator.is_constant(self)

    def string(self) -> str | None:
        """Return the value if it is a known string, else None."""
        value = self.literal()
        return value if isinstance(value, str) else None

    def truth(self) -> bool | None:
        """Return the truth of the value if it is known, else None."""
        value = self.literal()
        return None if value is UNKNOWN else bool(value)

    def calls(self) -> Iterator[Call]:
        """Yield the calls inside this expression, itself included."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call):
                yield Call(self.model, node, self.site)

    def mentions(self, name: str) -> bool:
        """Say whether a plain name or an attribute of that name is part of it."""
        return any(
            (isinstance(node, ast.Name) and node.id == name)
            or (isinstance(node, ast.Attribute) and node.attr == name)
            for node in ast.walk(self.node)
        )

    def is_argument_of(self, method: str) -> bool:
        """Say whether it is directly given to a call of something by this last name."""
        return any(call.method == method for call in self.model.calls_taking(self))

    def same_as(self, other: Expr) -> bool:
        """Say whether both are written alike (``self.optimizer`` and ``self.optimizer``)."""
        return self.text == other.text

    def child(self, node: ast.AST) -> Expr:
        """Return a part of this expression."""
        return self.model.expr(node, self.site)

    def replaced_by(self, text: str) -> Edit:
        """Return the edit that puts another text in its place."""
        source, node = self.model.source, self.node
        start = source.offset(node.lineno, node.col_offset)
        return self.model.edit(start, source.offset(node.end_lineno, node.end_col_offset), text)

    @property
    def counts_iterations(self) -> bool:
        """Whether it asks for the remainder of a division, itself or in a variable that it names."""
        return any(
            part.operator == "Mod"
            or (part.is_name and any(origin.operator == "Mod" for origin in _tested(part)))
            for part in self.parts()
        )

    @property
    def measures_length(self) -> bool:
        """Whether a ``len(...)`` has a part in it, here or in a variable that it names."""
        return any(True for _ in self.measured)

    @property
    def measured(self) -> Iterator[Expr]:
        """What it takes the length of, here or in a variable that it names: ``x`` of ``len(x)``."""
        seen: set[Expr] = set()
        parts = list(self.parts())
        while parts:
            part = parts.pop()
            if isinstance(part, Call) and part.callee == "builtins.len" and part.args:
                yield part.args[0]
            if part not in seen and (part.is_name or part.is_attribute):
                parts += _tested(part)
            seen.add(part)

    @property
    def attribute_around(self) -> Expr | None:
        """The attribute that is taken of it: ``net.fc`` of ``net``; None if it is used otherwise."""
        return next(
            (
                self.child(node)
                for node in ast.walk(self.site.statement)
                if isinstance(node, ast.Attribute) and node.value is self.node
            ),
            None,
        )

    def line_before(self, text: str) -> Edit | None:
        """Return the edit that puts a line of its own before the statement; None where none fits."""
        place = _lines_of_statement(self)
        if place is None:
            return None
        start, _, indent = place
        return self.model.edit(start, start, f"{indent}{text}\n")

    def line_after(self, text: str) -> Edit | None:
        """Return the edit that puts a line of its own after the statement; None where none fits."""
        place = _lines_of_statement(self)
        if place is None:
            return None
        _, end, indent = place
        missing = "" if self.model.source.text[:end].endswith(("\n", "\r")) else "\n"
        return self.model.edit(end, end, f"{missing}{indent}{text}\n")

    def moved(self, *, before: Expr | None = None, after: Expr | None = None) -> tuple[Edit, ...]:
        """Return the edits that move the statement before or after another; none where they do not fit."""
        place = _lines_of_statement(self)
        other = before if before is not None else after
        if place is None or other is None:
            return ()
        start, end, _ = place
        text = self.model.source.text[start:end].strip()
        edit = other.line_before(text) if before is not None else other.line_after(text)
        if edit is None or "\n" in text or start <= edit.start < end:
            return ()
        return (edit, self.model.edit(start, end, ""))

    def taken_out_of_with(self) -> tuple[Edit, ...]:
        """Return the edits that move its statement, and those behind it, out of the ``with`` around it."""
        from trainlint.static.model.layout import taken_out_of_with  # noqa: PLC0415

        return taken_out_of_with(self)

    def put_around(
        self, before: str, after: str | None, loops: Collection[Loop]
    ) -> tuple[Edit, ...]:
        """Return the edits that put lines around an evaluation; see :func:`layout.put_around`."""
        from trainlint.static.model.layout import put_around  # noqa: PLC0415

        return put_around(self, before, after, [loop.block for loop in loops])

    def line_removed(self) -> Edit | None:
        """Return the edit that takes the statement away; None where it stands alone in its block."""
        place = _lines_of_statement(self)
        block = self.site.block
        body = getattr(block.header, "body", ()) if block.arm == 0 else ()
        if place is None or self.site.statement not in body or len(body) == 1:
            return None
        return self.model.edit(place[0], place[1], "")

    @property
    def source_text(self) -> str:
        """The source text as written, line breaks and all: what an edit puts elsewhere."""
        return self.model.source.segment(self.node)

    def source_with(self, edit: Edit) -> str:
        """Return the source text as it reads once an edit inside of it is made."""
        start = self.replaced_by("").start
        text = self.source_text
        return text[: edit.start - start] + edit.replacement + text[edit.end - start :]

    @property
    def operand_text(self) -> str:
        """The source text as it can stand anywhere: in parentheses unless it binds tightly."""
        text = self.source_text
        tight = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant | ast.List
        if isinstance(self.node, tight) and "\n" not in text:
            return text
        return f"({text})"

    def renamed(self, last: str) -> Edit | None:
        """Return the edit that changes the last part of a dotted name; None of anything else."""
        name = self.name
        if not self.is_attribute or name is None or not self.source_text.endswith(name):
            return None
        end = self.replaced_by("").end
        return self.model.edit(end - len(name), end, last)


class Call(Expr):
    """A call: what is called, on what, with which arguments."""

    @cached_property
    def callee(self) -> str | None:
        """The qualified name of what is called, through imports and aliases, or None."""
        return self.called.qualified

    @property
    def called(self) -> Expr:
        """The expression that is called."""
        return self.child(self.node.func)

    @property
    def method(self) -> str | None:
        """The last part of what is called: ``step`` of ``self.optimizer.step()``."""
        return last_name(self.node.func)

    @property
    def receiver(self) -> Expr | None:
        """What a method is called on."""
        function = self.node.func
        return self.child(function.value) if isinstance(function, ast.Attribute) else None

    @cached_property
    def args(self) -> tuple[Expr, ...]:
        """The positional arguments before the first star."""
        found = []
        for argument in self.node.args:
            if isinstance(argument, ast.Starred):
                break
            found.append(self.child(argument))
        return tuple(found)

    @cached_property
    def keywords(self) -> dict[str, Expr]:
        """The keyword arguments, those of a ``**`` whose dict is known included."""
        found: dict[str, Expr] = {}
        for word in self.node.keywords:
            if word.arg is not None:
                found[word.arg] = self.child(word.value)
            else:
                for origin in self.child(word.value).origins():
                    for key, value in (origin.entries or {}).items():
                        found.setdefault(key, value)
        return found

    @cached_property
    def is_open(self) -> bool:
        """Whether a star passes arguments that are not known."""
        if any(isinstance(argument, ast.Starred) for argument in self.node.args):
            return True
        return any(
            word.arg is None
            and any(origin.entries is None for origin in self.child(word.value).origins())
            for word in self.node.keywords
        )

    @property
    def unpacked(self) -> tuple[Expr, ...]:
        """The dicts that it is passed with ``**``, where they are made."""
        stars = (word.value for word in self.node.keywords if word.arg is None)
        return tuple(origin for star in stars for origin in self.child(star).origins())

    def argument(self, position: int | None, keyword: str | None = None) -> Expr | None:
        """Return the argument at a position or of a keyword; None where it is not passed."""
        if position is not None and position < len(self.args):
            return self.args[position]
        return self.keywords.get(keyword) if keyword is not None else None

    @cached_property
    def target(self) -> Scope | None:
        """The function or class of this file that is called; the ``forward`` of its modules."""
        return self.model.follower.target(self)

    def with_argument(self, keyword: str, value: str) -> Edit:
        """Return the edit that passes a further keyword argument."""
        node, source = self.node, self.model.source
        parts = [*node.args, *(word.value for word in node.keywords)]
        end = source.offset(node.end_lineno, node.end_col_offset) - 1
        if not parts:
            return self.model.edit(end, end, f"{keyword}={value}")
        last = max(parts, key=lambda part: (part.end_lineno, part.end_col_offset))
        place = source.offset(last.end_lineno, last.end_col_offset)
        while place < end and source.text[place] in ") \t":
            place += 1
        place = source.offset(last.end_lineno, last.end_col_offset) if place >= end else place
        return self.model.edit(place, place, f", {keyword}={value}")

    def with_first_argument(self, text: str) -> Edit:
        """Return the edit that passes a further argument in front of all others."""
        source, function = self.model.source, self.node.func
        after = source.offset(function.end_lineno, function.end_col_offset)
        start = source.text.find("(", after) + 1
        empty = not self.node.args and not self.node.keywords
        return self.model.edit(start, start, text if empty else f"{text}, ")

    def without_argument(self, argument: Expr) -> Edit | None:
        """Return the edit that drops an argument; None where comments or brackets are in the way."""
        source = self.model.source
        parts: list[tuple[int, int, bool]] = []
        for node in (*self.node.args, *self.node.keywords):
            end = source.offset(node.end_lineno, node.end_col_offset)
            own = node is argument.node or getattr(node, "value", None) is argument.node
            parts.append((source.offset(node.lineno, node.col_offset), end, own))
        parts.sort()
        place = next((number for number, part in enumerate(parts) if part[2]), None)
        if place is None:
            return None
        start, end, _ = parts[place]
        if place:
            between = source.text[parts[place - 1][1] : start]
            edit = self.model.edit(parts[place - 1][1], end, "")
        elif len(parts) > 1:
            between = source.text[end : parts[1][0]]
            edit = self.model.edit(start, parts[1][0], "")
        else:
            return self.model.edit(start, end, "")
        return edit if between.strip() == "," else None


class AtCall:
    """Something that stands where a call of the user's stands."""

    call: Call

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.call.path

    @property
    def span(self) -> Span:
        """The call."""
        return self.call.span


class Loop:
    """A ``for`` or ``while`` loop."""

    def __init__(self, model: FileModel, block: Block) -> None:
        self.model = model
        self.block = block

    def __eq__(self, other: object) -> bool:
        """Compare by place."""
        return isinstance(other, Loop) and other.block is self.block

    def __hash__(self) -> int:
        """Hash by place."""
        return hash(id(self.block))

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.model.source.path

    @property
    def span(self) -> Span:
        """The header of the loop."""
        header = self.block.header
        assert isinstance(header, ast.For | ast.AsyncFor | ast.While)
        last = header.test if isinstance(header, ast.While) else header.iter
        return self.model.source.span_between(header, last)

    @property
    def iterable(self) -> Expr | None:
        """What is iterated; None of a ``while``."""
        node = getattr(self.block.header, "iter", None)
        return None if node is None else self.model.expr(node, self.model.site_of_block(self.block))

    @property
    def targets(self) -> tuple[str, ...]:
        """The names that the loop gives values."""
        target = getattr(self.block.header, "target", None)
        if target is None:
            return ()
        return tuple(node.id for node in ast.walk(target) if isinstance(node, ast.Name))

    @property
    def count(self) -> int | None:
        """How often it runs, if that is written in the file."""
        iterable = self.iterable
        return None if iterable is None else self.model.evaluator.length(iterable)

    @property
    def over_epochs(self) -> bool:
        """Whether this is a loop over epochs, by its words."""
        iterable = self.iterable
        words = " ".join((*self.targets, iterable.text if iterable is not None else ""))
        if "epoch" in words.lower():
            return not self.over_batches
        header = self.block.header
        return isinstance(header, ast.While) and "epoch" in ast.unparse(header.test).lower()

    @property
    def over_episodes(self) -> bool:
        """Whether this is a loop over the episodes of an agent, by its words."""
        iterable = self.iterable
        words = " ".join((*self.targets, iterable.text if iterable is not None else ""))
        return "episode" in words.lower()

    @property
    def can_end_early(self) -> bool:
        """Whether a ``break`` of its own, a ``return`` or a ``raise`` can leave it."""
        found = list(getattr(self.block.header, "body", ()))
        while found:
            node = found.pop()
            if isinstance(node, ast.Break | ast.Return | ast.Raise):
                return True
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
                continue
            children = ast.iter_child_nodes(node)
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                leaving = (ast.Return, ast.Raise)
                found += [one for one in ast.walk(node) if isinstance(one, leaving)]
            else:
                found += children
        return False

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls in its body, in the order in which they run."""
        scope = self.block.scope.function
        found = [self.model.call(node, site) for node, site in scope.calls]
        inside = [call for call in found if self.block in call.site.block.ancestors()]
        return tuple(sorted(inside, key=lambda call: call.order))

    def runs(self, call: Expr, depth: int = 4) -> bool:
        """Say whether an expression stands in the loop, or in a function of the file that it calls."""
        if self in call.loops:
            return True
        function = call.function
        if function is None or depth == 0:
            return False
        return any(self.runs(caller, depth - 1) for caller in function.callers)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks around the loop within its function, from the outermost; its own is none of them."""
        return tuple(reversed(self.block.ancestors()))[:-1]

    def line_at_start(self, text: str) -> Edit | None:
        """Return the edit that puts a line of its own at the start of the body; None where none fits."""
        first, source = getattr(self.block.header, "body", [None])[0], self.model.source
        if first is None:
            return None
        start = source.line_starts[first.lineno - 1]
        indent = source.text[start : source.offset(first.lineno, first.col_offset)]
        return None if indent.strip() else self.model.edit(start, start, f"{indent}{text}\n")

    def follows(self, expr: Expr) -> bool:
        """Say whether it is the statement right behind that of an expression."""
        place, header, source = _lines_of_statement(expr), self.block.header, self.model.source
        if (
            place is None
            or source is not expr.model.source
            or expr.site.block is not self.block.parent
        ):
            return False
        start = source.offset(getattr(header, "lineno", 1), getattr(header, "col_offset", 0))
        return start >= place[1] and not source.text[place[1] : start].strip()

    @property
    def loaders(self) -> tuple[Call, ...]:
        """The constructions of ``DataLoader`` that it may iterate over."""
        iterable = self.iterable
        return () if iterable is None else self.model.loaders_behind(iterable)

    @property
    def trains(self) -> bool:
        """Whether it is the loop over epochs, batches or episodes of a training, or what it calls is."""
        if not self.over_epochs and not self.over_batches and not self.over_episodes:
            return False
        return any(
            event.kind is LoopEvent.BACKWARD and event.inside(self)
            for routine in self.model.routines()
            for event in routine.events
        ) or (self.over_epochs and any(_names_training(call) for call in self.calls))

    @property
    def over_batches(self) -> bool:
        """Whether it iterates over a loader: one that the file makes, or one by its name."""
        iterable = self.iterable
        return iterable is not None and self.model.is_loader(iterable)


class Function:
    """A function or method of the file."""

    def __init__(self, model: FileModel, scope: Scope) -> None:
        self.model = model
        self.scope = scope
        self.node = scope.node

    def __eq__(self, other: object) -> bool:
        """Compare by place."""
        return isinstance(other, Function) and other.scope is self.scope

    def __hash__(self) -> int:
        """Hash by place."""
        return hash(id(self.scope))

    @property
    def name(self) -> str:
        """The name as defined; empty of a lambda."""
        return str(getattr(self.node, "name", ""))

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.model.source.path

    @property
    def span(self) -> Span:
        """The line of the ``def``, up to the end of the name."""
        line = getattr(self.node, "lineno", 1)
        column = getattr(self.node, "col_offset", 0) + 1
        width = len("def ") + len(self.name)
        if isinstance(self.node, ast.AsyncFunctionDef):
            width += len("async ")
        return self.model.source.in_cell(Span(line, column, line, column + width))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, ``self`` included."""
        return tuple(
            name
            for name, bindings in self.scope.bindings.items()
            if bindings[0].kind is BindingKind.PARAMETER
        )

    @property
    def decorators(self) -> list[Expr]:
        """The decorators, from the top."""
        site = self.model.index.definition_sites.get(id(self.node))
        if site is None:
            return []
        nodes = getattr(self.node, "decorator_list", ())
        return [self.model.expr(node, site) for node in nodes]

    @property
    def first_statement(self) -> Expr | None:
        """The first statement behind the docstring; None of a lambda, or where there is no other."""
        body = getattr(self.node, "body", ())
        block = self.scope.block
        if not isinstance(body, list) or block is None:
            return None
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        if not body:
            return None
        return Expr(self.model, body[0], Site(body[0], block, self.scope, block.index))

    @property
    def returns(self) -> tuple[Expr, ...]:
        """The values that it returns."""
        return tuple(self.model.expr(node, site) for node, site in self.scope.returns)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls in it, in the order in which they run."""
        found = [Call(self.model, node, site) for node, site in self.scope.calls]
        return tuple(sorted(found, key=lambda call: call.order))

    def decorated_with(self, text: str) -> Edit | None:
        """Return the edit that puts a decorator right above the ``def``; None of a lambda."""
        source = self.model.source
        if not isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        start = source.line_starts[self.node.lineno - 1]
        indent = source.text[start : source.offset(self.node.lineno, self.node.col_offset)]
        return None if indent.strip() else self.model.edit(start, start, f"{indent}@{text}\n")

    @property
    def class_scope(self) -> Scope | None:
        """The class that this is a method of."""
        parent = self.scope.parent
        return parent if parent is not None and self.model.is_class_scope(parent) else None

    @property
    def enclosing(self) -> tuple[Function, ...]:
        """The functions in which this one is defined, itself first."""
        found: list[Function] = [self]
        scope = self.scope.parent
        while scope is not None:
            outer = self.model.function_of(scope)
            if outer is not None:
                found.append(outer)
            scope = scope.parent
        return tuple(found)

    @property
    def callers(self) -> tuple[Call, ...]:
        """The calls of it in the file."""
        return self.model.follower.call_sites(self.scope)


def _names_training(call: Call) -> bool:
    """Say whether a call is one of a function that trains, by its name: not ``net.train()``."""
    words = words_of(call.method or "")
    return bool(call.args or call.keywords) and not {"train", "fit", "training"}.isdisjoint(words)


def _statements(block: Block) -> list[ast.stmt]:
    """Return the statements of a block."""
    header = block.header
    if isinstance(header, ast.Try) and block.arm > 0:
        return header.handlers[block.arm - 1].body if block.arm <= len(header.handlers) else []
    if isinstance(header, ast.Match):
        return header.cases[block.arm].body
    if block.arm == 1:
        return list(getattr(header, "orelse", ()))
    body = getattr(header, "body", ())
    return body if isinstance(body, list) else []


def _leaves(body: list[ast.stmt]) -> bool:
    """Say whether statements end by leaving the function or the loop, other than by an error."""
    return bool(body) and isinstance(body[-1], ast.Return | ast.Continue | ast.Break)


def _way_to(root: ast.AST, node: ast.AST) -> list[ast.AST] | None:
    """Return what lies between a statement and a part of it, from the innermost; None if it is none."""
    for child in ast.iter_child_nodes(root):
        if child is node:
            return [] if isinstance(root, ast.stmt) else [root]
        if not isinstance(child, ast.stmt):
            way = _way_to(child, node)
            if way is not None:
                return way if isinstance(root, ast.stmt) else [*way, root]
    return None


def _tested(name: Expr) -> Iterator[Expr]:
    """Yield the parts of the values that a name may hold."""
    for origin in name.origins():
        yield from origin.parts()


def _lines_of_statement(expr: Expr) -> tuple[int, int, str] | None:
    """Return where the lines of a simple statement start and end, and its indentation.

    None where it shares a line with something else, a comment aside.
    """
    statement, source = expr.site.statement, expr.model.source
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign):
        return None
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    start = source.line_starts[first - 1]
    end = source.line_starts[last] if last < len(source.line_starts) else len(source.text)
    indent = source.text[start : source.offset(first, statement.col_offset)]
    rest = source.text[source.offset(last, statement.end_col_offset or 0) : end].strip()
    if indent.strip() or (rest and not rest.startswith("#")):
        return None
    return start, end, indent


def records_gradient(context: Expr) -> str | None:
    """Say whether a context or decorator switches autograd ``on``, ``off``, or ``?``; None if neither."""
    name = context.callee if isinstance(context, Call) else context.qualified
    if name in {"torch.no_grad", "torch.inference_mode"}:
        mode = context.argument(0, "mode") if isinstance(context, Call) else None
        value = True if mode is None or name == "torch.no_grad" else mode.truth()
    elif name == "torch.enable_grad":
        value = False
    elif name == "torch.set_grad_enabled" and isinstance(context, Call) and context.args:
        given = context.args[0].truth()
        value = None if given is None else not given
    else:
        return None
    return "?" if value is None else "off" if value else "on"
