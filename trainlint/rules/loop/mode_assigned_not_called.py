"""The mode of a model is assigned to instead of being set by a call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL522", Severity.WARNING, fixable=Safety.UNSAFE)

_MODEL_NAME = re.compile(r"(^|_)(model|net|network)$", re.IGNORECASE)
_CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
_SHOWS_MODULE = ("parameters", "named_parameters", "state_dict", "load_state_dict", "zero_grad")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find ``model.train = False``, ``model.eval = True`` and ``model.training = False``."""
    if not file.has_layers:
        return
    for attribute in ("train", "eval", "training"):
        for target, value in file.assignments(attribute):
            owner = target.owner
            if not target.is_attribute or owner is None or value is None:
                continue
            # A mode that is put back (`model.training = before`) is another thing.
            if value.text not in {"True", "False"} or not _is_model(file, owner):
                continue
            if attribute == "training" and _is_meant(file, owner):
                continue
            method = "train" if value.truth() is not (attribute == "eval") else "eval"
            harm = (
                "only the outermost module changes its mode: dropout and batch normalisation inside"
                " keep theirs"
                if attribute == "training"
                else "the method is overwritten and the mode stays as it was"
            )
            edit = target.statement.replaced_by(f"{owner.operand_text}.{method}()")
            is_whole = target.statement.text == f"{target.text} = {value.text}"
            yield rule.at(
                target.statement,
                f"{target.statement.quoted} sets no mode, since {harm}.",
                remedy=f"Call `{owner.text}.{method}()`.",
                label="sets no mode",
                fix=Fix("Call the method", Safety.UNSAFE, (edit,)) if is_whole else None,
            )


def _is_model(file: FileModel, owner: Expr) -> bool:
    """Say whether something is surely a module, by its class or by its name and its use."""
    if file.class_of_self(owner.site, owner.node) is not None or owner.is_loop_variable:
        return False
    module = file.module_of(owner)
    if module is not None:
        return module in module.model.modules and not module.is_lightning
    if all(file.trains(one) for one in owner.objects()):
        return True
    if not _MODEL_NAME.search(owner.name or ""):
        return False
    return any(
        call.receiver is not None and call.receiver.same_as(owner)
        for call in file.method_calls(*_SHOWS_MODULE)
    )


def _is_meant(file: FileModel, owner: Expr) -> bool:
    """Say whether one flag is all there is to set, or is set on purpose beside the real calls."""
    layer = file.layer_of(owner)
    if layer is not None and layer.kind not in _CONTAINERS:
        return True
    if file.mode_dependence(owner).is_free or _reads_its_own(file, owner):
        return True
    calls = file.method_calls("train", "eval")
    return any(
        call.receiver is not None
        and call.receiver.same_as(owner)
        and (owner.is_attribute or call.function == owner.function)
        for call in calls
    )


def _reads_its_own(file: FileModel, owner: Expr) -> bool:
    """Say whether a module asks for its own flag, and is not known to hold a layer that does."""
    module = file.module_of(owner)
    if module is None or any(file.layer_of(one) for one in file.mode_dependence(owner).sure):
        return False
    return any(
        module.model.module_around(read) == module
        for read in module.model.attributes_read("training")
    )
