"""A checkpoint is loaded with `weights_only=False`, which runs whatever code the file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL712", Severity.WARNING, fixable=Safety.UNSAFE)

_SAFE_BY_DEFAULT: Final = (2, 6)  # release notes of 2.6
_TAKES_WEIGHTS_ONLY: Final = (1, 13)  # release notes of 1.13

_WEIGHTS_ONLY: Final = (
    "Pass `weights_only=True`; name what else the file holds with"
    " `torch.serialization.add_safe_globals`."
)


@rule.check
def check(file: FileModel, *, target_torch: tuple[int, ...] | None = None) -> Iterator[Diagnosis]:
    """Find loads that are told not to keep to weights, or not told to where that is the default."""
    unsafe_by_default = target_torch is not None and target_torch < _SAFE_BY_DEFAULT
    for load in () if file.is_test else file.calls_to("torch.load"):
        only = load.keywords.get("weights_only")
        chosen = only is not None and only.text == "False"
        if chosen:
            said = "with `weights_only=False`"
        elif not unsafe_by_default or load.is_open or (only is not None and only.text != "None"):
            continue
        else:
            said = "without `weights_only=True`, the default only from PyTorch 2.6 on"
        if _is_own(file, load):
            continue
        old = target_torch is not None and target_torch < _TAKES_WEIGHTS_ONLY
        yield rule.at(
            load,
            f"{load.quoted} unpickles the file {said}, which runs any code that"
            " somebody put into it.",
            remedy="Require PyTorch 1.13, which takes `weights_only=True`."
            if old
            else _WEIGHTS_ONLY,
            label="runs code of the file",
            fix=None if old else _fix(load, only),
            # Who writes it out has seen the warning of torch, and mostly trusts the file.
            severity=Severity.ADVICE if chosen else rule.severity,
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


def _fix(load: Call, only: Expr | None) -> Fix | None:
    """Return the fix that keeps to weights, where the call itself says otherwise or nothing."""
    if only is None:
        # An unpickler of the user's own reads more than weights.
        if load.argument(2, "pickle_module") is not None:
            return None
        edit = load.with_argument("weights_only", "True")
    elif only in load.parts():
        edit = only.replaced_by("True")
    else:
        return None
    return Fix("Load weights only", Safety.UNSAFE, (edit,))
