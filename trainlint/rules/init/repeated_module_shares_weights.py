"""A list multiplied by a number holds one and the same layer many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Expr, FileModel, Repetition

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL101", Severity.WARNING, fixable=Safety.UNSAFE)

_MEANT = ("shared", "sharing", "tied", "tying", "universal", "albert", "recurr", "recurs", "unroll")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find multiplied lists in which a layer with weights is constructed."""
    for repetition in file.repetitions():
        item = next((one for one in repetition.items if _is_repeated(file, repetition, one)), None)
        count = repetition.count.number()
        if item is None or (count is not None and count <= 1):
            continue
        if any(word in repetition.at.statement.text.lower() for word in _MEANT):
            continue
        times = repetition.count.quoted if count is None else str(count)
        yield rule.at(
            repetition.at,
            f"The list holds one and the same {item.quoted} {times} times: its places share one "
            f"set of weights.",
            label="one layer, many references",
            remedy="Build the layers in a comprehension, which constructs each of them anew; bind "
            "the layer to a name called `shared` first if sharing is meant.",
            fix=_comprehension(repetition.at, repetition.items, repetition.count),
        )


def _is_repeated(file: FileModel, repetition: Repetition, item: Expr) -> bool:
    """Say whether an item is a layer that is repeated unawares.

    One that has a name may be shared on purpose, unless it is made for a `Sequential` alone, which
    passes the data through the same weights again and again.
    """
    if not item.is_name:
        return file.trains(item)
    sequentials = file.calls_to("torch.nn.Sequential")
    return file.trains_here_alone(item) and any(repetition.at in one.parts() for one in sequentials)


def _comprehension(at: Expr, items: tuple[Expr, ...], count: Expr) -> Fix | None:
    """Return the comprehension that builds each layer anew."""
    if not all(isinstance(item, Call) for item in items):
        return None
    rounds = f"for _ in range({count.source_text})"
    if len(items) == 1:
        text = f"[{items[0].source_text} {rounds}]"
    else:
        inner = ", ".join(item.source_text for item in items)
        text = f"[layer {rounds} for layer in ({inner})]"
    return Fix("Build every layer anew", Safety.UNSAFE, (at.replaced_by(text),))
