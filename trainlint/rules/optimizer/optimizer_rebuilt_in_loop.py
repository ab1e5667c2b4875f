"""The optimizer is built anew in each round of the training loop and forgets what it has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel, Optimizer, Round

rule = Rule(__name__, "TL415", Severity.WARNING)

_STARTS_OVER = ("load_state_dict", "reset_parameters", "apply", "deepcopy", "from_pretrained")
_CHANGES_NOTHING = frozenset(
    {"train", "eval", "zero_grad", "to", "cuda", "cpu", "forward"}
    | {"parameters", "named_parameters", "children", "modules", "state_dict"}
)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find optimizers with a memory that a loop over epochs or batches makes anew for one model."""
    if file.is_test:
        return
    for optimizer in file.optimizers():
        if not _remembers(optimizer) or not optimizer.models or optimizer.call.expected_to_fail:
            continue
        found = next(file.rounds_of(optimizer.call), None)
        if found is None or not _trains_on(file, optimizer, found):
            continue
        if any(found.may_make(model) for model in optimizer.models):
            continue
        if _starts_over(file, found) or _changes_model(optimizer, found):
            continue
        unit = "batch" if found.loop.over_batches else "epoch" if found.loop.over_epochs else "step"
        yield rule.at(
            optimizer,
            f"{optimizer.call.called.quoted} is built anew for each {unit}, so the averages that its"
            " steps are made of start from zero every time.",
            remedy="Build it once before the loop; a scheduler changes its learning rate.",
            label="forgets its state",
            related=[(found.loop, f"runs for each {unit}")],
        )


def _remembers(optimizer: Optimizer) -> bool:
    """Say whether an optimizer keeps a state that is worth something on the next batch."""
    if not optimizer.is_torch or optimizer.kind == "LBFGS":
        return False
    if optimizer.kind != "SGD":
        return True
    return any(given.value > 0 for given in optimizer.given("momentum"))


def _trains_on(file: FileModel, optimizer: Optimizer, found: Round) -> bool:
    """Say whether the loop goes through the epochs or batches of one training, or through its steps."""
    if found.loop.over_epochs or found.loop.over_batches:
        return True
    return any(
        step.loop == found.loop and step.subject is not None and optimizer.may_be(step.subject)
        for routine in file.routines()
        for step in routine.of(LoopEvent.STEP)
    )


def _starts_over(file: FileModel, found: Round) -> bool:
    """Say whether each round may start from other weights, or train other parts of the network."""
    if any(found.loop.runs(call) for call in file.method_calls(*_STARTS_OVER)):
        return True
    places: list[Expr] = [target for target, _ in file.assignments("requires_grad")]
    places += file.method_calls("requires_grad_")
    return any(found.loop.runs(place) for place in places)


def _changes_model(optimizer: Optimizer, found: Round) -> bool:
    """Say whether each round calls a method of the model that may give it other parameters."""
    names = {model.text for model in optimizer.models}
    calls: tuple[Call, ...] = found.loop.calls
    function = optimizer.call.function
    if function is not None:
        calls += function.calls
    return any(
        call.is_statement
        and call.receiver is not None
        and call.receiver.text in names
        and call.method not in _CHANGES_NOTHING
        for call in calls
    )
