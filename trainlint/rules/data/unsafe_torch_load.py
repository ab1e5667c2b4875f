"""A checkpoint is loaded with `weights_only=False`, which runs whatever code the file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL712", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find loads that are told in so many words not to keep to weights."""
    for load in () if file.is_test else file.calls_to("torch.load"):
        only = load.keywords.get("weights_only")
        if only is None or only.text != "False" or _is_own(file, load):
            continue
        yield rule.at(
            load,
            f"{load.quoted} unpickles the file with `weights_only=False`, which runs any code that"
            " somebody put into it.",
            remedy="Pass `weights_only=True`; name what else the file holds with"
            " `torch.serialization.add_safe_globals`.",
            label="runs code of the file",
            fix=_fix(load, only),
        )


def _is_own(file: FileModel, load: Call) -> bool:
    """Say whether the code has written what it loads, or falls back to this with a warning.

    It loads from a buffer in memory or from a cache that the same function writes, or the same
    function tries first to load weights only.
    """
    source = load.argument(0, "f")
    if source is None or any("BytesIO" in one.text for one in source.origins()):
        return True
    for save in file.calls_to("torch.save"):
        target = save.argument(1, "f")
        if target is not None and save.function == load.function and target.same_as(source):
            return True
    others = [other for other in file.calls_to("torch.load") if other.function == load.function]
    told = (other.keywords.get("weights_only") for other in others)
    return any(only is not None and only.text == "True" for only in told)


def _fix(load: Call, only: Expr) -> Fix | None:
    """Return the fix that keeps to weights, where the call itself says otherwise."""
    if only not in load.parts():
        return None
    return Fix("Load weights only", Safety.UNSAFE, (only.replaced_by("True"),))
