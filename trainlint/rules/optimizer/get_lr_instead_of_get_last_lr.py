"""The current learning rate is asked of `get_lr()`, which computes the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL428", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find calls of ``get_lr()`` on what is surely a scheduler of torch."""
    for call in file.method_calls("get_lr"):
        scheduler = call.receiver
        if scheduler is None or call.args or call.keywords or call.expected_to_fail:
            continue
        if not _is_scheduler(file, scheduler):
            continue
        edit = call.called.renamed("get_last_lr")
        yield rule.at(
            call,
            f"{call.quoted} computes what the next step is to set, so it shows another rate than the one"
            " in use.",
            remedy=f"Call `{scheduler.text}.get_last_lr()`.",
            label="not the rate in use",
            fix=None if edit is None else Fix("Ask for the last rate", Safety.UNSAFE, (edit,)),
        )


def _is_scheduler(file: FileModel, expr: Expr) -> bool:
    """Say whether every origin of a value is a scheduler that the file makes."""
    made = {one.call for one in file.schedulers()}
    origins = expr.objects()
    return bool(origins) and all(
        one in made or (isinstance(one, Call) and _is_of_transformers(one)) for one in origins
    )


def _is_of_transformers(call: Call) -> bool:
    """Say whether a function of transformers makes a scheduler of torch."""
    name = call.callee or ""
    return name.startswith("transformers.") and name.rpartition(".")[2].startswith("get_")
