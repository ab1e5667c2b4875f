"""What Lightning is told by the ``configure_optimizers`` of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.static.model.checkpoints import may_grow
from trainlint.static.model.expression import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model.expression import Expr
    from trainlint.static.model.file import FileModel
    from trainlint.static.model.training import Scheduler

_BY_HAND = "^(lr_scheduler_step|lr_schedulers|automatic_optimization)$"


def epoch_schedules(model: FileModel) -> Iterator[tuple[Expr, Scheduler]]:
    """Yield the schedulers that Lightning steps once per epoch, each with where they are handed over.

    Lightning does so with a scheduler as it is, and with a dict that names no ``interval``. Modules
    that may step their schedulers themselves are left out.
    """
    made = {one.call: one for one in model.schedulers()}
    for module in model.modules if made else ():
        function = module.method("configure_optimizers") if module.is_lightning else None
        if function is None or function.scope.index is not model.index:
            continue
        if any(one.index.model.speaks_of(_BY_HAND) for one in model.lineage(module.scope)):
            continue
        for value in function.returns:
            for place in _schedules(value):
                held = _stepped_per_epoch(place)
                for one in () if held is None else held.objects():
                    if isinstance(one, Call) and one in made:
                        yield place, made[one]


def _schedules(value: Expr) -> Iterator[Expr]:
    """Yield the schedules in what is returned: of a pair of lists, or of one dict."""
    for origin in value.origins():
        items = origin.items
        if items is not None and len(items) == 2:  # noqa: PLR2004 - optimizers, schedulers
            for one in items[1].origins():
                yield from one.items or ()
        given = (origin.entries or {}).get("lr_scheduler")
        if given is not None and not may_grow(origin):
            yield given


def _stepped_per_epoch(place: Expr) -> Expr | None:
    """Return the scheduler of a schedule, if that is stepped per epoch; None where it may not be."""
    origins = place.origins()
    if len(origins) != 1:
        return None
    (schedule,) = origins
    entries = schedule.entries
    if entries is None:
        return schedule
    if may_grow(schedule):
        return None
    interval = entries.get("interval")
    per_epoch = interval is None or interval.string() == "epoch"
    return entries.get("scheduler") if per_epoch else None
