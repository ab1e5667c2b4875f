"""Tells a `SummaryWriter` of TensorBoard: numbers are scalars, diagnoses texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainlint.output.moments import as_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.loggers import Logger


def logger_of(given: Any) -> Logger | None:
    """Return what tells a writer."""
    return SummaryWriter(given) if hasattr(given, "add_scalar") else None


class SummaryWriter:
    """Writes scalars and texts."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def log_signals(self, numbers: Mapping[str, float], step: int) -> None:
        """Write a scalar for each number."""
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)

    def log_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Write a text; each rule has a tag of its own, for TensorBoard shows only some of each."""
        moment = diagnosis.moment
        self._writer.add_text(
            f"trainlint/diagnoses/{diagnosis.code} {diagnosis.rule}",
            as_markdown(diagnosis),
            0 if moment is None else moment.step,
        )

    def close(self, verdict: str, step: int) -> None:
        """Write the verdict, and let the file have all of it; the writer stays open for its owner."""
        self._writer.add_text("trainlint/verdict", verdict, step)
        self._writer.flush()
