"""What commands that look at several recordings share: finding them, and a glance at each."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trainlint.core.errors import UserError
from trainlint.output.overview import Overview
from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.recordings.tables import SUFFIX
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USUAL: Final = os.path.join("runs", "trainlint")
"""Where `watch` writes recordings unless it is told otherwise."""
OF_LAYERS: Final = (
    Signal.GRADIENT_RMS,
    Signal.UPDATE_RATIO,
    Signal.RMS,
    Signal.DEAD_UNITS,
    Signal.SATURATED,
)
"""What is compared of layers."""
_OF_PARAMETERS: Final = frozenset({Signal.GRADIENT_RMS, Signal.UPDATE_RATIO})
_LAYERS: Final = 4
"""So many layers are compared."""
_AT_END: Final = 200
"""So many steps at the end of a recording say how its layers are."""
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


def compared(paths: Sequence[str]) -> list[Overview]:
    """Return a glance at each of several recordings, with the curves of the layers worst in any of them."""
    found = [overview_of(path, whole=True) for path in paths]
    ranked = sorted(row for path in paths for row in _worst_layers(path))
    layers = list(dict.fromkeys(name for _, name in ranked))[:_LAYERS]
    return [replace(one, curves=_curves_of(one.path, layers)) for one in found]


def _worst_layers(path: str) -> list[tuple[tuple[int, float, int], str]]:
    """Return how bad the layers look that look worst at the end of a recording, and their names."""
    from trainlint.output.summary import rows  # noqa: PLC0415 - brings rich, which a list needs not

    last: dict[str, dict[str, float]] = {}
    with Recording(path) as recording:
        for step in recording.steps(after=max(0, recording.position - _AT_END)):
            for signal, values in step.signals.items():
                last.setdefault(signal, {}).update(values)
        found = rows(recording.facts, last, recording.diagnoses())
    return [(one.badness, one.layer.name) for one in found[:_LAYERS]]


def _curves_of(path: str, layers: Sequence[str]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Return the curves of some layers, by layer and signal; of their weights where it is a parameter's."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {name: {} for name in layers}
    with Recording(path) as recording:
        known = recording.facts.layer
        own = {name: name for name in layers if name in known}
        weights = {known[name].weight: name for name in own if known[name].weight}
        for signal in OF_LAYERS:
            subjects = weights if signal in _OF_PARAMETERS else own
            for subject, points in recording.curves(signal, subjects).items():
                curves[subjects[subject]][str(signal)] = points
    return curves


def glance_at(path: str) -> Overview:
    """Return a glance at a file that should be a recording; one that cannot be read says why."""
    try:
        return overview_of(path)
    except UserError as error:
        reason = str(error).removeprefix(f"{path}: ")
        changed, size = 0.0, 0
        with suppress(OSError):
            found = os.stat(path)
            changed, size = found.st_mtime, found.st_size
        return Overview(path, "unreadable", 0, 0.0, size, changed, {}, trouble=reason)


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
