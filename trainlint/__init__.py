"""Find what makes neural-network training fail, before it runs and while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trainlint.runtime.batch_size import BatchSizeReport, find_batch_size
    from trainlint.runtime.loggers import Logger
    from trainlint.runtime.lr_finder import LRReport, find_lr
    from trainlint.runtime.monitor import Monitor, TrainingHalted
    from trainlint.runtime.probe import ProbeReport, probe
    from trainlint.runtime.watching import watch

__all__ = [
    "BatchSizeReport",
    "LRReport",
    "Logger",
    "Monitor",
    "ProbeReport",
    "TrainingHalted",
    "find_batch_size",
    "find_lr",
    "probe",
    "watch",
]

_PLACES: Final = {
    "BatchSizeReport": "trainlint.runtime.batch_size",
    "LRReport": "trainlint.runtime.lr_finder",
    "Logger": "trainlint.runtime.loggers",
    "Monitor": "trainlint.runtime.monitor",
    "TrainingHalted": "trainlint.runtime.monitor",
    "ProbeReport": "trainlint.runtime.probe",
    "find_batch_size": "trainlint.runtime.batch_size",
    "find_lr": "trainlint.runtime.lr_finder",
    "probe": "trainlint.runtime.probe",
    "watch": "trainlint.runtime.watching",
}
"""The public names by the module that has them; it is imported when one of them is asked for."""


def __getattr__(name: str) -> Any:
    """Import what is asked for; what needs torch says so where there is none."""
    if name not in _PLACES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - the command line needs none of it

    try:
        return getattr(import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in {"torch", "numpy"}:
            raise
        msg = f"trainlint.{name} needs {error.name}: pip install 'trainlint[torch]'"
        raise ImportError(msg) from error
