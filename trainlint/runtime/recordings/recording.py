"""Reads a recording back: one that has ended, is being written, or was broken off."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from trainlint.core.diagnosis import Evidence
from trainlint.runtime.recordings.tables import (
    ABSENT_BYTES,
    APPLICATION,
    DIAGNOSIS,
    VERSION,
    RecordingError,
    State,
    diagnosis_of,
    facts_of,
    reason_of,
    unpacked,
    writer_lives,
)
from trainlint.runtime.signals import Facts, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import TracebackType

    from trainlint.core.diagnosis import Diagnosis

_AT_ONCE: Final = 200
"""So many steps are read at once, so that no reader keeps the writer's log from being emptied."""
_BUSY: Final = 5.0


@dataclass(frozen=True)
class Session:
    """A stretch of training that was recorded in one go; a resumed run has several."""

    number: int
    started: float
    """Seconds since 1970."""
    ended: float
    """The time of the last step that was written."""
    is_finished: bool
    """Whether the monitor was closed."""
    writer: str
    """The process that writes it."""
    settings: Mapping[str, Any]
    """What the monitor was told to select, ignore and set."""
    run: Mapping[str, str | int | float]
    """What is known of the run: the class of the model, the device, versions."""
    thinned: int
    """How many measured steps have lost what was measured of their layers, for room."""
    dropped: int
    """How many steps have been given up, for room."""

    @property
    def state(self) -> State:
        """How it stands with it."""
        if self.is_finished:
            return State.FINISHED
        return State.RUNNING if writer_lives(self.writer) else State.BROKEN_OFF


class Recording:
    """A recording that is there; a :class:`RecordingError` says in one line where it cannot be read.

    It can be read while it is written: each question is answered with what stands there by then.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._connection: sqlite3.Connection | None = None
        self._facts: dict[int, Facts] = {}
        self._series: dict[int, tuple[str, tuple[str, ...]]] = {}
        if not os.path.exists(self.path):
            msg = f"{self.path}: there is no such file"
            raise RecordingError(msg)
        if os.path.isdir(self.path):
            msg = f"{self.path}: is a folder, not a recording"
            raise RecordingError(msg)
        try:
            with self._reading():
                self._connection = self._opened()
                self._verify(self._connection)
        except RecordingError:
            self.close()
            raise

    # --- what is known of the run

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The stretches of training, the first of them first."""
        facts: dict[int, dict[str, Any]] = {}
        for session, key, value in self._rows("SELECT session, key, value FROM run"):
            facts.setdefault(session, {})[key] = float("nan") if value is None else value
        return tuple(
            Session(
                number,
                started,
                ended,
                bool(finished),
                writer,
                json.loads(settings),
                MappingProxyType(facts.get(number, {})),
                thinned,
                dropped,
            )
            for number, started, ended, finished, writer, settings, thinned, dropped in self._rows(
                "SELECT id, started, ended, finished, writer, settings, thinned, dropped"
                " FROM sessions ORDER BY id"
            )
        )

    @property
    def last_session(self) -> Session:
        """The last stretch of training."""
        found = self.sessions
        if not found:
            msg = f"{self.path}: nothing was recorded"
            raise RecordingError(msg)
        return found[-1]

    @property
    def run(self) -> Mapping[str, str | int | float]:
        """What is known of the run, of several stretches the last."""
        return self.last_session.run

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the monitor was told to select, ignore and set."""
        return self.last_session.settings

    @property
    def state(self) -> State:
        """How it stands with the training."""
        return self.last_session.state

    @property
    def is_finished(self) -> bool:
        """Whether the monitor was closed."""
        return self.state is State.FINISHED

    @property
    def is_thinned(self) -> bool:
        """Whether anything was given up for room."""
        return any(one.thinned or one.dropped for one in self.sessions)

    @property
    def facts(self) -> Facts:
        """What the training is made of, as it was last known."""
        rows = self._rows("SELECT max(id) FROM facts")
        number = rows[0][0]
        return Facts() if number is None else self._facts_of(number)

    @property
    def size(self) -> int:
        """How many bytes it has, with what is still in its log."""
        total = 0
        for suffix in ("", "-wal"):
            with suppress(OSError):
                total += os.path.getsize(self.path + suffix)
        return total

    @property
    def position(self) -> int:
        """A number that grows with every step that is written; `steps(after=…)` goes on from it."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM steps")[0][0])

    def before_the_last(self, measured: int) -> int:
        """Return the position after which so many measured steps are left, or all."""
        question = "SELECT id FROM steps WHERE measured = 1 ORDER BY id DESC LIMIT 1 OFFSET ?"
        rows = self._rows(question, measured - 1)
        return rows[0][0] - 1 if rows else 0

    @property
    def count(self) -> int:
        """How many steps are kept."""
        return int(self._rows("SELECT count(*) FROM steps")[0][0])

    @property
    def measured(self) -> int:
        """How many of them are measured."""
        return int(self._rows("SELECT count(*) FROM steps WHERE measured = 1")[0][0])

    @property
    def last_number(self) -> int:
        """The number of the last step; 0 where there is none."""
        rows = self._rows("SELECT number FROM steps ORDER BY id DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    @property
    def seconds(self) -> float:
        """How long was trained: the time of the last step of every stretch, together."""
        rows = self._rows("SELECT max(time) FROM steps GROUP BY session")
        return float(sum(one for (one,) in rows))

    # --- what was recorded

    def steps(self, session: int | None = None, *, after: int = 0) -> Iterator[Step]:
        """Yield the steps in the order in which they were written; of one session, or of all."""
        only = "" if session is None else f" AND session = {int(session)}"
        while True:
            rows = self._rows(
                "SELECT id, number, time, measured, facts, series, numbers FROM steps"  # noqa: S608
                f" WHERE id > ?{only} ORDER BY id LIMIT {_AT_ONCE}",
                after,
            )
            if not rows:
                return
            first, last = rows[0][0], rows[-1][0]
            vectors: dict[int, list[tuple[int, bytes]]] = {}
            for step, series, numbers in self._rows(
                "SELECT step, series, numbers FROM measurements WHERE step BETWEEN ? AND ?"
                " ORDER BY rowid",
                first,
                last,
            ):
                vectors.setdefault(step, []).append((series, numbers))
            for step, number, seconds, measured, facts, series, numbers in rows:
                yield self._step(
                    (number, seconds, bool(measured), facts),
                    (series, numbers),
                    vectors.get(step, ()),
                )
            after = last

    def numbers(self, session: int) -> list[tuple[int, bool]]:
        """Return the number of each step of a session, and whether its layers were measured."""
        question = "SELECT number, measured FROM steps WHERE session = ? ORDER BY id"
        return [(number, bool(measured)) for number, measured in self._rows(question, session)]

    def curve(self, signal: str, *, last: int | None = None) -> list[tuple[int, float]]:
        """Return a signal of the run by the numbers of the steps, of all or of the last few steps.

        A resumed run that counts from 1 again goes on where the one before ended.
        """
        known = {
            series: names.index(signal)
            for series, names in (
                (number, json.loads(names))
                for number, names in self._rows("SELECT id, names FROM series WHERE signal = ''")
            )
            if signal in names
        }
        few = "" if last is None else f" LIMIT {int(last)}"
        rows = self._rows(
            f"SELECT session, number, series, numbers FROM steps ORDER BY id DESC{few}"  # noqa: S608
        )
        offsets = self._offsets()
        with self._reading():
            return [
                (number + offsets[session], unpacked(numbers)[known[series]])
                for session, number, series, numbers in reversed(rows)
                if series in known and not _is_absent(numbers, known[series])
            ]

    def curves(self, signal: str, subjects: Collection[str]) -> dict[str, list[tuple[int, float]]]:
        """Return a signal of some layers or parameters by the numbers of the steps, as `curve` does."""
        found: dict[str, list[tuple[int, float]]] = {}
        with self._reading():
            places = {
                series: {one: at for at, one in enumerate(json.loads(names)) if one in subjects}
                for series, names in self._rows(
                    "SELECT id, names FROM series WHERE signal = ?", signal
                )
            }
            marks = ", ".join("?" * len(places))
            offsets = self._offsets()
            for session, series, number, numbers in self._rows(
                "SELECT session, measurements.series, number, measurements.numbers FROM measurements"  # noqa: S608
                f" JOIN steps ON steps.id = step WHERE measurements.series IN ({marks}) ORDER BY step",
                *places,
            ):
                values = unpacked(numbers)
                for name, at in places[series].items():
                    if not _is_absent(numbers, at):
                        place = number + offsets[session]
                        found.setdefault(name, []).append((place, values[at]))
        return found

    def _offsets(self) -> dict[int, int]:
        """Return by session what is added to the numbers of its steps, so that none lie on others."""
        offsets: dict[int, int] = {number: 0 for (number,) in self._rows("SELECT id FROM sessions")}
        if len(offsets) == 1:  # which is usual, and spares a walk through all steps
            return offsets
        end = 0
        for session, first, last in self._rows(
            "SELECT session, min(number), max(number) FROM steps GROUP BY session ORDER BY session"
        ):
            offsets[session] = end if first <= end else 0
            end = max(end, last + offsets[session])
        return offsets

    def diagnoses(self, session: int | None = None) -> list[Diagnosis]:
        """Return the diagnoses in the order in which they were said; of one session, or of all."""
        only = "" if session is None else f" WHERE session = {int(session)}"
        rows = self._rows(f"SELECT id, {DIAGNOSIS} FROM diagnoses{only} ORDER BY id")  # noqa: S608
        evidence: dict[int, list[Evidence]] = {}
        for number, what, value, bound, signal in self._rows(
            "SELECT diagnosis, what, value, bound, signal FROM evidence ORDER BY rowid"
        ):
            measured = float("nan") if value is None else value
            evidence.setdefault(number, []).append(Evidence(what, measured, bound, signal))
        with self._reading():
            return [diagnosis_of(tuple(row), evidence.get(number, ())) for number, *row in rows]

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def __enter__(self) -> Self:
        """Return the recording."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of the file."""
        self.close()

    # --- how it is read

    def _step(
        self,
        known: tuple[int, float, bool, int],
        run: tuple[int, bytes],
        vectors: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]] | tuple[()],
    ) -> Step:
        """Return a step."""
        number, seconds, measured, facts = known
        with self._reading():
            _, names = self._names(run[0])
            signals: dict[str, Mapping[str, float]] = {
                name: {"": value} for name, value in self._values(names, run[1]).items()
            }
            for series, numbers in vectors:
                signal, names = self._names(series)
                signals[signal] = self._values(names, numbers)
            return Step(number, self._facts_of(facts), signals, measured, seconds)

    @staticmethod
    def _values(names: tuple[str, ...], numbers: bytes) -> dict[str, float]:
        """Return the values of a vector by their names."""
        values = dict(zip(names, unpacked(numbers), strict=True))
        if ABSENT_BYTES in numbers:
            there = range(0, len(numbers), len(ABSENT_BYTES))
            return {
                name: values[name]
                for name, at in zip(names, there, strict=True)
                if numbers[at : at + len(ABSENT_BYTES)] != ABSENT_BYTES
            }
        return values

    def _names(self, series: int) -> tuple[str, tuple[str, ...]]:
        """Return the signal and the names of a series."""
        if series not in self._series:
            rows = self._rows("SELECT signal, names FROM series WHERE id = ?", series)
            signal, names = rows[0]
            self._series[series] = (signal, tuple(json.loads(names)))
        return self._series[series]

    def _facts_of(self, number: int) -> Facts:
        """Return the facts of a row."""
        if number not in self._facts:
            rows = self._rows(
                "SELECT layers, parameters, optimizers, run FROM facts WHERE id = ?", number
            )
            with self._reading():
                self._facts[number] = facts_of(*rows[0])
        return self._facts[number]

    def _rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the file."""
        with self._reading():
            if self._connection is None:
                msg = "it has been closed"
                raise sqlite3.OperationalError(msg)
            return self._connection.execute(question, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise one kind of error for all that can be wrong with a file."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            msg = f"{self.path}: cannot be read: {reason_of(error)}"
            raise RecordingError(msg) from error
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            msg = f"{self.path}: cannot be read: it is damaged"
            raise RecordingError(msg) from error

    def _opened(self) -> sqlite3.Connection:
        """Open the file for reading, also where nothing may be written beside it."""
        address = f"file:{quote(os.path.abspath(self.path))}?mode=ro"
        try:
            return self._tried(address)
        except sqlite3.OperationalError as error:
            if not any(word in str(error) for word in ("unable to open", "readonly")):
                raise
        if not os.path.exists(f"{self.path}-wal"):
            return self._tried(f"{address}&immutable=1")
        self._copy = tempfile.TemporaryDirectory(prefix="trainlint-")
        copy = os.path.join(self._copy.name, "copy")
        for suffix in ("", "-wal"):
            shutil.copyfile(self.path + suffix, copy + suffix)
        return self._tried(f"file:{quote(copy)}")

    @staticmethod
    def _tried(address: str) -> sqlite3.Connection:
        """Open an address and see whether it can be read."""
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _verify(self, connection: sqlite3.Connection) -> None:
        """Raise where the file is no recording, or one of another version."""
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION:
            msg = f"{self.path}: is no recording of trainlint"
            raise RecordingError(msg)
        if version != VERSION:
            msg = (
                f"{self.path}: its schema has version {version}, and this trainlint reads {VERSION}:"
                f" {'a newer' if version > VERSION else 'an older'} one wrote it"
            )
            raise RecordingError(msg)


def _is_absent(numbers: bytes, at: int) -> bool:
    """Say whether a vector has no value at a place."""
    size = len(ABSENT_BYTES)
    return numbers[at * size : (at + 1) * size] == ABSENT_BYTES
