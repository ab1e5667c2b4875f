"""A running total keeps the graph of every loss that is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Accumulation, Call, Event, Expr, FileModel

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL507", Severity.WARNING, fixable=Safety.UNSAFE)

_FEW = 10
"""So many graphs fit: the parts of one step, counted out in the file."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find differentiated losses that are added to a total which outlives the iteration."""
    backwards = {
        event.call: event for routine in file.routines() for event in routine.of(LoopEvent.BACKWARD)
    }
    if not backwards:
        return
    differentiated = [expr for event in backwards.values() for expr in _losses(event)]
    for sum_ in file.accumulations():
        for backward in backwards.values():
            loss = _carried(sum_, backward)
            if loss is None or _is_legal(sum_, backward, differentiated):
                continue
            total = sum_.into
            yield rule.at(
                sum_,
                f"{total.quoted} keeps the graph of every {loss.quoted} that is added to it, so memory"
                " grows with each batch.",
                remedy=f"Add `{loss.text}.item()`, or `{loss.text}.detach()` to avoid waiting for"
                " the device.",
                label="keeps the graph",
                related=[(backward, "this loss has a graph")],
                fix=Fix(
                    "Add the loss without its graph",
                    Safety.UNSAFE,
                    (loss.replaced_by(f"{loss.source_text}.detach()"),),
                ),
            )
            break


def _losses(backward: Event) -> Iterator[Expr]:
    """Yield the names that are part of what is differentiated, a scaled or divided loss included."""
    subject = backward.subject
    if subject is None:
        return
    for part in (subject, *(origin for origin in subject.origins() if origin != subject)):
        if isinstance(part, Call) and part.method == "scale" and part.args:
            yield from part.args[0].parts()
        elif part.is_name or part.is_attribute or part.operands:
            yield from part.parts()


def _carried(sum_: Accumulation, backward: Event) -> Expr | None:
    """Return the part of what is added that is the loss of a backward pass in the same loop."""
    loops = backward.call.loops
    if not loops or loops[-1] not in sum_.added.loops or sum_.added.without_gradient:
        return None
    names = [loss for loss in _losses(backward) if loss.is_name or loss.is_attribute]
    for part in _terms(sum_.added):
        for loss in names:
            if part.same_as(loss) and part.origins() == loss.origins():
                return part
    return None


def _terms(added: Expr) -> Iterator[Expr]:
    """Yield the names in a sum or product, none that a function or method is applied to."""
    if added.operands:
        for operand in added.operands:
            yield from _terms(operand)
    elif added.is_name or added.is_attribute:
        yield added


def _is_legal(sum_: Accumulation, backward: Event, differentiated: list[Expr]) -> bool:
    """Say whether the graphs are few, or the total is differentiated, made anew each time, or given."""
    loop = backward.call.loops[-1]
    if loop.count is not None and loop.count <= _FEW and not loop.over_epochs:
        return True
    if sum_.restarts_in(loop) or any(loss.same_as(sum_.into) for loss in differentiated):
        return True
    if not sum_.is_list:
        return False
    return any(origin.items != () for origin in sum_.into.origins())
