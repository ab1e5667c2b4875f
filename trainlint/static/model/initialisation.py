"""Where weights are initialised, how, and which layers that reaches."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import AtCall, Call, Expr
from trainlint.static.model.formula import RootOfFans, root_of_fans
from trainlint.static.model.layers import Layer
from trainlint.static.model.tree import BindingKind, BlockKind, ScopeKind
from trainlint.static.torch_api import LINEAR_LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel
    from trainlint.static.model.layers import Activated, Outlet

SCHEMES = (
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "uniform",
    "normal",
    "trunc_normal",
    "constant",
    "zeros",
    "ones",
    "orthogonal",
    "eye",
    "dirac",
    "sparse",
)
_TENSOR_METHODS = {
    "normal_": "normal",
    "uniform_": "uniform",
    "zero_": "zeros",
    "fill_": "constant",
    "trunc_normal_": "trunc_normal",
}
_PARAMETERS = {
    "xavier_uniform": ("tensor", "gain"),
    "xavier_normal": ("tensor", "gain"),
    "kaiming_uniform": ("tensor", "a", "mode", "nonlinearity"),
    "kaiming_normal": ("tensor", "a", "mode", "nonlinearity"),
    "uniform": ("tensor", "a", "b"),
    "normal": ("tensor", "mean", "std"),
    "trunc_normal": ("tensor", "mean", "std", "a", "b"),
    "constant": ("tensor", "val"),
    "orthogonal": ("tensor", "gain"),
}


_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
_LARGEST_VARIANCE = 30.0
_SMALLEST_VARIANCE = 0.05
"""Outside of these a formula over fans means something else: GPT's 0.02 / sqrt(layers)."""


@immutable
class Recipe:
    """The spread of an initialisation: its standard deviation is ``gain`` / sqrt(fan)."""

    gain: float
    fan: str
    """``in``, ``out``, ``average`` of both, or ``?`` where the words do not say it."""


@immutable
class InitCall(AtCall):
    """One initialisation: the scheme, the call, and the layers whose parameter it fills.

    ``scheme`` is the function of ``torch.nn.init`` without its underscore; ``w.data.normal_(0, 1)``
    is ``normal`` too. ``parameter`` is ``weight``, ``bias`` or ``?``. ``layers`` is empty where it is
    not known what is reached, or where the function that initialises is never applied in the file.
    """

    scheme: str
    call: Call
    parameter: str
    layers: tuple[Layer, ...]
    by_type: bool = False
    """Whether it reaches every layer of a type, through a loop or ``apply``."""

    def argument(self, name: str) -> Expr | None:
        """Return what is passed for a parameter of the function of ``torch.nn.init``."""
        if self.is_method and name == "tensor":
            return self.call.receiver
        parameters = _PARAMETERS.get(self.scheme, ("tensor",))
        position = parameters.index(name) if name in parameters else None
        if position is not None and self.is_method:
            position -= 1
        return self.call.argument(position, self._keyword(name))

    def number(self, name: str) -> float | int | None:
        """Return an argument's value if it is a known number, else None."""
        argument = self.argument(name)
        return None if argument is None else argument.number()

    def lets_through(self, kind: str) -> bool | None:
        """Say whether a layer of a class of ``torch.nn`` passes the tests of the type around the call.

        None where nothing around it asks for the type.
        """
        return self.call.model.initialisation.lets_through(self, kind)

    @property
    def fills_constant(self) -> bool:
        """Whether every element gets the same value: zeros, ones, any constant."""
        return self.scheme in {"zeros", "ones", "constant"}

    @property
    def fills_zeros(self) -> bool:
        """Whether every element is surely set to 0."""
        return self.scheme == "zeros" or (self.scheme == "constant" and self.number("val") == 0)

    @cached_property
    def recipe(self) -> Recipe | None:
        """The spread, where it depends on the fans in a known way; formulas by hand included."""
        kind = self.scheme.partition("_")[0]
        if kind == "xavier":
            gain = self._gain_of(self.argument("gain"))
            return None if gain is None else Recipe(gain, "average")
        if kind == "kaiming":
            gain = self._kaiming_gain()
            given = self.argument("mode")
            mode = "fan_in" if given is None else given.string()
            fan = {"fan_in": "in", "fan_out": "out"}.get(mode or "", "?")
            return None if gain is None else Recipe(gain, fan)
        formula = self.formula
        if formula is None:
            return None
        variance = formula.numerator / (3.0 if self.scheme == "uniform" else 1.0)
        if not _SMALLEST_VARIANCE < variance < _LARGEST_VARIANCE:
            return None
        if formula.is_sum:
            return Recipe(math.sqrt(variance / 2.0), "average")
        return Recipe(math.sqrt(variance), formula.fan)

    @cached_property
    def formula(self) -> RootOfFans | None:
        """The formula over fans that is written for the range or the standard deviation."""
        if self.scheme == "uniform":
            low, high = self.argument("a"), self.argument("b")
            if low is None or high is None or not _is_negative_of(low, high):
                return None
            return root_of_fans(high)
        if self.scheme in {"normal", "trunc_normal"}:
            std = self.argument("std")
            return None if std is None else root_of_fans(std)
        return None

    @property
    def nonlinearity(self) -> str | None:
        """The activation that Kaiming initialisation is told; None where it is not known."""
        given = self.argument("nonlinearity")
        return "leaky_relu" if given is None else given.string()

    def _gain_of(self, given: Expr | None) -> float | None:
        """Return a gain: a number, or that of ``calculate_gain``; None where it is not known."""
        if given is None:
            return 1.0
        number = given.number()
        if number is not None:
            return float(number)
        for origin in given.origins()[:1]:
            if isinstance(origin, Call) and origin.callee == "torch.nn.init.calculate_gain":
                name = origin.argument(0, "nonlinearity")
                return _gain(None if name is None else name.string(), origin.argument(1, "param"))
        return None

    def _kaiming_gain(self) -> float | None:
        """Return the gain of Kaiming initialisation as called."""
        if self.call.is_open:
            return None
        return _gain(self.nonlinearity, self.argument("a"))

    @cached_property
    def activated(self) -> tuple[Activated, ...]:
        """The activations that its layers feed, each with its layer.

        Empty unless it is known of every layer what its output feeds; where one call reaches many
        layers, those without any activation must not be the majority, else the initialisation is
        not made for the activations. Empty too where an ``if`` about something else decides
        whether the layers are initialised so.
        """
        if not self.layers or self.is_conditional:
            return ()
        model = self.call.model
        found: list[Activated] = []
        without = 0
        for layer in self.layers:
            outlets: tuple[Outlet, ...] = model.outlets(layer)
            if not outlets or not all(outlet.is_known for outlet in outlets):
                return ()
            pairs = [pair for pair in model.activated() if pair.layer == layer]
            found += pairs
            without += not pairs
        return tuple(found) if without <= len(self.layers) - without else ()

    @cached_property
    def is_conditional(self) -> bool:
        """Whether a test of something other than the module decides about it."""
        tensor = self.call.receiver if self.is_method else self.call.argument(0, "tensor")
        names = set() if tensor is None else _names_in(tensor)
        for block in self.call.blocks:
            header = block.header
            if block.kind is not BlockKind.BRANCH or not isinstance(header, ast.If):
                continue
            test = self.call.model.expr(header.test, self.call.model.site_of_block(block))
            switch = test.is_name or test.is_attribute or test.mentions("__name__")
            if switch and block.arm == 0 and not header.orelse:
                continue
            if not names & _names_in(test, through=True):
                return True
        return False

    @property
    def is_method(self) -> bool:
        """Whether it is a method of the tensor: ``w.data.normal_(0, 0.02)``."""
        return self.call.callee is None

    def _keyword(self, name: str) -> str:
        """Return the keyword of a parameter: tensor methods name the bounds otherwise."""
        if self.is_method and self.scheme == "uniform":
            return {"a": "from", "b": "to"}.get(name, name)
        return name


class Initialisation:
    """Finds the initialisations of one file."""

    def __init__(self, model: FileModel) -> None:
        self.model = model

    @cached_property
    def calls(self) -> tuple[InitCall, ...]:
        """Every initialisation, in the order of the file."""
        if not self.model.has_layers:
            return ()
        found: list[InitCall] = []
        for scheme in SCHEMES:
            for name in (f"torch.nn.init.{scheme}_", f"torch.nn.init.{scheme}"):
                for call in self.model.calls_to(name):
                    tensor = call.argument(0, "tensor")
                    if tensor is not None:
                        found.append(self._of(scheme, call, tensor))
        for call in self.model.method_calls(*_TENSOR_METHODS):
            if call.callee is None and call.receiver is not None and call.method is not None:
                tensor = _without_data(call.receiver)
                if tensor.name in {"weight", "bias"}:
                    found.append(self._of(_TENSOR_METHODS[call.method], call, tensor))
        return tuple(_not_overwritten(sorted(found, key=lambda one: one.call.order)))

    def _of(self, scheme: str, call: Call, tensor: Expr) -> InitCall:
        """Resolve whose parameter a tensor is."""
        tensor = _without_data(tensor)
        if tensor.is_name:
            origins = tensor.origins()
            if len(origins) == 1 and origins[0].is_attribute:
                tensor = _without_data(origins[0])
        owner = tensor.owner
        if tensor.is_attribute and owner is not None and tensor.name in {"weight", "bias"}:
            layers, by_type = self._layers_of(owner, call)
            return InitCall(scheme, call, tensor.name, layers, by_type)
        if tensor.is_name and tensor.iterated is not None:
            return InitCall(scheme, call, "?", self._of_parameters(tensor, call), by_type=True)
        return InitCall(scheme, call, "?", ())

    def _layers_of(self, owner: Expr, call: Call) -> tuple[tuple[Layer, ...], bool]:
        """Return the layers that the owner of a weight may be."""
        if owner.is_name:
            binding = owner.binding
            if binding is not None and binding.kind is BindingKind.LOOP:
                return self._of_loop(owner, call), True
            if binding is not None and binding.kind is BindingKind.PARAMETER:
                applied = self._of_applied(owner, call)
                if applied is not None:
                    return applied, True
        return self.model.layers.layers_of(owner), False

    def _of_loop(self, owner: Expr, call: Call) -> tuple[Layer, ...]:
        """Return the layers that a loop over modules reaches."""
        iterable = owner.iterated
        if iterable is None:
            return ()
        if isinstance(iterable, Call) and iterable.method in {
            "modules",
            "named_modules",
            "children",
            "named_children",
        }:
            receiver = iterable.receiver
            return () if receiver is None else self._of_type(self._built(receiver), owner, call)
        origins = [
            part
            for origin in iterable.origins()
            for part, _ in self.model.layers.elements(origin)
            if part is not None
        ]
        found = [self.model.layers.layer(part) for part in origins]
        layers = [layer for layer in found if layer is not None]
        return self._of_type(layers, owner, call)

    def _of_applied(self, owner: Expr, call: Call) -> tuple[Layer, ...] | None:
        """Return the layers that a function given to ``apply`` reaches; None if it is no such."""
        function = call.function
        if function is None:
            return None
        found: list[Layer] = []
        applied = False
        for use in self.model.method_calls("apply"):
            if len(use.args) != 1 or use.receiver is None:
                continue
            given = use.args[0]
            if isinstance(given, Call) and given.callee == "functools.partial" and given.args:
                given = given.args[0]
            if any(
                self.model.follower.definition(one) is function.scope for one in given.origins()
            ):
                applied = True
                found += self._of_type(self._built(use.receiver), owner, call)
        return tuple(dict.fromkeys(found)) if applied else None

    def lets_through(self, init: InitCall, kind: str) -> bool | None:
        """Say whether a class passes the tests around a call; see :meth:`InitCall.lets_through`."""
        tensor = init.call.receiver if init.is_method else init.call.argument(0, "tensor")
        owner = None if tensor is None else _without_data(tensor).owner
        if owner is None or owner.name is None:
            return None
        tests = [
            test
            for test in init.call.conditions
            if (_asks_for_type(test) and test.mentions(owner.name))
            or self._class_name_of(test, owner)
        ]
        stand_in = Layer(kind, init.call)
        earlier = [test for test in self._earlier_arms(init.call) if _is_type_test(test, owner)]
        if any(_passes(test, stand_in, self.model) for test in earlier):
            return False
        return all(_passes(test, stand_in, self.model) for test in tests) if tests else None

    def _built(self, receiver: Expr) -> list[Layer]:
        """Return the layers of a module."""
        if receiver.name == "self":
            scope = self.model.class_of_self(receiver.site, receiver.node)
            return [] if scope is None else self.model.layers.built_by(scope)
        found: list[Layer] = []
        for origin in receiver.objects():
            if not isinstance(origin, Call):
                continue
            target = origin.target
            if target is not None and target.kind is ScopeKind.CLASS:
                found += self.model.layers.built_by(target)
            elif self.model.layers.kind(origin) in {"Sequential", "ModuleList"}:
                steps = self.model.layers.steps(origin)
                found += [step.layer for step in steps if step.layer is not None]
        return found

    def _of_type(self, layers: list[Layer], owner: Expr, call: Call) -> tuple[Layer, ...]:
        """Keep the layers that the conditions around an initialisation let through."""
        tests = [test for test in call.conditions if test.mentions(owner.name or "")]
        tests += [
            test
            for test in call.conditions
            if test not in tests and self._class_name_of(test, owner)
        ]
        kept = [layer for layer in layers if layer.is_linear or layer.kind == "Embedding"]
        for test in tests:
            kept = [layer for layer in kept if _passes(test, layer, self.model)]
        earlier = self._earlier_arms(call)
        for test in earlier:
            kept = [
                layer
                for layer in kept
                if not (_is_type_test(test, owner) and _passes(test, layer, self.model))
            ]
        return tuple(dict.fromkeys(kept))

    def _earlier_arms(self, call: Call) -> list[Expr]:
        """Return the tests of the ``if`` statements in whose ``else`` a call stands."""
        return [
            self.model.expr(block.header.test, self.model.site_of_block(block))
            for block in call.blocks
            if block.kind is BlockKind.BRANCH
            and isinstance(block.header, ast.If)
            and block.arm == 1
        ]

    def _class_name_of(self, test: Expr, owner: Expr) -> bool:
        """Say whether a test is about a variable that holds the class name of the owner."""
        for node in ast.walk(test.node):
            if isinstance(node, ast.Name):
                for origin in test.child(node).origins():
                    if origin.mentions("__class__") and origin.mentions(owner.name or ""):
                        return True
        return False

    def _of_parameters(self, tensor: Expr, call: Call) -> tuple[Layer, ...]:
        """Return the layers that a loop over ``parameters()`` reaches: all with a matrix."""
        iterable = tensor.iterated
        if not isinstance(iterable, Call) or iterable.receiver is None:
            return ()
        if iterable.method not in {"parameters", "named_parameters"}:
            return ()
        if not any(test.mentions("dim") or test.mentions("ndim") for test in call.conditions):
            return ()
        layers = self._built(iterable.receiver)
        return tuple(dict.fromkeys(layer for layer in layers if layer.kind in LINEAR_LAYERS))


def _not_overwritten(calls: list[InitCall]) -> Iterator[InitCall]:
    """Yield the initialisations, each without the layers that a later one fills in the same block."""
    for number, one in enumerate(calls):
        later = {
            layer
            for other in calls[number + 1 :]
            if other.parameter == one.parameter
            and other.call.site.block in one.call.site.block.ancestors()
            for layer in other.layers
        }
        kept = tuple(layer for layer in one.layers if layer not in later)
        yield one if len(kept) == len(one.layers) else replace(one, layers=kept)


def _gain(nonlinearity: str | None, parameter: Expr | None) -> float | None:
    """Return what ``calculate_gain`` gives; None where it is not known."""
    if nonlinearity is None:
        return None
    if nonlinearity == "leaky_relu":
        slope = 0.0 if parameter is None else parameter.number()
        return None if slope is None else math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity.startswith(("conv", "linear")):
        return 1.0
    return _GAINS.get(nonlinearity)


def _is_negative_of(low: Expr, high: Expr) -> bool:
    """Say whether one bound is the other with a minus sign."""
    for origin in low.origins()[:1]:
        node = origin.node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return origin.child(node.operand).same_as(high)
        if isinstance(node, ast.BinOp):
            return "".join(origin.text.split()) == "".join(f"-{high.text}".split())
    return False


def _names_in(expr: Expr, *, through: bool = False) -> set[str]:
    """Return the plain names in an expression, those behind its variables included if asked."""
    found: set[str] = set()
    for node in ast.walk(expr.node):
        if isinstance(node, ast.Name):
            found.add(node.id)
            if through:
                for origin in expr.child(node).origins():
                    found |= _names_in(origin)
    return found


def _without_data(tensor: Expr) -> Expr:
    """Return the parameter behind ``.data``."""
    while tensor.is_attribute and tensor.name == "data" and tensor.owner is not None:
        tensor = tensor.owner
    return tensor


def _asks_for_type(test: Expr) -> bool:
    """Say whether a test asks for the class of something."""
    return any(test.mentions(word) for word in ("isinstance", "__class__", "__name__", "type"))


def _is_type_test(test: Expr, owner: Expr) -> bool:
    """Say whether a test is nothing but a test of the owner's type."""
    return (
        isinstance(test, Call) and test.method == "isinstance" and test.mentions(owner.name or "")
    )


def _passes(test: Expr, layer: Layer, model: FileModel) -> bool:
    """Say whether a layer may pass a test: of its type, its class's name, or anything else."""
    node = test.node
    if isinstance(node, ast.BoolOp):
        verdicts = [_passes(test.child(part), layer, model) for part in node.values]
        return all(verdicts) if isinstance(node.op, ast.And) else any(verdicts)
    if isinstance(test, Call) and test.callee == "builtins.isinstance" and len(test.args) > 1:
        types = test.args[1].origins()[0]
        names = [one.qualified or "" for one in types.items or (types,)]
        return any(_is_a(layer.kind, name.rpartition(".")[2]) for name in names)
    words = [
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    if isinstance(node, ast.Compare) and words:
        if isinstance(node.ops[0], ast.NotEq | ast.In | ast.Eq | ast.Gt | ast.GtE | ast.Is):
            return any(word in layer.kind or word in {"weight", "bias"} for word in words)
        return True
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.Is | ast.In):
        for side in (node.left, *node.comparators):
            for part in test.child(side).items or (test.child(side),):
                name = part.qualified or ""
                if name.startswith("torch.nn."):
                    return any(
                        _is_a(layer.kind, (one.qualified or "").rpartition(".")[2])
                        for other in node.comparators
                        for one in (test.child(other).items or (test.child(other),))
                    )
    return True


def _is_a(kind: str, base: str) -> bool:
    """Say whether a layer is an instance of a class of ``torch.nn``."""
    if base in (kind, "Module"):
        return True
    if base == "_ConvNd":
        return kind.startswith("Conv")
    return False
