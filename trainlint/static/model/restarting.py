"""Weights that are loaded, and an initialisation that throws them away afterwards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import Call, Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Span
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.initialisation import InitCall

_INIT_NAME = re.compile(
    r"^_*(init|initialize|reset|xavier|kaiming)_?\w*(weight|param)", re.IGNORECASE
)
_INIT_NAME_LAST = re.compile(r"(weight|param)(s|eters)?_*(init|reset)", re.IGNORECASE)
_PLAIN_TYPES = ("Linear", "Conv1d", "Conv2d", "Conv3d")


@immutable
class Restart:
    """An initialisation of all layers of a module whose weights were loaded before."""

    loaded: Call
    """What loads: ``load_state_dict(...)``, or a construction with ``pretrained=True``."""
    reset: Call
    """What draws new weights: ``apply(...)``, or the initialisation in a loop over the modules."""
    module: Expr
    """What is loaded, as written."""

    @property
    def path(self) -> str:
        """The file, as the user named it."""
        return self.reset.path

    @property
    def span(self) -> Span:
        """Where the weights are thrown away."""
        return self.reset.span


@immutable
class _Reset:
    """A place that initialises every layer of ``owner``."""

    at: Call
    owner: Expr
    inits: tuple[InitCall, ...]
    """The initialisations behind it; empty where a function of another file does it."""

    def reaches(self, *kinds: str) -> bool:
        """Say whether it draws new weights for layers of one of these classes."""
        if not self.inits:
            return True
        return any(
            init.parameter != "bias" and init.lets_through(kind) is not False
            for init in self.inits
            for kind in kinds
        )


def restarts(model: FileModel) -> Iterator[Restart]:
    """Yield the places where loaded weights are surely initialised anew, in the order of the file."""
    resets = sorted(_resets(model), key=lambda one: one.at.order)
    if not resets:
        return
    loads = [call for call in model.method_calls("load_state_dict") if call.receiver is not None]
    for reset in resets:
        owner = reset.owner
        found = [
            (load, load.receiver)
            for load in loads
            if load.receiver is not None
            and load.function == reset.at.function
            and (load.receiver.same_as(owner) or model.identities.same(load.receiver, owner))
            and reset.reaches(*_PLAIN_TYPES)
        ]
        found += list(_pretrained(model, reset))
        later = [load for load, _ in found if load.order > reset.at.order]
        sure = [pair for pair in found if _is_before(model, pair[0], reset)]
        if sure and not later:
            load, module = sure[-1]
            yield Restart(load, reset.at, module if module is not None else owner)


def _resets(model: FileModel) -> Iterator[_Reset]:
    """Yield the calls of ``apply`` with an initialisation, and loops over modules that initialise."""
    inits = model.init_calls()
    for call in model.method_calls("apply"):
        if len(call.args) != 1 or call.receiver is None or call.callee is not None:
            continue
        given = call.args[0]
        if isinstance(given, Call) and given.method == "partial" and given.args:
            given = given.args[0]
        scopes = [model.follower.definition(origin) for origin in given.origins()]
        behind = tuple(
            init
            for scope in scopes
            if scope is not None
            for init in scope.index.model.init_calls()
            if init.call.site.scope.function is scope
        )
        name = given.name or ""
        if behind and None not in scopes:
            yield _Reset(call, call.receiver, behind)
        elif scopes == [None] and (_INIT_NAME.search(name) or _INIT_NAME_LAST.search(name)):
            yield _Reset(call, call.receiver, ())
    for init in inits:
        root = init.argument("tensor")
        while root is not None and root.owner is not None:
            root = root.owner
        iterable = None if root is None else root.iterated
        if init.parameter != "weight" or not isinstance(iterable, Call):
            continue
        if iterable.method in {"modules", "named_modules"} and iterable.receiver is not None:
            yield _Reset(init.call, iterable.receiver, (init,))


def _is_before(model: FileModel, load: Call, reset: _Reset) -> bool:
    """Say whether a load always runs into the initialisation."""
    block = reset.at.site.block
    loops = reset.at.loops
    if reset.inits and reset.inits[0].call == reset.at and loops:
        block = model.site_of_block(loops[-1].block).block
    return load.order < reset.at.order and block in load.site.block.ancestors()


def _pretrained(model: FileModel, reset: _Reset) -> Iterator[tuple[Call, Expr]]:
    """Yield the pretrained models that a reset reaches: its owner, or what its owner keeps."""
    values = [reset.owner]
    home = model.class_of_self(reset.owner.site, reset.owner.node)
    for bindings in () if home is None else home.attributes.values():
        if len(bindings) == 1 and bindings[0].value is not None:
            value = model.expr(bindings[0].value, bindings[0].site)
            values += [value] if value.function == reset.at.function else []
    for value in values:
        origins = value.objects()
        made = origins[0] if len(origins) == 1 else None
        if isinstance(made, Call) and made.function == reset.at.function:
            yield from [(made, value)] if _is_pretrained(made) and _suits(made, reset) else []


def _is_pretrained(made: Call) -> bool:
    """Say whether a construction surely loads weights."""
    callee = made.callee or ""
    given = made.keywords.get("pretrained")
    if given is not None:
        return given.is_settled and given.truth() is True
    if made.method == "from_pretrained":
        return callee.startswith(("transformers.", "timm.", "torchvision."))
    if callee.startswith("torchvision.models."):
        weights = made.keywords.get("weights")
        return weights is not None and (
            "Weights" in weights.text or (weights.is_settled and bool(weights.string()))
        )
    return False


def _suits(made: Call, reset: _Reset) -> bool:
    """Say whether a reset reaches the layers that such a model is made of."""
    is_transformer = (made.callee or "").startswith("transformers.")
    return reset.reaches("Linear" if is_transformer else "Conv2d")
