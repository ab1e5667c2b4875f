"""Nested loops over lists of hyperparameters train every combination to the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.loop import LoopEvent
from trainlint.core.rule import Rule
from trainlint.static.model import Call, Expr, FileModel, Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

rule = Rule(__name__, "TL414", Severity.ADVICE)

_TRAINING = re.compile(r"^(train|fit)(_|$)|_(train|fit)$|^(run|do)_?(train|experiment|trial)")
_NO_SEARCH = re.compile(
    r"seed|epoch|phase|stage|fold|split|run|trial|repeat|rank|device|gpu|iter|step|data|task|batch_idx",
    re.IGNORECASE,
)
_LIBRARIES = ("optuna", "ray", "hyperopt", "skopt", "nevergrad", "ax")


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find trainings inside of two or more loops over lists of numbers that they use."""
    if not file.has_layers or file.imports(*_LIBRARIES):
        return
    told = set()
    for training, loops in _trainings(file):
        axes = [(loop, name) for loop in loops for name in _axes(loop)]
        used = [(loop, name) for loop, name in axes if _uses(loop, training, name)]
        if len(used) < 2 or used[0][0] in told:  # noqa: PLR2004 - one list is a look, two are a grid
            continue
        told.add(used[0][0])
        names = " and ".join(f"`{name}`" for _, name in used)
        yield rule.at(
            used[0][0],
            f"The loops over {names} train every combination to the end, the hopeless ones as long as"
            " the good ones.",
            remedy="Search with a library such as Optuna, which samples and stops bad trials early.",
            label="the start of a grid",
            related=[(training, "trains once for each combination")],
        )


def _trainings(file: FileModel) -> Iterator[tuple[Call, tuple[Loop, ...]]]:
    """Yield what trains anew in each round of loops: a function by its name, steps of an optimizer."""
    for call in file.calls_named(_TRAINING):
        if call.loops and not _is_mode(call):
            yield call, call.loops
    for routine in file.routines():
        for step in routine.of(LoopEvent.STEP):
            yield step.call, tuple(loop for loop in step.loops if step.made_in(loop))


def _is_mode(call: Call) -> bool:
    """Say whether a call only sets the mode of a model: ``net.train()``, ``net.train(False)``."""
    given = (*call.args, *call.keywords.values())
    return call.receiver is not None and all(isinstance(one.literal(), bool) for one in given)


def _axes(loop: Loop) -> Iterator[str]:
    """Yield the variables of a loop that run through lists of numbers written in the file."""
    iterable = loop.iterable
    if iterable is None:
        return
    lists: tuple[Expr, ...] = (iterable,)
    if isinstance(iterable, Call) and iterable.callee == "itertools.product":
        lists = iterable.args
    if len(lists) != len(loop.targets):
        return
    for name, values in zip(loop.targets, lists, strict=True):
        if not _NO_SEARCH.search(name) and _is_list_of_numbers(values):
            yield name


def _is_list_of_numbers(values: Expr) -> bool:
    """Say whether a value is a list of two or more known numbers."""
    origins = values.origins()
    items = (origins[0].items if len(origins) == 1 else None) or ()
    return len(items) > 1 and all(item.number() is not None for item in items)


def _uses(loop: Loop, training: Call, name: str) -> bool:
    """Say whether a training, or what a loop makes for it (a network, an optimizer), uses a variable."""
    return training.mentions(name) or any(
        call.mentions(name)
        for call in loop.calls
        if not call.is_statement and not (call.callee or "").startswith("builtins.")
    )
