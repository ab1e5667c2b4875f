"""A tensor is used through `.data`, behind the back of autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL520", Severity.ADVICE, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``.data`` of what is surely a tensor."""
    if not file.has_layers:
        return
    for access in file.attributes_read("data"):
        owner = access.owner
        if owner is None or owner.qualified is not None or not file.is_tensor(owner):
            continue
        edit = access.renamed("detach()")
        yield rule.at(
            access,
            f"{access.quoted} shares its memory with {owner.quoted} behind the back of autograd: what is"
            " written to it makes gradients wrong without an error.",
            remedy=f"Use `{owner.text}.detach()`, or work on `{owner.text}` under `torch.no_grad()`.",
            label="autograd does not see this",
            fix=None if edit is None else Fix("Detach the tensor", Safety.UNSAFE, (edit,)),
        )
