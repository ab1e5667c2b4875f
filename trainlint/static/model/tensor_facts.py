"""What is known of a tensor: the type of its numbers, its sizes, whether weights stand behind it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import BindingKind
from trainlint.static.torch_api import FUNCTIONS, SHAPE_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.fix import Edit
    from trainlint.static.model.data_sets import DataSetClass
    from trainlint.static.model.file import FileModel

_MOST_DEPTH = 20

_INTEGER_TYPES = frozenset(
    f"torch.{name}"
    for name in ("long", "int", "short", "int8", "int16", "int32", "int64", "uint8", "LongTensor")
) | {"torch.IntTensor", "torch.cuda.LongTensor", "torch.cuda.IntTensor"}
"""Types of whole numbers, as ``dtype=`` and ``.to(...)`` take them."""

_MAKES_INTEGERS = frozenset(
    {
        "torch.nn.functional.one_hot",
        "torch.LongTensor",
        "torch.IntTensor",
        "torch.cuda.LongTensor",
        "torch.randint",
        "torch.randperm",
        "torch.argmax",
        "torch.argmin",
    }
)
"""Functions whose result is whole numbers unless a ``dtype`` says otherwise."""

_FACTORIES = frozenset(
    f"torch.{name}"
    for name in (
        "zeros",
        "ones",
        "full",
        "empty",
        "tensor",
        "as_tensor",
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
    )
)
"""Functions that make a tensor of the type that ``dtype`` names."""

_KEEPS_TYPE = SHAPE_OPERATIONS - {
    "to",
    "float",
    "double",
    "half",
    "bfloat16",
    "type",
    "type_as",
} | {
    "scatter_",
    "scatter",
    "fill_",
    "detach",
    "pin_memory",
}
"""Methods whose result has the type of what they are called on."""

_DIFFERENTIABLE = (
    (frozenset(FUNCTIONS) - {"argmax"})
    | SHAPE_OPERATIONS
    | {
        "add",
        "sub",
        "mul",
        "div",
        "matmul",
        "mm",
        "bmm",
        "pow",
        "sqrt",
        "abs",
        "square",
        "mean",
        "sum",
        "sin",
        "cos",
    }
)
"""Operations through which a gradient flows."""

_COPIES = frozenset({"contiguous", "clone", "detach", "float", "half", "double"})
"""Methods whose result has the shape of what they are called on."""


@immutable
class Dimension:
    """One size of a tensor: ``x.size(1)``, or the second name of ``b, c = x.shape``."""

    tensor: Expr
    index: int
    rank: int | None
    """How many dimensions the tensor has, where the file says it."""


@immutable
class Reshape:
    """A ``view`` or ``reshape`` whose sizes are those of the very tensor, in another order."""

    call: Call
    order: tuple[int, ...]
    """The dimensions of the tensor in the order in which the new shape names them."""
    is_pure: bool
    """Whether each size stands alone, none multiplied with another."""

    def permuted(self) -> Edit:
        """Return the edit that moves the dimensions before, or instead of, the reshape."""
        receiver = self.call.receiver
        assert receiver is not None
        permuted = f"{receiver.operand_text}.permute({', '.join(map(str, self.order))})"
        arguments = self.call.source_text[len(self.call.called.source_text) :]
        return self.call.replaced_by(permuted if self.is_pure else f"{permuted}.reshape{arguments}")


def integer_maker(expr: Expr) -> Call | None:
    """Return the call that makes the whole numbers that a value surely holds; None if not sure."""
    return _integer_maker(expr, 0)


def _integer_maker(expr: Expr, depth: int) -> Call | None:
    found: list[Call] = []
    for origin in expr.origins() if depth < _MOST_DEPTH else ():
        made = _of_call(origin, depth) if isinstance(origin, Call) else None
        if made is None:
            return None
        found.append(made)
    return found[0] if found else None


def _of_call(call: Call, depth: int) -> Call | None:
    """Return the call that makes whole numbers, behind changes of shape and device."""
    if call.target is not None:
        return None
    dtype = call.keywords.get("dtype")
    if call.callee is not None:
        if dtype is not None:
            return call if dtype.qualified in _INTEGER_TYPES and _casts(call.callee) else None
        return call if call.callee in _MAKES_INTEGERS else None
    receiver, method = call.receiver, call.method
    if receiver is None or method is None or receiver.name == "self":
        return None
    if method in {"long", "int", "argmax", "argmin"}:
        return call if not call.args or method.startswith("arg") else None
    if method in {"to", "type"}:
        given = dtype or call.argument(0, "device")
        if given is None:
            return None
        if given.qualified in _INTEGER_TYPES:
            return call
        return _integer_maker(receiver, depth + 1) if _names_device(given) else None
    return _integer_maker(receiver, depth + 1) if method in _KEEPS_TYPE else None


def _casts(callee: str) -> bool:
    """Say whether a function takes the type of its result from ``dtype``."""
    return callee in _FACTORIES or callee in _MAKES_INTEGERS


def _names_device(expr: Expr) -> bool:
    """Say whether an expression is a device by its name, not a type or another tensor."""
    text = expr.string()
    if text is not None:
        return text.startswith(("cuda", "cpu", "mps", "xpu"))
    return "device" in (expr.name or "").lower() or any(
        isinstance(origin, Call) and origin.callee == "torch.device" for origin in expr.origins()
    )


def dimension(expr: Expr) -> Dimension | None:
    """Return the size of a tensor that a value surely is; None of anything else."""
    binding = expr.binding if expr.is_name else None
    if binding is not None and binding.path:
        if binding.kind is not BindingKind.ASSIGN or binding.value is None or len(binding.path) > 1:
            return None
        tensor = _tensor_of_shape(expr.model.expr(binding.value, binding.site))
        if tensor is None:
            return None
        targets = list(getattr(binding.site.statement, "targets", ()))
        names = list(getattr(targets[0], "elts", ())) if len(targets) == 1 else []
        starred = any(isinstance(name, ast.Starred) for name in names)
        return Dimension(tensor, binding.path[0], len(names) if names and not starred else None)
    origins = expr.origins() if expr.is_name else (expr,)
    if len(origins) != 1:
        return None
    origin = origins[0]
    index: object = None
    tensor = None
    if isinstance(origin, Call):
        if origin.callee is None and origin.method == "size" and len(origin.args) == 1:
            index, tensor = origin.args[0].literal(), origin.receiver
    elif isinstance(origin.node, ast.Subscript) and origin.owner is not None:
        index, tensor = origin.child(origin.node.slice).literal(), _tensor_of_shape(origin.owner)
    if tensor is None or not isinstance(index, int) or index < 0:
        return None
    return Dimension(tensor, index, None)


def _tensor_of_shape(expr: Expr) -> Expr | None:
    """Return the tensor whose whole shape an expression is: ``x`` of ``x.shape``, ``x.size()``."""
    if isinstance(expr, Call):
        asks = expr.callee is None and expr.method == "size" and not expr.args
        return expr.receiver if asks and not expr.keywords else None
    return expr.owner if expr.is_attribute and expr.name == "shape" else None


def reshapes(model: FileModel) -> Iterator[Reshape]:
    """Yield every ``view`` and ``reshape`` that names all sizes of the tensor in another order."""
    for call in model.method_calls("view", "reshape"):
        if call.callee is None and call.receiver is not None:
            found = _reordered(call)
            if found is not None:
                yield found


def _reordered(call: Call) -> Reshape | None:
    """Return the reshape if its sizes are those of the tensor in another order."""
    tensor = _behind_copies(call.receiver)
    sizes = call.args
    if len(sizes) == 1 and sizes[0].items is not None:
        sizes = sizes[0].items
    if tensor is None or not tensor.is_name or call.keywords or call.is_open:
        return None
    order: list[int] = []
    merged: list[int] = []
    rest: int | None = None
    ranks: set[int] = set()
    for size in sizes:
        if size.number() == -1 and rest is None:
            rest = len(order)
            continue
        group: list[int] = []
        for factor in _factors(size):
            one = dimension(factor)
            if one is None or not _is_same(one.tensor, tensor) or one.index in order:
                return None
            order.append(one.index)
            group.append(one.index)
            if one.rank is not None:
                ranks.add(one.rank)
        # Neighbours that are merged stay in order, whichever of them the product names first.
        merged += sorted(group)
    if len(ranks) > 1:
        return None
    known = bool(ranks)
    rank = ranks.pop() if ranks else len(order)
    missing = [index for index in range(rank) if index not in order]
    if (rest is None and missing) or (rest is not None and not known):
        return None
    if rest is not None:
        order[rest:rest] = missing
        merged[rest:rest] = missing
    if sorted(order) != list(range(rank)) or merged == sorted(order):
        return None
    return Reshape(call, tuple(order), len(sizes) == rank)


def _behind_copies(expr: Expr | None) -> Expr | None:
    """Return the tensor behind calls that keep its shape: ``x`` of ``x.contiguous()``."""
    while (
        isinstance(expr, Call) and expr.callee is None and expr.method in _COPIES and not expr.args
    ):
        expr = expr.receiver
    return expr


def _factors(size: Expr) -> Iterator[Expr]:
    """Yield the factors of a product."""
    if size.operator == "Mult":
        for side in size.operands:
            yield from _factors(side)
    else:
        yield size


def _is_same(one: Expr, other: Expr) -> bool:
    """Say whether two names surely hold the same tensor."""
    binding = one.binding if one.is_name else None
    return binding is not None and one.text == other.text and binding is other.binding


def carries_gradient(expr: Expr) -> Expr | None:
    """Return the layer's call whose output a value is computed from, where gradients flow back to it."""
    return _carrier(expr, 0)


def _carrier(expr: Expr, depth: int) -> Expr | None:
    if depth > _MOST_DEPTH:
        return None
    layers = expr.model.layers
    node = expr.node
    if isinstance(node, ast.BinOp):
        sides = (_carrier(side, depth + 1) for side in expr.operands)
        return next((one for one in sides if one is not None), None)
    if isinstance(node, ast.Subscript) and expr.owner is not None:
        return _carrier(expr.owner, depth + 1)
    if isinstance(expr, Call):
        if expr.target is None and expr.callee is None:
            steps = layers.steps_of_called(expr)
            if steps is not None:
                weighted = any(step.layer is not None and step.layer.has_weights for step in steps)
                if weighted:
                    return expr
                return _carrier(expr.args[0], depth + 1) if expr.args else None
        if expr.callee is not None and not expr.callee.startswith("torch."):
            return None
        if expr.method not in _DIFFERENTIABLE or expr.target is not None:
            return None
        inner = expr.argument(0, "input") if expr.callee is not None else expr.receiver
        return None if inner is None or inner.name == "self" else _carrier(inner, depth + 1)
    steps_back = expr.model.follower.definitions(expr)
    found = [None if step == expr else _carrier(step, depth + 1) for step in steps_back or ()]
    return found[0] if found and all(one is not None for one in found) else None


_SIZED = frozenset({"rand", "randn", "zeros", "ones", "empty"})
_LINES = frozenset({"arange", "linspace", "logspace", "randperm"})
_CONVERTS = frozenset({"tensor", "as_tensor", "from_numpy", "FloatTensor"})
_REDUCES = frozenset(
    {"sum", "mean", "amax", "amin", "std", "var", "prod", "norm", "argmax", "argmin", "select"}
)
_KEEPS_RANK = (
    (frozenset(FUNCTIONS) - {"argmax", "cat", "concat", "stack", "linear"})
    | {"sin", "cos", "sqrt", "abs", "pow", "square", "add", "sub", "mul", "div", "sign", "round"}
    | {"to", "cuda", "cpu", "float", "double", "half", "bfloat16", "long", "int", "type"}
    | {
        "clone",
        "contiguous",
        "detach",
        "requires_grad_",
        "transpose",
        "permute",
        "repeat",
        "astype",
    }
) - {"batch_norm", "layer_norm", "glu"}


def rank_of(expr: Expr) -> int | None:
    """Return how many dimensions a value surely has; None where the file does not say it.

    A batch of a ``DataLoader`` over a ``TensorDataset`` has those of the tensors that it is made of,
    and one over a data set of the project one more than what its ``__getitem__`` returns.
    """
    return _rank(expr, 0)


def _rank(expr: Expr, depth: int) -> int | None:
    if depth > _MOST_DEPTH:
        return None
    batch = _rank_of_batch(expr, depth)
    if batch is not None:
        return batch
    origins = expr.origins()
    if origins == (expr,):
        return _rank_made(expr, depth)
    found = {_rank(origin, depth + 1) if origin != expr else None for origin in origins}
    return found.pop() if len(found) == 1 else None


def _rank_made(expr: Expr, depth: int) -> int | None:
    """Return the number of dimensions of what an expression makes."""
    node = expr.node
    if expr.number() is not None:
        return 0
    if isinstance(node, ast.BinOp):
        ranks = [_rank(side, depth + 1) for side in expr.operands]
        known = [rank for rank in ranks if rank is not None]
        if expr.operator == "MatMult":
            first, second = ranks
            return None if first is None or second is None else max(first + second - 2, 0)
        return max(known) if len(known) == len(ranks) else None
    if isinstance(node, ast.UnaryOp):
        return _rank(expr.child(node.operand), depth + 1)
    if isinstance(node, ast.Subscript) and expr.owner is not None:
        return _rank_of_items(expr, node.slice, _rank(expr.owner, depth + 1))
    return _rank_of_call(expr, depth) if isinstance(expr, Call) else None


def _rank_of_items(expr: Expr, index: ast.expr, rank: int | None) -> int | None:
    """Return the number of dimensions that an index leaves."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    for part in parts:
        if isinstance(part, ast.Constant) and part.value is None:
            rank = None if rank is None else rank + 1
        elif isinstance(part, ast.Slice):
            continue
        elif _is_place(expr.child(part)):
            rank = None if rank is None else rank - 1
        else:
            return None
    return rank


def _is_place(index: Expr) -> bool:
    """Say whether an index is surely one number: known, or reckoned from that of an example."""
    if isinstance(index.number(), int):
        return True
    if index.operands:
        return index.operator in {"Add", "Sub", "Mult", "FloorDiv", "Mod"} and all(
            map(_is_place, index.operands)
        )
    binding = index.binding if index.is_name and index.is_parameter else None
    function = index.function
    return binding is not None and function is not None and function.name == "__getitem__"


def _rank_of_call(call: Call, depth: int) -> int | None:
    """Return the number of dimensions of what a call makes."""
    if call.target is not None or call.is_open:
        return None
    last = (call.callee or "").rpartition(".")[2] if call.callee is not None else call.method
    if call.callee is not None:
        if call.callee in {"builtins.float", "builtins.int"}:
            return 0
        if call.callee.startswith("numpy."):
            return _rank_of_array(call, last or "", depth)
        if call.callee not in {f"torch.{last}", f"torch.nn.functional.{last}"}:
            return None
        if last in _SIZED:
            return _rank_of_sizes(call.args)
        if last in _LINES:
            return 1
        if last in _CONVERTS and call.args:
            known = _rank_of_list(call.args[0])
            return _rank(call.args[0], depth + 1) if known is None else known
    receiver = call.argument(0, "input") if call.callee is not None else call.receiver
    arguments = call.args[1:] if call.callee is not None else call.args
    if receiver is None or receiver.name == "self" or last is None:
        return None
    if last in {"view", "reshape"}:
        return _rank_of_sizes(arguments)
    if last == "ravel" or (last == "flatten" and not arguments and not call.keywords):
        return 1
    rank = _rank(receiver, depth + 1)
    if rank is None:
        return None
    if last == "unsqueeze":
        return rank + 1
    if last in _REDUCES:
        keeps = call.keywords.get("keepdim") or (arguments[1] if len(arguments) > 1 else None)
        one = arguments[0] if arguments else call.keywords.get("dim")
        if one is None:
            return 0
        return rank - 1 if keeps is None and isinstance(one.number(), int) else None
    return rank if last in _KEEPS_RANK else None


def _rank_of_array(call: Call, last: str, depth: int) -> int | None:
    """Return the number of dimensions of an array that ``numpy`` makes or reads."""
    if last in {"loadtxt", "genfromtxt"}:
        column = call.keywords.get("usecols")
        single = column is not None and isinstance(column.number(), int)
        return 1 if single and not {"ndmin", "unpack", "names"} & {*call.keywords} else None
    if last not in {"array", "asarray"} or not call.args or "ndmin" in call.keywords:
        return None
    known = _rank_of_list(call.args[0])
    return _rank(call.args[0], depth + 1) if known is None else known


def _rank_of_sizes(sizes: tuple[Expr, ...]) -> int | None:
    """Return how many sizes are given, one by one or as one tuple."""
    if len(sizes) == 1:
        if sizes[0].items is not None:
            return len(sizes[0].items)
        return 1 if isinstance(sizes[0].number(), int) else None
    return len(sizes) or None


def _rank_of_list(content: Expr) -> int | None:
    """Return the number of dimensions of a tensor that is made of a list as written."""
    items = content.items
    if items is None:
        return None if content.number() is None else 0
    if not items:
        return None
    inner = _rank_of_list(items[0])
    return None if inner is None else inner + 1


def _rank_of_batch(expr: Expr, depth: int) -> int | None:
    """Return the number of dimensions of what a loop over a ``DataLoader`` gives a name."""
    binding = expr.binding if expr.is_name else None
    iterated = expr.iterated
    if binding is None or iterated is None:
        return None
    path = binding.path
    if isinstance(iterated, Call) and iterated.callee == "builtins.enumerate" and iterated.args:
        if path[:1] != (1,):
            return None
        iterated, path = iterated.args[0], path[1:]
    loaders = iterated.origins()
    if not loaders or len(path) != 1:
        return None
    found = {_rank_of_loaded(loader, path[0], depth) for loader in loaders}
    return found.pop() if len(found) == 1 else None


def _rank_of_loaded(loader: Expr, place: int, depth: int) -> int | None:
    """Return the number of dimensions of what a ``DataLoader`` gives at a place of its batches."""
    if not isinstance(loader, Call) or loader.callee != "torch.utils.data.DataLoader":
        return None
    size = loader.argument(1, "batch_size")
    if "collate_fn" in loader.keywords or loader.is_open or (size and size.literal() is None):
        return None
    given = loader.argument(0, "dataset")
    sets = () if given is None else given.origins()
    if len(sets) != 1 or not isinstance(sets[0], Call) or sets[0].is_open:
        return None
    if sets[0].callee == "torch.utils.data.TensorDataset":
        return _rank(sets[0].args[place], depth + 1) if place < len(sets[0].args) else None
    found = sets[0].model.data_set_class(sets[0])
    rank = None if found is None else _rank_of_example(found, place, depth)
    return None if rank is None else rank + 1


def _rank_of_example(data: DataSetClass, place: int, depth: int) -> int | None:
    """Return the number of dimensions of a part of an example, on each way out of ``__getitem__``."""
    scope = data.model.method_scope(data.scope, "__getitem__")
    function = None if scope is None else scope.index.model.function_of(scope)
    ranks: set[int | None] = set()
    for value in () if function is None else function.returns:
        for origin in value.origins():
            items = origin.items
            known = items is not None and place < len(items)
            ranks.add(_rank(items[place], depth + 1) if known and items is not None else None)
    return ranks.pop() if len(ranks) == 1 else None
