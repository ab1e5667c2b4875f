"""Stop the trials of Ray Tune whose networks are beyond help."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trainlint.integrations.hopeless import HOPELESS
from trainlint.runtime.monitor import TrainingHalted
from trainlint.runtime.watching import watch

try:
    from ray import tune
except ModuleNotFoundError as error:
    if error.name not in {"ray", "ray.tune"}:
        raise
    msg = "trainlint.integrations.ray needs Ray Tune: pip install 'ray[tune]'"
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainlint.runtime.monitor import Monitor
    from trainlint.runtime.watching import Models, Optimizers


@contextmanager
def stopping(
    model: Models,
    optimizer: Optimizers,
    *,
    report: Mapping[str, Any],
    rules: Sequence[str] = HOPELESS,
    **options: Any,
) -> Iterator[Monitor]:
    """Watch the training of a trial, and stop it at the first diagnosis that never heals.

    For a trainable::

        def trainable(config):
            ...
            with stopping(model, optimizer, report={"loss": math.inf}):
                for epoch in range(epochs):
                    tune.report({"loss": train(model, optimizer)})

    ``report`` is the last result of a trial that is stopped: the metric that the search is after,
    at its worst. The diagnosis stands beside it as ``trainlint``. The other options are those of
    :func:`trainlint.watch`.
    """
    options.setdefault("recording", False)
    options.setdefault("live", False)
    try:
        with watch(model, optimizer, halt_on=rules, **options) as monitor:
            yield monitor
    except TrainingHalted as halted:
        tune.report({**report, "trainlint": str(halted), "done": True})
