"""A loss that was computed under `no_grad` is differentiated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Driver, Event, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL518", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find backward passes of losses whose every way through the code is under ``no_grad``."""
    told = set()
    for routine in file.routines():
        for backward in routine.of(LoopEvent.BACKWARD):
            loss = backward.subject
            if loss is None or backward.call in told or not _is_plain(file, backward):
                continue
            origins = [origin for one in loss.origins() for origin in _unscaled(one)]
            if not origins or not all(_has_no_graph(file, one) for one in origins):
                continue
            told.add(backward.call)
            yield rule.at(
                backward,
                f"{loss.quoted} is computed without a graph, so {backward.call.quoted} raises an error.",
                remedy="Compute the loss of the training outside of `no_grad` and `inference_mode`.",
                label="nothing to go back through",
                related=[(origins[0], "computed under `no_grad`")],
            )


def _is_plain(file: FileModel, backward: Event) -> bool:
    """Say whether torch itself differentiates, and nothing in the file tells a tensor to have a graph."""
    if backward.driver not in {Driver.PLAIN, Driver.ACCELERATE, Driver.FABRIC}:
        return False
    if backward.call.expected_to_fail or any(file.method_calls("requires_grad_")):
        return False
    return not any(file.assignments("requires_grad")) and not any(
        file.calls_passing("requires_grad")
    )


def _unscaled(origin: Expr) -> tuple[Expr, ...]:
    """Return the loss inside of ``scaler.scale(loss)``."""
    if isinstance(origin, Call) and origin.method == "scale" and origin.args:
        return origin.args[0].origins()
    return (origin,)


def _has_no_graph(file: FileModel, origin: Expr) -> bool:
    """Say whether a value is a tensor that is computed from others under ``no_grad``."""
    if not origin.without_gradient or not file.is_tensor(origin):
        return False
    if origin.operands or (isinstance(origin, Call) and origin.callee is None):
        return True
    # A tensor that is made of numbers may be a start, to which losses are added in place.
    return isinstance(origin, Call) and any(
        file.is_tensor(one) or isinstance(one, Call) for one in origin.args
    )
