"""A model is moved to its device after it was wrapped for distributed training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL810", Severity.ERROR)

_WRAPPER = "torch.nn.parallel.DistributedDataParallel"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find moves of a wrapped model whose bare model nothing moved before."""
    if any(
        True for _ in file.calls_to("torch.set_default_device", "torch.set_default_tensor_type")
    ):
        return
    told = set()
    for move in file.moves_to_device():
        wrapper = None if move.receiver is None else _wrapper(move.receiver)
        if (
            wrapper is None
            or wrapper in told
            or move in told
            or not _is_on_cpu(file, wrapper, move)
        ):
            continue
        told |= {wrapper, move}
        yield rule.at(
            move,
            f"{move.quoted} moves the weights after {wrapper.called.quoted} has put its hooks on them: the"
            " hooks are lost, no gradients are shared, and each process trains for itself.",
            remedy="Move the model to its device first, then wrap it.",
            label="moved after it was wrapped",
            related=[(wrapper, "wrapped here")],
        )


def _wrapper(model: Expr) -> Call | None:
    """Return the wrapping of a model that is surely a ``DistributedDataParallel``."""
    origins = [one for one in model.origins() if one != model]
    found = [one for one in origins if getattr(one, "callee", None) == _WRAPPER]
    return found[0] if len(origins) == len(found) == 1 else None  # type: ignore[return-value]


def _is_on_cpu(file: FileModel, wrapper: Call, move: Call) -> bool:
    """Say whether the file builds the bare model, and moves it nowhere before it is wrapped."""
    model = wrapper.argument(0, "module")
    if model is None or any("device" in context.text for context in wrapper.contexts):
        return False
    if not file.is_built_on_cpu(model):
        return False
    moves = [one for one in file.moves_to_device() if one != move and one.receiver is not None]
    return not any(
        one.order < wrapper.order or one.function != wrapper.function
        for one in moves
        if one.receiver is not None and file.identities.may_be_same(one.receiver, model)
        if move.function != one.function or one.order < move.order
    )
