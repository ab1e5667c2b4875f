"""What of a model behaves differently in training and in evaluation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainlint.static.model.expression import Call, Expr
from trainlint.static.model.layers import CONTAINERS, Layer
from trainlint.static.model.tree import BindingKind, Scope, ScopeKind

if TYPE_CHECKING:
    from trainlint.static.model.file import FileModel

_HARMLESS = ("torch.", "builtins.", "math.", "numpy.", "typing.", "functools.", "collections.")
_HARMLESS_BASES = {"torch.nn.Module", "torch.nn.Sequential", "torch.nn.ModuleList"}
_DROPOUT_FUNCTIONS = tuple(
    f"torch.nn.functional.{name}"
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")
)


_NORMALISED = re.compile(
    r"torchvision\.models\.((wide_)?resnet|resnext|densenet|mobilenet|efficientnet|googlenet"
    r"|inception|mnasnet|regnet|shufflenet|vgg\d+_bn)"
)
"""Builders of torchvision whose models have batch normalisation."""

_WITH_DROPOUT = re.compile(
    r"transformers\.(AutoModelForSeq2SeqLM|(Bert|Roberta|DistilBert|Electra|M?T5|M?Bart|GPT2)[A-Z]\w*)"
    r"\.from_pretrained"
)
"""Models of transformers with dropout in the configuration that comes with the weights."""


@dataclass
class ModeDependence:
    """Which parts of a model depend on its mode: dropout, batch normalisation."""

    sure: list[Expr] = field(default_factory=list)
    """What surely behaves differently in the two modes."""
    possible: bool = False
    """Whether something may: a dropout whose probability is not known, a layer of another file."""
    starts_in_evaluation: bool = False
    """Whether it is loaded in evaluation mode, as ``from_pretrained`` of transformers does."""

    @property
    def is_free(self) -> bool:
        """Whether the file shows all of the model, and nothing in it depends on the mode."""
        return not self.sure and not self.possible


def mode_dependence(model: FileModel, expr: Expr) -> ModeDependence:
    """Say what of a model depends on whether it is in training or in evaluation mode."""
    found = ModeDependence()
    seen: set[int] = set()
    for origin in expr.objects():
        _add_object(model, origin, found, seen)
    return found


def _add_object(model: FileModel, origin: Expr, found: ModeDependence, seen: set[int]) -> None:
    """Add what one object has of layers that know a mode."""
    if not isinstance(origin, Call):
        home = model.class_of_self(origin.site, origin.node)
        if home is None:
            found.possible = True
        else:
            _add_class(model, home, found, seen)
        return
    kind = model.layers.kind(origin)
    if kind in CONTAINERS:
        for step in model.layers.steps(origin):
            if step.layer is not None:
                _add_layer(step.layer, found)
            elif step.is_unknown:
                found.possible = True
    elif kind is not None:
        _add_layer(Layer(kind, origin), found)
    elif origin.target is not None and origin.target.kind is ScopeKind.CLASS:
        _add_class(model, origin.target, found, seen)
    elif _NORMALISED.match(origin.callee or "") and not (
        origin.is_open or "norm_layer" in origin.keywords
    ):
        found.sure.append(origin)
    elif len(origin.args) == 1 and not origin.keywords and _loads_dropout(origin):
        found.sure.append(origin)
        found.starts_in_evaluation = True
    else:
        found.possible = True


def _loads_dropout(origin: Call) -> bool:
    """Say whether a call loads a model that surely has dropout, with the configuration it came with."""
    return _WITH_DROPOUT.fullmatch(origin.callee or "") is not None


def _add_layer(layer: Layer, found: ModeDependence) -> None:
    """Add a layer of torch, if it knows a mode."""
    if layer.is_batch_norm:
        tracks = layer.argument("track_running_stats")
        if tracks is None or tracks.truth() is True:
            found.sure.append(layer.call)
        else:
            found.possible = True
    elif layer.is_dropout or (layer.is_recurrent and layer.argument("dropout") is not None):
        rate = layer.argument("p" if layer.is_dropout else "dropout")
        value = 0.5 if rate is None else rate.number()
        if value is None:
            found.possible = True
        elif value > 0 and (layer.is_dropout or (layer.number("num_layers") or 1) > 1):
            found.sure.append(layer.call)


def _add_class(model: FileModel, scope: Scope, found: ModeDependence, seen: set[int]) -> None:
    """Add the layers of a module class of the file, and of those that it builds in turn."""
    if id(scope) in seen:
        return
    seen.add(id(scope))
    if any(base not in _HARMLESS_BASES for base in model.foreign_bases(scope)):
        found.possible = True
    for one in model.lineage(scope):
        for bindings in one.bindings.values():
            for binding in bindings:
                method = binding.definition if binding.kind is BindingKind.FUNCTION else None
                for node, site in () if method is None else method.calls:
                    _add_call(model, model.call(node, site), found, seen)


def _add_call(model: FileModel, call: Call, found: ModeDependence, seen: set[int]) -> None:
    """Add what a call in a method of a module class builds or drops."""
    kind = model.layers.kind(call)
    if kind is not None:
        if kind not in CONTAINERS:
            _add_layer(Layer(kind, call), found)
    elif call.callee in _DROPOUT_FUNCTIONS:
        training = call.argument(2, "training")
        rate = call.argument(1, "p")
        if training is not None and (rate is None or rate.number() != 0):
            if rate is None or rate.number() is not None:
                found.sure.append(call)
            else:
                found.possible = True
    elif call.target is not None and call.target.kind is ScopeKind.CLASS:
        _add_class(model, call.target, found, seen)
    elif call.target is not None and call.target.returns:
        _add_function(call, call.target, found, seen)
    elif call.callee is not None:
        found.possible |= not call.callee.startswith(_HARMLESS)
    elif call.target is None and call.called.is_name:
        found.possible = True


def _add_function(call: Call, scope: Scope, found: ModeDependence, seen: set[int]) -> None:
    """Add what a function builds; what it builds under a condition it may build for this module."""
    if id(scope) in seen:
        return
    seen.add(id(scope))
    inside = ModeDependence()
    model = scope.index.model
    for node, site in scope.calls:
        made = model.call(node, site)
        if not (model.layers.kind(made) or made.target or made.callee in _DROPOUT_FUNCTIONS):
            continue
        part = ModeDependence()
        _add_call(model, made, part, seen)
        inside.possible |= part.possible or (bool(part.sure) and bool(made.decided_by))
        inside.sure += [] if made.decided_by else part.sure
    found.possible |= inside.possible or (bool(inside.sure) and bool(call.conditions))
    found.sure += [] if call.conditions else inside.sure
