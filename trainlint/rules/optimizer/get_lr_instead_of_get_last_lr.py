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


_COMPUTED_FROM_THE_COUNT = frozenset(
    {"LambdaLR", "OneCycleLR", "CyclicLR", "CosineAnnealingWarmRestarts"}
)
"""Schedulers whose `get_lr()` depends on the number of steps only, so that it gives the rate in use."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find calls of ``get_lr()`` on what is surely a scheduler of torch."""
    for call in file.method_calls("get_lr"):
        scheduler = call.receiver
        if scheduler is None or call.args or call.keywords or call.expected_to_fail:
            continue
        kinds = _kinds(file, scheduler)
        if not kinds:
            continue
        harmless = kinds <= _COMPUTED_FROM_THE_COUNT
        harm = (
            "computes the rate anew and makes torch warn in each call, between which other warnings drown"
            if harmless
            else "computes what the next step is to set, so it may show another rate than the one in use"
        )
        edit = call.called.renamed("get_last_lr")
        yield rule.at(
            call,
            f"{call.quoted} {harm}.",
            remedy=f"Call `{scheduler.text}.get_last_lr()`.",
            label="for use in the scheduler only" if harmless else "may not be the rate in use",
            fix=None if edit is None else Fix("Ask for the last rate", Safety.UNSAFE, (edit,)),
            severity=Severity.ADVICE if harmless else rule.severity,
        )


def _kinds(file: FileModel, expr: Expr) -> set[str]:
    """Return which schedulers of torch a value may be; none where one of its origins is not known."""
    made = {one.call: one.kind for one in file.schedulers()}
    kinds = set()
    for origin in expr.objects():
        if not isinstance(origin, Call):
            return set()
        # What the functions of transformers make is a `LambdaLR`.
        kind = made.get(origin) or ("LambdaLR" if _is_of_transformers(origin) else None)
        if kind is None:
            return set()
        kinds.add(kind)
    return kinds


def _is_of_transformers(call: Call) -> bool:
    """Say whether a function of transformers makes a scheduler of torch."""
    name = call.callee or ""
    return name.startswith("transformers.") and name.rpartition(".")[2].startswith("get_")
