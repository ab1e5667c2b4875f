"""A callback for the `Trainer` of Hugging Face transformers: `Trainer(callbacks=[TrainHealth()])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainlint.runtime.watching import watch

try:
    from transformers import TrainerCallback
except ModuleNotFoundError as error:
    if error.name != "transformers":
        raise
    msg = "trainlint.integrations.transformers needs transformers: pip install transformers"
    raise ImportError(msg) from error

if TYPE_CHECKING:
    from trainlint.runtime.monitor import Monitor

_LOGGED = {"eval_loss": "val_loss", "epoch": "epoch"}
"""What the trainer's logs call what the monitor knows."""


class TrainHealth(TrainerCallback):  # type: ignore[misc]
    """Watches the training of a `Trainer`; takes the options of :func:`trainlint.watch`."""

    def __init__(self, **options: Any) -> None:
        self.monitor: Monitor | None = None
        self._options = options

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Attach to the model and the optimizer, as they are once the trainer has prepared them."""
        del control
        options = dict(self._options)
        if not state.is_world_process_zero:
            options.setdefault("live", False)
        optimizer = given.get("optimizer")
        if optimizer is None:
            msg = f"there is no optimizer to watch under {args.__class__.__name__}"
            raise ValueError(msg)
        self.monitor = watch(given["model"], optimizer, **options)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: dict[str, float] | None = None,
        **given: Any,
    ) -> None:
        """Note what the trainer logs; the loss of each step is heard anyway."""
        del args, state, control, given
        if self.monitor is None or not logs:
            return
        known = {_LOGGED[name]: value for name, value in logs.items() if name in _LOGGED}
        others = {
            name: value
            for name, value in logs.items()
            if name not in {*_LOGGED, "loss", "train_loss", "val_loss"}
            and isinstance(value, (int, float))
        }
        self.monitor.log(**others, **known)

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Close the monitor, which stays at hand to be asked."""
        del args, state, control, given
        if self.monitor is not None:
            self.monitor.close()
