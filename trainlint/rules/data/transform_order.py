"""A transform of tensors stands before the conversion to a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel
    from trainlint.static.model.transforms import Transform

rule = Rule(__name__, "TL706", Severity.ERROR, fixable=Safety.UNSAFE)

_OF_TENSORS = frozenset({"Normalize", "RandomErasing", "LinearTransformation"})
_CONVERTS = frozenset({"ToTensor", "PILToTensor"})
_LEAVES_IMAGE = frozenset(
    {
        *("Resize", "CenterCrop", "Pad", "Grayscale", "RandomGrayscale", "ColorJitter"),
        *("RandomCrop", "RandomResizedCrop", "RandomRotation", "RandomAffine", "RandomPerspective"),
        *("RandomHorizontalFlip", "RandomVerticalFlip", "GaussianBlur"),
    }
)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find what refuses an image, with nothing but transforms of images up to the conversion."""
    for pipeline in file.pipelines():
        for number, step in enumerate(pipeline.steps):
            if step.kind in _CONVERTS or step.kind is None:
                break
            if not _refuses_images(step) or pipeline.call.expected_to_fail:
                continue
            converter = _converter(pipeline.steps[number + 1 :])
            if converter is None:
                break
            yield rule.at(
                step.at,
                f"{step.at.quoted} stands before {converter.at.quoted} and gets an image, where it"
                " takes nothing but a tensor.",
                remedy=f"Convert first: put {converter.at.quoted} before it.",
                label="gets an image",
                related=[(converter.at, "converts to a tensor")],
                fix=_swapped(step, converter, pipeline.steps[number + 1]),
            )
            break


def _refuses_images(step: Transform) -> bool:
    """Say whether a transform takes nothing but tensors; erasing in version 2 takes both."""
    return step.kind in _OF_TENSORS and not (step.kind == "RandomErasing" and step.is_v2)


def _converter(steps: tuple[Transform, ...]) -> Transform | None:
    """Return the conversion that follows, if all between is known to leave an image one."""
    for step in steps:
        if step.kind in _CONVERTS:
            return step
        if step.kind not in _LEAVES_IMAGE and step.kind not in _OF_TENSORS:
            return None
    return None


def _swapped(step: Transform, converter: Transform, following: Transform) -> Fix | None:
    """Return the fix that swaps the two, where they are neighbours."""
    if following is not converter:
        return None
    edits = (
        step.at.replaced_by(converter.at.source_text),
        converter.at.replaced_by(step.at.source_text),
    )
    return Fix("Convert first", Safety.UNSAFE, edits)
