"""A function that initialises weights is defined, and nothing ever calls or applies it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Function

rule = Rule(__name__, "TL113", Severity.WARNING)

_NAMED = re.compile(r"init|reset|weight|xavier|kaiming|gaussian|normal", re.IGNORECASE)
_BASE = re.compile(r"Base|Abstract|Mixin|Interface")
_PLAIN_BASES = {"torch.nn.Module", "builtins.object"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find functions that set weights, of which the file itself must make use and does not."""
    initialising = {init.call.function for init in file.init_calls()}
    for function in () if file.serves_tests else file.functions:
        if function not in initialising or not _NAMED.search(function.name):
            continue
        if not _is_for_this_file(file, function) or file.is_mentioned(function):
            continue
        applied = (
            f"self.apply(self.{function.name})"
            if function.class_scope
            else f"model.apply({function.name})"
        )
        yield rule.at(
            function,
            f"`{function.name}` initialises weights, but nothing calls or applies it: the layers keep the"
            " default initialisation of PyTorch.",
            remedy=f"Call `{applied}` where the layers are built, or delete it.",
            label="never applied",
        )


def _is_for_this_file(file: FileModel, function: Function) -> bool:
    """Say whether no other file can be meant to use it: a function in a function, a private method."""
    if function.decorators:
        return False
    if function.class_scope is None:
        return len(function.enclosing) > 1 or file.is_script
    module = next((one for one in file.modules if one.scope is function.class_scope), None)
    if module is None or module.forward is None or not module.layers or _BASE.search(module.name):
        return False
    private = function.name.startswith("_") and not function.name.startswith("__")
    return private and set(module.bases) <= _PLAIN_BASES
