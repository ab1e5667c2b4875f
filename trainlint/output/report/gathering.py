"""What a report shows, gathered in one walk through a recording."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from trainlint.output.report.series import Columns, Curve, Grid
from trainlint.runtime.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainlint.core.diagnosis import Diagnosis, Evidence
    from trainlint.runtime.recordings.recording import Recording
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
_SAME: Final = 0.05
"""A number of evidence that is so near to the signal is the signal itself."""
_BEFORE: Final = 25
"""A spike stands out from so many losses before it."""
_OUT: Final = 8.0
_MOST_SPIKES: Final = 50
_MOST_DRAWN: Final = 400
"""So many curves of evidence are drawn."""


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
        self.resumed: list[int] = []
        """Where a later session goes on."""
        self._evidence: dict[tuple[str, str], Curve] = {}
        self._asked: dict[int, list[tuple[str, str]]] = {}
        """Of which signals the value in a step is asked for."""
        self._answers: dict[tuple[int, str, str], float] = {}
        self._weights = {one.weight: one.name for one in self.facts.layers if one.weight}
        self._before: deque[float] = deque(maxlen=_BEFORE)
        measured: list[int] = []
        offsets: dict[int, int] = {}
        end = 0
        for session in recording.sessions:
            numbers = recording.numbers(session.number)
            # A resumed run that counts from 1 again goes on where the one before ended.
            offset = offsets[session.number] = end if numbers and numbers[0][0] <= end else 0
            if offset:
                self.resumed.append(offset)
            end = max(end, *(number + offset for number, _ in numbers[-1:]), 0)
            measured += [number + offset for number, has_layers in numbers if has_layers]
            for one in recording.diagnoses(session.number):
                at = (one.moment.step if one.moment else 0) + offset
                self.diagnoses.append((at, one))
                self._ask(at, one)
        self.end = max(1, end)
        self.columns = Columns(measured, min(MOST_COLUMNS, MOST_CELLS // self._rows()))
        self.grids = {signal: Grid(len(self.columns.firsts)) for signal in HEATED}
        for session in recording.sessions:
            for step in recording.steps(session.number):
                self._see(step, step.number + offsets[session.number])

    def _rows(self) -> int:
        """Return how many rows the largest heat map may have."""
        return max(1, len(self.facts.layers))

    def as_json(self) -> dict[str, Any]:
        """Return what the page draws."""
        drawn = {key: curve for key, curve in self._evidence.items() if curve.points}
        at_of = {key: at for at, key in enumerate(drawn)}
        return {
            "end": self.end,
            "columns": self.columns.as_json(),
            "loss": self.loss.as_json(),
            "rate": self.rate.as_json(),
            "spikes": sorted(sorted(self.spikes, key=lambda one: -one[1])[:_MOST_SPIKES]),
            "resumed": self.resumed,
            "grids": [
                {
                    "signal": str(signal),
                    "title": HEATED[signal],
                    "names": self.grids[signal].names(self._order),
                }
                for signal in self._heated
            ],
            "curves": [curve.as_json() for curve in drawn.values()],
            "diagnoses": [
                {
                    "step": at,
                    "rule": one.rule,
                    "severity": one.severity.value,
                    "layer": one.moment.layer if one.moment else "",
                    "message": one.message,
                    "proofs": list(self._proofs(at, one, at_of)),
                }
                for at, one in self.diagnoses
            ],
        }

    def cells(self) -> Iterator[bytes]:
        """Yield the cells of each heat map, which are apart as they are large and seldom all wanted."""
        for signal in self._heated:
            yield self.grids[signal].cells(self._order)

    @property
    def _heated(self) -> list[Signal]:
        """The signals of which anything is known."""
        return [signal for signal in HEATED if self.grids[signal]]

    @property
    def _order(self) -> list[str]:
        """The layers in the order of the forward pass."""
        return [one.name for one in self.facts.layers]

    def is_signal(self, at: int, layer: str, one: Evidence) -> bool:
        """Say whether a number is the signal itself as it was then, so that one bound holds for both."""
        value = self._answers.get((at, one.signal, layer))
        return value is not None and math.isclose(value, one.value, rel_tol=_SAME)

    def _proofs(
        self, at: int, one: Diagnosis, at_of: dict[tuple[str, str], int]
    ) -> Iterator[dict[str, Any]]:
        """Yield the curves that a diagnosis rests on; a bound only where it is one of the curve."""
        layer = one.moment.layer if one.moment else ""
        found: dict[int, dict[str, Any]] = {}
        for it in one.moment.evidence if one.moment else ():
            curve = at_of.get((it.signal, layer))
            if curve is None:
                continue
            fits = self.is_signal(at, layer, it)
            has_bound = fits and it.bound is not None and math.isfinite(it.bound)
            if fits or curve not in found:
                found[curve] = {
                    "what": it.what if fits else _words(it.signal),
                    "bound": it.bound if has_bound else None,
                    "curve": curve,
                }
        yield from found.values()

    def _ask(self, at: int, one: Diagnosis) -> None:
        """Remember which curves a diagnosis rests on."""
        if one.moment is None or len(self._evidence) >= _MOST_DRAWN:
            return
        for it in one.moment.evidence:
            if it.signal:
                key = (it.signal, one.moment.layer)
                self._evidence.setdefault(key, Curve(_EVIDENCE_POINTS))
                self._asked.setdefault(at, []).append(key)

    def _see(self, step: Step, at: int) -> None:
        """Take a step."""
        loss = step.run(Signal.LOSS)
        if loss is not None:
            self.loss.add(at, loss)
            self._look_for_spike(at, loss)
        rate = step.run(Signal.LEARNING_RATE)
        if rate is not None:
            self.rate.add(at, rate)
        for signal, values in step.signals.items():
            self.last.setdefault(signal, {}).update(values)
        for (signal, name), curve in self._evidence.items():
            value = self._value(step, signal, name) if signal in step.signals else None
            if value is not None:
                curve.add(at, value)
        for signal, name in self._asked.get(at, ()):
            value = self._value(step, signal, name)
            if value is not None:
                self._answers[at, signal, name] = value
        if not step.is_measured:
            return
        column = self.columns.of(at)
        weights = self._weights
        for signal, grid in self.grids.items():
            pairs: Iterable[tuple[str, float]] = step.of(signal).items()
            if signal in _OF_PARAMETERS:
                pairs = [(weights[name], value) for name, value in pairs if name in weights]
            grid.add(column, pairs)

    @classmethod
    def _value(cls, step: Step, signal: str, name: str) -> float | None:
        """Return what was measured of a layer or parameter, or else of the run."""
        values = step.of(signal)
        return values.get(name, values.get(cls._other(step.facts, name), values.get("")))

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


def _words(signal: str) -> str:
    """Return the name of a signal as a person says it."""
    known = {str(one): title.lower().replace("rms", "RMS") for one, title in HEATED.items()}
    return known.get(signal, signal.replace("_", " "))
