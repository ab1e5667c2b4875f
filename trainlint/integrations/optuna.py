"""Prune the trials of an Optuna study whose networks are beyond help."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trainlint.integrations.hopeless import HOPELESS
from trainlint.runtime.monitor import TrainingHalted
from trainlint.runtime.watching import watch

try:
    from optuna import TrialPruned
except ModuleNotFoundError as error:
    if error.name != "optuna":
        raise
    msg = "trainlint.integrations.optuna needs optuna: pip install optuna"
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainlint.runtime.monitor import Monitor
    from trainlint.runtime.watching import Models, Optimizers


@contextmanager
def pruning(
    trial: Any,
    model: Models,
    optimizer: Optimizers,
    *,
    rules: Sequence[str] = HOPELESS,
    **options: Any,
) -> Iterator[Monitor]:
    """Watch the training of a trial, and prune it at the first diagnosis that never heals.

    For an objective::

        def objective(trial):
            ...
            with pruning(trial, model, optimizer):
                train(model, optimizer)

    The diagnosis is kept as the trial's user attribute ``trainlint``.

    Raises:
        optuna.TrialPruned: One of ``rules`` has spoken.

    """
    options.setdefault("recording", False)
    options.setdefault("live", False)
    try:
        with watch(model, optimizer, halt_on=rules, **options) as monitor:
            yield monitor
    except TrainingHalted as halted:
        trial.set_user_attr("trainlint", str(halted))
        raise TrialPruned(str(halted)) from halted
