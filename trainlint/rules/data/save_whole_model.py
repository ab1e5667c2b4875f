"""A model is pickled as an object, with the module paths of its classes, instead of its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel

rule = Rule(__name__, "TL711", Severity.WARNING, fixable=Safety.UNSAFE)

_OF_MODULES = ("parameters", "named_parameters", "state_dict", "load_state_dict", "eval", "train")
_MAKERS = ("torchvision.models.", "timm.create_model", "timm.models.")
_NO_MODULES = ("torch.", "builtins.", "numpy.", "collections.", "copy.copy")
_NEEDS_OBJECT = r"(^|_)(prun(e|er|ed|ing)|quanti[sz]\w*|qat|jit)(_|$)"
"""Pruned and quantised models, whose classes do not say their shapes."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find modules that are given to `torch.save` as they are, or as an entry of a dict."""
    if file.serves_tests or file.speaks_of(_NEEDS_OBJECT):
        return
    told: set[Expr] = set()
    for save in file.calls_to("torch.save"):
        given = save.argument(0, "obj")
        for saved in () if given is None or save.expected_to_fail else _values(given):
            if saved in told or saved.path != save.path or not _is_module(file, saved):
                continue
            told.add(saved)
            yield rule.at(
                saved,
                f"{saved.quoted} is saved as a whole, which pickles the path of its class: the file"
                " breaks with the next move or renaming, and `torch.load` refuses it since torch 2.6.",
                remedy=f"Save the state: `{saved.text}.state_dict()`.",
                label="pickled with its class",
                fix=_fix(file, saved),
            )


def _values(given: Expr) -> tuple[Expr, ...]:
    """Return what is saved: an object, or the entries of a dict."""
    origins = given.origins()
    entries = origins[0].entries if len(origins) == 1 else None
    return (given,) if entries is None else tuple(entries.values())


def _is_module(file: FileModel, saved: Expr) -> bool:
    """Say whether a value is surely a module: by what made it, or by what is asked of it."""
    if not (saved.is_name or saved.is_attribute):
        return isinstance(saved, Call) and file.trains(saved)
    known = {_makes_module(file, origin) for origin in saved.objects()}
    if known == {True} or False in known:
        return False not in known
    return file.role_of(saved) == "model" and any(
        call.receiver is not None and file.identities.same(call.receiver, saved)
        for call in file.method_calls(*_OF_MODULES)
    )


def _makes_module(file: FileModel, origin: Expr) -> bool | None:
    """Say whether a module is made here; None where that is not known."""
    if not isinstance(origin, Call):
        return None if origin.is_name or origin.is_attribute else False
    module = file.module_of(origin)
    if module is not None:
        return module.forward is not None
    name = origin.callee or ""
    if file.trains(origin) or name.startswith(_MAKERS):
        return True
    if origin.method == "state_dict" or (name.startswith(_NO_MODULES) and name != "torch.load"):
        return False
    return None


def _fix(file: FileModel, saved: Expr) -> Fix | None:
    """Return the fix that saves the state, where the file loads nothing that it would have to match."""
    if any(file.calls_to("torch.load")) or not (saved.is_name or saved.is_attribute):
        return None
    edit = saved.replaced_by(f"{saved.source_text}.state_dict()")
    return Fix("Save the state", Safety.UNSAFE, (edit,))
