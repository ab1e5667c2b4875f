"""The epsilon of Adam rounds to 0 in half precision, and a weight without a gradient becomes NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Optimizer

rule = Rule(__name__, "TL417", Severity.WARNING)

_KINDS = frozenset({"Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop"})
_DEFAULT_EPS = 1e-8
_OTHER_COPIES = "apex|fp16_?optim|master|peft|lora"
"""Words of files that keep the weights that are trained in another precision."""


@rule.check
def check(
    file: FileModel,
    *,
    smallest: float = 2.0**-25,  # half of float16's smallest number
) -> Iterator[Diagnosis]:
    """Find optimizers with such an epsilon on models that were turned into half precision."""
    if file.is_test or not file.speaks_of("half|float16") or file.speaks_of(_OTHER_COPIES):
        return
    if file.imports("apex", "peft", "deepspeed") or _freezes(file):
        return
    for optimizer in file.optimizers():
        if optimizer.kind not in _KINDS or not optimizer.is_torch or optimizer.call.is_open:
            continue
        eps = optimizer.argument("eps")
        value = _DEFAULT_EPS if eps is None else optimizer.number("eps")
        if value is None or value > smallest or _computes_in_float(optimizer):
            continue
        halved = [file.turned_into_half(model, before=optimizer.call) for model in optimizer.models]
        if not halved or any(one is None for one in halved) or optimizer.call.expected_to_fail:
            continue
        yield rule.at(
            optimizer,
            f"The epsilon {value:g} of {optimizer.call.called.quoted} is under {smallest:.2g} and rounds"
            " to 0 in half precision, so a weight whose gradient underflows becomes NaN.",
            remedy="Keep the weights in float32 and use `torch.autocast`; otherwise pass `eps=1e-4`.",
            label=f"an epsilon of {value:g}",
            related=[(one, "turns the weights into half precision") for one in halved if one],
        )


def _computes_in_float(optimizer: Optimizer) -> bool:
    """Say whether the fused kernel, which computes in float32, may do the step."""
    fused = optimizer.call.keywords.get("fused")
    return fused is not None and fused.truth() is not False


def _freezes(file: FileModel) -> bool:
    """Say whether the half of the network may be frozen, and what is trained of another type."""
    if any(True for _ in file.assignments("requires_grad")):
        return True
    return any(True for _ in file.method_calls("requires_grad_"))
