"""What is surely a tensor, and which of its methods leave it as it is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.tree import BindingKind
from trainlint.static.torch_api import (
    ACTIVATIONS,
    DROPOUTS,
    FUNCTIONS,
    LINEAR_LAYERS,
    LOSS_FUNCTIONS,
    NORMALISATIONS,
    SHAPE_OPERATIONS,
)

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel

_MOST_DEPTH = 12

_FACTORIES = frozenset(
    [
        "tensor",
        "as_tensor",
        "from_numpy",
        "zeros",
        "zeros_like",
        "ones",
        "ones_like",
        "empty",
        "empty_like",
        "full",
        "full_like",
        "rand",
        "rand_like",
        "randn",
        "randn_like",
        "randint",
        "randint_like",
        "randperm",
        "arange",
        "linspace",
        "logspace",
        "eye",
        "Tensor",
        "FloatTensor",
        "DoubleTensor",
        "LongTensor",
        "IntTensor",
        "bernoulli",
        "multinomial",
        "normal",
    ]
)
"""Functions of ``torch`` that make a tensor."""

_OPERATIONS = frozenset(
    [
        "abs",
        "acos",
        "addmm",
        "amax",
        "amin",
        "asin",
        "atan",
        "baddbmm",
        "bmm",
        "ceil",
        "cos",
        "cumprod",
        "cumsum",
        "diag",
        "diagonal",
        "div",
        "dot",
        "einsum",
        "erf",
        "expm1",
        "fill",
        "flip",
        "floor",
        "fmod",
        "gather",
        "index_add",
        "index_fill",
        "index_select",
        "log10",
        "log1p",
        "log2",
        "logical_and",
        "logical_not",
        "logical_or",
        "logsumexp",
        "masked_fill",
        "masked_scatter",
        "masked_select",
        "matmul",
        "maximum",
        "mean",
        "minimum",
        "mm",
        "mul",
        "multiply",
        "mv",
        "nan_to_num",
        "neg",
        "outer",
        "pow",
        "prod",
        "reciprocal",
        "remainder",
        "roll",
        "round",
        "rsqrt",
        "scatter",
        "scatter_add",
        "sign",
        "sin",
        "sqrt",
        "square",
        "sub",
        "sum",
        "take",
        "tan",
        "tile",
        "tril",
        "triu",
        "trunc",
        "where",
    ]
)
"""Operations, as functions of ``torch`` and as methods, that put out a new tensor."""

_DETACHING = frozenset({"detach", "long", "int", "bool", "short", "byte", "new_zeros", "new_ones"})
_ATTRIBUTES = frozenset({"data", "grad", "T", "mT", "H", "real", "imag"})
_PARAMETERS = frozenset({"weight", "bias", "weight_ih_l0", "weight_hh_l0"})

_LAYERS = (
    LINEAR_LAYERS
    | NORMALISATIONS
    | ACTIVATIONS
    | DROPOUTS
    | {"Embedding", "Flatten", "Sequential", "MaxPool1d", "AvgPool1d", "AvgPool2d"}
    | {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "ZeroPad2d", "PixelShuffle", "Upsample"}
)
"""Layers that make one tensor of one tensor."""

_OTHER_BATCHES = (
    "torch_geometric",
    "dgl",
    "transformers",
    "torchtext",
    "tokenizers",
    "monai",
    "PIL",
)
"""Packages whose loaders hand out objects with ``to(...)`` and ``float()`` of their own."""

_NO_TENSOR = frozenset({"chunk"})
"""Operations on a tensor that put out something else."""

_CUTS = frozenset({"chunk", "split", "unbind", "tensor_split"})
"""Operations that cut a tensor into pieces."""

PURE_METHODS = (
    (SHAPE_OPERATIONS | FUNCTIONS.keys() | _OPERATIONS | _DETACHING)
    - {"cat", "concat", "stack", "conv1d", "conv2d", "conv3d", "linear", "batch_norm", "layer_norm"}
    - {name for name in (*SHAPE_OPERATIONS, *FUNCTIONS) if name.endswith("_")}
)
"""Methods of a tensor that put out another and leave this one alone; those that end in ``_`` do not."""


class Tensors:
    """Answers for one file what is a tensor."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._known: dict[int, bool] = {}

    def is_tensor(self, expr: Expr, depth: int = 0) -> bool:
        """Say whether a value is surely a tensor: each of its origins is one."""
        key = id(expr.node)
        if key not in self._known:
            if depth > _MOST_DEPTH:
                return False
            self._known[key] = False
            self._known[key] = all(self._is_one(one, depth) for one in expr.origins())
        return self._known[key]

    def _is_one(self, expr: Expr, depth: int) -> bool:
        """Say whether an origin is a tensor."""
        node = expr.node
        if isinstance(expr, Call):
            return self._is_result(expr, depth)
        if isinstance(node, ast.BinOp):
            return any(self.is_tensor(side, depth + 1) for side in expr.operands)
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            return self.is_tensor(expr.child(node.operand), depth + 1)
        owner = expr.owner
        if isinstance(node, ast.Subscript) and owner is not None:
            return self.is_tensor(owner, depth + 1)
        if expr.is_attribute and owner is not None:
            if expr.name in _ATTRIBUTES:
                return self.is_tensor(owner, depth + 1) or self.is_weight(owner)
            return self.is_weight(expr)
        return expr.is_name and (
            self.is_weight(expr)
            or self._is_of_loader(expr)
            or _is_fed(expr)
            or self._is_piece(expr, depth)
        )

    def _is_piece(self, expr: Expr, depth: int) -> bool:
        """Say whether a name is one of the pieces into which a tensor is cut, or made of such each."""
        binding = expr.binding
        if binding is None or binding.kind is not BindingKind.ASSIGN or binding.value is None:
            return False
        if len(binding.path) != 1:
            return False
        cut = expr.model.expr(binding.value, binding.site)
        if isinstance(cut, Call):
            tensor = cut.argument(0, "input") if cut.callee else cut.receiver
            known = cut.callee in {None, f"torch.{cut.method}"} and cut.target is None
            return (
                known
                and cut.method in _CUTS
                and tensor is not None
                and self.is_tensor(tensor, depth + 1)
            )
        if not isinstance(cut.node, ast.GeneratorExp | ast.ListComp):
            return False
        inside = cut.model.index.inner_sites[id(cut.node)]
        return self.is_tensor(cut.model.expr(cut.node.elt, inside), depth + 1)

    def is_weight(self, expr: Expr) -> bool:
        """Say whether this is surely a parameter: of a layer, of a loop over ``parameters()``."""
        owner = expr.owner
        if expr.is_attribute and expr.name in _PARAMETERS and owner is not None:
            return self.model.layer_of(owner) is not None
        binding = expr.binding if expr.is_name else None
        if binding is None or binding.kind is not BindingKind.LOOP or expr.iterated is None:
            return False
        iterated, path = expr.iterated, binding.path
        if isinstance(iterated, Call) and iterated.callee == "builtins.enumerate" and iterated.args:
            iterated, path = iterated.args[0], path[1:]
        if (
            not isinstance(iterated, Call)
            or iterated.target is not None
            or iterated.receiver is None
        ):
            return False
        wanted = {"parameters": (), "named_parameters": (1,)}.get(iterated.method or "")
        return wanted is not None and path == wanted

    def _is_result(self, call: Call, depth: int) -> bool:
        """Say whether a call puts out a tensor."""
        name = call.callee
        if call.target is not None or "out" in call.keywords or "return_indices" in call.keywords:
            return False
        if name is not None:
            last = name.rpartition(".")[2]
            if name == "torch.nn.Parameter":
                return True
            if name == f"torch.{last}":
                return last in _FACTORIES or self._is_operation(last)
            return name == f"torch.nn.functional.{last}" and (
                last in LOSS_FUNCTIONS or self._is_operation(last)
            )
        receiver, method = call.receiver, call.method
        if receiver is not None and method is not None and self.is_tensor(receiver, depth + 1):
            return self._is_operation(method.rstrip("_")) and not (
                method == "type" and not call.args
            )
        if any(loss.call == call for loss in self.model.losses()):
            return True
        return self.is_layer_call(call)

    def is_layer_call(self, call: Call) -> bool:
        """Say whether a call applies a layer of ``torch.nn`` that makes one tensor of one tensor."""
        if call.callee is not None or not call.args:
            return False
        makers = call.called.objects()
        kinds = [self.model.layers.kind(one) for one in makers if isinstance(one, Call)]
        return len(kinds) == len(makers) and all(kind in _LAYERS for kind in kinds)

    def _is_operation(self, name: str) -> bool:
        """Say whether an operation by this name makes one tensor."""
        return name not in _NO_TENSOR and (
            name in SHAPE_OPERATIONS
            or name in FUNCTIONS
            or name in _OPERATIONS
            or name in _DETACHING
        )

    def _is_of_loader(self, expr: Expr) -> bool:
        """Say whether a name is one of several values that a loop over a loader unpacks."""
        binding, iterated = expr.binding, expr.iterated
        if binding is None or iterated is None or self.model.imports(*_OTHER_BATCHES):
            return False
        path = binding.path
        if isinstance(iterated, Call) and iterated.callee == "builtins.enumerate":
            path = path[1:] if path[:1] == (1,) else ()
        return bool(path) and self.model.is_loader(iterated)


def _is_fed(expr: Expr) -> bool:
    """Say whether a parameter is given, first and by its name, to a layer or function of torch."""
    function = expr.function
    if function is None or not expr.is_parameter:
        return False
    model = expr.model
    for call in function.calls:
        first = call.args[0] if call.args else None
        if first is None or not first.is_name or not first.same_as(expr):
            continue
        last = (call.callee or "").rpartition(".")[2]
        if call.callee == f"torch.nn.functional.{last}" and last in FUNCTIONS:
            return True
        if model.tensors.is_layer_call(call):
            return True
    return False
