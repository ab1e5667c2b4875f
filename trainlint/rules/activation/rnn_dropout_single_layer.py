"""A recurrent network of one layer is given a dropout rate, which acts between layers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel, Layer

rule = Rule(__name__, "TL212", Severity.WARNING, fixable=Safety.SAFE)

_STACKED = {"RNN", "LSTM", "GRU"}


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find dropout rates of recurrent layers whose number is 1, by default or as written."""
    for layer in file.all_layers():
        rate = layer.argument("dropout")
        if layer.kind not in _STACKED or rate is None or layer.call.is_open:
            continue
        count = layer.argument("num_layers")
        if count is not None and not (count.is_settled and count.number() == 1):
            continue
        if rate.number() == 0 or _asks_for_layers(rate) or layer.call.expected_to_fail:
            continue
        yield rule.at(
            rate,
            f"The rate {rate.quoted} does nothing: `dropout` of an `nn.{layer.kind}` acts between its"
            " layers, and this one has a single layer.",
            remedy="Put an `nn.Dropout` behind it, or stack more layers.",
            label="no effect",
            related=[] if count is None else [(count, "one layer")],
            fix=_dropped(layer, rate),
        )


def _asks_for_layers(rate: Expr) -> bool:
    """Say whether the rate is one for several layers only: ``p if num_layers > 1 else 0``."""
    return any(origin.number() == 0 for origin in rate.origins())


def _dropped(layer: Layer, rate: Expr) -> Fix | None:
    """Return the edit that drops the argument, where no other moves into its place."""
    if rate in layer.call.args and layer.call.args[-1] != rate:
        return None
    edit = layer.call.without_argument(rate)
    return None if edit is None else Fix("Drop the rate", Safety.SAFE, (edit,))
