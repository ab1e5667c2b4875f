"""Where a value has been cut from the network that made it, so that no gradient flows back."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from trainlint.static.model.expression import UNKNOWN, Call, Expr
from trainlint.static.model.tree import Binding, BindingKind
from trainlint.static.torch_api import FUNCTIONS, SHAPE_OPERATIONS

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel

_MOST_DEPTH = 20

_CUTS = frozenset({"item", "detach", "numpy", "tolist", "argmax", "argmin", "detach_"})
"""Methods, and functions of torch, whose result knows nothing of how it came about."""

_MAKES_TENSOR = frozenset(
    {
        "torch.tensor",
        "torch.Tensor",
        "torch.FloatTensor",
        "torch.DoubleTensor",
        "torch.from_numpy",
        "torch.autograd.Variable",
    }
)
"""What makes a tensor of numbers: it copies them and drops the graph."""

_PLAIN = frozenset({"torch.zeros", "torch.ones", "torch.empty", "torch.full", "torch.arange"})
"""What makes a tensor without any graph."""

_ELEMENTWISE = frozenset(
    [
        "mean",
        "sum",
        "pow",
        "abs",
        "sqrt",
        "square",
        "exp",
        "log",
        "neg",
        "clamp",
        "clip",
        "mul",
        "div",
        "add",
        "sub",
        "relu",
        "sigmoid",
        "tanh",
        "softmax",
        "log_softmax",
        "stack",
        "cat",
        "min",
        "max",
        "float",
        "double",
        "half",
        "scale",
        "norm",
    ]
)
"""Operations, as methods or functions of torch, whose result has a graph only if an input has."""

_TARGET_NAMES = frozenset(
    [
        "y",
        "y_true",
        "yb",
        "target",
        "targets",
        "label",
        "labels",
        "gt",
        "truth",
        "t",
        "true",
        "ground_truth",
        "tgt",
        "y_batch",
        "batch_y",
    ]
)
"""What the known answer is called: data, which has no graph."""


class _AttachedError(Exception):
    """The value has, or may have, a graph."""


class Gradient:
    """Answers, for one file, whether a value still hangs on the weights."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._forced: str | None = None

    def cuts(self, expr: Expr) -> tuple[Expr, ...]:
        """Return where a value was cut from its network; empty where it is not, or not for sure.

        Every part of the value must have been cut, or be a constant: a detached target, or a detached
        factor, leaves the rest attached.
        """
        if "loss" in (expr.name or "").lower():
            # A loss that is told to require a gradient is no leaf that somebody wants to learn.
            self._forced = expr.text
        try:
            found = tuple(dict.fromkeys(self._cuts(expr, 0)))
        except _AttachedError:
            return ()
        finally:
            self._forced = None
        return tuple(one for one in found if not _is_one_hot(one))

    def _cuts(self, expr: Expr, depth: int) -> list[Expr]:
        """Return the cuts behind an expression; empty for a constant; raise where it is attached."""
        if depth > _MOST_DEPTH or self._is_made_a_leaf(expr):
            raise _AttachedError
        node = expr.node
        if isinstance(expr, Call):
            if self._is_loss(expr):
                return self._of_loss(expr, depth)
            found = self._of_call(expr, depth)
            if found is not None:
                return found
        elif isinstance(node, ast.Constant):
            return []
        elif isinstance(node, ast.Compare):
            return [expr]
        elif isinstance(node, ast.BinOp):
            return [cut for side in expr.operands for cut in self._cuts(side, depth + 1)]
        elif isinstance(node, ast.UnaryOp):
            return self._cuts(expr.child(node.operand), depth + 1)
        elif expr.items is not None:
            return [cut for item in expr.items for cut in self._cuts(item, depth + 1)]
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            inside = expr.model.index.inner_sites[id(node)]
            return self._cuts(self.model.expr(node.elt, inside), depth + 1)
        elif expr.is_attribute and expr.name == "data" and expr.owner is not None:
            if all(self._is_computed(origin) for origin in expr.owner.origins()):
                return [expr]
            return self._cuts(expr.owner, depth + 1)
        if self._is_index_of_maximum(expr):
            return [expr]
        if (expr.is_name or expr.is_attribute) and depth and expr.number() is not None:
            return []
        total = self._of_total(expr, depth)
        if total is not None:
            return total
        steps = self.model.follower.definitions(expr)
        if not steps and isinstance(node, ast.Subscript) and expr.owner is not None:
            return self._cuts(expr.owner, depth + 1)
        if not steps or any(step == expr for step in steps):
            raise _AttachedError
        found = []
        for step in steps:
            cuts = self._cuts(step, depth + 1)
            if not cuts:
                raise _AttachedError
            found += cuts
        return found

    def _of_total(self, expr: Expr, depth: int) -> list[Expr] | None:
        """Return the cuts behind a name that something is added to; None if it is no such name."""
        found = expr.model.names.lookup(expr.text, expr.site.scope) if expr.is_name else None
        if found is None:
            return None
        follower, (scope, bindings) = expr.model.follower, found
        reaching = [*follower.reaching(scope, bindings, expr.site)]
        if not any(one.kind is BindingKind.AUGMENT for one in reaching):
            return None
        cuts: list[Expr] = []
        known: list[Binding] = []
        while reaching:
            one = reaching.pop()
            if one in known:
                continue
            known.append(one)
            if one.kind is BindingKind.AUGMENT:
                reaching += follower.reaching(scope, bindings, one.site)
            elif one.kind is not BindingKind.ASSIGN or one.path:
                raise _AttachedError
            if one.value is None:
                raise _AttachedError
            cuts += self._cuts(expr.model.expr(one.value, one.site), depth + 1)
        if not cuts:
            raise _AttachedError
        return cuts

    def _of_call(self, call: Call, depth: int) -> list[Expr] | None:
        """Return the cuts behind a call; None where its result must be followed."""
        if call.target is not None:
            return None
        name = call.callee
        last = (name or "").rpartition(".")[2] if name is not None else call.method
        if name in _MAKES_TENSOR:
            return self._of_tensor(call, depth)
        if name == "torch.as_tensor" and call.args:
            return self._cuts(call.args[0], depth + 1)
        if _is_one_hot(call):
            return self._of_one_hot(call, depth)
        if name in _PLAIN:
            return []
        if name is not None and not name.startswith(("torch.", "builtins.", "numpy.")):
            raise _AttachedError
        if last in _CUTS and (name is None or name.startswith("torch.")):
            return [call]
        if name is not None and name.startswith("numpy."):
            return [call]
        knows = last in _ELEMENTWISE or last in SHAPE_OPERATIONS or last in FUNCTIONS
        if not knows or last in {"requires_grad_", "linear", "conv1d", "conv2d", "conv3d"}:
            raise _AttachedError
        parts = [*call.args, *call.keywords.values()]
        if name is None:
            if last == "scale" and call.args:
                return self._cuts(call.args[0], depth + 1)
            if call.receiver is None or call.receiver.name == "self":
                raise _AttachedError
            parts = [call.receiver] if last in SHAPE_OPERATIONS else [call.receiver, *parts]
        found = []
        for number, part in enumerate(parts):
            if number == 0 or part.literal() is UNKNOWN:
                found += self._cuts(part, depth + 1)
        return found

    def _of_tensor(self, call: Call, depth: int) -> list[Expr]:
        """Return the cuts behind a tensor that is made of numbers."""
        content = call.argument(0, "data")
        if content is None:
            raise _AttachedError
        if content.literal() is not UNKNOWN:
            return []
        if all(isinstance(one, Call) and self._is_loss(one) for one in content.origins()):
            return [call]
        cuts = self._cuts(content, depth + 1)
        return [call, *cuts] if cuts else []

    def _of_one_hot(self, call: Call, depth: int) -> list[Expr]:
        """Return the cuts behind the classes that a call encodes; the call itself where they are data."""
        given = call.argument(0, "tensor")
        try:
            return ([] if given is None else self._cuts(given, depth + 1)) or [call]
        except _AttachedError:
            return [call]

    def _of_loss(self, call: Call, depth: int) -> list[Expr]:
        """Return the cuts behind a loss: its input's, if its target is known to be data."""
        given, target = call.argument(0, "input"), call.argument(1, "target")
        if given is None or target is None or self._is_leaf(given):
            raise _AttachedError
        cuts = self._cuts(given, depth + 1)
        name = (target.name or "").lower()
        if isinstance(target, Call) and target.receiver is not None:
            name = (target.receiver.name or "").lower()
        if name not in _TARGET_NAMES or not self._is_given(target):
            cuts = [*cuts, *self._cuts(target, depth + 1)]
        return cuts

    def _is_given(self, target: Expr) -> bool:
        """Say whether a name comes from outside of the function: a parameter, a loop, unpacking."""
        if isinstance(target, Call):
            target = target.receiver or target
        binding = target.binding
        return binding is None or binding.kind is not BindingKind.ASSIGN or bool(binding.path)

    def _is_leaf(self, expr: Expr) -> bool:
        """Say whether a value is told to require a gradient where it is made."""
        for origin in expr.origins():
            flag = origin.keywords.get("requires_grad") if isinstance(origin, Call) else None
            if flag is not None and flag.truth() is not False:
                return True
        return False

    def _is_made_a_leaf(self, expr: Expr) -> bool:
        """Say whether a variable is told to require a gradient after it is made."""
        if not (expr.is_name or expr.is_attribute):
            return False
        text = expr.text
        if text == self._forced:
            return False
        for target, _ in expr.model.assignments("requires_grad"):
            if target.owner is not None and target.owner.text == text:
                return True
        return any(
            call.receiver is not None and call.receiver.text == text
            for call in expr.model.method_calls("requires_grad_")
        )

    def _is_index_of_maximum(self, expr: Expr) -> bool:
        """Say whether a value is the second result of ``torch.max(x, dim)``: positions, no values."""
        if isinstance(expr.node, ast.Subscript) and expr.owner is not None:
            return _is_maximum(expr.owner) and ast.unparse(expr.node.slice) == "1"
        binding = expr.binding
        if binding is None or binding.kind is not BindingKind.ASSIGN or binding.path != (1,):
            return False
        return binding.value is not None and _is_maximum(
            self.model.expr(binding.value, binding.site)
        )

    def _is_computed(self, origin: Expr) -> bool:
        """Say whether a value is a loss, or the result of an operation of torch."""
        if not isinstance(origin, Call):
            return False
        return self._is_loss(origin) or (origin.callee or "").startswith("torch.")

    def _is_loss(self, call: Call) -> bool:
        """Say whether a call computes a loss of torch."""
        return any(loss.call == call for loss in self.model.losses())


def _is_one_hot(expr: Expr) -> bool:
    """Say whether an expression encodes classes by whole numbers: nothing of it has a gradient."""
    return isinstance(expr, Call) and expr.callee == "torch.nn.functional.one_hot"


def _is_maximum(expr: Expr) -> bool:
    """Say whether an expression gives values and positions of maxima along a dimension."""
    if not isinstance(expr, Call) or expr.method not in {"max", "min", "topk", "sort"}:
        return False
    if expr.callee is not None:
        return expr.callee.startswith("torch.") and (len(expr.args) > 1 or "dim" in expr.keywords)
    return bool(expr.args) or "dim" in expr.keywords
