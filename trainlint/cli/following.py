"""A recording that is followed while it is written: what is new of it is read, whatever becomes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

from trainlint.output.summary import rows
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.recordings.tables import RecordingError
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.output.summary import Row
    from trainlint.runtime.signals import Facts, Step

KEPT: Final = 200
"""So many losses, and gradients of each layer, are kept for their sparklines."""
_MEASURED: Final = 60
"""Of a long training so many measured steps are read when it is met, which takes a moment at most."""
WAITING: Final = "waiting"


@dataclass
class Followed:
    """A recording, and what has been read of it so far."""

    path: str
    state: str = WAITING
    """What the recording says of the training, or `waiting` while there is none that can be read."""
    step: int = 0
    started: float = 0.0
    """Seconds since 1970."""
    facts: Facts | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)
    last: dict[str, dict[str, float]] = field(default_factory=dict)
    loss: list[float] = field(default_factory=list)
    gradients: dict[str, list[float]] = field(default_factory=dict)
    _at: int = 0
    _identity: tuple[int, int] = (0, 0)
    _glimpse: tuple[tuple[float, int], ...] = ()

    def read(self) -> None:
        """Read what is new; a file that is missing or was begun anew is no error."""
        try:
            found = os.stat(self.path)
            glimpse = tuple(_glimpse(self.path + suffix) for suffix in ("", "-wal"))
            identity = (found.st_dev, found.st_ino)
            is_over = self.state not in {WAITING, "running"}
            if is_over and (glimpse, identity) == (self._glimpse, self._identity):
                return
            with Recording(self.path) as recording:
                if identity != self._identity or recording.position < self._at:
                    self._begin(recording)
                for step in recording.steps(after=self._at):
                    self._see(step)
                self._at = recording.position
                self._identity, self._glimpse = identity, glimpse
                self.step = recording.last_number
                self.started = recording.last_session.started
                self.facts = recording.facts
                self.diagnoses = recording.diagnoses()
                self.state = recording.state.value
        except (OSError, RecordingError):
            self.state = WAITING

    def rows(self) -> list[Row]:
        """Return the layers, the worst first."""
        return [] if self.facts is None else rows(self.facts, self.last, self.diagnoses)

    def _begin(self, recording: Recording) -> None:
        """Forget what was read, and begin near the end of a recording."""
        fresh = Followed(self.path)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))
        self._at = recording.before_the_last(_MEASURED)

    def _see(self, step: Step) -> None:
        """Take a step."""
        for signal, values in step.signals.items():
            self.last.setdefault(signal, {}).update(values)
        loss = step.run(Signal.LOSS)
        if loss is not None:
            self.loss = [*self.loss[1 - KEPT :], loss]
        for name, value in step.of(Signal.GRADIENT_RMS).items():
            self.gradients[name] = [*self.gradients.get(name, [])[1 - KEPT :], value]


def _glimpse(path: str) -> tuple[float, int]:
    """Return what tells whether a file has changed, without opening it."""
    try:
        found = os.stat(path)
    except OSError:
        return (0.0, 0)
    return (found.st_mtime, found.st_size)
