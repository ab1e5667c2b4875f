"""A handler for PyTorch-Ignite: `attach(monitor, trainer, evaluator)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from ignite.engine import Events
except ModuleNotFoundError as error:
    if error.name != "ignite":
        raise
    msg = "trainlint.integrations.ignite needs pytorch-ignite: pip install pytorch-ignite"
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from trainlint.runtime.monitor import Monitor


def attach(
    monitor: Monitor, trainer: Any, evaluator: Any = None, *, val_loss: str = "loss"
) -> None:
    """Close a monitor when the trainer's engine is done, and tell it of epochs and evaluations.

    ``val_loss`` is the metric that is the validation loss; the others are kept under their own names.
    """

    @trainer.on(Events.EPOCH_STARTED)  # type: ignore[untyped-decorator]
    def _epoch(engine: Any) -> None:
        monitor.log(epoch=engine.state.epoch)

    @trainer.on(Events.COMPLETED | Events.TERMINATE)  # type: ignore[untyped-decorator]
    def _done(engine: Any) -> None:
        del engine
        monitor.close()

    if evaluator is not None:

        @evaluator.on(Events.COMPLETED)  # type: ignore[untyped-decorator]
        def _evaluated(engine: Any) -> None:
            metrics = {
                name: float(value)
                for name, value in engine.state.metrics.items()
                if isinstance(value, (int, float)) or getattr(value, "numel", lambda: 0)() == 1
            }
            monitor.log(val_loss=metrics.pop(val_loss, None), **metrics)
