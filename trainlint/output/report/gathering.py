"""What a report shows, gathered in one walk through a recording."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from trainlint.output.report.series import Curve, Grid
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recording import Recording
    from trainlint.runtime.signals import Facts, Step

HEATED: Final = {
    Signal.GRADIENT_RMS: "Gradient RMS",
    Signal.UPDATE_RATIO: "Update ratio",
    Signal.RMS: "Activation RMS",
    Signal.DEAD_UNITS: "Dead units",
    Signal.SATURATED: "Saturation",
}
_OF_PARAMETERS: Final = frozenset({Signal.GRADIENT_RMS, Signal.UPDATE_RATIO})
MOST_CELLS: Final = 240_000
MOST_COLUMNS: Final = 600
_POINTS: Final = 1500
_EVIDENCE_POINTS: Final = 300
_BEFORE: Final = 25
"""A spike stands out from so many losses before it."""
_OUT: Final = 8.0
_MOST_SPIKES: Final = 50
_MOST_DRAWN: Final = 400
"""So many diagnoses have their evidence drawn."""


class Gathered:
    """The curves and heat maps of a recording, and the last value of every signal."""

    def __init__(self, recording: Recording) -> None:
        self.facts: Facts = recording.facts
        self.diagnoses: list[tuple[int, Diagnosis]] = []
        """Each with its place on the axis of steps."""
        self.last: dict[str, dict[str, float]] = {}
        self.loss = Curve(_POINTS)
        self.rate = Curve(_POINTS)
        self.spikes: list[tuple[int, float]] = []
        self.evidence: dict[tuple[str, str], Curve] = {}
        self.resumed: list[int] = []
        """Where a later session goes on."""
        self.steps = 0
        self._weights = {one.weight: one.name for one in self.facts.layers if one.weight}
        self._before: deque[float] = deque(maxlen=_BEFORE)
        sessions = recording.sessions
        starts = _starts(recording)
        for session in sessions:
            offset = starts.get(session.number, 0)
            for one in recording.diagnoses(session.number):
                number = one.moment.step if one.moment else 0
                self.diagnoses.append((number + offset, one))
                self._want(one)
        self.end = max(1, starts[0])
        layers = max(1, len(self.facts.layers))
        self.columns = max(1, min(self.end, MOST_COLUMNS, MOST_CELLS // layers))
        self.width = -(-self.end // self.columns)
        self.columns = -(-self.end // self.width)
        self.grids = {signal: Grid(self.width, self.columns) for signal in HEATED}
        for session in sessions:
            offset = starts.get(session.number, 0)
            if offset:
                self.resumed.append(offset)
            for step in recording.steps(session.number):
                self._see(step, step.number + offset)

    def as_json(self) -> dict[str, Any]:
        """Return what the page draws."""
        order = [one.name for one in self.facts.layers]
        return {
            "width": self.width,
            "columns": self.columns,
            "end": self.end,
            "loss": self.loss.as_json(),
            "rate": self.rate.as_json(),
            "spikes": sorted(sorted(self.spikes, key=lambda one: -one[1])[:_MOST_SPIKES]),
            "resumed": self.resumed,
            "grids": [
                {"signal": str(signal), "title": title, **self.grids[signal].as_json(order)}
                for signal, title in HEATED.items()
                if self.grids[signal].low
            ],
            "diagnoses": [
                {
                    "step": at,
                    "rule": one.rule,
                    "severity": one.severity.value,
                    "layer": one.moment.layer if one.moment else "",
                    "message": one.message,
                    "proofs": list(self._proofs(one)) if number < _MOST_DRAWN else [],
                }
                for number, (at, one) in enumerate(self.diagnoses)
            ],
        }

    def _proofs(self, one: Diagnosis) -> Iterator[dict[str, Any]]:
        """Yield the curves that a diagnosis rests on."""
        for it in one.moment.evidence if one.moment else ():
            key = (it.signal, one.moment.layer if one.moment else "")
            curve = self.evidence.get(key)
            if curve is not None and curve.points:
                bound = None if it.bound is None or not math.isfinite(it.bound) else it.bound
                yield {"what": it.what, "bound": bound, **curve.as_json()}

    def _want(self, one: Diagnosis) -> None:
        """Remember which curves a diagnosis rests on."""
        if one.moment is not None and len(self.evidence) < _MOST_DRAWN:
            for it in one.moment.evidence:
                if it.signal:
                    key = (it.signal, one.moment.layer)
                    self.evidence.setdefault(key, Curve(_EVIDENCE_POINTS))

    def _see(self, step: Step, at: int) -> None:
        """Take a step."""
        self.steps += 1
        loss = step.run(Signal.LOSS)
        if loss is not None:
            self.loss.add(at, loss)
            self._look_for_spike(at, loss)
        rate = step.run(Signal.LEARNING_RATE)
        if rate is not None:
            self.rate.add(at, rate)
        for signal, values in step.signals.items():
            self.last.setdefault(signal, {}).update(values)
        for (signal, name), curve in self.evidence.items():
            values = step.of(signal)
            value = values.get(name, values.get(self._other(step.facts, name), values.get("")))
            if value is not None:
                curve.add(at, value)
        column = min(self.columns - 1, (at - 1) // self.width)
        for signal, grid in self.grids.items():
            values = step.of(signal)
            if signal in _OF_PARAMETERS:
                weights = self._weights
                pairs = [
                    (weights[name], value) for name, value in values.items() if name in weights
                ]
                grid.add(column, pairs)
            else:
                grid.add(column, values.items())

    @staticmethod
    def _other(facts: Facts, name: str) -> str:
        """Return the weight of a layer, or the layer of a parameter."""
        if name in facts.layer:
            return facts.layer[name].weight
        return facts.parameter[name].layer if name in facts.parameter else ""

    def _look_for_spike(self, at: int, loss: float) -> None:
        """Note a loss that lies far above those before it."""
        if not math.isfinite(loss):
            return
        if len(self._before) == _BEFORE:
            middle = median(self._before)
            spread = 1.4826 * median(abs(one - middle) for one in self._before)
            usual = max(self._before) - middle
            if loss - middle > max(_OUT * spread, 2 * usual, 0.2 * abs(middle)):
                self.spikes.append((at, loss))
        self._before.append(loss)


def _starts(recording: Recording) -> dict[int, int]:
    """Return what is added to the steps of each session, so that none lies on another; by 0 the end.

    A resumed run that counts from 1 again goes on where the one before ended.
    """
    starts: dict[int, int] = {0: 0}
    end = 0
    for session in recording.sessions:
        numbers = [step.number for step in recording.steps(session.number)]
        if not numbers:
            continue
        starts[session.number] = end if numbers[0] <= end else 0
        end = max(end, numbers[-1] + starts[session.number])
    starts[0] = end
    return starts
