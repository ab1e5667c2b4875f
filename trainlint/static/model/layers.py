"""Layers, module classes, and the order in which layers are applied."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Span
from trainlint.core.immutable import immutable
from trainlint.static.model.expression import AtCall, Call, Expr, Function
from trainlint.static.model.ranks import ranks_of
from trainlint.static.model.tree import Binding, BindingKind, Block, BlockKind, Scope, ScopeKind
from trainlint.static.torch_api import (
    ACTIVATIONS,
    ACTIVATIONS_BY_KEY,
    BATCH_NORMS,
    DROPOUTS,
    FUNCTIONS,
    LAYER_PARAMETERS,
    LINEAR_LAYERS,
    LOSS_MODULES,
    NORMALISATIONS,
    RECURRENT_LAYERS,
    SHAPE_OPERATIONS,
    TABLES_OF_ACTIVATIONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.fix import Edit
    from trainlint.static.model.file import FileModel

_MOST_STEPS = 400
_MOST_REPEATS = 100
_MOST_DEPTH = 12

CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
_NO_LAYERS = CONTAINERS | {"Module", "Parameter", "ParameterList", "ParameterDict", "Buffer"}
_MODULE_BASES = ("torch.nn.", "lightning.", "torch.jit.ScriptModule", "transformers.")
_MODULE_WORDS = ("module", "net", "model", "layer", "block", "encoder", "decoder")

_ENTRIES = ("forward", "training_step", "validation_step", "test_step", "predict_step")


class Layer(AtCall):
    """A layer that the file constructs: ``kind`` is its class of ``torch.nn``."""

    def __init__(self, kind: str, call: Call) -> None:
        self.kind = kind
        self.call = call

    def __eq__(self, other: object) -> bool:
        """Compare by the place of construction."""
        return isinstance(other, Layer) and other.call == self.call

    def __hash__(self) -> int:
        """Hash by the place of construction."""
        return hash(self.call)

    def __repr__(self) -> str:
        """Show the construction."""
        return f"<Layer {self.call.text}>"

    def argument(self, name: str) -> Expr | None:
        """Return what is passed for a parameter, by position or keyword; None if nothing."""
        parameters = LAYER_PARAMETERS.get(self.kind, ())
        position = parameters.index(name) if name in parameters else None
        return self.call.argument(position, name)

    def number(self, name: str) -> float | int | None:
        """Return a parameter's value if it is a known number, else None."""
        argument = self.argument(name)
        return None if argument is None else argument.number()

    @property
    def is_whole(self) -> bool:
        """Whether its construction shows all that is passed: no unknown star, no ``partial``."""
        return not self.call.is_open and not any(
            isinstance(origin, Call) for origin in self.call.called.origins()
        )

    def constant(self, name: str) -> int | None:
        """Return a parameter's value if it is a known whole number that nobody changes, else None."""
        argument = self.argument(name)
        value = None if argument is None or not self.is_whole else argument.number()
        if argument is None or not isinstance(value, int):
            return None
        return value if argument.is_constant else None

    @property
    def is_linear(self) -> bool:
        """Whether it multiplies its input by a weight: linear, convolution."""
        return self.kind in LINEAR_LAYERS

    @property
    def is_recurrent(self) -> bool:
        """Whether it is an RNN, LSTM or GRU, or a cell of one."""
        return self.kind in RECURRENT_LAYERS

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation function."""
        return self.kind in ACTIVATIONS

    @property
    def is_normalisation(self) -> bool:
        """Whether it normalises: batch, layer, group, instance."""
        return self.kind in NORMALISATIONS

    @property
    def is_batch_norm(self) -> bool:
        """Whether it normalises over the batch."""
        return self.kind in BATCH_NORMS

    @property
    def is_dropout(self) -> bool:
        """Whether it drops units at random."""
        return self.kind in DROPOUTS

    @property
    def has_weights(self) -> bool:
        """Whether it holds parameters that are trained."""
        if self.is_normalisation:
            return self._is_affine
        return (
            self.is_linear
            or self.is_recurrent
            or self.kind in {"Embedding", "EmbeddingBag", "PReLU", "MultiheadAttention"}
            or self.kind.startswith("Transformer")
        )

    @property
    def has_mode(self) -> bool:
        """Whether it does something else in evaluation than in training."""
        if self.is_batch_norm:
            tracks = self.argument("track_running_stats")
            return tracks is None or tracks.truth() is not False
        return self.is_dropout and self.number("p") != 0

    @property
    def _is_affine(self) -> bool:
        """Whether a normalisation scales by weights of its own."""
        if self.kind == "LocalResponseNorm":
            return False
        given = self.argument("affine") or self.argument("elementwise_affine")
        if given is None:
            return not self.kind.startswith("InstanceNorm")
        return given.truth() is True

    @property
    def width(self) -> int | None:
        """The number of its outputs (features or channels), if known."""
        for name in ("out_features", "out_channels", "hidden_size", "embedding_dim"):
            if name in LAYER_PARAMETERS.get(self.kind, ()):
                value = self.number(name)
                return value if isinstance(value, int) else None
        return None

    @property
    def fan_in(self) -> int | None:
        """The number of inputs that each output sums, if known."""
        if self.kind in {"Linear", "Bilinear"}:
            value = self.number("in_features" if self.kind == "Linear" else "in1_features")
            return value if isinstance(value, int) else None
        if not self.kind.startswith("Conv"):
            return None
        return self._fan("out_channels" if "Transpose" in self.kind else "in_channels")

    @property
    def fan_out(self) -> int | None:
        """The number of outputs that each input reaches, if known."""
        if self.kind in {"Linear", "Bilinear"}:
            return self.width
        if not self.kind.startswith("Conv"):
            return None
        return self._fan("in_channels" if "Transpose" in self.kind else "out_channels")

    def _fan(self, side: str) -> int | None:
        """Return the number of channels of one side times the size of the kernel, if known."""
        channels = self.number(side)
        kernel = self.argument("kernel_size")
        size = None if kernel is None else kernel.literal()
        dimensions = int(self.kind[-2]) if self.kind[-2].isdigit() else 0
        groups_given = self.argument("groups")
        groups = 1 if groups_given is None else groups_given.number()
        if not isinstance(channels, int) or not isinstance(groups, int) or groups < 1:
            return None
        if isinstance(size, int):
            return channels // groups * int(size**dimensions)
        if isinstance(size, tuple) and all(isinstance(one, int) for one in size):
            return channels // groups * math.prod(size)
        return None


@immutable
class Step:
    """One thing that is done to the data on its way through a network.

    ``kind`` is the class of ``torch.nn`` that does it, as a layer or as a function (``ReLU`` for
    ``nn.ReLU()``, ``F.relu(x)``, ``x.relu()``); the name of the operation where there is no such
    class (``view``, ``add``, ``cat``; ``scale`` and ``gain`` for a product with a number and with a
    parameter of the module); ``?`` where it is not known.
    """

    kind: str
    at: Expr
    """The layer's construction, or the functional call."""
    layer: Layer | None = None
    optional: bool = False
    """Whether an ``if`` decides about it."""
    one_of_several: bool = False
    """Whether ``layer`` is only one of several of its kind that it may be."""

    @property
    def is_unknown(self) -> bool:
        """Whether it is not known what is done."""
        return self.kind == "?"

    @property
    def is_activation(self) -> bool:
        """Whether it is an activation function."""
        return self.kind in ACTIVATIONS

    @property
    def is_normalisation(self) -> bool:
        """Whether it normalises."""
        return self.kind in NORMALISATIONS or self.kind in {"BatchNorm", "InstanceNorm"}

    @property
    def is_batch_norm(self) -> bool:
        """Whether it normalises over the batch."""
        return self.kind in BATCH_NORMS or self.kind == "BatchNorm"

    @property
    def is_dropout(self) -> bool:
        """Whether it drops units at random."""
        return self.kind in DROPOUTS

    @property
    def rate(self) -> float | int | None:
        """The rate of a dropout, 0.5 where none is given; None of anything else or if not known."""
        if not self.is_dropout:
            return None
        given: Expr | None = None
        if self.layer is not None:
            given = self.layer.argument("p")
            if given is None and self.layer.call.is_open:
                return None
        elif isinstance(self.at, Call):
            given = self.at.argument(1, "p")
            if given is None and self.at.is_open:
                return None
        return 0.5 if given is None else given.number()

    @property
    def is_linear(self) -> bool:
        """Whether it is a layer that multiplies by a weight."""
        return self.layer is not None and self.layer.is_linear

    @property
    def is_join(self) -> bool:
        """Whether it brings two paths together: a residual connection, a concatenation."""
        return self.kind in {"add", "cat", "stack", "mul"}

    @property
    def is_factor(self) -> bool:
        """Whether it multiplies by a number, or by a parameter of the module alone."""
        return self.kind in {"scale", "gain"}

    @property
    def keeps_values(self) -> bool:
        """Whether it changes only shape, type or device."""
        return self.kind in SHAPE_OPERATIONS

    @property
    def removal(self) -> Edit | None:
        """The edit that takes it out of the way of the data; None where that is not one edit.

        A function gives way to the tensor that it is called with; a layer leaves the ``Sequential``
        in which it is constructed.
        """
        if not isinstance(self.at, Call):
            return None
        if self.layer is None:
            tensor = self.at.argument(0, "input") if self.at.callee else self.at.receiver
            return None if tensor is None else self.at.replaced_by(tensor.operand_text)
        for container in self.at.model.calls_to("torch.nn.Sequential"):
            if self.at in container.args and len(container.args) > 1:
                return container.without_argument(self.at)
        return None

    @property
    def passes_on(self) -> bool:
        """Whether what comes out is what went in: normalised, thinned out, pooled or reshaped."""
        return self.is_normalisation or self.is_dropout or self.keeps_values or "Pool" in self.kind

    @property
    def slope(self) -> float | None:
        """The slope of a rectifier for negative values, if this is one and it is known."""
        if self.kind in {"ReLU", "ReLU6"}:
            return 0.0
        default = {"LeakyReLU": 0.01, "PReLU": 0.25, "RReLU": 11 / 48}.get(self.kind)
        if default is None:
            return None
        given: Expr | None = None
        if self.layer is not None:
            given = self.layer.argument({"LeakyReLU": "negative_slope"}.get(self.kind, "init"))
            if self.kind == "RReLU" and len(self.layer.call.args) + len(self.layer.call.keywords):
                return None
        elif isinstance(self.at, Call):
            if self.kind != "LeakyReLU":
                return None
            given = self.at.argument(1 if self.at.callee is not None else 0, "negative_slope")
        return default if given is None else given.number()


@immutable
class Stack:
    """Layers in the order in which the data meets them: a ``Sequential``, or a ``forward``."""

    steps: tuple[Step, ...]
    at: Expr | Function
    """The construction of the ``Sequential``, or the ``forward``."""
    owner: ModuleClass | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every step is known."""
        return not any(step.is_unknown for step in self.steps)

    @property
    def is_plain(self) -> bool:
        """Whether no two paths join in it and nothing is unknown or decided by an ``if``."""
        return self.is_complete and not any(step.is_join or step.optional for step in self.steps)

    @property
    def ranks(self) -> tuple[int | None, ...]:
        """The number of dimensions of the data in front of each step, None where it is not known."""
        return ranks_of(self.steps)

    @property
    def linear_steps(self) -> tuple[Step, ...]:
        """The linear layers and convolutions in it."""
        return tuple(step for step in self.steps if step.is_linear)


@immutable
class Activated:
    """A layer with weights and the activation function that its output goes into."""

    layer: Layer
    activation: Step
    between: tuple[Step, ...]
    """What happens on the way: normalisation, dropout, changes of shape."""
    is_hidden: bool = False
    """Whether the activated value goes into a further layer with weights, and is no output."""

    @property
    def is_normalised(self) -> bool:
        """Whether a normalisation stands between the two."""
        return any(step.is_normalisation for step in self.between)


@immutable
class Repetition:
    """A list or tuple that is multiplied: it holds each of its items ``count`` times."""

    at: Expr
    items: tuple[Expr, ...]
    count: Expr


@immutable
class Outlet:
    """Where the output of a layer with weights goes: one for each use of the layer."""

    layer: Layer
    between: tuple[Step, ...]
    """What happens on the way: normalisation, dropout, changes of shape."""
    end: Step | None
    """The first step that is more than that: an activation, the next layer; None: the data ends."""

    @property
    def is_known(self) -> bool:
        """Whether it is known what takes the output."""
        end = self.end
        return end is None or end.is_activation or end.is_linear

    @property
    def is_normalised(self) -> bool:
        """Whether a normalisation takes the output before anything else does."""
        return any(step.is_normalisation for step in self.between)


class ModuleClass:
    """A subclass of ``nn.Module`` in the file."""

    def __init__(self, model: FileModel, scope: Scope) -> None:
        self.model = model
        self.scope = scope
        self.node = scope.node

    def __eq__(self, other: object) -> bool:
        """Compare by place."""
        return isinstance(other, ModuleClass) and other.scope is self.scope

    def __hash__(self) -> int:
        """Hash by place."""
        return hash(id(self.scope))

    @property
    def name(self) -> str:
        """The name as defined."""
        return str(getattr(self.node, "name", ""))

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.model.source.path

    @property
    def span(self) -> Span:
        """The word ``class`` and the name."""
        line, column = getattr(self.node, "lineno", 1), getattr(self.node, "col_offset", 0) + 1
        span = Span(line, column, line, column + len("class ") + len(self.name))
        return self.model.source.in_cell(span)

    @property
    def bases(self) -> tuple[str, ...]:
        """The qualified names of the bases outside of this file, those of its bases included."""
        return self.model.foreign_bases(self.scope)

    @property
    def knows_bases(self) -> bool:
        """Whether each of its bases, and of theirs, is a class of the project or has a known name."""
        for scope in self.model.lineage(self.scope):
            model = scope.index.model
            site = scope.index.definition_sites[id(scope.node)]
            for base in getattr(scope.node, "bases", ()):
                expr = model.expr(base, site)
                if expr.qualified is None and model.follower.definition(expr) is None:
                    return False
        return True

    @property
    def is_decorated(self) -> bool:
        """Whether a decorator may make another class of it."""
        return bool(getattr(self.node, "decorator_list", ()))

    @property
    def is_lightning(self) -> bool:
        """Whether it is a LightningModule."""
        return any(base.startswith("lightning.") for base in self.bases)

    def method(self, name: str) -> Function | None:
        """Return a method, looked up through the bases in this file."""
        scope = self.model.method_scope(self.scope, name)
        return None if scope is None else self.model.function_of(scope)

    @property
    def forward(self) -> Function | None:
        """The ``forward`` method."""
        return self.method("forward")

    @cached_property
    def methods(self) -> tuple[Function, ...]:
        """Every method that the class itself defines."""
        found = []
        for bindings in self.scope.bindings.values():
            for binding in bindings:
                scope = self.model.index.functions.get(id(binding.node))
                if binding.kind is BindingKind.FUNCTION and scope is not None:
                    found.append(Function(self.model, scope))
        return tuple(found)

    @cached_property
    def running(self) -> tuple[Function, ...]:
        """The methods through which data runs: ``forward``, the steps of Lightning, what they call.

        A method that is called under a condition, or for nothing but its effect, builds something
        rather than passing data through.
        """
        found: dict[Function, None] = {}
        queue = [self.method(name) for name in _ENTRIES]
        while queue:
            function = queue.pop(0)
            if function is None or function in found:
                continue
            found[function] = None
            for call in function.calls:
                target = call.target
                if target is None or call.is_statement or call.conditions:
                    continue
                if target.parent is not None and target.parent in self.model.lineage(self.scope):
                    queue.append(self.model.function_of(target))
        return tuple(found)

    def attribute(self, name: str) -> tuple[Expr, ...]:
        """Return the values that methods assign to ``self.name``, here or in the bases."""
        found: list[Expr] = []
        for scope in self.model.lineage(self.scope):
            found += [
                self.model.expr(binding.value, binding.site)
                for binding in (*scope.attributes.get(name, ()), *scope.bindings.get(name, ()))
                if binding.value is not None and not binding.path
            ]
        return tuple(found)

    @property
    def attributes(self) -> dict[str, list[Binding]]:
        """Every assignment to an attribute of ``self`` in the class itself, by name."""
        return self.scope.attributes

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer that it builds, those of modules and functions of the file that it uses included."""
        return tuple(dict.fromkeys(self.model.layers.built_by(self.scope)))

    @property
    def has_parameters(self) -> bool:
        """Whether it surely keeps a trained parameter of its own: ``self.w = nn.Parameter(...)``."""
        bindings = [
            binding
            for scope in self.model.lineage(self.scope)
            for found in scope.attributes.values()
            for binding in found
            if binding.value is not None and not binding.path
        ]
        values = (self.model.expr(one.value, one.site) for one in bindings if one.value)
        return any(
            isinstance(value, Call) and not value.conditions and _is_trained_parameter(value)
            for value in values
        )

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The ways through its ``forward``, one per value that it returns."""
        return self.model.layers.ways_through(self)


class Layers:
    """Answers what layers one file builds and in which order it applies them."""

    def __init__(self, model: FileModel) -> None:
        self.model = model
        self._kinds: dict[int, str | None] = {}
        self._ways: dict[ModuleClass, tuple[Stack, ...]] = {}
        self._depth = 0

    def ways_through(self, module: ModuleClass) -> tuple[Stack, ...]:
        """Return the ways through the ``forward`` of a module class, one per value that it returns."""
        if module not in self._ways:
            forward = module.forward
            ways = [
                Stack(steps, forward, module)
                for value in (() if forward is None else forward.returns)
                if forward is not None and (steps := self.way_to(value))
            ]
            self._ways[module] = tuple(ways)
        return self._ways[module]

    # -- construction -------------------------------------------------------------------------

    def kind(self, call: Call) -> str | None:
        """Return the class of ``torch.nn`` that a call constructs, containers included."""
        key = id(call.node)
        if key not in self._kinds:
            self._kinds[key] = None
            self._kinds[key] = self._kind(call)
        return self._kinds[key]

    def _kind(self, call: Call) -> str | None:
        """Resolve the class: named outright, or held in a variable (``act_layer()``)."""
        if call.callee is not None:
            return _layer_class(call.callee)
        symbol = call.called.symbol
        if (symbol is not None and symbol.kind != "value") or call.target is not None:
            return None
        kinds = {_held_class(origin) for origin in call.called.origins()}
        return kinds.pop() if len(kinds) == 1 else None

    def layer(self, expr: Expr) -> Layer | None:
        """Return the layer that an expression is, if it is known to be one and no container."""
        found: set[Layer] = set()
        for origin in expr.objects():
            kind = self.kind(origin) if isinstance(origin, Call) else None
            if kind is None or kind in _NO_LAYERS or kind in LOSS_MODULES:
                return None
            found.add(Layer(kind, origin))  # type: ignore[arg-type]
        kinds = {layer.kind for layer in found}
        return min(found, key=lambda layer: layer.call.order) if len(kinds) == 1 else None

    def layers_of(self, expr: Expr) -> tuple[Layer, ...]:
        """Return every layer that an expression may be; empty where one of them is unknown."""
        found: dict[Layer, None] = {}
        for one in expr.objects():
            origin = self._item_of_sequential(one) or one
            kind = self.kind(origin) if isinstance(origin, Call) else None
            if kind is None or kind in _NO_LAYERS:
                return ()
            found[Layer(kind, origin)] = None  # type: ignore[arg-type]
        return tuple(found)

    def _item_of_sequential(self, expr: Expr) -> Expr | None:
        """Return the module at a known place of a ``Sequential`` or ``ModuleList``."""
        if not isinstance(expr.node, ast.Subscript) or expr.owner is None:
            return None
        index = expr.child(expr.node.slice).literal()
        items = self.elements(expr.owner)
        if not isinstance(index, int) or any(item is None or may for item, may in items):
            return None
        if not -len(items) <= index < len(items):
            return None
        item = items[index][0]
        objects = () if item is None else item.objects()
        return objects[0] if len(objects) == 1 else None

    def passed_to(self, layer: Layer) -> tuple[Call, ...]:
        """Return the calls that take a layer as an argument."""
        return tuple(
            call
            for entries in self.model.index.calls.values()
            for call in (self.model.call(node, site) for node, site in entries)
            if any(layer.call in argument.objects() for argument in call.args)
        )

    def repetitions(self) -> Iterator[Repetition]:
        """Yield the lists that are multiplied by a number, those that a comprehension copies left out."""
        index = self.model.index
        for node, site in index.multiplied:
            if not isinstance(node.op, ast.Mult) or id(node) in index.iterated:
                continue
            expr = self.model.expr(node, site)
            for items, count in (expr.operands, expr.operands[::-1]):
                if items.items is not None:
                    yield Repetition(expr, items.items, count)

    def all(self) -> Iterator[Layer]:
        """Yield every layer that the file builds, in order; losses and containers left out."""
        for call in self.model.constructed:
            kind = self.kind(call)
            if kind is not None and kind not in _NO_LAYERS and kind not in LOSS_MODULES:
                yield Layer(kind, call)

    def built_by(
        self, scope: Scope, seen: set[int] | None = None, *, surely: bool = False
    ) -> list[Layer]:
        """Return the layers that a class or function builds, directly or through others of the file.

        ``surely`` leaves out what an ``if`` decides about.
        """
        seen = set() if seen is None else seen
        if id(scope) in seen:
            return []
        seen.add(id(scope))
        found: list[Layer] = []
        inner = [scope]
        while inner:
            part = inner.pop()
            inner += [child for child in part.children if child.kind is not ScopeKind.CLASS]
            if part.kind is not ScopeKind.FUNCTION:
                continue
            for node, site in part.calls:
                call = self.model.call(node, site)
                kind = self.kind(call)
                if surely and call.decided_by:
                    continue
                if kind is not None and kind not in _NO_LAYERS and kind not in LOSS_MODULES:
                    found.append(Layer(kind, call))
                elif call.target is not None:
                    target = call.target
                    if target.kind is ScopeKind.CLASS or _builds(target):
                        found += self.built_by(target, seen, surely=surely)
        if scope.kind is ScopeKind.CLASS:
            for base in self.model.lineage(scope)[1:]:
                found += self.built_by(base, seen, surely=surely)
        return found

    # -- sequences ----------------------------------------------------------------------------

    def sequentials(self) -> Iterator[Stack]:
        """Yield every outermost ``nn.Sequential`` of the file with what it holds, in order."""
        inner: set[Call] = set()
        calls = list(self.model.calls_to("torch.nn.Sequential"))
        for call in calls:
            inner.update(part for part in call.calls() if part != call)
        for call in calls:
            if call not in inner:
                yield Stack(tuple(self.steps(call)), call, self.model.class_around(call))

    def steps(self, expr: Expr) -> list[Step]:
        """Return what an object does to the data: a layer, a ``Sequential``, a module of the file."""
        if self._depth > _MOST_DEPTH:
            return [Step("?", expr)]
        self._depth += 1
        try:
            return self._steps(expr)
        finally:
            self._depth -= 1

    def _steps(self, expr: Expr) -> list[Step]:
        origins = expr.objects()
        if len(origins) != 1:
            layer = self.layer(expr)
            if layer is None:
                return [Step("?", expr)]
            return [Step(layer.kind, layer.call, layer, one_of_several=True)]
        origin = origins[0]
        if origin.qualified is not None and not isinstance(origin, Call):
            kind = FUNCTIONS.get(origin.qualified.rpartition(".")[2], "?")
            return [Step(kind if origin.qualified.startswith("torch.") else "?", origin)]
        if not isinstance(origin, Call):
            return [Step(_held_activation(origin) or "?", origin)]
        made = self.kind(origin)
        if made == "Sequential":
            return self._contents(origin)
        if made is not None and made not in _NO_LAYERS:
            return [Step(made, origin, Layer(made, origin))]
        target = origin.target
        if target is not None and target.kind is ScopeKind.CLASS:
            return self._module_steps(ModuleClass(self.model, target), origin)
        return [Step("?", origin)]

    def _module_steps(self, module: ModuleClass, at: Expr) -> list[Step]:
        """Return the way through the ``forward`` of a module of the file."""
        if "torch.nn.Sequential" in module.bases and module.forward is None:
            return [Step("?", at)]
        stacks = module.stacks if self._depth < _MOST_DEPTH else ()
        if len(stacks) != 1:
            return [Step("?", at)]
        return list(stacks[0].steps)

    def _contents(self, call: Call) -> list[Step]:
        """Return what the modules of a ``Sequential`` do, one after the other."""
        found: list[Step] = []
        for item, optional in self._modules_in(call)[:_MOST_STEPS]:
            steps = [Step("?", call)] if item is None else self.steps(item)
            found += [replace(step, optional=True) for step in steps] if optional else steps
        return found[:_MOST_STEPS]

    def _modules_in(self, call: Call) -> list[tuple[Expr | None, bool]]:
        """Return the modules of a ``Sequential``, and whether an ``if`` decides about each."""
        items: list[tuple[Expr | None, bool]] = []
        for node in call.node.args:
            if isinstance(node, ast.Starred):
                items += self.elements(call.child(node.value))
            else:
                argument = call.child(node)
                if len(call.node.args) == 1 and self._is_mapping(argument):
                    items += self._mapped(argument)
                else:
                    items.append((argument, False))
        return items + self.additions(call)

    def _is_mapping(self, expr: Expr) -> bool:
        """Say whether an expression is an ``OrderedDict`` or a dict."""
        return all(
            isinstance(origin.node, ast.Dict)
            or (
                isinstance(origin, Call)
                and origin.callee in {"collections.OrderedDict", "builtins.dict"}
            )
            for origin in expr.origins()
        )

    def _mapped(self, expr: Expr) -> list[tuple[Expr | None, bool]]:
        """Return the values of an ordered mapping, in order."""
        origin = expr.origins()[0]
        if isinstance(origin.node, ast.Dict):
            return [(origin.child(value), False) for value in origin.node.values]
        if isinstance(origin, Call):
            if not origin.args:
                return [(value, False) for value in origin.keywords.values()] or [(None, False)]
            first = origin.args[0].origins()[0]
            if isinstance(first.node, ast.Dict):
                return [(first.child(value), False) for value in first.node.values]
            pairs = [pair.items for pair in first.items or ()]
            if pairs and all(pair is not None and len(pair) == 2 for pair in pairs):  # noqa: PLR2004
                return [(pair[1], False) for pair in pairs if pair is not None]
        return [(None, False)]

    def elements(self, expr: Expr) -> list[tuple[Expr | None, bool]]:
        """Return the items of a list in order, and whether an ``if`` decides about each.

        None stands for items that are not known. A list that is built by a loop or comprehension
        over a literal range repeats what it builds.
        """
        origins = expr.origins()
        if len(origins) != 1:
            return [(None, False)]
        origin = origins[0]
        node = origin.node
        found: list[tuple[Expr | None, bool]] = []
        if isinstance(node, ast.List | ast.Tuple):
            for item in node.elts:
                if isinstance(item, ast.Starred):
                    found += self.elements(origin.child(item.value))
                else:
                    found.append((origin.child(item), False))
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            found = self._comprehended(origin, node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            for side in origin.operands:
                found += self.elements(side)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left, right = origin.operands
            count, items = (
                (right.number(), left) if left.items is not None else (left.number(), right)
            )
            if not isinstance(count, int) or items.items is None:
                return [(None, False)]
            found = self.elements(items) * min(count, _MOST_REPEATS)
        elif isinstance(origin, Call) and self.kind(origin) in {"ModuleList", "Sequential"}:
            if self.kind(origin) == "Sequential":
                return self._modules_in(origin)
            if origin.args:
                found = self.elements(origin.args[0])
        elif isinstance(origin, Call) and origin.callee == "builtins.list":
            found = self.elements(origin.args[0]) if origin.args else []
        else:
            return [(None, False)]
        return found + self.additions(origin)

    def _comprehended(
        self, origin: Expr, node: ast.ListComp | ast.GeneratorExp
    ) -> list[tuple[Expr | None, bool]]:
        """Return what a comprehension over something of known length builds."""
        inside = origin.model.index.inner_sites[id(node)]
        item = self.model.expr(node.elt, inside)
        count = 1
        for number, generator in enumerate(node.generators):
            site = origin.site if number == 0 else inside
            length = self.model.evaluator.length(self.model.expr(generator.iter, site))
            if length is None or generator.ifs:
                return [(item, False), (None, False)]
            count *= length
        return [(item, False)] * min(count, _MOST_REPEATS)

    def additions(self, origin: Expr) -> list[tuple[Expr | None, bool]]:
        """Return what is appended to a list or container after it is made, in order."""
        holder = self.model.holder(origin)
        if holder is None:
            return []
        name, scope = holder
        grown: list[tuple[Call | Binding, Expr, Block]] = []
        # From where the name is given to something else, what is added is added to that.
        ends = min(
            (
                binding.site.index
                for binding in scope.bindings.get(name, ())
                if binding.kind is BindingKind.ASSIGN
                and binding.site.index > origin.site.index
                and binding.site.block is origin.site.block
            ),
            default=None,
        )
        for method in ("append", "extend", "add_module", "insert"):
            for node, site in origin.model.index.calls.get(method, ()):
                call = self.model.call(node, site)
                receiver = call.receiver
                if receiver is None or receiver.text != name or not call.args:
                    continue
                if site.scope.function is not scope or site.index <= origin.site.index:
                    continue
                if ends is not None and site.index >= ends:
                    continue
                grown.append((call, call.args[-1], site.block))
        for binding in scope.bindings.get(name, ()):
            index = binding.site.index
            if index <= origin.site.index or (ends is not None and index >= ends):
                continue
            if binding.kind is BindingKind.AUGMENT and binding.value is not None:
                value = self.model.expr(binding.value, binding.site)
                grown.append((binding, value, binding.site.block))
        grown.sort(key=lambda one: one[1].order)
        return self._unrolled(grown, origin.site.block)

    def _unrolled(
        self, grown: list[tuple[Call | Binding, Expr, Block]], home: Block
    ) -> list[tuple[Expr | None, bool]]:
        """Repeat what loops append, and mark what branches append as optional."""
        found: list[tuple[Expr | None, bool]] = []
        group: list[tuple[Expr | None, bool]] = []
        group_loop: Block | None = None

        def close() -> None:
            nonlocal group, group_loop
            if group_loop is not None:
                count = self._loop_count(group_loop, home)
                found.extend(group * min(count, _MOST_REPEATS) if count is not None else group)
                if count is None:
                    found.append((None, False))
            group, group_loop = [], None

        around = set(home.ancestors())
        for what, value, block in grown:
            outward = [one for one in block.ancestors() if one not in around]
            loop = next((one for one in outward if one.kind is BlockKind.LOOP), None)
            optional = any(one.kind is BlockKind.BRANCH for one in outward)
            items: list[tuple[Expr | None, bool]] = [(value, optional)]
            if isinstance(what, Call) and what.method == "insert":
                items = [(None, optional)]
            elif isinstance(what, Binding) or what.method == "extend":
                items = [(item, optional) for item, _ in self.elements(value)]
            if loop is not group_loop:
                close()
                group_loop = loop
            if loop is None:
                found.extend(items)
            else:
                group.extend(items)
        close()
        return found

    def _loop_count(self, loop: Block, home: Block) -> int | None:
        """Return how often a loop runs, the loops around it below the list's own block included."""
        from trainlint.static.model.expression import Loop  # noqa: PLC0415

        around = set(home.ancestors())
        total = 1
        for block in loop.ancestors():
            if block in around:
                break
            if block.kind is BlockKind.LOOP:
                count = Loop(self.model, block).count
                if count is None:
                    return None
                total *= count
        return total

    # -- the way of the data ------------------------------------------------------------------

    def operation(self, expr: Expr) -> tuple[str, tuple[Expr, ...], list[Step]] | None:
        """Take the last thing done to a value apart: its kind, the tensors it takes, its steps.

        None where the expression is no operation but a name, a parameter, a literal.
        """
        node = expr.node
        if isinstance(node, ast.BinOp):
            sides = expr.operands
            tensors = tuple(side for side in sides if side.number() is None)
            joined = {"Add": "add", "Sub": "add", "Mult": "mul", "Div": "mul"}
            kind = joined.get(expr.operator or "", "matmul")
            if len(tensors) == 1:
                return ("scale", tensors, [Step("scale", expr)])
            data = _without_gain(expr)
            if data is not None:
                return ("gain", (data,), [Step("gain", expr)])
            return (kind, sides, [Step(kind, expr)])
        if isinstance(node, ast.Subscript):
            owner = expr.owner
            return None if owner is None else ("index", (owner,), [Step("index", expr)])
        if not isinstance(expr, Call):
            return None
        name = expr.callee
        if name is not None:
            return self._function_operation(expr, name)
        called = expr.called
        if isinstance(called.node, ast.Call | ast.Name | ast.Attribute | ast.Subscript):
            result = self._object_operation(expr)
            if result is not None:
                return result
        return self._method_operation(expr)

    def _function_operation(
        self, call: Call, name: str
    ) -> tuple[str, tuple[Expr, ...], list[Step]] | None:
        """Take a call of a torch function apart."""
        last = name.rpartition(".")[2]
        if not name.startswith("torch."):
            return ("?", (), [Step("?", call)])
        kind = FUNCTIONS.get(last) or (last if last in SHAPE_OPERATIONS else "?")
        first = call.argument(0, "input") or call.keywords.get("tensors")
        if first is None:
            return (kind, (), [Step(kind, call)])
        if kind in {"cat", "stack"}:
            return (kind, first.items or (first,), [Step(kind, call)])
        if kind == "add":
            return (kind, call.args, [Step(kind, call)])
        return (kind, (first,), [Step(kind, call)])

    def _object_operation(self, call: Call) -> tuple[str, tuple[Expr, ...], list[Step]] | None:
        """Take a call of a layer, a container or a module of the file apart."""
        steps = self.steps_of_called(call)
        if steps is None:
            return None
        inputs = call.args or tuple(call.keywords.values())
        kind = steps[-1].kind if len(steps) == 1 else "module"
        return (kind, inputs[:1], steps)

    def steps_of_called(self, call: Call) -> list[Step] | None:
        """Return what the object that is called does; None where it is no object of ours."""
        called = call.called
        target = call.target
        if target is not None and target.kind is ScopeKind.FUNCTION:
            name = getattr(target.node, "name", "")
            home = target.parent
            if name in {"forward", "__call__"} and home is not None and called.name != "forward":
                return self._guarded(ModuleClass(self.model, home), call)
            return None
        origins = called.objects()
        if origins == (called,) and not isinstance(called, Call) and not _held_activation(called):
            return self._loop_elements(called)
        if not any(self._is_object(origin) or _held_activation(origin) for origin in origins):
            return None
        return self.steps(called)

    def _loop_elements(self, called: Expr) -> list[Step] | None:
        """Return what one item of a looped-over ``ModuleList`` does, if all do the same."""
        items = self._looped_items(called)
        if items is None:
            return None
        known = [self.steps(item) for item, _ in items if item is not None]
        kinds = {tuple(step.kind for step in steps) for steps in known}
        if len(known) != len(items) or len(kinds) != 1:
            return [Step("?", called)]
        return known[0]

    def _looped_items(self, called: Expr) -> list[tuple[Expr | None, bool]] | None:
        """Return the modules that a loop variable stands for: ``for layer in self.layers``."""
        binding = called.binding
        if binding is None or binding.kind is not BindingKind.LOOP or binding.value is None:
            return None
        iterable = self.model.expr(binding.value, binding.site)
        path = binding.path
        if isinstance(iterable, Call) and iterable.callee == "builtins.enumerate" and iterable.args:
            if path[:1] != (1,):
                return None
            iterable, path = iterable.args[0], path[1:]
        if path:
            return None
        if not all(
            isinstance(origin, Call) and self.kind(origin) in {"ModuleList", "Sequential"}
            for origin in iterable.objects()
        ):
            return None
        return self.elements(iterable)

    def _is_object(self, origin: Expr) -> bool:
        """Say whether an origin is a module that the file constructs."""
        if not isinstance(origin, Call):
            return False
        return self.kind(origin) is not None or (
            origin.target is not None and origin.target.kind is ScopeKind.CLASS
        )

    def _guarded(self, module: ModuleClass, at: Expr) -> list[Step]:
        """Return the way through a module, unless the trace goes in circles."""
        if self._depth > _MOST_DEPTH:
            return [Step("?", at)]
        self._depth += 1
        try:
            return self._module_steps(module, at)
        finally:
            self._depth -= 1

    def _method_operation(self, call: Call) -> tuple[str, tuple[Expr, ...], list[Step]] | None:
        """Take a call of a tensor's method apart."""
        receiver, method = call.receiver, call.method
        if receiver is None or method is None or call.target is not None:
            return None
        if receiver.name == "self":
            return ("?", call.args[:1], [Step("?", call)])
        kind = FUNCTIONS.get(method) or (method if method in SHAPE_OPERATIONS else "?")
        if kind == "add":
            return (kind, (receiver, *call.args), [Step(kind, call)])
        return (kind, (receiver,), [Step(kind, call)])

    def way_to(self, expr: Expr) -> tuple[Step, ...]:
        """Return the steps that lead to a value, from the input on.

        Goes back through variables, loops over ``ModuleList`` and modules of the file to the
        parameter of the function. Where two paths join it stops with the join as first step; where
        the trace is lost, with ``?``.
        """
        if self._depth > _MOST_DEPTH:
            return (Step("?", expr),)
        self._depth += 1
        try:
            return tuple(self._way(expr, None))
        finally:
            self._depth -= 1

    def _way(self, expr: Expr, stop: tuple[str, Block] | None) -> list[Step]:
        """Collect the steps backwards, then turn them round."""
        found: list[list[Step]] = []
        current = expr
        total = 0
        for _ in range(_MOST_STEPS):
            taken = self._back(current, stop)
            if taken is None:
                break
            steps, following = taken
            found.append(steps)
            total += len(steps)
            if following is None or total > _MOST_STEPS:
                break
            current = following
        return [step for steps in reversed(found) for step in steps]

    def _back(
        self, current: Expr, stop: tuple[str, Block] | None
    ) -> tuple[list[Step], Expr | None] | None:
        """Take one step back: what is done last, and to what; None at the start."""
        node = current.node
        if isinstance(node, ast.Name):
            return self._back_from_name(current, node, stop)
        if isinstance(node, ast.Tuple | ast.List) and node.elts:
            return [], current.child(node.elts[0])
        if isinstance(node, ast.IfExp):
            return [Step("?", current)], None
        operation = self.operation(current)
        if operation is None:
            if isinstance(node, ast.Attribute | ast.Constant):
                return None
            if isinstance(current, Call) and current.target is not None:
                return self._back_through_function(current)
            return [Step("?", current)], None
        kind, inputs, steps = operation
        if not inputs or kind == "?":
            return ([Step("?", current), *steps] if kind != "?" else steps), None
        if len(inputs) > 1:
            return steps, None
        return steps, inputs[0]

    def _back_through_function(self, call: Call) -> tuple[list[Step], Expr | None]:
        """Go through a function or method of the file that transforms its argument."""
        target = call.target
        if target is None or target.kind is not ScopeKind.FUNCTION or len(target.returns) != 1:
            return [Step("?", call)], None
        node, site = target.returns[0]
        if self._depth > _MOST_DEPTH:
            return [Step("?", call)], None
        inner = self.way_to(self.model.expr(node, site))
        return list(inner) or [Step("?", call)], call.args[0] if call.args else None

    def _back_from_name(
        self, current: Expr, node: ast.Name, stop: tuple[str, Block] | None
    ) -> tuple[list[Step], Expr | None] | None:
        """Go back from a variable to what was assigned to it last."""
        found = self.model.names.lookup(node.id, current.site.scope)
        if found is None:
            return None
        scope, bindings = found
        reaching = self.model.follower.reaching(scope, bindings, current.site)
        inside = (
            [one for one in reaching if stop[1] in one.site.block.ancestors()] if stop else reaching
        )
        if stop is not None and stop[0] == node.id and not inside:
            return None
        last = reaching[-1] if reaching else None
        if last is None or last.kind is BindingKind.PARAMETER:
            return None
        if last.kind is BindingKind.AUGMENT:
            return [Step("add", self.model.expr(node, last.site))], None
        if last.kind is not BindingKind.ASSIGN or last.value is None:
            return [Step("?", current)], None
        value = self.model.expr(last.value, last.site)
        if last.path and last.path[0] != 0:
            return [Step("?", current)], None
        if len(reaching) == 1:
            return [], value
        return self._back_through_branch(current, node.id, last, reaching)

    def _back_through_branch(
        self, current: Expr, name: str, last: Binding, reaching: list[Binding]
    ) -> tuple[list[Step], Expr | None]:
        """Go back through a loop's body, or through an ``if`` that may have changed the variable."""
        around = current.site.block.ancestors()
        outward = []
        for block in last.site.block.ancestors():
            if block in around:
                break
            outward.append(block)
        if not outward:
            return [], self.model.expr(last.value, last.site)  # type: ignore[arg-type]
        outer = outward[-1]
        value = self.model.expr(last.value, last.site)  # type: ignore[arg-type]
        unrolled = self._each_applied(value, name) if outer.kind is BlockKind.LOOP else None
        steps = unrolled or self._way(value, (name, outer))
        before = [one for one in reaching if outer not in one.site.block.ancestors()]
        elsewhere = [one for one in before if id(one.site.block.header) == id(outer.header)]
        if elsewhere or not before:
            return [Step("?", current), *steps], None
        if unrolled is not None:
            return steps, self._before(before)
        if outer.kind is BlockKind.LOOP:
            from trainlint.static.model.expression import Loop  # noqa: PLC0415

            count = self._count_items(Loop(self.model, outer))
            steps = steps * min(count, _MOST_REPEATS) if count else [*steps, Step("?", current)]
        else:
            steps = [replace(step, optional=True) for step in steps]
        return steps, self._before(before)

    def _each_applied(self, value: Expr, name: str) -> list[Step] | None:
        """Return what ``for layer in self.layers: x = layer(x)`` does, layer by layer."""
        if not isinstance(value, Call) or len(value.args) != 1 or value.args[0].name != name:
            return None
        items = self._looped_items(value.called)
        if not items:
            return None
        found: list[Step] = []
        for item, optional in items:
            steps = [Step("?", value)] if item is None else self.steps(item)
            found += [replace(step, optional=True) for step in steps] if optional else steps
        return found[:_MOST_STEPS]

    def _before(self, before: list[Binding]) -> Expr | None:
        """Return the value that a variable had before a block."""
        last = before[-1]
        if last.kind is BindingKind.ASSIGN and last.value is not None and not last.path:
            return self.model.expr(last.value, last.site)
        if last.kind is BindingKind.PARAMETER:
            return None
        return None

    def _count_items(self, loop: object) -> int | None:
        """Return how many items a loop runs over, the modules of a ``ModuleList`` included."""
        from trainlint.static.model.expression import Loop  # noqa: PLC0415

        if not isinstance(loop, Loop) or loop.iterable is None:
            return None
        if loop.count is not None:
            return loop.count
        iterable = loop.iterable
        if isinstance(iterable, Call) and iterable.callee == "builtins.enumerate" and iterable.args:
            iterable = iterable.args[0]
        items = self.elements(iterable)
        return None if any(item is None for item, _ in items) else len(items)

    # -- layers and their activations ---------------------------------------------------------

    def activated(self) -> Iterator[Activated]:
        """Yield each layer with weights together with the activation that it feeds."""
        found: dict[tuple[Layer, Expr], Activated] = {}
        for stack in self.model.stacks():
            for pair in pairs_in(stack.steps):
                key = (pair.layer, pair.activation.at)
                if key not in found or (pair.is_hidden and not found[key].is_hidden):
                    found[key] = pair
        outputs = self._further_outputs
        for pair in found.values():
            shown = pair.is_hidden and pair.activation.at in outputs
            yield replace(pair, is_hidden=False) if shown else pair

    @cached_property
    def _further_outputs(self) -> set[Expr]:
        """What makes the items of the tuples that the ``forward`` methods return."""
        found: set[Expr] = set()
        for module in self.model.modules:
            forward = module.forward
            for value in () if forward is None else forward.returns:
                for item in value.items or ():
                    found.update(step.at for step in self.producers(item))
        return found

    def outlets(self, layer: Layer) -> tuple[Outlet, ...]:
        """Return where the output of a layer goes; empty where no use of it can be followed."""
        return tuple(self._outlets.get(layer, ()))

    @cached_property
    def _outlets(self) -> dict[Layer, dict[Outlet, None]]:
        found: dict[Layer, dict[Outlet, None]] = {}
        for stack in self.model.stacks():
            for outlet in outlets_in(stack.steps):
                found.setdefault(outlet.layer, {})[outlet] = None
        return found

    def stacks(self) -> Iterator[Stack]:
        """Yield every ``Sequential``, each way through a ``forward``, and ways to other activations."""
        covered: set[Expr] = set()
        for stack in (*self.sequentials(), *self._forwards()):
            covered.update(step.at for step in stack.steps)
            yield stack
        for call in self.model.functional_activations():
            if call not in covered:
                steps = self.way_to(call)
                covered.update(step.at for step in steps)
                yield Stack(steps, call, self.model.class_around(call))

    def _forwards(self) -> Iterator[Stack]:
        """Yield the ways through every ``forward`` of the file."""
        for module in self.model.modules:
            if module.forward is not None and module.forward.class_scope is module.scope:
                yield from module.stacks

    # -- who made a value ---------------------------------------------------------------------

    def producers(self, expr: Expr) -> tuple[Step, ...]:
        """Return what made a value, the last step that is more than a change of shape.

        Goes through variables, containers, and into modules and functions of the file; one step
        for each way the value may come, and for each part of a ``cat``; ``?`` for a way that is lost.
        """
        found: dict[Step, None] = {}
        self._produce(expr, found, 0, set())
        return tuple(found)

    def _produce(self, expr: Expr, found: dict[Step, None], depth: int, seen: set[int]) -> None:
        """Collect the producers of one expression."""
        if depth > _MOST_DEPTH or id(expr.node) in seen:
            found[Step("?", expr)] = None
            return
        seen = seen | {id(expr.node)}
        node = expr.node
        if isinstance(expr, Call):
            self._produce_call(expr, found, depth, seen)
            return
        if isinstance(node, ast.BinOp):
            operation = self.operation(expr)
            found[operation[2][-1] if operation else Step("?", expr)] = None
            return
        steps = self.model.follower.definitions(expr)
        if steps is None and isinstance(node, ast.Name):
            steps = self._unpacked(expr)
        if steps is None:
            owner = expr.owner
            if isinstance(node, ast.Subscript) and owner is not None and not _is_index(node):
                self._produce(owner, found, depth + 1, seen)
                return
            found[Step("?", expr)] = None
            return
        for step in steps:
            if step == expr:
                found[Step("?", expr)] = None
            else:
                self._produce(step, found, depth + 1, seen)

    def _unpacked(self, expr: Expr) -> list[Expr] | None:
        """Return what a name gets from a tuple that a module of the file returns."""
        binding = expr.binding
        if binding is None or binding.kind is not BindingKind.ASSIGN or not binding.path:
            return None
        if binding.value is None:
            return None
        value = self.model.expr(binding.value, binding.site)
        return self.model.follower.element(value, binding.path)

    def _produce_call(
        self, call: Call, found: dict[Step, None], depth: int, seen: set[int]
    ) -> None:
        """Collect the producers behind a call."""
        target = call.target
        if target is not None and target.kind is ScopeKind.FUNCTION:
            values = [self.model.expr(node, site) for node, site in target.returns]
            if not values or len(values) > _MOST_DEPTH:
                found[Step("?", call)] = None
            for value in values:
                self._produce(value, found, depth + 1, seen)
            return
        operation = self.operation(call)
        if operation is None:
            found[Step("?", call)] = None
            return
        kind, inputs, steps = operation
        if kind == "cat" and call.callee is not None and inputs != call.args[:1]:
            for part in inputs:
                self._produce(part, found, depth + 1, seen)
            return
        for step in reversed(steps):
            if not step.keeps_values:
                found[step] = None
                return
        if len(inputs) == 1:
            self._produce(inputs[0], found, depth + 1, seen)
        else:
            found[Step("?", call)] = None


def pairs_in(steps: tuple[Step, ...]) -> Iterator[Activated]:
    """Yield the layers of a sequence together with the activations that they feed.

    What stands between may be normalisation, dropout, pooling or a change of shape; a join, an
    unknown step or another layer with weights ends the search.
    """
    for number, step in enumerate(steps):
        if step.is_linear and step.layer is not None:
            between, end = _onward(steps, number)
            if end < len(steps) and steps[end].is_activation:
                _, further = _onward(steps, end)
                hidden = further < len(steps) and steps[further].is_linear
                yield Activated(step.layer, steps[end], between, hidden)


def outlets_in(steps: tuple[Step, ...]) -> Iterator[Outlet]:
    """Yield where the outputs of the layers of a sequence go."""
    for number, step in enumerate(steps):
        if step.is_linear and step.layer is not None:
            between, end = _onward(steps, number)
            yield Outlet(step.layer, between, steps[end] if end < len(steps) else None)


def _onward(steps: tuple[Step, ...], number: int) -> tuple[tuple[Step, ...], int]:
    """Return the steps after one that only pass its output on, and the number of the next other."""
    end = number + 1
    while end < len(steps) and steps[end].passes_on:
        end += 1
    return steps[number + 1 : end], end


def _layer_class(name: str) -> str | None:
    """Return the class of ``torch.nn`` that a qualified name is."""
    if not name.startswith("torch.nn."):
        return None
    last = name[len("torch.nn.") :]
    return last if last[:1].isupper() and "." not in last else None


def _held_class(origin: Expr) -> str | None:
    """Return the class of ``torch.nn`` that a value is, or that a ``partial`` of it makes."""
    if isinstance(origin, Call) and origin.callee == "functools.partial" and origin.args:
        origin = origin.args[0]
    if isinstance(origin, Call) and origin.callee == "builtins.getattr" and len(origin.args) > 1:
        module, name = origin.args[0].qualified, origin.args[1].string()
        return _layer_class(f"{module}.{name}") if module and name else None
    return _layer_class(origin.qualified or "")


def _held_activation(origin: Expr) -> str | None:
    """Return the class of an activation that a value is as a function, or by its name in transformers."""
    if isinstance(origin.node, ast.Subscript):
        table = None if origin.owner is None else origin.owner.qualified
        key = origin.child(origin.node.slice).string() if table in TABLES_OF_ACTIVATIONS else None
        return None if key is None else ACTIVATIONS_BY_KEY.get(key)
    name = "" if isinstance(origin, Call) else origin.qualified or ""
    kind = FUNCTIONS.get(name.rpartition(".")[2]) if name.startswith("torch.") else None
    return kind if kind in ACTIVATIONS else None


def _builds(scope: Scope) -> bool:
    """Say whether a function returns something, as one that builds layers does."""
    return bool(scope.returns)


def _without_gain(expr: Expr) -> Expr | None:
    """Return what a parameter of the module multiplies or divides: ``x`` of ``x * self.gamma``."""
    left, right = expr.operands
    if expr.operator in {"Mult", "Div"} and _is_gain(right):
        return None if _is_gain(left) else left
    return right if expr.operator == "Mult" and _is_gain(left) else None


def _is_gain(expr: Expr) -> bool:
    """Say whether a factor is a trained tensor of ``self``, or a plain function of it alone."""
    while isinstance(expr, Call) or isinstance(expr.node, ast.Subscript):
        if not isinstance(expr, Call):
            inner = expr.owner
        elif expr.callee is not None:
            inner = expr.args[0] if expr.callee.startswith("torch.") and expr.args else None
        else:
            inner = expr.receiver
        if inner is None or (isinstance(expr, Call) and _takes_more(expr)):
            return False
        expr = inner
    owner = expr.owner
    if owner is None or not expr.is_attribute or owner.name != "self":
        return False
    return all(isinstance(origin, Call) and _is_trained_tensor(origin) for origin in expr.origins())


def _takes_more(call: Call) -> bool:
    """Say whether a call takes anything but numbers, beside its first tensor."""
    given = call.args if call.callee is None else call.args[1:]
    return any(one.number() is None for one in (*given, *call.keywords.values()))


def _is_trained_tensor(made: Call) -> bool:
    """Say whether a call makes a parameter, or a tensor that asks for gradients."""
    asks = made.keywords.get("requires_grad")
    if (made.callee or "").startswith("torch.") and asks is not None and asks.truth() is True:
        return True
    return _is_trained_parameter(made)


def _is_trained_parameter(made: Call) -> bool:
    """Say whether a call makes an ``nn.Parameter`` that gets gradients."""
    asks = made.argument(1, "requires_grad")
    return made.callee == "torch.nn.Parameter" and (asks is None or asks.truth() is True)


def _is_index(node: ast.Subscript) -> bool:
    """Say whether an item is taken by a constant: an element of a tuple, not a slice of a tensor."""
    return isinstance(node.slice, ast.Constant | ast.UnaryOp)


def looks_like_module(bases: tuple[str, ...], *, has_forward: bool) -> bool:
    """Say whether a class with these foreign bases is an ``nn.Module``."""
    for base in bases:
        if base.startswith(_MODULE_BASES):
            return True
        last = base.rpartition(".")[2].lower()
        if has_forward and any(word in last for word in _MODULE_WORDS):
            return True
    return False
