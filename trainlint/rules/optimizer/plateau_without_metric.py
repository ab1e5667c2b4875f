"""ReduceLROnPlateau is stepped without the metric that it watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL426", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find steps without a metric of what surely waits for a plateau."""
    made = {one.call for one in file.schedulers() if one.kind == "ReduceLROnPlateau"}
    if not made:
        return
    for call in file.method_calls("step"):
        origins: tuple[Expr, ...] = () if call.receiver is None else call.receiver.objects()
        if not origins or not all(one in made for one in origins):
            continue
        if call.args or "metrics" in call.keywords or call.is_open or call.expected_to_fail:
            continue
        if any(test.mentions("ReduceLROnPlateau") for test, _ in call.decided_by):
            continue
        yield rule.at(
            call,
            f"{call.quoted} passes no metric, and `ReduceLROnPlateau` raises an error without one.",
            remedy="Pass what it is to watch: `scheduler.step(val_loss)`.",
            label="no metric",
            related=[(origin, "waits for a plateau of a metric") for origin in origins],
        )
