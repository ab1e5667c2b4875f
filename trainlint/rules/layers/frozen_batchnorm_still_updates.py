"""The weights of a model are frozen, but the statistics of its batch normalisation are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Event, Expr, FileModel, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL612", Severity.ADVICE)

_PRETRAINED = re.compile(
    r"(wide_)?res(net|next)\d|densenet\d|mobilenet_v|efficientnet|vgg\d+_bn|inception_v3|googlenet"
    r"|regnet_|shufflenet|mnasnet"
)
"""Models of torchvision that have batch normalisation."""

_BY_HAND = r"freeze_?(bn|batch)|(bn|batch_?norm)_?(eval|freeze|frozen)|frozen_?(bn|batch)|set_?bn"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find frozen models with batch normalisation that are put into training mode afterwards."""
    if file.speaks_of(_BY_HAND):
        return
    told = set()
    for frozen in file.frozen_models():
        norm = _batch_norm(file, frozen.owner)
        if norm is None or _is_thawed(file, frozen.owner) or frozen.at in told:
            continue
        train = _training_mode(file, frozen.owner)
        if train is None:
            continue
        told.add(frozen.at)
        yield rule.at(
            frozen,
            f"The weights of {frozen.owner.quoted} are frozen, but {train.call.quoted} lets the running"
            f" statistics of {norm.quoted} move on with every batch.",
            remedy=f"Call `{frozen.owner.text}.eval()` after each `train()`, or the `eval()` of its batch"
            " normalisations.",
            label="freezes weights, not statistics",
            related=[(train, "updates the statistics")],
        )


def _batch_norm(file: FileModel, model: Expr) -> Expr | None:
    """Return a batch normalisation that a model surely has, or what makes a model that has some."""
    for one in file.mode_dependence(model).sure:
        layer = file.layer_of(one)
        if layer is not None and layer.is_batch_norm:
            return one
    for origin in model.objects():
        name = (origin.callee or "") if isinstance(origin, Call) else ""
        package, _, last = name.rpartition(".")
        if package == "torchvision.models" and _PRETRAINED.match(last):
            return origin
    return None


def _is_thawed(file: FileModel, model: Expr) -> bool:
    """Say whether anything sets the gradients of the model on again."""
    owners = [call.receiver for call in file.method_calls("requires_grad_") if _turns_on(call)]
    owners += [
        target.owner
        for target, value in file.assignments("requires_grad")
        if value is None or value.truth() is not False
    ]
    for owner in owners:
        held = None if owner is None else owner.iterated
        held = held.receiver if isinstance(held, Call) else owner
        if held is None or file.identities.same(held, model):
            return True
    return False


def _turns_on(call: Call) -> bool:
    """Say whether a call of ``requires_grad_`` may switch the gradients on."""
    return not call.args or call.args[0].truth() is not False


def _training_mode(file: FileModel, model: Expr) -> Event | None:
    """Return where the model is put into training mode for a training, if nothing takes it back."""
    found: Event | None = None
    for routine in file.routines():
        backwards = routine.of(LoopEvent.BACKWARD)
        for event in routine.of(LoopEvent.TRAIN_MODE):
            if event.subject is None or not backwards:
                continue
            if _holds(file, event.subject, model):
                found = found or event
    if found is None or found.subject is None:
        return None
    for call in file.method_calls("eval"):
        receiver = call.receiver
        if receiver is not None and not file.identities.same(receiver, found.subject):
            return None
    return None if any(_may_set_modes(file, call) for call in file.method_calls("apply")) else found


def _may_set_modes(file: FileModel, apply: Call) -> bool:
    """Say whether a function that is applied to all layers may put some into evaluation mode."""
    functions = [file.function_of_name(one) for given in apply.args for one in given.origins()]
    return not functions or any(one is None or _sets_modes(one) for one in functions)


def _sets_modes(function: Function) -> bool:
    """Say whether a function sets the mode or the statistics of what it is given."""
    if any(call.method in {"eval", "train"} for call in function.calls):
        return True
    return any(
        target.function == function
        for name in ("training", "momentum", "track_running_stats")
        for target, _ in function.model.assignments(name)
    )


def _holds(file: FileModel, whole: Expr, part: Expr) -> bool:
    """Say whether one object is the other, or a module around it that sets its mode with its own."""
    if file.identities.same(whole, part):
        return True
    around, owner = file.module_of(whole), part.owner
    if around is not None and around.method("train") is not None:
        return False
    if file.identities.keeps(whole, part):
        return True
    return (
        around is not None
        and owner is not None
        and owner.name == "self"
        and (file.module_around(part) == around)
    )
