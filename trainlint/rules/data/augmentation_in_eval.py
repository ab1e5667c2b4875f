"""A random transform of validation or test data makes the measurement random."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Expr, FileModel, Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL701", Severity.WARNING)

_RANDOM = re.compile(r"Random\w+|ColorJitter|(Auto|Rand)Augment|TrivialAugmentWide|AugMix")
_MEANT = re.compile(r"(^|_)(tta|aug|augment\w*)(_|$)|[aA]ugment|TTA", re.ASCII)
"""Test-time augmentation, by its name."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find random transforms in what is named for evaluation, or given to a data set for it."""
    if not file.imports("torchvision"):
        return
    found: dict[Call, Expr | None] = {}
    transforms = [call for call in file.calls_under("torchvision.transforms") if _makes(call)]
    inner = {part for call in transforms for part in call.calls() if part != call}
    for pipeline in transforms:
        if pipeline not in inner and _is_for_evaluation(file, pipeline):
            _add(found, pipeline, None)
    data_sets = [*file.calls_under("torchvision.datasets"), *file.calls_passing("transform")]
    for data in data_sets:
        given = _pipeline_of(data, transforms)
        if given is None or _is_test(data) or _is_meant(file, given, data):
            continue
        if file.purpose_of_data(data) is Purpose.EVALUATION:
            _add(found, given, None if given in data.calls() else data.called)
    for random, data_set in found.items():
        yield rule.at(
            random,
            f"{random.called.quoted} draws random numbers for data that is evaluated on, so the"
            " score differs from run to run.",
            remedy="Resize or crop in the middle for validation and testing; keep random transforms"
            " to the training data.",
            label="random",
            related=[] if data_set is None else [(data_set, "evaluates on it")],
        )


def _makes(call: Call) -> bool:
    """Say whether a call makes a transform of torchvision, rather than applying one."""
    name = call.callee or ""
    return name.startswith("torchvision.transforms.") and name.rpartition(".")[2][:1].isupper()


def _add(found: dict[Call, Expr | None], pipeline: Call, data: Expr | None) -> None:
    """Add the first random transform of a pipeline."""
    for call in sorted(pipeline.calls(), key=lambda one: one.span):
        if _makes(call) and _RANDOM.fullmatch(call.method or "") and not _is_off(call):
            found.setdefault(call, data)
            return


def _is_off(call: Call) -> bool:
    """Say whether a transform is applied with a probability of 0, or of one not known."""
    flips = call.method in {"RandomHorizontalFlip", "RandomVerticalFlip", "RandomErasing"}
    probability = call.argument(0 if flips else None, "p")
    return probability is not None and not probability.number()


def _is_for_evaluation(file: FileModel, pipeline: Call) -> bool:
    """Say whether the names around a pipeline are those of an evaluation and of nothing else."""
    purposes = (Purpose.of(name) for name in file.labels(pipeline))
    first = next((one for one in purposes if one is not None), None)
    return first is Purpose.EVALUATION and not _is_test(pipeline) and not _is_meant(file, pipeline)


def _is_test(call: Call) -> bool:
    """Say whether a call stands in a unit test."""
    function = call.function
    around = () if function is None else function.enclosing
    return any(one.name.startswith("test_") for one in around)


def _is_meant(file: FileModel, *places: Call) -> bool:
    """Say whether the names around a place speak of augmenting at test time."""
    return any(_MEANT.search(name) for place in places for name in file.labels(place))


def _pipeline_of(data: Call, transforms: list[Call]) -> Call | None:
    """Return the one pipeline of the file that a data set is given."""
    given = [data.keywords["transform"]] if "transform" in data.keywords else list(data.args)
    found = [one.origins() for one in given]
    known = [one[0] for one in found if len(one) == 1 and one[0] in transforms]
    return known[0] if len(known) == 1 and isinstance(known[0], Call) else None
