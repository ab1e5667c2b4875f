"""Adam's betas are in the wrong order: the scale of the steps forgets sooner than their direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.training import Given

rule = Rule(__name__, "TL404", Severity.WARNING, fixable=Safety.UNSAFE, judges_configs=True)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find pairs of betas whose second is smaller than the square of the first."""
    for optimizer in file.optimizers():
        if not optimizer.is_torch or "betas" not in optimizer.parameters:
            continue
        betas = [given for given in optimizer.given_pair("betas") if given is not None]
        if len(betas) != 2 or optimizer.call.expected_to_fail:  # noqa: PLR2004 - a pair
            continue
        first, second = betas
        if not 0 <= second.value < first.value**2 < 1:
            continue
        yield rule.at(
            first,
            f"The betas {first.at.quoted} keep the direction ({first.value:g}) for longer than the"
            f" scale of the steps ({second.value:g}), so the steps are large and late.",
            remedy="Put the smaller beta first; usual is `betas=(0.9, 0.999)`.",
            label="swapped",
            related=first.sources,
            fix=_fix(first),
        )


def _fix(given: Given) -> Fix | None:
    """Return the edit that swaps two numbers written at the place, None where they stand elsewhere."""
    pair = given.at.items
    if pair is None or given.span != given.at.span:
        return None
    if any(item.origins() != (item,) for item in pair):
        return None
    text = given.at.source_text
    swapped = f"{text[0]}{pair[1].source_text}, {pair[0].source_text}{text[-1]}"
    return Fix("Swap the betas", Safety.UNSAFE, (given.at.replaced_by(swapped),))
