"""Tells a run of MLflow: numbers are metrics, diagnoses an artifact, the verdict a tag.

A server may be slow or gone, so another thread tells it; when it cannot follow, steps are left out.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from trainlint.output.moments import as_markdown
from trainlint.runtime.loggers import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.loggers import Logger

MOST_WAITING: Final = 64
"""So many steps may wait to be told."""
PATIENCE: Final = 30.0
"""For so many seconds the end of the watching waits for the server."""
_MOST_AT_ONCE: Final = 1000
_LONGEST: Final = 250
_NOT_IN_NAMES: Final = re.compile(r"[^/\w.\- ]")
"""What MLflow takes in the names of metrics on no system."""


def logger_of(given: Any) -> Logger | None:
    """Return what tells a run: a client with a run id, a run, or the active one of the module `mlflow`.

    As with `mlflow.log_metric`, a run begins where none is active.
    """
    from mlflow import MlflowClient  # noqa: PLC0415 - the user has imported it

    if isinstance(given, tuple):
        client, run = given
        return Run(client, run) if isinstance(client, MlflowClient) else None
    if hasattr(given, "active_run"):
        given = given.active_run() or given.start_run()
    run = getattr(getattr(given, "info", None), "run_id", None)
    return None if run is None else Run(MlflowClient(), run)


class Run:
    """Logs batches of metrics in the order in which they come."""

    def __init__(self, client: Any, run: str) -> None:
        self._client = client
        self._run = run
        self._told = ""
        self._thread = ThreadPoolExecutor(1, "trainlint-mlflow")
        self._waiting: list[Future[object]] = []

    def log_signals(self, numbers: Mapping[str, float], step: int) -> None:
        """Log a metric for each number."""
        if len(self._left()) >= MOST_WAITING:
            return
        from mlflow.entities import Metric  # noqa: PLC0415 - the user has imported it

        now = int(time.time() * 1000)
        named = {_NOT_IN_NAMES.sub("_", name)[:_LONGEST]: one for name, one in numbers.items()}
        metrics = [Metric(name, value, now, step) for name, value in named.items()]
        for at in range(0, len(metrics), _MOST_AT_ONCE):
            some = metrics[at : at + _MOST_AT_ONCE]
            self._later(self._client.log_batch, self._run, metrics=some)

    def log_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Write the diagnoses so far as an artifact."""
        self._left()
        self._told += f"{as_markdown(diagnosis)}\n\n"
        self._later(self._client.log_text, self._run, self._told, "trainlint/diagnoses.md")

    def close(self, verdict: str, step: int) -> None:
        """Set the verdict as a tag, and wait for the server, but not for ever."""
        del step
        self._later(self._client.set_tag, self._run, f"{PREFIX.rstrip('/')}.verdict", verdict)
        until = time.monotonic() + PATIENCE
        try:
            for one in self._waiting:
                one.result(max(until - time.monotonic(), 0.0))
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _later(self, call: Callable[..., object], *given: Any, **named: Any) -> None:
        """Have the other thread call something."""
        self._waiting.append(self._thread.submit(call, *given, **named))

    def _left(self) -> list[Future[object]]:
        """Return what still waits; raise what was raised in the other thread."""
        while self._waiting and self._waiting[0].done():
            self._waiting.pop(0).result()
        return self._waiting
