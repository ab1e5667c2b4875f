"""A standard deviation is used as the range of a uniform distribution, or a range as a deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL106", Severity.WARNING)

_OF_NORMAL, _OF_UNIFORM = 2.0, 6.0


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find the root of 2 over fans as a range, and the root of 6 over fans as a deviation."""
    for init in file.init_calls():
        formula = init.formula
        if formula is None or init.parameter == "bias":
            continue
        if init.scheme == "uniform" and abs(formula.numerator - _OF_NORMAL) < _EXACT:
            given, use, wanted, factor = "high", "range", "6", "small"
        elif init.scheme == "normal" and abs(formula.numerator - _OF_UNIFORM) < _EXACT:
            given, use, wanted, factor = "std", "standard deviation", "2", "large"
        else:
            continue
        other = "standard deviation" if given == "high" else "range of a uniform distribution"
        yield rule.at(
            init,
            f"{init.call.quoted} uses the {other}, the root of {formula.numerator:g} over the fans, as "
            f"its {use}: the variance is three times too {factor}.",
            label=f"this formula is a {other}",
            remedy=f"Take the root of {wanted} over the fans here, as a uniform distribution of range r "
            "has the variance r² / 3, or use the functions of `torch.nn.init`.",
        )


_EXACT = 1e-6
