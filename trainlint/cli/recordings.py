"""What commands that look at several recordings share: finding them, and a glance at each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from trainlint.core.errors import UserError
from trainlint.output.overview import Overview
from trainlint.runtime.recording import Recording
from trainlint.runtime.signals import Signal
from trainlint.runtime.tables import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL: Final = os.path.join("runs", "trainlint")
"""Where `watch` writes recordings unless it is told otherwise."""
_FEW: Final = 100
_OF_OURS: Final = frozenset({"began", "seconds", "own_seconds", "steps"})
"""Facts that differ from run to run whatever was changed."""


def recordings_in(folder: str | None) -> Iterator[str]:
    """Yield the paths of the recordings in a folder and those below; the usual one if none is named."""
    if folder is None:
        folder = USUAL if os.path.isdir(USUAL) else os.curdir
    if os.path.isfile(folder):
        yield folder
        return
    if not os.path.isdir(folder):
        msg = f"{folder}: there is no such folder"
        raise UserError(msg)
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIX):
                yield os.path.normpath(os.path.join(base, name))


def overview_of(path: str, *, whole: bool = False) -> Overview:
    """Return a glance at a recording; with its whole loss curve, or only the end of it."""
    with Recording(path) as recording:
        last = recording.last_session
        facts = {key: value for key, value in last.run.items() if key not in _OF_OURS}
        for at, optimizer in enumerate(recording.facts.optimizers, start=1):
            name = "" if at == 1 else f" {at}"
            facts |= {
                f"learning rate{name}": optimizer.learning_rate,
                f"momentum{name}": optimizer.momentum,
                f"weight decay{name}": optimizer.weight_decay,
            }
        for key, value in recording.settings.items():
            if value:
                facts[key] = str(value)
        return Overview(
            path,
            last.state.value,
            recording.last_number,
            recording.seconds,
            recording.size,
            recording.sessions[0].started,
            facts,
            recording.diagnoses(),
            recording.curve(Signal.LOSS, last=None if whole else _FEW),
        )
