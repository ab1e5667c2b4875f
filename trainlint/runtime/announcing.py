"""Says what a monitor has to say: on the terminal, or in the log of a program that keeps one."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainlint.core.diagnosis import Severity
from trainlint.output.notebook import LiveTable, kernel_shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainlint.core.diagnosis import Diagnosis

_LOGGER = logging.getLogger("trainlint")
_LOGGER.addHandler(logging.NullHandler())


class Announcer:
    """Prints through rich on standard error, or logs where the program has set up logging."""

    def __init__(self, *, live: bool) -> None:
        self.is_live = live
        self._printer: Any = None

    def say(self, text: str) -> None:
        """Say something of several lines or one; also where diagnoses are not shown."""
        if not self.is_live or _is_logging():
            for line in text.splitlines():
                _LOGGER.info(line) if self.is_live else _LOGGER.warning(line)
            return
        self._live.say(text)

    def diagnosis(self, diagnosis: Diagnosis) -> None:
        """Show a diagnosis, if anything is shown, and not by the view of a notebook."""
        if self._table is not None:
            return
        if not self.is_live or _is_logging():
            level = logging.INFO if diagnosis.severity is Severity.ADVICE else logging.WARNING
            moment = diagnosis.moment
            step = "" if moment is None else f"step {moment.step}: "
            _LOGGER.log(
                level,
                "%s%s %s: %s; %s",
                step,
                diagnosis.code,
                diagnosis.rule,
                diagnosis.message,
                diagnosis.remedy,
            )
            return
        self._live.diagnosis(diagnosis)

    def view(self, draw: Callable[[], str], *, now: bool) -> bool:
        """Show HTML where a notebook shows the training, at once or when it is time; say if one does."""
        if self._table is None:
            return False
        try:
            self._table.show(draw, now=now)
        except Exception:
            self._table = None  # from now on diagnoses are printed
            raise
        return True

    @cached_property
    def _table(self) -> LiveTable | None:
        """What shows the training in a notebook; None elsewhere."""
        shell = kernel_shell() if self.is_live else None
        return None if shell is None else LiveTable(shell)

    @property
    def _live(self) -> Any:
        """What prints, made when there is something to print."""
        if self._printer is None:
            from trainlint.output.live import LivePrinter  # noqa: PLC0415 - rich costs 50 ms

            self._printer = LivePrinter()
        return self._printer


def reason_of(error: BaseException) -> str:
    """Say in one line what an exception is."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_logging() -> bool:
    """Say whether the program has set up logging itself."""
    return any(
        not isinstance(handler, logging.NullHandler)
        for handler in (*logging.root.handlers, *_LOGGER.handlers)
    )
