"""Tells a logger of Lightning: the one behind it where that is known here, else its numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainlint.runtime.loggers import mlflow, tensorboard, wandb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.loggers import Logger


def logger_of(given: Any) -> Logger | None:
    """Return what tells a logger."""
    kind = type(given).__name__
    if kind == "TensorBoardLogger":
        return tensorboard.logger_of(given.experiment)
    if kind == "WandbLogger":
        return wandb.logger_of(given.experiment)
    if kind == "MLFlowLogger":
        return mlflow.logger_of((given.experiment, given.run_id))
    return Numbers(given) if hasattr(given, "log_metrics") else None


class Numbers:
    """Logs numbers; Lightning's loggers have no place for what is said."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def log_signals(self, numbers: Mapping[str, float], step: int) -> None:
        """Log the numbers of a step."""
        self._logger.log_metrics(dict(numbers), step=step)

    def log_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Count nothing: a text is no metric."""

    def close(self, verdict: str, step: int) -> None:
        """Have the logger write what waits."""
        del verdict, step
        self._logger.save()
