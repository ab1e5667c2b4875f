"""Where the weights of a model live, and in which precision: moves and conversions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.immutable import immutable
from trainlint.static.model.expression import AtCall, Call, Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.file import FileModel
    from trainlint.static.model.training import Optimizer

_HALF = frozenset({"torch.float16", "torch.half"})
_OTHER_TYPES = frozenset({"float", "double", "bfloat16"})
_DEVICE_WORDS = re.compile(r"dev(ice)?|gpu|cuda|rank", re.IGNORECASE)
_DEVICES = ("cuda", "mps", "xpu", "hpu", "npu")


@immutable
class LateMove(AtCall):
    """A move of a model to a device after an optimizer took its parameters, before it is used.

    ``loaded`` is where the optimizer loaded its state in between, None if it did not.
    """

    call: Call
    optimizer: Optimizer
    loaded: Call | None

    @property
    def is_sure(self) -> bool:
        """Whether the file shows the class that makes the model: nothing has moved it before."""
        receiver = self.call.receiver
        origins = () if receiver is None else receiver.objects()
        return bool(origins) and all(
            isinstance(one, Call) and (one.method or "")[:1].isupper() for one in origins
        )


def turned_into_half(model: FileModel, expr: Expr, before: Call) -> Expr | None:
    """Return where an object surely got weights in half precision before a call; None if it may not.

    Either what makes it does it (``Net().half()``), or a later statement of the same block or of one
    around that of the call (``net.half()``).
    """
    last: Expr | None = None
    for call in sorted(model.method_calls("half", "to", *_OTHER_TYPES), key=lambda one: one.order):
        receiver = call.receiver
        if receiver is None or call.order >= before.order or receiver.text != expr.text:
            continue
        if call.function != before.function or call.blocks != before.blocks[: len(call.blocks)]:
            continue
        is_half = _is_half(call)
        if is_half is not None:
            last = call if is_half else None
    if last is not None:
        return last
    made = [_made_half(origin) for origin in expr.origins()]
    return made[0] if made and all(made) else None


def _made_half(origin: Expr | None) -> Expr | None:
    """Return the part of a construction that makes the weights half; None if none does."""
    while isinstance(origin, Call):
        is_half = _is_half(origin)
        if is_half is not None:
            return origin if is_half else None
        if origin.method == "from_pretrained":
            given = origin.keywords.get("torch_dtype", origin.keywords.get("dtype"))
            return origin if given is not None and _is_half_type(given) else None
        if origin.method not in {"to", "cuda", "cpu", "train", "eval"}:
            return None
        moved = origin.receiver
        if moved is not None and moved.is_name:
            made = [one for one in moved.origins() if one not in (origin, moved)]
            halves = [_made_half(one) for one in made]
            return halves[0] if halves and all(halves) else None
        origin = moved
    return None


def _is_half(call: Call) -> bool | None:
    """Say whether a call turns what it is called on into half precision; None if it leaves the type."""
    if call.receiver is None or call.callee is not None:
        return None
    if call.method == "half":
        return not call.args
    if call.method in _OTHER_TYPES:
        return False
    if call.method != "to":
        return None
    given = [*call.args, *(value for key, value in call.keywords.items() if key == "dtype")]
    if any(_is_half_type(one) for one in given):
        return True
    types = [one for one in given if (one.qualified or "").startswith("torch.")]
    return False if types or "dtype" in call.keywords or len(call.args) > 1 else None


def _is_half_type(expr: Expr) -> bool:
    """Say whether a value is the type of half precision."""
    return all(origin.qualified in _HALF for origin in expr.origins())


def late_moves(model: FileModel) -> Iterator[LateMove]:
    """Yield the moves to a device that come between the building of an optimizer and its first use."""
    moves = list(moves_to_device(model))
    for optimizer in model.optimizers() if moves else ():
        made, holder = optimizer.call, model.holder(optimizer.call)
        if holder is None or made.expected_to_fail or not optimizer.is_torch:
            continue
        name = holder[0].rpartition(".")[2]
        function = made.site.scope.function
        calls = sorted((model.call(*one) for one in function.calls), key=lambda one: one.order)
        later = [call for call in calls if call.site.index > made.site.index]
        for number, call in enumerate(later):
            owner = _moved_model(optimizer, call)
            if owner is not None:
                between = [one for one in later[:number] if one.mentions(name)]
                loads = _loads_only(model, between)
                if loads is not None and not _is_settled(model, optimizer, owner, call):
                    yield LateMove(call, optimizer, loads[0] if loads else None)
                break


def moves_to_device(model: FileModel) -> Iterator[Call]:
    """Yield the calls that move what they are called on to an accelerator, in order."""
    for call in model.method_calls("to", *_DEVICES):
        if _is_move(call):
            yield call


def is_built_on_cpu(model: FileModel, expr: Expr) -> bool:
    """Say whether the file builds a model, and what builds it puts it on no accelerator."""
    origins = expr.origins()
    return bool(origins) and all(
        isinstance(origin, Call)
        and (model.module_of(origin) is not None or model.layers.kind(origin) is not None)
        and not _is_moved_when_made(origin)
        for origin in origins
    )


def _moved_model(optimizer: Optimizer, call: Call) -> Expr | None:
    """Return which model of an optimizer a call moves, in place and in a straight line after it."""
    made, receiver = optimizer.call, call.receiver
    if receiver is None or not _is_move(call) or call.loops != made.loops:
        return None
    if call.blocks[: len(made.blocks)] != made.blocks:
        return None
    if not call.is_statement and call.assigned_to != receiver.text:
        return None
    identities = made.model.identities
    for owner in optimizer.models:
        if owner.text == receiver.text and identities.of(owner) == identities.of(receiver):
            return owner
    return None


def _loads_only(model: FileModel, between: list[Call]) -> list[Call] | None:
    """Return the loads of a state among calls that mention an optimizer; None if it is used otherwise."""
    schedulers = {one.call for one in model.schedulers()}
    loads = []
    for call in between:
        if call.method == "load_state_dict":
            loads.append(call)
        elif call not in schedulers:
            return None
    return loads


def _is_settled(model: FileModel, optimizer: Optimizer, owner: Expr, move: Call) -> bool:
    """Say whether the model is there already, or another optimizer is built after the move."""
    made = optimizer.call
    if any(_is_moved_when_made(origin) for origin in owner.origins()):
        return True
    earlier = [
        call
        for call in model.method_calls("to", "cuda", *_DEVICES)
        if call != move and call.receiver is not None and _is_move(call)
        if model.identities.may_be_same(call.receiver, owner)
        if call.function != made.function or call.order < made.order
    ]
    return bool(earlier) or any(
        other.call.function == made.function and other.call.order > move.order
        for other in model.optimizers()
    )


def _is_moved_when_made(origin: Expr) -> bool:
    """Say whether what makes a model may put it on a device at once."""
    while isinstance(origin, Call):
        given = (*origin.args, *origin.keywords.values())
        if _is_move(origin) or any(_is_device(one) for one in given):
            return True
        if origin.receiver is None:
            return any(isinstance(one, Call) and _is_moved_when_made(one) for one in origin.args)
        origin = origin.receiver
    return False


def _is_move(call: Call) -> bool:
    """Say whether a call moves what it is called on to an accelerator."""
    if call.receiver is None or call.callee is not None:
        return False
    if call.method in _DEVICES:
        return True
    if call.method != "to":
        return False
    place = call.argument(0, "device")
    return place is not None and _is_device(place)


def _is_device(place: Expr) -> bool:
    """Say whether an expression names an accelerator, or a device by its words."""
    told = place.string()
    if told is not None:
        return told.startswith(_DEVICES)
    if isinstance(place, Call):
        return place.callee == "torch.device" and not (
            place.args and (place.args[0].string() or "").startswith("cpu")
        )
    return place.qualified is None and bool(_DEVICE_WORDS.search(place.name or ""))
