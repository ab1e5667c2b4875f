"""What a training is logged with besides: TensorBoard, Weights & Biases, MLflow, Lightning's loggers.

None of their packages is imported here: whoever hands a logger in has done so. What all are told is chosen
in ``choice``; how each is told says the module with its name.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol

from trainlint.runtime.announcing import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.loggers.choice import Choice
    from trainlint.runtime.signals import Step

PREFIX: Final = "trainlint/"
"""What the names of all that is logged begin with."""
_KNOWN: Final = {
    "torch.utils.tensorboard": "tensorboard",
    "tensorboardX": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "lightning": "lightning",
    "lightning_fabric": "lightning",
    "pytorch_lightning": "lightning",
}
"""By the package of what is handed in, the module here that knows it."""
_TAKEN: Final = (
    "a SummaryWriter, a run of Weights & Biases, `mlflow` or a pair of its client and a run id, a logger of"
    " Lightning, or an object with the methods `log_signals` and `log_diagnosis`"
)


class Logger(Protocol):
    """What `trainlint.watch(..., loggers=[…])` takes of your own: an object with these two methods.

    They are called on the thread of the training, after measured steps; the time that they take counts as
    the monitor's own. One that raises is told of in one line and not called again.
    """

    def log_signals(self, numbers: Mapping[str, float], step: int) -> object:
        """Take the numbers of a measured step by their names, such as `trainlint/total_norm`.

        ``step`` is the number of the optimizer's step, counted from 1. A number may be NaN or infinite.
        """

    def log_diagnosis(self, diagnosis: Diagnosis) -> object:
        """Take a diagnosis as it is made."""


class Loggers:
    """Tells several loggers of a training, and one that raises nothing any more."""

    def __init__(
        self,
        loggers: Sequence[tuple[str, Logger]],
        choice: Choice,
        say: Callable[[str], object],
    ) -> None:
        self._loggers = list(loggers)
        self._choice = choice
        self._say = say
        self._process = os.getpid()

    def step(self, step: Step) -> None:
        """Tell of a step if it was measured."""
        if step.is_measured and self._loggers:
            numbers = {f"{PREFIX}{name}": value for name, value in self._choice.of(step)}
            self._each(lambda one: one.log_signals(numbers, step.number))

    def diagnosis(self, diagnosis: Diagnosis) -> None:
        """Tell of a diagnosis, and from now on of the numbers of its layer."""
        self._choice.follow(diagnosis)
        self._each(lambda one: one.log_diagnosis(diagnosis))

    def close(self, verdict: str, step: int) -> None:
        """Tell ours that the watching ends after a step, and how it stands with the training."""
        self._each(lambda one: one.close(verdict, step) if _is_ours(one) else None)

    def _each(self, tell: Callable[[Any], object]) -> None:
        """Tell each logger something; from a process that was forked off nothing."""
        if os.getpid() != self._process:
            return
        for pair in tuple(self._loggers):
            name, one = pair
            try:
                tell(one)
            except Exception as error:  # noqa: BLE001 - a logger never ends the run it is told of
                self._loggers.remove(pair)
                self._say(f"trainlint tells {name} nothing any more ({reason_of(error)})")


def _is_ours(logger: Logger) -> bool:
    """Say whether a logger is one of this package, which are told of the end."""
    return type(logger).__module__.startswith(f"{__name__}.")


def check(given: object) -> list[Any]:
    """Return what is handed in as a list, none of it touched.

    Raises:
        TypeError: Something is no logger.

    """
    listed = _listed(given)
    for one in listed:
        if _package_of(one) is None and not _is_own(one):
            kind = repr(one) if isinstance(one, (str, type)) else type(one).__name__
            msg = f"loggers: expects {_TAKEN}, not {kind}"
            raise TypeError(msg)
    return listed


def made(given: Sequence[Any]) -> list[tuple[str, Logger]]:
    """Return a logger with its name for each of what is handed in.

    Raises:
        TypeError: Something is of a known package, and no logger.
        ValueError: It is one that has no run.

    """
    found = []
    for one in given:
        package = _package_of(one)
        logger = one if package is None else _of_package(package, one)
        if logger is None:
            msg = f"loggers: expects {_TAKEN}, not {_name_of(one)}"
            raise TypeError(msg)
        found.append((_name_of(one), logger))
    return found


def _of_package(package: str, given: Any) -> Logger | None:
    """Return what tells a logger of a known package."""
    module = import_module(f"{__name__}.{package}")
    logger: Logger | None = module.logger_of(given)
    return logger


def _listed(given: object) -> list[Any]:
    """Return one logger or several as a list; a client of MLflow comes with a run id."""
    if given is None:
        return []
    if isinstance(given, (list, set, frozenset)):
        return list(given)
    if isinstance(given, tuple) and not _is_pair(given):
        return list(given)
    return [given]


def _is_pair(given: object) -> bool:
    """Say whether something is a client of MLflow with a run id."""
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str)  # noqa: PLR2004


def _package_of(given: Any) -> str | None:
    """Return the module here that knows a logger, by where its class was defined."""
    if _is_pair(given):
        return "mlflow" if _package_of(given[0]) == "mlflow" else None
    if isinstance(given, ModuleType):
        names = [given.__name__]
    else:
        names = [one.__module__ for one in type(given).__mro__]
    for name in names:
        for package, known in _KNOWN.items():
            if name == package or name.startswith(f"{package}."):
                return known
    return None


def _is_own(given: Any) -> bool:
    """Say whether an object of the user has what a logger must have."""
    return not isinstance(given, type) and all(
        callable(getattr(given, name, None)) for name in ("log_signals", "log_diagnosis")
    )


def _name_of(given: Any) -> str:
    """Return what a logger is called in a message."""
    one = given[0] if _is_pair(given) else given
    return f"`{one.__name__}`" if isinstance(one, ModuleType) else type(one).__name__
