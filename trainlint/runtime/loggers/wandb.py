"""Tells a run of Weights & Biases: numbers are rows of its history, diagnoses alerts.

W&B drops a row whose step is smaller than one that it has seen, and every row without a step makes the step
grow. So rows of ours must not make the steps grow under somebody who counts them: as long as nobody has
logged anything they wait; beside rows without a step they stand between those; and where somebody passes
`step=` they ride along in those rows, as what `wandb.watch` tells does.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Severity
from trainlint.output.moments import as_line, told
from trainlint.runtime.loggers import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.loggers import Logger

MOST_WAITING: Final = 500
"""So many rows may wait; of more every second one is given up."""
_STEP: Final = f"{PREFIX}step"
_LEVELS: Final = {Severity.ERROR: "ERROR", Severity.WARNING: "WARN", Severity.ADVICE: "INFO"}
_LONGEST_TITLE: Final = 63


def logger_of(given: Any) -> Logger | None:
    """Return what tells a run, or that of the module `wandb`.

    Raises:
        ValueError: There is no run yet.

    """
    if hasattr(given, "init") and hasattr(given, "run"):
        if given.run is None:
            msg = "loggers: `wandb` has no run yet: call wandb.init() before"
            raise ValueError(msg)
        given = given.run
    return Run(given) if hasattr(given, "log") and hasattr(given, "alert") else None


class Run:
    """Writes rows, alerts and the summary of a run."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._first: int | None = None
        with suppress(
            Exception
        ):  # a run that several processes share has no step, and drops no row
            self._first = run.step
        self._is_logged = self._first is None
        self._waiting: list[dict[str, float]] = []
        run.define_metric(_STEP, hidden=True)
        run.define_metric(f"{PREFIX}*", step_metric=_STEP)
        self._before_finish()

    def log_signals(self, numbers: Mapping[str, float], step: int) -> None:
        """Write a row with the step of the optimizer in it."""
        self._waiting.append({**numbers, _STEP: step})
        if not self._is_logged:
            self._is_logged = self._is_counted() or self._run.step != self._first
        if self._is_logged:
            self._write()
        elif len(self._waiting) > MOST_WAITING:
            del self._waiting[1::2]

    def log_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Send an alert, and keep the diagnosis in the summary."""
        name = f"{diagnosis.code} {diagnosis.rule}"
        self._run.alert(
            f"trainlint: {name}"[:_LONGEST_TITLE], told(diagnosis), _LEVELS[diagnosis.severity]
        )
        self._run.summary[f"{PREFIX}diagnoses/{name}"] = as_line(diagnosis)

    def close(self, verdict: str, step: int) -> None:
        """Write what waits and the verdict, unless the run has been finished."""
        del step
        if not getattr(self._run, "_is_finished", False):
            self._write()
            self._run.summary[f"{PREFIX}verdict"] = verdict

    def _write(self) -> None:
        """Write the rows that wait, or where others count the steps the last of them into their row."""
        waiting, self._waiting = self._waiting, []
        if self._is_counted():
            waiting = waiting[-1:]
        for row in waiting:
            self._run.log(row, commit=not self._is_counted())

    def _is_counted(self) -> bool:
        """Say whether somebody passes `step=`; yes where this wandb does not tell."""
        known = getattr(getattr(self._run, "_telemetry_obj", None), "feature", None)
        return bool(getattr(known, "set_step_log", True))

    def _before_finish(self) -> None:
        """Have what waits written if the run is finished before the monitor is closed."""
        with suppress(ImportError, AttributeError):
            from wandb.sdk import wandb_run  # noqa: PLC0415 - the user has imported it

            stage = wandb_run.TeardownStage.EARLY
            self._run._teardown_hooks.append(wandb_run.TeardownHook(self._write, stage))  # noqa: SLF001
