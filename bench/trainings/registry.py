"""The trainings by their names, and what their monitors ought to say."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import torch

import trainlint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainlint import Monitor
    from trainlint.core.diagnosis import Diagnosis

watch = partial(trainlint.watch, recording=False, live=False)
"""As everybody calls it, but that it prints and keeps nothing."""


@dataclass(frozen=True)
class Training:
    """A small training that is watched from its first step to its last."""

    name: str
    about: str
    start: Callable[[], Monitor]
    diagnosis: str = ""
    """The rule that must speak first; nothing for a healthy training."""
    other: str = ""
    """Another one that is as right."""
    within: int = 0
    """By which optimizer step."""

    def run(self, every: int | None = None) -> Monitor:
        """Train from a fixed seed and return the monitor, closed.

        With ``every`` the measured steps, and so what is said, do not depend on the machine.
        """
        with _told(every=every):
            monitor = self.start()
        monitor.close()
        return monitor

    def said(self, every: int | None = None) -> list[Diagnosis]:
        """Train as `run` does until a right diagnosis has been made, and return all that were."""
        found: list[Diagnosis] = []
        right = [one for one in (self.diagnosis, self.other) if one]
        with (
            suppress(trainlint.TrainingHalted),
            _told(every=every, halt_on=right, on_diagnosis=found.append),
        ):
            self.start().close()
        return found


@contextmanager
def _told(**options: object) -> Iterator[None]:
    """Train from a fixed seed, with more options for the monitor."""
    torch.manual_seed(0)
    watch.keywords.update(options)
    try:
        yield
    finally:
        for name in options:
            del watch.keywords[name]


TIMED: Final = frozenset({"data-starved"})
"""Rules that judge the machine as well: where it is kept busy, they are right about any training."""
HEALTHY: Final[dict[str, Training]] = {}
SICK: Final[dict[str, Training]] = {}


def healthy(start: Callable[[], Monitor]) -> Callable[[], Monitor]:
    """Register a training in which nothing is wrong."""
    name = start.__name__.replace("_", "-")
    HEALTHY[name] = Training(name, _about(start), start)
    return start


def sick(
    diagnosis: str, *, within: int, other: str = ""
) -> Callable[[Callable[[], Monitor]], Callable[[], Monitor]]:
    """Register a training in which one thing is wrong, with the rule (or two) that says so first."""

    def register(start: Callable[[], Monitor]) -> Callable[[], Monitor]:
        name = start.__name__.replace("_", "-")
        SICK[name] = Training(name, _about(start), start, diagnosis, other, within)
        return start

    return register


def _about(start: Callable[[], Monitor]) -> str:
    """Return what a training is, from its docstring."""
    return (start.__doc__ or "").partition("\n")[0].rstrip(".")
