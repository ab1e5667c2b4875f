"""The learning rate is so large that the loss diverges, or so small that nothing is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Given, Optimizer

rule = Rule(__name__, "TL401", Severity.WARNING, judges_configs=True)

_CLIPS = ("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_")
_SCALE_THEIR_STEPS = {"Adadelta", "LBFGS"}
_IGNORE_SIZES = {"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop"}
"""Their steps are as long as the rate whatever the size of the gradient: clipping shortens none."""


@rule.check
def check(
    file: FileModel,
    *,
    lowest: float = 1e-7,  # UMLAUT: LRLow
    highest: float = 1.0,  # Smith 2017: diverges well before
) -> Iterator[Diagnosis]:
    """Compare the rates that optimizers are given with the bounds of what ever learns."""
    for optimizer in () if file.serves_tests else file.optimizers():
        if not optimizer.is_torch or optimizer.call.expected_to_fail:
            continue
        for given in optimizer.given("lr"):
            if given.value < 0:
                said = f"{given.quoted} is under 0, which torch refuses"
            elif not given.trains_modules or optimizer.rate_is_idle:
                continue
            elif given.value > highest and not _may_be_large(file, optimizer):
                said = f"{given.quoted} is over {highest:g}: the steps are so large that the loss diverges"
            elif given.value == 0 and not given.in_group and not _is_loaded(file, optimizer):
                said = f"{given.quoted} is 0 and nothing raises it: no weight ever moves"
            elif 0 < given.value < lowest:
                said = f"{given.quoted} is under {lowest:g}: the weights hardly move"
            else:
                continue
            yield _diagnosis(optimizer, given, said)


def _may_be_large(file: FileModel, optimizer: Optimizer) -> bool:
    """Say whether large rates are known to work: scaled or clipped steps, frozen features."""
    if optimizer.kind in _SCALE_THEIR_STEPS:
        return True
    if optimizer.kind not in _IGNORE_SIZES:
        if any(routine.of(LoopEvent.CLIP) for routine in file.routines()):
            return True
        if any(True for _ in file.calls_to(*_CLIPS)):
            return True
        # Who trains a recurrent network clips, if not in this file then in the one with the loop.
        if any(layer.is_recurrent for layer in optimizer.layers):
            return True
    frozen = [value for _, value in file.assignments("requires_grad")]
    frozen += [call.argument(0, "requires_grad") for call in file.method_calls("requires_grad_")]
    return any(value is not None and value.truth() is not True for value in frozen)


def _is_loaded(file: FileModel, optimizer: Optimizer) -> bool:
    """Say whether a stored state, which brings its own rate, is loaded into the optimizer."""
    loads = file.method_calls("load_state_dict")
    return any(call.receiver is not None and optimizer.may_be(call.receiver) for call in loads)


def _diagnosis(optimizer: Optimizer, given: Given, said: str) -> Diagnosis:
    """Return the diagnosis of one rate."""
    start = "3e-4" if optimizer.kind.startswith(("Adam", "NAdam", "RAdam")) else "0.1"
    return rule.at(
        given,
        f"The learning rate {said}.",
        remedy=f"Start near {start} for {optimizer.kind}; the best rate is about half of the largest"
        " that still converges.",
        label=f"a rate of {given.value:g}",
        related=given.sources,
    )
