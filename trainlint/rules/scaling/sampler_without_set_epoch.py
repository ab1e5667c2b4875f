"""A sampler of a distributed training draws the same order in every epoch."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.fix import Fix, Safety
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import Call, Event, FileModel, Loader, Loop

rule = Rule(__name__, "TL809", Severity.WARNING, fixable=Safety.UNSAFE)

_LOOKS_ON = ("tqdm.", "rich.", "itertools.", "math.", "time.", "logging.", "wandb.")
"""Functions of these packages know nothing of epochs."""


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find samplers whose loader a loop over epochs goes through without ``set_epoch``."""
    if file.is_test or any(True for _ in file.attributes_read("set_epoch")):
        return
    for sampler in file.calls_to("torch.utils.data.DistributedSampler"):
        if not _shuffles(sampler) or _is_for_evaluation(file, sampler):
            continue
        loaders = [one for one in file.loaders() if _draws_from(one, sampler)]
        found = _epochs(file, loaders)
        if found is None or any(
            _is_handed_on(file, one, found[1]) for one in _held(sampler, loaders)
        ):
            continue
        epochs = found[0]
        yield rule.at(
            sampler,
            f"{sampler.called.quoted} shuffles by its seed and its epoch, and nothing sets the epoch:"
            " every epoch sees the examples in the same order.",
            remedy="Call `set_epoch(epoch)` on the sampler at the start of every epoch.",
            label="the same order in every epoch",
            related=[(epochs, "over the epochs")],
            fix=_fix(sampler, loaders, epochs),
        )


def _shuffles(sampler: Call) -> bool:
    """Say whether a sampler surely shuffles, which is its default."""
    shuffle = sampler.argument(3, "shuffle")
    return not sampler.is_open and (shuffle is None or shuffle.truth() is True)


def _is_for_evaluation(file: FileModel, sampler: Call) -> bool:
    """Say whether the names around a sampler speak of validation or testing."""
    data = sampler.argument(0, "dataset")
    names = [*file.labels(sampler), *(() if data is None else (data.name,))]
    return Purpose.EVALUATION in {Purpose.of(name) for name in names}


def _draws_from(loader: Loader, sampler: Call) -> bool:
    """Say whether a loader takes its examples from a sampler."""
    given = (loader.argument("sampler"), loader.argument("batch_sampler"))
    return any(sampler in one.objects() for one in given if one is not None)


def _epochs(file: FileModel, loaders: list[Loader]) -> tuple[Loop, Event] | None:
    """Return the loop around a training over one of the loaders, and its backward pass.

    Not where a file on the way sets an epoch.
    """
    made = {loader.call for loader in loaders}
    for routine in file.routines():
        for backward in routine.of(LoopEvent.BACKWARD):
            if any(True for one in backward.models for _ in one.attributes_read("set_epoch")):
                continue
            loops = backward.loops
            for outer, inner in pairwise(loops):
                if made.intersection(inner.loaders) and outer.count != 1 and not outer.over_batches:
                    return outer, backward
    return None


def _held(sampler: Call, loaders: list[Loader]) -> list[Call]:
    """Return the sampler and what holds it."""
    return [sampler, *(loader.call for loader in loaders)]


def _is_handed_on(file: FileModel, made: Call, backward: Event) -> bool:
    """Say whether a function gets the sampler, or what holds it, that no file on the way defines."""
    known = {*(loader.call for loader in file.loaders()), *backward.via}
    given = [call for model in (file, *backward.models) for call in model.handed_on(made)]
    given += [call for call in file.calls_taking(made) if call.target is None]
    return any(
        call not in known and not (call.callee or "").startswith(_LOOKS_ON) for call in given
    )


def _fix(sampler: Call, loaders: list[Loader], epochs: Loop) -> Fix | None:
    """Return the fix that sets the epoch, where the sampler and the loop stand in one function."""
    if len(epochs.targets) != 1 or len(loaders) != 1:
        return None
    loader = loaders[0]
    held = sampler.assigned_to or (
        f"{loader.held_as}.sampler"
        if loader.held_as and loader.argument("sampler") == sampler
        else None
    )
    if held is None or sampler.blocks != epochs.blocks:
        return None
    edit = epochs.line_at_start(f"{held}.set_epoch({epochs.targets[0]})")
    return None if edit is None else Fix("Set the epoch of the sampler", Safety.UNSAFE, (edit,))
