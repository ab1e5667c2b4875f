"""The slope that Kaiming initialisation is told (`a=`) is not the slope of the activation that follows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL104", Severity.WARNING, fixable=Safety.UNSAFE)


@rule.check
def check(
    file: FileModel,
    *,
    tolerance: float = 0.1,  # slope 0.2 differs by 2 %
) -> Iterator[Diagnosis]:
    """Compare the gain that a literal slope gives with the gain that the activation wants."""
    for init in file.init_calls():
        told = init.argument("a")
        if not init.scheme.startswith("kaiming") or told is None:
            continue
        recipe, pairs = init.recipe, init.activated
        slopes = {pair.activation.slope for pair in pairs}
        slope = slopes.pop() if len(slopes) == 1 else None
        if recipe is None or init.nonlinearity != "leaky_relu" or slope is None:
            continue
        wanted = math.sqrt(2.0 / (1.0 + slope**2))
        if abs(recipe.gain / wanted - 1.0) <= tolerance or any(
            pair.is_normalised for pair in pairs
        ):
            continue
        activation = pairs[0].activation
        yield rule.at(
            told,
            f"The slope `{told.text}` gives the weights a gain of {recipe.gain:.2f}, and "
            f"{activation.at.quoted} after them, of slope {slope:g}, wants {wanted:.2f}.",
            label=f"gain {recipe.gain:.2f}",
            related=[(activation.at, f"wants gain {wanted:.2f}")],
            remedy=f"Pass the slope of the activation: `a={slope:g}`.",
            fix=Fix("Pass the real slope", Safety.UNSAFE, (told.replaced_by(f"{slope:g}"),)),
        )
