"""A callback for Lightning, whichever name it is installed under: `Trainer(callbacks=[TrainHealth()])`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from trainlint.runtime.watching import watch

if TYPE_CHECKING:
    from trainlint.runtime.monitor import Monitor


def _bases() -> tuple[type, ...]:
    """Return the callback classes of the Lightning that is installed."""
    found = []
    for name in ("lightning.pytorch", "pytorch_lightning"):
        try:
            found.append(importlib.import_module(name).Callback)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    if not found:
        msg = "trainlint.integrations.lightning needs Lightning: pip install lightning"
        raise ImportError(msg)
    return tuple(dict.fromkeys(found))


class TrainHealth(*_bases()):  # type: ignore[misc]
    """Watches the training of a `Trainer`; takes the options of :func:`trainlint.watch`.

    Validation metrics are read from what the module logs: ``val_loss`` names the one that is the
    validation loss. A run that is resumed from a checkpoint continues its recording; a `fast_dev_run`,
    of which Lightning keeps nothing, has none. With ``loggers=True`` the loggers of the trainer are told
    of signals and diagnoses.
    """

    def __init__(self, *, val_loss: str = "val_loss", **options: Any) -> None:
        super().__init__()
        self.monitor: Monitor | None = None
        self._val_loss = val_loss
        self._options = options
        self._recording: str | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Attach to the module and its optimizers."""
        options = dict(self._options)
        if self._recording is not None:
            options.setdefault("recording", self._recording)
            options.setdefault("append", str(options["recording"]) == self._recording)
        if options.get("loggers") is True:
            options["loggers"] = list(trainer.loggers)
        if trainer.fast_dev_run:
            options.setdefault("recording", False)
        live = options.pop("live", None)
        if live is None and not trainer.is_global_zero:
            live = False
        self.monitor = watch(pl_module, list(trainer.optimizers), live=live, **options)
        self._recording = self.monitor.recording

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Note the epoch."""
        del pl_module
        if self.monitor is not None:
            self.monitor.log(epoch=trainer.current_epoch)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Note what the module has logged in its validation."""
        del pl_module
        if self.monitor is None or trainer.sanity_checking:
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        loss = metrics.pop(self._val_loss, None)
        self.monitor.log(val_loss=loss, **metrics)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Close the monitor."""
        del trainer, pl_module
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Close the monitor."""
        del trainer, pl_module, exception
        self._close()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: where the recording is."""
        return {"recording": self._recording}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the recording of the run that the checkpoint is of."""
        self._recording = state_dict.get("recording")

    def _close(self) -> None:
        """Close the monitor, which stays at hand to be asked."""
        if self.monitor is not None:
            self.monitor.close()
