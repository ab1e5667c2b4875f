"""A `Normalize` subtracts a mean of another scale than the image has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Expr, FileModel
    from trainlint.static.model.transforms import Transform

rule = Rule(__name__, "TL703", Severity.WARNING)

_KEEPS_SCALE = frozenset(
    {
        *("Resize", "CenterCrop", "FiveCrop", "TenCrop", "Pad", "Grayscale", "RandomGrayscale"),
        *("RandomCrop", "RandomResizedCrop", "RandomRotation", "RandomAffine", "RandomPerspective"),
        *("RandomHorizontalFlip", "RandomVerticalFlip", "RandomErasing", "ColorJitter"),
        *("GaussianBlur", "RandomInvert", "RandomAdjustSharpness", "RandomAutocontrast"),
    }
)
_LOADS_ARRAYS = r"^(astype|imread|asarray|fromarray|from_numpy|float_)$"


@rule.check
def check(
    file: FileModel,
    *,
    limit: float = 1.0,  # ToTensor gives 0 to 1
) -> Iterator[Diagnosis]:
    """Find means over 1 behind `ToTensor`, and means under 1 behind a conversion that does not scale."""
    if not file.imports("torchvision"):
        return
    for pipeline in file.pipelines():
        scaled: Transform | None = None
        unscaled: Transform | None = None
        for step in pipeline.steps:
            if step.kind == "Normalize":
                if scaled is not None and _known(step, above=limit) and not _takes_arrays(file):
                    yield _too_large(step, scaled)
                elif unscaled is not None and _known(step, above=None, limit=limit):
                    yield _too_small(step, unscaled)
                break
            if step.kind in _KEEPS_SCALE:
                continue
            before, scaled = scaled, None
            if step.kind == "ToTensor" or (step.kind == "ConvertImageDtype" and unscaled):
                scaled, unscaled = step, None
            elif step.kind == "PILToTensor":
                unscaled = step
            elif step.kind == "ToDtype":
                given = step.argument(1, "scale")
                scales = False if given is None else given.truth()
                if scales is None or not _is_float(step):
                    unscaled = None
                elif scales:
                    scaled, unscaled = step if before is None else before, None
                elif before is not None:
                    scaled = before
            else:
                unscaled = None


def _is_float(step: Transform) -> bool:
    """Say whether a conversion is one to floating point."""
    dtype = step.argument(0, "dtype")
    return dtype is not None and dtype.qualified in {
        "torch.float32",
        "torch.float",
        "torch.float64",
    }


def _means(step: Transform) -> tuple[Expr, list[float]] | None:
    """Return the means that a `Normalize` subtracts; None where one of them is not known."""
    given = step.argument(0, "mean")
    value = None if given is None else given.literal()
    values = value if isinstance(value, tuple) else (value,)
    numbers = [one for one in values if isinstance(one, int | float)]
    return (given, numbers) if given is not None and len(numbers) == len(values) else None


def _known(step: Transform, *, above: float | None, limit: float = 0.0) -> bool:
    """Say whether all means are known, and each is above a bound; else all of them within it."""
    found = _means(step)
    if found is None or not found[1]:
        return False
    if above is not None:
        return all(one > above for one in found[1])
    return all(0 < one <= limit for one in found[1])


def _takes_arrays(file: FileModel) -> bool:
    """Say whether images may come as arrays of floats, which `ToTensor` does not scale."""
    if file.imports("numpy") and file.speaks_of("^(float32|float64)$"):
        return True
    return file.speaks_of(_LOADS_ARRAYS)


def _too_large(step: Transform, scaled: Transform) -> Diagnosis:
    """Say that the mean is one of 0 to 255."""
    given = step.argument(0, "mean")
    text = given.quoted if given is not None else "its mean"
    return rule.at(
        step,
        f"`Normalize` subtracts {text} from pixels that {scaled.at.quoted} has scaled to 0 to 1, so"
        " every image becomes nearly the same constant.",
        remedy="Divide the mean and the standard deviation by 255.",
        label="a mean over 1",
        related=[(scaled, "gives 0 to 1")],
    )


def _too_small(step: Transform, unscaled: Transform) -> Diagnosis:
    """Say that the pixels are still 0 to 255."""
    given = step.argument(0, "mean")
    text = given.quoted if given is not None else "its mean"
    return rule.at(
        step,
        f"`Normalize` subtracts {text} from pixels of 0 to 255, so the inputs reach into the"
        " hundreds.",
        remedy="Scale to 0 to 1 first: `ToDtype(torch.float32, scale=True)`.",
        label="the pixels are not scaled",
        related=[(unscaled, "gives 0 to 255")],
    )
