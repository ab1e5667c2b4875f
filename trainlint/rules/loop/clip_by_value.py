"""Clipping each gradient to a range changes the direction of the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel

rule = Rule(__name__, "TL513", Severity.ADVICE, judges_configs=True)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find gradients clipped by value, in a file that never clips by norm."""
    if file.speaks_of("clip_grads?_(with_)?norm"):
        return
    by_function = file.calls_to("torch.nn.utils.clip_grad_value_", "torch.nn.utils.clip_grad_value")
    by_hand = (call for call in file.method_calls("clamp_", "clip_") if _clamps_gradient(call))
    for call in (*by_function, *by_hand):
        yield rule.at(
            call,
            f"{call.called.quoted} cuts each gradient on its own, so the step no longer points where"
            " the gradient does.",
            remedy="Try `torch.nn.utils.clip_grad_norm_`, which keeps the direction, and keep what"
            " trains better.",
            label="changes the direction",
        )


def _clamps_gradient(call: Call) -> bool:
    """Say whether the gradient of a parameter is clamped, in a loop over the parameters."""
    gradient = call.receiver
    if gradient is not None and gradient.name == "data":
        gradient = gradient.owner
    if gradient is None or gradient.name != "grad" or gradient.owner is None:
        return False
    iterated = gradient.owner.iterated
    return iterated is not None and any(
        one.method in {"parameters", "named_parameters"} for one in iterated.calls()
    )
