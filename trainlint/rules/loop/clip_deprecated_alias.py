"""Gradients are clipped by the deprecated name of the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Edit, Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel

rule = Rule(__name__, "TL521", Severity.WARNING, fixable=Safety.SAFE)

_TODAY = "clip_grad_norm_"


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find calls of ``clip_grad_norm`` without the underscore."""
    names = ("torch.nn.utils.clip_grad_norm", "torch.nn.utils.clip_grad.clip_grad_norm")
    for call in file.calls_to(*names):
        edits = _edits(file, call)
        yield rule.at(
            call.called,
            f"{call.called.quoted} is the deprecated name of `{_TODAY}`: it warns on every call and"
            " goes with a later version of torch.",
            remedy=f"Call `torch.nn.utils.{_TODAY}`, which does the same.",
            label="deprecated name",
            fix=Fix(f"Call `{_TODAY}`", Safety.SAFE, edits) if edits else None,
        )


def _edits(file: FileModel, call: Call) -> tuple[Edit, ...]:
    """Return the edits that call the function by its name of today."""
    if call.called.is_name:
        return file.renamed_import(call.called, _TODAY)
    edit = call.called.renamed(_TODAY)
    return () if edit is None else (edit,)
