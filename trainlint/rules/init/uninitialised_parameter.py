"""A parameter is made with `torch.empty`, and nothing ever fills it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL111", Severity.WARNING)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find parameters of uninitialised memory that only the way of the data reads."""
    for parameter in () if file.serves_tests else file.empty_parameters():
        yield rule.at(
            parameter.made,
            f"{parameter.made.quoted} is memory as it happens to be, and nothing fills"
            f" `self.{parameter.attribute}`: it starts with zeros, huge numbers or NaN by chance.",
            remedy="Call a function of `nn.init` on it, or make it with `torch.zeros` or `torch.randn`.",
            label="uninitialised memory",
            related=[(parameter.used, "used here")],
        )
