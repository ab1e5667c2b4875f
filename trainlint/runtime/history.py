"""The signals of a run in memory, bounded, ready for numpy and pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from trainlint.runtime.signals import Step

KEPT: Final = 2000
"""Measured steps that are kept; when there are more, every second one of the older half is dropped."""


class History(Mapping[str, "Mapping[str, Series]"]):
    """Signals by name, and by layer or parameter: ``history["gradient_rms"]["fc1.weight"].values``."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self.last: dict[str, dict[str, float]] = {}
        """The last known value of every signal, by name and by layer or parameter."""

    def keep(self, step: Step) -> None:
        """Keep a step; one that was not measured gives only its last values."""
        for signal, values in step.signals.items():
            self.last.setdefault(signal, {}).update(values)
        if not step.is_measured:
            return
        self._steps.append(step)
        if len(self._steps) > KEPT:
            half = len(self._steps) // 2
            self._steps = self._steps[:half:2] + self._steps[half:]

    def __getitem__(self, signal: str) -> Mapping[str, Series]:
        """Return the series of a signal by layer or parameter; those of the run have an empty name."""
        found: dict[str, Series] = {}
        for step in self._steps:
            for name, value in step.of(signal).items():
                found.setdefault(name, Series([], [])).append(step.number, value)
        if not found:
            raise KeyError(signal)
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield the signals that were measured."""
        return iter({signal: None for step in self._steps for signal in step.signals})

    def __len__(self) -> int:
        """Count them."""
        return len(tuple(iter(self)))

    def rows(self) -> Iterator[tuple[int, str, str, float]]:
        """Yield step, signal, layer or parameter, value: the rows of a table."""
        for step in self._steps:
            for signal, values in step.signals.items():
                for name, value in values.items():
                    yield step.number, signal, name, value

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with the columns step, signal, name and value."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask

        return pd.DataFrame(self.rows(), columns=["step", "signal", "name", "value"])


class Series:
    """A signal of one layer or parameter over the measured steps; `numpy.asarray` gives its values."""

    __slots__ = ("steps", "values")

    def __init__(self, steps: list[int], values: list[float]) -> None:
        self.steps = steps
        self.values = values

    def append(self, step: int, value: float) -> None:
        """Add the next value."""
        self.steps.append(step)
        self.values.append(value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001
        """Return the values as an array of numpy."""
        import numpy as np  # noqa: PLC0415 - comes with torch, but need not

        del copy
        return np.array(self.values, dtype=dtype or float)

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.values)

    def __repr__(self) -> str:
        """Show how many values there are, and the last."""
        return f"<{len(self)} steps, last {self.values[-1]:.4g}>"
