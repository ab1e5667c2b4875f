"""The hidden layers have different widths: one hyperparameter per layer for no gain."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Expr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel, Layer, Stack

rule = Rule(__name__, "TL607", Severity.ADVICE)

_SHAPED = re.compile(r"(?i:encod|decod|generat|proj|bottleneck)|V?AE(?![a-z])|(^|_)v?ae(_|$)")
"""Names of networks whose shape is the point."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find plain stacks of linear layers whose hidden layers have different, known widths."""
    told: set[Layer] = set()
    for stack in file.stacks():
        layers = _layers(stack)
        if told.intersection(layers) or _has_a_shape(file, stack):
            continue
        hidden = [layer.width for layer in layers[:-1]]
        widths = [width for width in hidden if width is not None]
        if len(widths) < max(2, len(hidden)) or not _are_uneven(widths, layers[-1].width):
            continue
        told.update(layers)
        odd = next(after for before, after in pairwise(layers) if before.width != after.width)
        shown = ", ".join(map(str, widths))
        yield rule.at(
            odd,
            f"{odd.call.quoted} makes the widths of the hidden layers {shown}: one number to tune for"
            " each, where one for all does as well.",
            remedy="Give all hidden layers the same width, a little more than needed, and stop early.",
            label="another width",
            related=[(layers[0], "the first hidden layer")],
        )


def _layers(stack: Stack) -> list[Layer]:
    """Return the layers of a plain stack of linear layers with activations between; else none."""
    found: list[Layer] = []
    activated = True
    for step in stack.steps if stack.is_plain else ():
        if step.layer is not None and step.kind == "Linear" and activated:
            found.append(step.layer)
            activated = False
        elif step.is_activation:
            activated = True
        elif not (step.is_normalisation or step.is_dropout or step.keeps_values):
            return []
    return found if len(found) > 2 else []  # noqa: PLR2004 - two hidden layers, one output


def _are_uneven(hidden: list[int], output: int | None) -> bool:
    """Say whether hidden widths differ in a way that is no choice of its own.

    A wider first layer before even ones is one, and so is a stack that narrows and widens again: an
    autoencoder, which ends in its widest layer, or a bottleneck between equal sides.
    """
    if len(set(hidden)) == 1:
        return False
    if len(hidden) > 2 and hidden[0] > hidden[1] and len(set(hidden[1:])) == 1:  # noqa: PLR2004
        return False
    widths = hidden if output is None else [*hidden, output]
    if output is not None and output < hidden[-1] and hidden != hidden[::-1]:
        return True
    narrowed = False
    for before, after in pairwise(widths):
        if after > before and narrowed:
            return False
        narrowed |= after < before
    return True


def _has_a_shape(file: FileModel, stack: Stack) -> bool:
    """Say whether a network is called one whose shape is the point."""
    names = [stack.owner.name] if stack.owner is not None else []
    if isinstance(stack.at, Expr):
        function = stack.at.function
        names += [*file.labels(stack.at), "" if function is None else function.name]
    return any(_SHAPED.search(name) for name in names)
