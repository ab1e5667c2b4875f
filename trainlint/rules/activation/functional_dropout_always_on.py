"""`F.dropout` without `training=` drops units in evaluation, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, FileModel

rule = Rule(__name__, "TL201", Severity.WARNING, fixable=Safety.UNSAFE)

# The alpha dropouts are off by default, and torch.dropout wants the mode in any case.
_FUNCTIONS = [f"torch.nn.functional.dropout{d}" for d in ("", "1d", "2d", "3d")]
_MODE_WORDS = ("train", "eval", "infer", "determin", "test")
_MEANT_WORDS = (
    *("mcdrop", "mc_drop", "montecarlo", "monte_carlo", "bayes", "alwayson", "always_on"),
    *("prenet", "pre_net"),  # of Tacotron, whose pre-net drops in synthesis too
)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find dropout functions in modules that are not told the mode."""
    for call in file.calls_to(*_FUNCTIONS):
        if call.is_open or call.argument(2, "training") is not None:
            continue
        rate = call.argument(1, "p")
        if (rate is not None and rate.number() == 0) or file.module_around(call) is None:
            continue
        if _knows_the_mode(call) or _is_meant(file, call):
            continue
        yield rule.at(
            call,
            f"{call.quoted} drops units after `model.eval()`, too: `training` is True by default.",
            label="not told the mode",
            remedy="Pass `training=self.training`, or use `nn.Dropout`, which knows the mode.",
            fix=_told(call),
        )


def _knows_the_mode(call: Call) -> bool:
    """Say whether the code around a call asks for the mode, or runs only in training."""
    function = call.function
    asked = [call.statement.text, *(test.text for test, _ in call.decided_by)]
    if function is not None:
        asked += [one.name for one in function.enclosing]
    return any(word in text.lower() for text in asked for word in _MODE_WORDS)


def _is_meant(file: FileModel, call: Call) -> bool:
    """Say whether names say that dropout in evaluation is wanted."""
    module, function = file.module_around(call), call.function
    names = f"{module.name if module else ''} {function.name if function else ''}".lower()
    return any(word in names for word in _MEANT_WORDS)


def _told(call: Call) -> Fix | None:
    """Return the edit that passes the mode, where the module is called ``self``."""
    if call.function is None or call.function.parameters[:1] != ("self",):
        return None
    edit = call.with_argument("training", "self.training")
    return Fix("Pass the mode", Safety.UNSAFE, (edit,))
