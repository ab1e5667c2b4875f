"""What a model is made of: its parameters, and its layers in the order in which they run."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from trainlint.runtime.signals import (
    Activation,
    Facts,
    Layer,
    Optimizer,
    Origin,
    Parameter,
    Role,
    Run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trainlint.runtime.source.places import Places

_MODULES: Final[dict[str, Activation]] = {
    "ReLU": Activation.RELU,
    "ReLU6": Activation.RELU6,
    "LeakyReLU": Activation.LEAKY_RELU,
    "PReLU": Activation.PRELU,
    "RReLU": Activation.RRELU,
    "ELU": Activation.ELU,
    "SELU": Activation.SELU,
    "CELU": Activation.CELU,
    "GELU": Activation.GELU,
    "SiLU": Activation.SILU,
    "Mish": Activation.MISH,
    "Softplus": Activation.SOFTPLUS,
    "Tanh": Activation.TANH,
    "Sigmoid": Activation.SIGMOID,
    "Hardtanh": Activation.HARDTANH,
    "Hardsigmoid": Activation.HARDSIGMOID,
    "Hardswish": Activation.HARDSWISH,
    "Softsign": Activation.SOFTSIGN,
    "LogSigmoid": Activation.LOGSIGMOID,
    "Softmax": Activation.SOFTMAX,
    "Softmax2d": Activation.SOFTMAX,
    "GLU": Activation.GLU,
}
_FUNCTIONS: Final[dict[str, Activation]] = {
    "relu": Activation.RELU,
    "relu6": Activation.RELU6,
    "leaky_relu": Activation.LEAKY_RELU,
    "prelu": Activation.PRELU,
    "rrelu": Activation.RRELU,
    "elu": Activation.ELU,
    "selu": Activation.SELU,
    "celu": Activation.CELU,
    "gelu": Activation.GELU,
    "silu": Activation.SILU,
    "mish": Activation.MISH,
    "softplus": Activation.SOFTPLUS,
    "tanh": Activation.TANH,
    "sigmoid": Activation.SIGMOID,
    "expit": Activation.SIGMOID,
    "hardtanh": Activation.HARDTANH,
    "hardsigmoid": Activation.HARDSIGMOID,
    "hardswish": Activation.HARDSWISH,
    "softsign": Activation.SOFTSIGN,
    "logsigmoid": Activation.LOGSIGMOID,
    "softmax": Activation.SOFTMAX,
    "glu": Activation.GLU,
}
_NORMS: Final = (
    nn.modules.batchnorm._NormBase,  # noqa: SLF001 - batch and instance normalisation alike
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_ENVIRONMENTS: Final = ("gymnasium", "gym", "pettingzoo", "dm_control", "dm_env", "procgen")
"""The libraries of environments: a program that imports one learns from rewards."""
_PASSING: Final = ("Dropout", "AlphaDropout", "Identity", "Flatten", "Unflatten", "Pool", "Pad")
"""What may stand between a layer and the activation that takes its output."""


def activation_of(module: nn.Module) -> Activation | None:
    """Return which activation a module is, None if none; a subclass counts as its base."""
    for kind in type(module).__mro__:
        if kind.__module__.startswith("torch.nn"):
            found = _MODULES.get(kind.__name__)
            if found is not None:
                return found
    name = type(module).__name__
    return _MODULES.get(name)  # GELU and the like are often written anew


def function_activations() -> Mapping[Callable[..., Any], Activation]:
    """Return the functions and methods of torch that are activations."""
    found: dict[Callable[..., Any], Activation] = {}
    places = (torch, torch.nn.functional, torch.Tensor, torch.special)
    for name, activation in _FUNCTIONS.items():
        for place in places:
            for one in (name, f"{name}_"):
                function = getattr(place, one, None)
                if function is not None:
                    found[function] = activation
    return found


def is_norm(module: nn.Module) -> bool:
    """Say whether a module normalises."""
    return isinstance(module, _NORMS) or type(module).__name__.endswith(("RMSNorm", "LayerNorm"))


def is_leaf(module: nn.Module) -> bool:
    """Say whether a module computes by itself: it has no children but its parametrizations."""
    # TorchScript's own mapping cannot be iterated over
    return all(name == "parametrizations" for name in module._modules.keys())  # noqa: SIM118, SLF001


def weight_of(module: nn.Module) -> tuple[str, torch.Tensor] | None:
    """Return the name and the value of a leaf's weight; None where it has none of two dimensions."""
    parametrized = getattr(module, "parametrizations", None)
    if parametrized is not None and "weight" in parametrized:
        found = _weights(parametrized["weight"], "parametrizations.weight.")
    else:
        found = _weights(module)
    if not found:
        return None
    # a weight normalisation keeps the length of each row as a weight of its own
    name, one = found[0]
    is_length = len(found) > 1 and one.dim() == found[1][1].dim() and one.numel() == len(one)
    return found[1] if is_length else (name, one)


def _weights(module: nn.Module, before: str = "") -> list[tuple[str, torch.Tensor]]:
    """Return the parameters of a module itself that have two dimensions or more."""
    return [
        (before + name, one)
        for name, one in module.named_parameters(recurse=False)
        if one.dim() > 1 and not isinstance(one, nn.parameter.UninitializedParameter)
    ]


def is_between(layer: Layer) -> bool:
    """Say whether a layer may stand between a layer with weights and the activation that follows it."""
    return layer.is_norm or any(one in layer.kind for one in _PASSING)


def size_of(module: nn.Module) -> str:
    """Say a module's shape as a person would: `256→128`, `3→64, 3×3`; nothing where it has none."""
    match module:
        case nn.Linear():
            return f"{module.in_features}→{module.out_features}"
        case nn.modules.conv._ConvNd():  # noqa: SLF001
            kernel = "×".join(map(str, module.kernel_size))
            return f"{module.in_channels}→{module.out_channels}, {kernel}"
        case nn.RNNBase():
            return f"{module.input_size}→{module.hidden_size}"
        case nn.RNNCellBase():
            return f"{module.input_size}→{module.hidden_size}"
        case nn.Embedding():
            return f"{module.num_embeddings}×{module.embedding_dim}"
        case nn.modules.batchnorm._NormBase():  # noqa: SLF001
            return str(module.num_features)
    return ""


def role_of(module: nn.Module, name: str, parameter: torch.Tensor) -> Role:
    """Say what a parameter is to its module."""
    if is_norm(module):
        return Role.NORM
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return Role.EMBEDDING
    if parameter.dim() > 1:
        return Role.WEIGHT if is_leaf(module) or "weight" in name else Role.OTHER
    return Role.BIAS if "bias" in name else Role.OTHER


def optimizer_of(optimizer: torch.optim.Optimizer) -> Optimizer:
    """Describe an optimizer by the settings of its first group."""
    group: dict[str, Any] = optimizer.param_groups[0] if optimizer.param_groups else {}
    kind = type(optimizer).__name__
    betas = group.get("betas", (0.0, 0.0))
    momentum, beta2 = (_number(one) for one in (betas if len(betas) > 1 else (0.0, 0.0))[:2])
    return Optimizer(
        kind,
        learning_rate=_number(group.get("lr")),
        momentum=_number(group.get("momentum")) or momentum,
        beta2=beta2 or (_number(group.get("alpha")) if "RMS" in kind else 0.0),
        eps=_number(group.get("eps")),
        weight_decay=_number(group.get("weight_decay")),
        decoupled=bool(group.get("decoupled_weight_decay")) or kind.endswith("W"),
    )


def _number(value: object) -> float:
    """Return a setting as a number; one that lies on a device is not waited for."""
    if isinstance(value, torch.Tensor):
        return float(value) if value.device.type == "cpu" and value.numel() == 1 else 0.0
    return float(value) if isinstance(value, (int, float)) else 0.0


@dataclass
class Anatomy:
    """The models and optimizers of a run, and the layers as they are seen to run.

    ``models`` maps the prefix of the names of each model to it; a single one has the prefix "".
    """

    models: Mapping[str, nn.Module]
    optimizers: Sequence[torch.optim.Optimizer]
    run: Run
    places: Places | None = None
    ranks: int = 1
    workers: int = 0
    modules: dict[int, tuple[str, nn.Module]] = field(default_factory=dict)
    """Every module by its identity: its name, and itself."""
    parameters: dict[str, nn.Parameter] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """The names of the modules."""
    _layers: dict[str, Layer] = field(default_factory=dict)
    _followed_by: dict[str, Activation | None] = field(default_factory=dict)
    """By the layers with weights: what took their output the first time that they ran."""
    _open: list[str] = field(default_factory=list)
    """Those of which that is not known yet."""
    _known: tuple[int, int] = (0, 0)
    _facts: Facts | None = None

    def look(self) -> None:
        """Read the models again: modules and parameters may have been replaced, frozen or added."""
        self.modules = {}
        self.parameters = {}
        for prefix, model in self.models.items():
            dot = f"{prefix}." if prefix else ""
            for path, module in model.named_modules():
                name = path.replace("_orig_mod.", "").removesuffix("_orig_mod").rstrip(".")
                self.modules.setdefault(id(module), ((dot + name).rstrip(".") or prefix, module))
            for path, parameter in model.named_parameters():
                name = path.replace("_orig_mod.", "")
                if not isinstance(parameter, nn.parameter.UninitializedParameter):
                    self.parameters[dot + name] = parameter
        self.names = {name for name, _ in self.modules.values()}
        parameters = tuple(self._parameters())
        old = self._facts
        known = () if old is None else old.optimizers
        had_state = [
            *(one.has_state for one in known),
            *(bool(one.state) for one in self.optimizers[len(known) :]),
        ]
        optimizers = tuple(
            replace(optimizer_of(one), has_state=had)
            for one, had in zip(self.optimizers, had_state, strict=True)
        )
        if old is None or not _alike(old, parameters, optimizers):
            self._facts = Facts(
                () if old is None else old.layers,
                parameters,
                optimizers,
                self.run,
                alternates=len(self.optimizers) > 1,
                plays=any(one in sys.modules for one in _ENVIRONMENTS),
                ranks=self.ranks,
                workers=self.workers,
            )

    def is_parallel(self, ranks: int) -> None:
        """Note over how many ranks the training is parallel."""
        self.ranks = ranks
        self._facts = replace(self.facts, ranks=ranks)

    def is_fed_by(self, workers: int) -> None:
        """Note that more workers read ahead for the training than was known of any loader."""
        self.workers = workers
        self._facts = replace(self.facts, workers=workers)

    @property
    def facts(self) -> Facts:
        """What is known now."""
        if self._facts is None:
            self.look()
        assert self._facts is not None
        known = (len(self._layers), len(self._followed_by))
        if known != self._known:
            self._known = known
            layers = tuple(self._finished())
            depths = {one.name: one.depth for one in layers}
            parameters = tuple(
                replace(one, depth=depths.get(one.layer, -1)) for one in self._facts.parameters
            )
            self._facts = replace(self._facts, layers=layers, parameters=parameters)
        return self._facts

    def starts(self) -> None:
        """Note that a forward pass begins, which takes nothing from the one before."""
        self._followed_by.update(dict.fromkeys(self._open))
        self._open.clear()

    def saw_module(self, name: str, module: nn.Module) -> Layer:
        """Note that a leaf ran, and return it as a layer."""
        found = self._layers.get(name)
        if found is None:
            weight = weight_of(module)
            fans = (0, 0)
            if weight is not None:
                fans = nn.init._calculate_fan_in_and_fan_out(weight[1])  # noqa: SLF001
            found = self._layers[name] = Layer(
                name,
                type(module).__name__.removeprefix("Parametrized"),
                len(self._layers),
                size_of(module),
                activation=activation_of(module),
                weight="" if weight is None else f"{name}.{weight[0]}".lstrip("."),
                fan_in=fans[0],
                fan_out=fans[1],
                is_norm=is_norm(module),
                is_recurrent=isinstance(module, (nn.RNNBase, nn.RNNCellBase)),
                origin=self._place_of(name),
            )
        self._ran(found)
        return found

    def saw_function(
        self, name: str, kind: str, activation: Activation | None, origin: Origin
    ) -> Layer:
        """Note that a function ran in the forward of a module, and return it as a layer."""
        found = self._layers.get(name)
        if found is None:
            found = self._layers[name] = Layer(
                name, kind, len(self._layers), activation=activation, origin=origin
            )
        self._ran(found)
        return found

    def _ran(self, layer: Layer) -> None:
        """Note what a layer comes behind; one that is shared comes behind several."""
        if layer.activation is not None or not is_between(layer):
            self._followed_by.update(dict.fromkeys(self._open, layer.activation))
            self._open.clear()
        if layer.weight and not layer.is_norm and layer.name not in self._followed_by:
            self._open.append(layer.name)

    def _finished(self) -> Iterator[Layer]:
        """Yield the layers with what only shows when all have run."""
        layers = tuple(self._layers.values())
        weighted = [one.depth for one in layers if one.weight and not one.is_norm]
        last = weighted[-1] if weighted else -1
        for layer in layers:
            yield replace(
                layer,
                followed_by=self._followed_by.get(layer.name),
                is_output=layer.depth >= last,
            )

    def _parameters(self) -> Iterator[Parameter]:
        """Yield the parameters as they are now."""
        groups: dict[int, tuple[int, dict[str, Any]]] = {}
        for number, optimizer in enumerate(self.optimizers):
            for group in optimizer.param_groups:
                for one in group["params"]:
                    groups.setdefault(id(one), (number, group))
        modules = dict(self.modules.values())
        sparse = {
            f"{name}.weight".lstrip(".")
            for name, module in modules.items()
            if getattr(module, "sparse", False)
        }
        for name, parameter in self.parameters.items():
            layer = name.rpartition(".")[0].partition(".parametrizations")[0]
            module = modules.get(layer, next(iter(self.models.values())))
            owner, group = groups.get(id(parameter), (-1, {}))
            known = self._layers.get(layer)
            yield Parameter(
                name,
                layer,
                type(module).__name__,
                tuple(parameter.shape),
                role_of(module, name.rpartition(".")[2], parameter),
                depth=-1 if known is None else known.depth,
                trainable=parameter.requires_grad,
                optimizer=owner,
                learning_rate=_number(group.get("lr")),
                weight_decay=_number(group.get("weight_decay")),
                dtype=str(parameter.dtype).removeprefix("torch."),
                is_sparse=name in sparse,
                origin=self._place_of(layer),
            )

    def _place_of(self, name: str) -> Origin:
        """Return where a module is made, or where the training is watched if that is not known."""
        found = Origin() if self.places is None else self.places.of(name)
        return found if found.line else self.run.origin


def _alike(old: Facts, parameters: Sequence[Parameter], optimizers: Sequence[Optimizer]) -> bool:
    """Say whether nothing has changed but learning rates, by less than a factor of two."""
    if len(old.parameters) != len(parameters) or len(old.optimizers) != len(optimizers):
        return False
    return all(
        _is_close(was.learning_rate, now.learning_rate)
        and replace(now, learning_rate=was.learning_rate, depth=was.depth) == was
        for was, now in zip(old.parameters, parameters, strict=True)
    ) and all(
        _is_close(was.learning_rate, now.learning_rate)
        and replace(now, learning_rate=was.learning_rate) == was
        for was, now in zip(old.optimizers, optimizers, strict=True)
    )


def _is_close(rate: float, other: float) -> bool:
    """Say whether neither of two learning rates is more than twice the other."""
    low, high = sorted((rate, other))
    return high <= 2 * low
