"""LBFGS takes a step without the closure that it needs to evaluate the loss again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL420", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find steps without an argument of what is surely an LBFGS."""
    made = {one.call: one for one in file.optimizers() if one.kind == "LBFGS" and one.is_torch}
    if not made:
        return
    for call in file.method_calls("step"):
        origins: tuple[Expr, ...] = () if call.receiver is None else call.receiver.objects()
        if not origins or not all(one in made for one in origins):
            continue
        if call.args or call.keywords or call.is_open or call.expected_to_fail:
            continue
        if any(test.mentions("LBFGS") for test, _ in call.decided_by):
            continue
        yield rule.at(
            call,
            f"{call.quoted} passes no closure, but LBFGS evaluates the loss several times in a step and"
            " raises an error without it.",
            remedy="Pass a function that clears the gradients, computes the loss, calls `backward()` and"
            " returns the loss.",
            label="no closure",
            related=[(origin, "the LBFGS") for origin in origins],
        )
