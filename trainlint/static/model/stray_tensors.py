"""Constant tensors that a module keeps as plain attributes, and computes with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import BindingKind
from trainlint.static.torch_api import SHAPE_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.core.fix import Edit
    from trainlint.static.model.layers import ModuleClass

_RANDOM = frozenset({"rand", "randn", "randint", "normal", "bernoulli", "empty"})
_FACTORIES = _RANDOM | {
    "tensor",
    "Tensor",
    "FloatTensor",
    "as_tensor",
    "from_numpy",
    "zeros",
    "ones",
    "full",
    "arange",
    "linspace",
    "logspace",
    "eye",
}
"""Functions of ``torch`` that make a tensor on the CPU unless they are given a device."""
_DERIVED = frozenset(
    [
        "tril",
        "triu",
        "exp",
        "log",
        "sqrt",
        "pow",
        "outer",
        "ger",
        "stack",
        "cat",
        "flip",
        "cumsum",
        "sin",
        "cos",
        "diag",
        "repeat",
        "masked_fill",
        "transpose",
        "t",
        "reshape",
        "view",
        "unsqueeze",
        "float",
        "long",
        "bool",
        "double",
        "expand",
        "flatten",
        "contiguous",
        "abs",
        "mul",
        "div",
        "add",
        "sub",
        "clone",
        "squeeze",
        "permute",
    ]
)
"""Functions and methods whose result lies where their input does."""
_COPIES = frozenset({"array", "asarray", "stack", "concatenate"})
_ARRAYS = _COPIES | {"zeros", "ones", "empty", "full", "eye", "arange", "linspace", "hanning"}
"""Functions of ``numpy`` that make an array; the copies do where they are given a list."""
_MOVES = frozenset({"to", "cuda", "cpu", "type", "type_as", "xpu", "new_tensor"})
_MOST_DEPTH = 10
_MOST_NAMES = 2
_COMPUTES = ("torch.", "torch.nn.functional.")
_INDEPENDENT = frozenset(
    [
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "rand_like",
        "randn_like",
        "is_tensor",
        "numel",
        "tensor",
        "as_tensor",
        "broadcast_shapes",
    ]
)
"""Functions of ``torch`` that go together with a tensor on any device."""
_TAKES_TENSORS = frozenset(
    [
        "masked_fill",
        "masked_fill_",
        "matmul",
        "mm",
        "bmm",
        "mul",
        "add",
        "sub",
        "div",
        "where",
        "index_select",
        "gather",
        "scatter",
        "scatter_",
        "mul_",
        "add_",
        "sub_",
        "div_",
        "dot",
        "mv",
    ]
)
"""Methods of a tensor whose arguments must lie on its device."""


@immutable
class StrayTensor:
    """A tensor that the constructor of a module makes and keeps, and that nothing ever moves."""

    module: ModuleClass
    attribute: str
    made: Expr
    use: Expr
    """A place where it is computed with, together with data."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.made.path

    @property
    def span(self) -> Span:
        """Where it is made."""
        return self.made.span

    def as_buffer(self) -> Edit | None:
        """Return the edit that registers it; None where the assignment does more than that."""
        statement = self.made.site.statement
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return None
        if statement.value is not self.made.node:
            return None
        saved = "" if self._draws else ", persistent=False"
        text = f'self.register_buffer("{self.attribute}", {self.made.source_text}{saved})'
        return self.made.statement.replaced_by(text)

    @property
    def _draws(self) -> bool:
        """Whether its numbers are drawn at random, so that they must be saved."""
        names = {(call.callee or "").rpartition(".")[2] for call in self.made.calls()}
        return bool(names & _RANDOM)


def stray_tensors(module: ModuleClass) -> Iterator[StrayTensor]:
    """Yield the constant tensors that a module keeps, never moves, and puts together with data."""
    model = module.model
    if any(module.method(name) for name in ("_apply", "to", "cuda", "__setattr__", "__getattr__")):
        return
    for name, bindings in module.attributes.items():
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.ASSIGN or bindings[0].path:
            continue
        if bindings[0].value is None:
            continue
        made = model.expr(bindings[0].value, bindings[0].site)
        function = made.function
        if function is None or function.name != "__init__" or not _lies_on_cpu(made):
            continue
        own = f"self.{name}"
        if any(target.text != own for target, _ in model.assignments(name)):
            continue
        reads = [read for read in model.attributes_read(name) if read.text == own]
        if any(_is_moved(read) for read in model.attributes_read(name)):
            continue
        running = set(module.running)
        use = next((one for one in reads if one.function in running and _meets_data(one)), None)
        if use is not None:
            yield StrayTensor(module, name, made, use)


def _lies_on_cpu(made: Expr, depth: int = 0) -> bool:
    """Say whether a value is a tensor with dimensions that is surely made on the CPU."""
    if depth > _MOST_DEPTH:
        return False
    if made.operands:
        return any(_lies_on_cpu(side, depth + 1) for side in made.operands) and not any(
            call.method in _MOVES or "device" in call.keywords for call in made.calls()
        )
    if isinstance(made.node, ast.Subscript) and made.owner is not None:
        return _lies_on_cpu(made.owner, depth + 1)
    if not isinstance(made, Call):
        if not made.is_name:
            return False
        origins = made.origins()
        return len(origins) == 1 and origins[0] != made and _lies_on_cpu(origins[0], depth + 1)
    if "device" in made.keywords or "requires_grad" in made.keywords or made.is_open:
        return False
    if made.callee is not None:
        last = made.callee.rpartition(".")[2]
        if made.callee != f"torch.{last}":
            return False
        if last in _FACTORIES:
            return bool(made.args) and not _is_scalar(made, last)
        inner = made.argument(0, "input")
        return last in _DERIVED and inner is not None and _lies_on_cpu(_first(inner), depth + 1)
    receiver = made.receiver
    if receiver is None or made.method not in _DERIVED or made.target is not None:
        return False
    return _lies_on_cpu(receiver, depth + 1)


def _first(expr: Expr) -> Expr:
    """Return the first item of a list as written, else the expression itself."""
    return expr.items[0] if expr.items else expr


def _is_scalar(made: Call, name: str) -> bool:
    """Say whether a factory may make a tensor without dimensions, which goes with any device."""
    return name in {"tensor", "as_tensor", "from_numpy"} and not _has_items(made.args[0])


def _has_items(content: Expr) -> bool:
    """Say whether a value is surely a list as written, or an array with dimensions."""
    origins = content.origins()
    if isinstance(content.node, ast.ListComp) or len(origins) != 1:
        return isinstance(content.node, ast.ListComp)
    origin = origins[0]
    if isinstance(origin, Call) and (origin.callee or "").startswith("numpy."):
        last = (origin.callee or "").removeprefix("numpy.")
        first = origin.args[0] if origin.args else None
        made = first is not None and last in _ARRAYS
        return made and (last not in _COPIES or (first is not None and _has_items(first)))
    return bool(getattr(origin.node, "elts", ())) and isinstance(origin.node, ast.List | ast.Tuple)


def _is_moved(read: Expr) -> bool:
    """Say whether a read moves the tensor, puts it elsewhere, or asks where it lies."""
    for around in (read, *read.around):
        if around.is_attribute and around.name in {"device", "data"} and around != read:
            return True
        if isinstance(around, Call) and around.method in _MOVES:
            return True
    return False


def _meets_data(read: Expr, depth: int = 0) -> bool:
    """Say whether a tensor is computed with together with data, which may lie on another device."""
    current = read
    way = list(read.around)
    while way:
        around = way.pop(0)
        if isinstance(around.node, ast.Subscript):
            if around.owner != current:
                return False
            current = around
        elif isinstance(around.node, ast.Compare):
            if any(
                _is_data(around.child(one)) for one in (around.node.left, *around.node.comparators)
            ):
                return True
            current = around
        elif around.is_attribute:
            call = way.pop(0) if way else None
            if around.owner != current or not isinstance(call, Call) or call.called != around:
                return around.name == "T" and call is not None and _joins(around, call)
            if around.name not in SHAPE_OPERATIONS:
                return around.name in _TAKES_TENSORS and any(map(_is_data, call.args))
            current = call
        elif around.operands and all(
            side == current or side.number() is not None or _is_given(side)
            for side in around.operands
        ):
            if any(_is_data(side) for side in around.operands if side != current):
                return True
            current = around
        else:
            return _joins(current, around)
    reads = read.model.reads_of(current) if depth < _MOST_NAMES else None
    if reads is None or "." in (current.assigned_to or ""):
        return False
    return not any(map(_is_moved, reads)) and any(_meets_data(one, depth + 1) for one in reads)


def _joins(current: Expr, around: Expr) -> bool:
    """Say whether an operation puts a tensor together with data."""
    if around.operands:
        others = [side for side in around.operands if side != current]
        return any(map(_is_data, others))
    if not isinstance(around, Call):
        return False
    given = (*around.args, *around.keywords.values())
    if current not in given:
        return False
    if around.callee is not None:
        last = around.callee.rpartition(".")[2]
        known = around.callee in {f"{prefix}{last}" for prefix in _COMPUTES}
        if not known or last in _INDEPENDENT or last.startswith("is_"):
            return False
        return any(_is_data(one) for one in given if one != current)
    layer = around.model.layer_of(around.called)
    if layer is not None:
        return layer.has_weights and current in around.args[:1]
    receiver = around.receiver
    return around.method in _TAKES_TENSORS and receiver is not None and _is_data(receiver)


def _is_data(expr: Expr) -> bool:
    """Say whether a value is a tensor that comes from outside of the module, or from its layers."""
    if expr.number() is not None or expr.text.startswith("self."):
        return isinstance(expr, Call) and expr.model.is_tensor(expr)
    if expr.operands:
        return any(map(_is_data, expr.operands))
    if isinstance(expr, Call) and expr.callee is None and expr.method in SHAPE_OPERATIONS:
        return expr.receiver is not None and _is_data(expr.receiver)
    if all(_is_made_here(origin) for origin in expr.origins()):
        return False
    return expr.model.is_tensor(expr) or _is_handled_as_tensor(expr)


def _is_given(expr: Expr) -> bool:
    """Say whether a value is handed to the function: what it is decides what it is added to."""
    return expr.is_name and expr.is_parameter


def _is_made_here(origin: Expr) -> bool:
    """Say whether a value is a new tensor, which lies on the CPU too unless it is told otherwise."""
    makers = {f"torch.{one}" for one in _FACTORIES}
    return (isinstance(origin, Call) and origin.callee in makers) or _lies_on_cpu(origin)


def _is_handled_as_tensor(expr: Expr) -> bool:
    """Say whether a parameter is asked for its sizes, or reshaped, somewhere in its function."""
    function = expr.function
    if function is None or not expr.is_name or not expr.is_parameter:
        return False
    asks = SHAPE_OPERATIONS | {"size", "dim", "numel"}
    shapes = [one.owner for one in expr.model.attributes_read("shape") if one.function == function]
    called = [call.receiver for call in function.calls if call.method in asks]
    return any(owner is not None and owner.text == expr.text for owner in (*shapes, *called))
