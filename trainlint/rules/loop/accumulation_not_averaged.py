"""The losses of the batches that make one step are added up and not averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Event, Expr, FileModel, Loop, Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL515", Severity.WARNING, fixable=Safety.UNSAFE)

_NO_MATTER_OF_SCALE = frozenset(
    {"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "Rprop"}
)
"""Optimizers that divide the gradient by its own size: a factor changes nothing, unless it is clipped."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find averaged losses that are differentiated every batch and stepped on every few, undivided."""
    told = set()
    for routine in file.routines():
        if not routine.is_plain or file.writes_gradients:
            continue
        for step in routine.of(LoopEvent.STEP):
            found = _accumulation(routine, step)
            if found is None or found[0].call in told:
                continue
            backward, every = found
            loss = _undivided(file, backward)
            if loss is None or _is_scaled_otherwise(file, step, every):
                continue
            if not routine.of(LoopEvent.CLIP) and _does_not_mind(file, step):
                continue
            told.add(backward.call)
            edit = loss.replaced_by(_divided(loss, every, backward))
            yield rule.at(
                backward,
                f"{loss.quoted} is not divided by {every.quoted}, so each step follows the sum over"
                f" {every.quoted} batches: that many times the gradient.",
                remedy=f"Differentiate `{loss.text} / {every.text}`.",
                label="adds up",
                related=[(step, "steps once for several batches")],
                fix=Fix("Average over the batches", Safety.UNSAFE, (edit,)),
            )


def _accumulation(routine: Routine, step: Event) -> tuple[Event, Expr] | None:
    """Return the backward pass of each batch and the number of batches after which is stepped."""
    loop = step.loop
    if loop is None:
        return None
    number = _every(step, loop)
    inside = [one for one in routine.events if one.inside(loop)]
    backwards = [one for one in inside if one.kind is LoopEvent.BACKWARD]
    clearings = [one for one in inside if one.kind is LoopEvent.ZERO_GRAD]
    steps = [one for one in inside if one.kind is LoopEvent.STEP and not one.excludes(step)]
    if number is None or len(backwards) != 1 or len(steps) != 1 or not clearings:
        return None
    backward = backwards[0]
    if backward.loop != loop or backward.conditional_in(loop) or not backward.always_before(step):
        return None
    if not all(one.conditional_in(loop) and one.may_concern(step) for one in clearings):
        return None
    return backward, number


def _every(step: Event, loop: Loop) -> Expr | None:
    """Return the number of iterations from one step to the next, where a condition says it."""
    divisors = [
        part.operands[1]
        for test in step.conditions_in(loop)
        for part in _tested(test)
        if part.operator == "Mod"
    ]
    if len(divisors) != 1 or not step.conditional_in(loop):
        return None
    divisor = divisors[0]
    value = divisor.number()
    if value is not None and value <= 1:
        return None
    return divisor if divisor.is_name or divisor.is_attribute or value is not None else None


def _tested(test: Expr) -> Iterator[Expr]:
    """Yield the parts of a condition, and of the values that its names hold."""
    for part in test.parts():
        yield part
        for origin in part.origins() if part.is_name else ():
            if origin != part:
                yield from origin.parts()


def _undivided(file: FileModel, backward: Event) -> Expr | None:
    """Return the loss, if it is surely the mean over one batch and nothing scales it."""
    loss = backward.subject
    if loss is None:
        return None
    if isinstance(loss, Call) and loss.method == "scale" and loss.args:
        loss = loss.args[0]
    known = {one.call: one for one in file.losses()}
    for origin in loss.origins():
        if not isinstance(origin, Call) or origin not in known:
            return None
        for option in ("reduction", "size_average", "reduce"):
            given = known[origin].option(option)
            if given is not None and given.literal() != "mean":
                return None
    return loss


def _is_scaled_otherwise(file: FileModel, step: Event, every: Expr) -> bool:
    """Say whether the rate may be set for the sum, or the number of batches is divided by elsewhere."""
    optimizers = [one for one in file.optimizers() if step.subject and one.may_be(step.subject)]
    rates = [one.argument("lr") for one in optimizers]
    name = every.name
    if any(
        rate is not None and any(part.operator in {"Div", "Mult"} for part in rate.parts())
        for rate in rates
    ):
        return True
    return name is not None and file.divides_by(name)


def _does_not_mind(file: FileModel, step: Event) -> bool:
    """Say whether the optimizer is known, and a factor on the gradient leaves its steps as they are."""
    origins = () if step.subject is None else step.subject.objects()
    kinds = {one.call: one.kind for one in file.optimizers()}
    return all(
        kinds.get(one) in _NO_MATTER_OF_SCALE for one in origins if isinstance(one, Call)
    ) and (any(isinstance(one, Call) for one in origins))


def _divided(loss: Expr, every: Expr, backward: Event) -> str:
    """Return the text that takes the place of the loss."""
    text = f"{loss.operand_text} / {every.operand_text}"
    return f"({text})" if backward.call.receiver is not None and loss == backward.subject else text
