"""What becomes of a value that is kept in a variable: who uses it up, what is put into it."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import Binding, BlockKind, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.training import Optimizer
    from trainlint.static.model.tree import Block

_GENERATORS = ("parameters", "named_parameters")
_LAZY = frozenset({"builtins.filter", "builtins.map", "itertools.chain", "itertools.filterfalse"})
"""Functions that go through what they are given only when somebody asks them."""

_LOOKS_ONLY = frozenset(
    {
        "builtins.isinstance",
        "builtins.type",
        "builtins.id",
        "builtins.callable",
        "builtins.print",
        "builtins.repr",
        "builtins.hasattr",
        "builtins.next",
        "itertools.tee",
    }
)
"""Functions that take a generator and leave it as it is, or nearly so."""


@immutable
class ParameterGenerator:
    """A generator of a model's parameters that is kept in a variable.

    ``reused`` are the uses that find it empty, each with the use that emptied it.
    """

    made: Expr
    reused: tuple[tuple[Expr, Expr], ...]

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.made.path

    @property
    def span(self) -> Span:
        """Where it is made."""
        return self.made.span

    @property
    def as_list(self) -> str:
        """The text of a list of the same things."""
        text = self.made.source_text
        if isinstance(self.made.node, ast.GeneratorExp):
            return f"[{text[1:-1].strip()}]"
        return f"list({text})"


@immutable
class ReplacedLayer:
    """A layer with weights that is put into a model whose parameters an optimizer has taken."""

    target: Expr
    value: Expr
    optimizer: Optimizer

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.target.path

    @property
    def span(self) -> Span:
        """The place in the model."""
        return self.target.span


class Variables:
    """Answers questions about the variables of one file."""

    def __init__(self, model: FileModel) -> None:
        self.model = model

    # -- generators ---------------------------------------------------------------------------

    @cached_property
    def parameter_generators(self) -> tuple[ParameterGenerator, ...]:
        """Every generator of parameters that is kept in a variable, in the order of the file."""
        if not self.model.has_layers or self._hands_out_lists():
            return ()
        found: dict[Expr, ParameterGenerator] = {}
        for call in self.model.method_calls(*_GENERATORS):
            made = self._kept(call)
            if made is not None and made not in found:
                found[made] = ParameterGenerator(made, tuple(self._reused(made)))
        return tuple(found.values())

    def _hands_out_lists(self) -> bool:
        """Say whether a class of the file has a method ``parameters`` that is no generator."""
        for scope in self.model.index.classes.values():
            method = self.model.own_method_scope(scope, "parameters")
            if method is not None and any(
                not isinstance(value, ast.GeneratorExp) for value, _ in method.returns
            ):
                return True
        return False

    def _kept(self, call: Call) -> Expr | None:
        """Return the generator that is assigned to a variable: the call, or what wraps it lazily."""
        statement = call.site.statement
        value = getattr(statement, "value", None)
        if (
            call.receiver is None
            or call.args
            or not isinstance(statement, ast.Assign | ast.AnnAssign)
        ):
            return None
        if value is call.node:
            return call
        if isinstance(value, ast.GeneratorExp) and value.generators[0].iter is call.node:
            return self.model.expr(value, call.site)
        if isinstance(value, ast.Call) and call.node in value.args:
            made = self.model.call(value, call.site)
            if made.callee in _LAZY:
                return made
        return None

    def _reused(self, made: Expr) -> Iterator[tuple[Expr, Expr]]:
        """Yield the uses that find a generator empty, each with the use before it."""
        uses = [use for use, consumer in self._uses(made) if consumer]
        for number, use in enumerate(uses):
            if self._is_repeated(use, made) and not isinstance(use.site.statement, ast.Return):
                yield use, use
                continue
            for earlier in uses[:number]:
                if _both_run(earlier, use, made):
                    yield use, earlier
                    break

    def _uses(self, made: Expr) -> Iterator[tuple[Expr, bool]]:
        """Yield where the variable that holds a value is read, and whether that goes through it."""
        holder = self.model.holder(made)
        if holder is None:
            return
        text, scope = holder
        last = text.rpartition(".")[2]
        index = self.model.index
        table = index.attributes if "." in text else index.names
        reads = []
        for node, site in table.get(last, ()):
            read = self.model.expr(node, site)
            if self._reads(read, made, scope, text):
                reads.append(read)
        for read in sorted(reads, key=lambda one: one.order):
            yield read, self._goes_through(read)

    def _reads(self, read: Expr, made: Expr, scope: Scope, text: str) -> bool:
        """Say whether an expression reads the variable while it holds the value."""
        if read.text != text:
            return False
        same_function = read.site.scope.function is scope
        if read.is_attribute:
            owner = self.model.class_of_self(made.site, getattr(_target(made), "value", None))
            if owner is None:
                return same_function and self._holds(read, made)
            if self.model.class_of_self(read.site, getattr(read.node, "value", None)) is not owner:
                return False
            bindings = owner.attributes.get(read.name or "", [])
            if len(bindings) == 1:
                return not same_function or read.site.index > made.site.index
            return same_function and self._holds(read, made)
        return same_function and self._holds(read, made)

    def _holds(self, read: Expr, made: Expr) -> bool:
        """Say whether a value is the only one that reaches a place of reading."""
        if read.site.index <= made.site.index:
            return False
        binding = read.binding
        return binding is not None and binding.value is made.node

    def _goes_through(self, read: Expr) -> bool:
        """Say whether a use goes through what the variable holds."""
        for parent in ast.walk(read.site.statement):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension):
                if parent.iter is read.node:
                    return True
            elif isinstance(parent, ast.Call):
                values = [*parent.args, *(word.value for word in parent.keywords)]
                if read.node in values:
                    call = self.model.call(parent, read.site)
                    return call.callee not in _LOOKS_ONLY
            elif isinstance(parent, ast.Starred | ast.YieldFrom):
                if parent.value is read.node:
                    return True
            elif isinstance(parent, ast.Dict) and read.node in parent.values:
                return True
        return False

    def _is_repeated(self, use: Expr, made: Expr) -> bool:
        """Say whether a use stands in a loop that does not make the value anew, and is not left."""
        if use.site.scope.function is not made.site.scope.function:
            return False
        outer = made.site.block.ancestors()
        for loop in use.loops:
            if loop.block not in outer:
                iterated = loop.iterable
                inside = iterated is None or use not in iterated.parts()
                return inside and not loop.can_end_early
        return False

    # -- layers put into a model --------------------------------------------------------------

    @cached_property
    def replaced_layers(self) -> tuple[ReplacedLayer, ...]:
        """Every layer put into a model, in a straight line, after an optimizer took the model."""
        found = [
            ReplacedLayer(target, value, optimizer)
            for optimizer in self.model.optimizers()
            for owner in optimizer.models
            for target, value in self._put_into(owner, optimizer.call)
            if self._is_new_layer(value) and self._is_missed(target, optimizer)
        ]
        return tuple(sorted(found, key=lambda one: one.target.order))

    def _put_into(self, owner: Expr, after: Call) -> Iterator[tuple[Expr, Expr]]:
        """Yield what is assigned into an object later in the same block: target and value."""
        block, text = after.site.block, owner.text
        for entries in self.model.index.stores.values():
            for target, binding in entries:
                site = binding.site
                if site.block is not block or site.index <= after.site.index:
                    continue
                if binding.value is None or binding.path:
                    continue
                place = self.model.expr(target, site)
                if _lies_in(place, text) and not self._bound_between(owner, after, place):
                    yield place, self.model.expr(binding.value, site)

    def _bound_between(self, owner: Expr, first: Expr, last: Expr) -> bool:
        """Say whether the variable that holds an object gets another one between two places."""
        while owner.owner is not None and not owner.is_attribute:
            owner = owner.owner
        name = owner.name or ""
        bindings: list[Binding] = []
        if owner.is_attribute:
            bindings = [
                one
                for target, one in self.model.index.stores.get(name, ())
                if self.model.expr(target, one.site).text == owner.text
            ]
        else:
            found = self.model.names.lookup(name, first.site.scope)
            bindings = [] if found is None else found[1]
        return any(first.site.index < one.site.index < last.site.index for one in bindings)

    def _is_new_layer(self, value: Expr) -> bool:
        """Say whether a value is surely made of new layers, with weights among them."""
        origins = value.objects()
        if not origins or not all(isinstance(origin, Call) for origin in origins):
            return False
        module = self.model.module_of(value)
        if module is not None:
            return any(layer.is_linear or layer.is_recurrent for layer in module.layers)
        steps = self.model.layers.steps(value)
        known = [step.layer for step in steps if step.layer is not None]
        return len(known) == len(steps) and any(
            layer.is_linear or layer.is_recurrent for layer in known
        )

    def _is_missed(self, target: Expr, optimizer: Optimizer) -> bool:
        """Say whether nothing tells an optimizer of a layer, and the training is still to come."""
        made = optimizer.call
        scope = made.site.scope.function
        calls = [self.model.call(node, site) for node, site in scope.calls]
        later = [call for call in calls if call.site.index > target.site.index]
        built = {one.call for one in self.model.optimizers()}
        if any(call in built or call.method == "add_param_group" for call in later):
            return False
        holder = self.model.holder(made)
        if holder is None:
            return False
        name = holder[0].rpartition(".")[2]
        schedulers = {one.call for one in self.model.schedulers()}
        before = [
            call
            for call in calls
            if made.site.index < call.site.index < target.site.index
            and call not in schedulers
            and call.mentions(name)
        ]
        return not before or any(call.mentions(name) for call in later)


def _target(made: Expr) -> ast.expr | None:
    """Return the first target of the assignment that keeps a value."""
    statement = made.site.statement
    if isinstance(statement, ast.Assign):
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AnnAssign) else None


def _lies_in(place: Expr, text: str) -> bool:
    """Say whether a place is an attribute or an item of what reads like a text."""
    current = place.owner
    while current is not None:
        if current.text == text:
            return True
        current = current.owner
    return False


def _both_run(earlier: Expr, later: Expr, made: Expr) -> bool:
    """Say whether two uses of a value run one after the other, as far as one can tell."""
    if earlier.site.scope.function is not later.site.scope.function:
        return earlier.site.block is made.site.block
    if isinstance(earlier.site.statement, ast.Return | ast.Raise):
        return False
    early, late = _branches(earlier), _branches(later)
    arms = {id(block.header): block.arm for block in early}
    if any(arms.get(id(block.header), block.arm) != block.arm for block in late):
        return False
    own_early = [block for block in early if block not in late]
    own_late = [block for block in late if block not in early]
    if own_early and own_late:
        return False
    return not any(_leaves(block) for block in own_early)


def _branches(expr: Expr) -> list[Block]:
    """Return the branches around an expression."""
    return [block for block in expr.blocks if block.kind is BlockKind.BRANCH]


def _leaves(block: Block) -> bool:
    """Say whether a branch ends by leaving the function or the loop."""
    header = block.header
    body = getattr(header, "orelse" if block.arm else "body", None) or []
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
