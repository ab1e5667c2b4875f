"""A program asks cuDNN to be deterministic, and to choose its algorithms by measuring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL715", Severity.WARNING, fixable=Safety.UNSAFE)

_CUDNN = "torch.backends.cudnn."


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find both switches on in one run of code, or both given to a Trainer of Lightning."""
    benchmarks = _switches(file, "benchmark")
    fixed = _switches(file, "deterministic")
    for call in file.calls_to("torch.use_deterministic_algorithms"):
        mode = call.argument(0, "mode")
        if mode is not None:
            fixed.append((call, mode))
    for place, value in benchmarks:
        if value.truth() is not True:
            continue
        for other, switch in fixed:
            if switch.truth() is True and _both_hold(place, other, [*benchmarks, *fixed]):
                yield _diagnosis(place, value, other)
                break
    for trainer in file.calls_to("lightning.Trainer", "lightning.pytorch.Trainer"):
        given, switch_ = trainer.keywords.get("benchmark"), trainer.keywords.get("deterministic")
        if given and switch_ and given.truth() is True and switch_.literal() is True:
            yield _diagnosis(given, given, switch_)


def _switches(file: FileModel, name: str) -> list[tuple[Expr, Expr]]:
    """Return where the file sets a switch of cuDNN, each with its value."""
    return [
        (target, value)
        for target, value in file.assignments(name)
        if value is not None and target.qualified == f"{_CUDNN}{name}"
    ]


def _both_hold(one: Expr, other: Expr, known: list[tuple[Expr, Expr]]) -> bool:
    """Say whether two places surely run in one run of code, and nothing there takes either back."""
    if one.function != other.function:
        return False
    short, long = sorted((one.blocks, other.blocks), key=len)
    if long[: len(short)] != short:
        return False
    return all(value.truth() is True for place, value in known if place.function == one.function)


def _diagnosis(place: Expr, value: Expr, other: Expr) -> Diagnosis:
    """Say that the one undoes the other."""
    fix = Fix("Switch the benchmark off", Safety.UNSAFE, (value.replaced_by("False"),))
    return rule.at(
        place.statement if place is not value else place,
        f"{place.quoted} lets cuDNN choose its algorithms by measuring them, which differs from run to"
        f" run in spite of {other.quoted}.",
        remedy="Set `benchmark` to False where runs must be repeatable, or drop the deterministic"
        " switch.",
        label="differs from run to run",
        related=[(other, "asks for repeatable runs")],
        fix=fix if value.text == "True" else None,
    )
