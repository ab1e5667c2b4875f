"""A running total keeps the graph of every loss that is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Accumulation, Call, Event, Expr, FileModel, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL507", Severity.WARNING, fixable=Safety.UNSAFE)

_FEW = 10
"""So many graphs fit: the parts of one step, counted out in the file."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find differentiated losses that are added to a total which outlives the iteration."""
    if file.is_test:
        return
    backwards = {
        event.call: event for routine in file.routines() for event in routine.of(LoopEvent.BACKWARD)
    }
    yield from _of_lightning(file)
    if not backwards:
        return
    differentiated = [expr for event in backwards.values() for expr in _losses(event)]
    for sum_ in file.accumulations():
        for backward in backwards.values():
            loss = _carried(sum_, backward)
            if loss is None or _is_legal(sum_, backward, differentiated):
                continue
            yield _diagnosis(sum_, loss, backward)
            break


def _diagnosis(sum_: Accumulation, loss: Expr, differentiated: Event | Expr) -> Diagnosis:
    """Return the diagnosis of a total that a loss is added to."""
    return rule.at(
        sum_,
        f"{sum_.into.quoted} keeps the graph of every {loss.quoted} that is added to it, so memory"
        " grows with each batch.",
        remedy=f"Add `{loss.text}.item()`, or `{loss.text}.detach()` to avoid waiting for the device.",
        label="keeps the graph",
        related=[(differentiated, "this loss has a graph")],
        fix=Fix(
            "Add the loss without its graph",
            Safety.UNSAFE,
            (loss.replaced_by(f"{loss.operand_text}.detach()"),),
        ),
    )


def _of_lightning(file: FileModel) -> Iterator[Diagnosis]:
    """Find totals of a module to which its `training_step` adds the loss that it hands to Lightning."""
    for sum_ in file.accumulations():
        step, total = sum_.added.function, sum_.into
        if step is None or step.name != "training_step" or sum_.is_list:
            continue
        around = file.module_around(sum_.added)
        is_kept = total.is_attribute and total.owner is not None and total.owner.name == "self"
        if around is None or not around.is_lightning or not is_kept or sum_.added.without_gradient:
            continue
        if sum_.added.loops:
            continue
        returned = [part for value in step.returns for part in _handed_over(value)]
        if any(part.mentions(total.name or "") for part in returned) or _restarts(sum_, step):
            continue
        for loss in _terms(sum_.added):
            given = [one for one in returned if one.same_as(loss)]
            if given and all(one.origins() == loss.origins() for one in given):
                yield _diagnosis(sum_, loss, given[0])
                break


def _handed_over(returned: Expr) -> Iterator[Expr]:
    """Yield the loss in what a `training_step` returns: the value itself, or ``loss`` of a dict."""
    entries = returned.entries
    if entries is None:
        yield returned
    elif "loss" in entries:
        yield entries["loss"]


def _restarts(sum_: Accumulation, step: Function) -> bool:
    """Say whether the method sets the total to something else, so that it holds a few losses only."""
    return any(
        target.same_as(sum_.into)
        and target.function == step
        and target.statement != sum_.added.statement
        for target, _ in sum_.added.model.assignments(sum_.into.name or "")
    )


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
