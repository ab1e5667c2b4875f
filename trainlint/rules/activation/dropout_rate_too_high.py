"""A dropout drops more than half of the units, as if its rate were the share to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Expr, FileModel

rule = Rule(__name__, "TL211", Severity.ADVICE, judges_configs=True)

_FUNCTIONS = [
    f"torch.nn.functional.{name}"
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")
]
_HOLD_DROPOUT = ("Transformer", "RNN", "LSTM", "GRU", "MultiheadAttention")


@rule.check
def check(
    file: FileModel,
    *,
    rate: float = 0.5,  # UMLAUT: HighDropout
) -> Iterator[Diagnosis]:
    """Find dropout rates over that, and rates by the name of a share to keep."""
    for call, given in () if file.serves_tests else _rates(file):
        value = given.number()
        if call.expected_to_fail:
            continue
        if _is_share_to_keep(given) and (value is None or value > rate):
            yield rule.at(
                given,
                f"{given.quoted} is by its name the share to keep, and {call.called.quoted} drops that"
                " share: little gets through.",
                remedy=f"Pass the share to drop: `1 - {given.text}`.",
                label="a share to keep",
            )
        elif value is not None and value > rate:
            yield rule.at(
                given,
                f"The rate {_with_value(given, value)} makes {call.called.quoted} zero {value:.0%} of the"
                f" units in training, over {rate:.0%}: the layers behind it see less than half of what goes"
                " in.",
                remedy="The rate is the share that is dropped, not the share that is kept: 0.1 to 0.5 are"
                " usual.",
                label=f"drops {value:.0%}",
            )


def _rates(file: FileModel) -> Iterator[tuple[Call, Expr]]:
    """Yield the calls that take a dropout rate, with the rate."""
    for layer in file.all_layers():
        given = None
        if layer.is_dropout:
            given = layer.argument("p")
        elif layer.kind.startswith(_HOLD_DROPOUT):
            given = layer.argument("dropout")
        if given is not None:
            yield layer.call, given
    for call in file.calls_to(*_FUNCTIONS):
        given = call.argument(1, "p")
        if given is not None:
            yield call, given


def _with_value(given: Expr, value: float) -> str:
    """Return the rate as told, with its value where that is written elsewhere."""
    try:
        float(given.text)
    except ValueError:
        return f"{given.quoted} ({value:g})"
    return given.quoted


def _is_share_to_keep(given: Expr) -> bool:
    """Say whether a rate is a plain name that speaks of keeping."""
    return given.name is not None and "keep" in given.name.lower()
