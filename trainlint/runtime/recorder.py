"""Keeps what is known of a training in one file, while it runs; `Recording` reads it back."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from json import dumps, loads
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self

from trainlint.runtime.recordings.recording import Recording
from trainlint.runtime.recordings.tables import (
    ABSENT,
    DIAGNOSIS,
    RecordingError,
    State,
    diagnosis_row,
    facts_row,
    packed,
    prepare,
    reason_of,
    unpacked,
    writer,
)
from trainlint.runtime.recordings.thinning import Extremes, Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recordings.thinning import Vectors
    from trainlint.runtime.signals import Facts, Step

__all__ = ["LIMIT", "Recorder", "Recording", "RecordingError"]

LIMIT: Final = 64 * 2**20
"""How many bytes a recording may have, unless it is told otherwise."""
PATIENCE: Final = 1.0
"""For so many seconds steps without measurements may wait to be written."""
MOST_WAITING: Final = 1000
"""So many may wait at most, for what is written at once is thinned at once."""
BUSY: Final = 1.0
"""For so many seconds another program may hold the file before the recorder gives up."""
SYNCHRONOUS: Final = "NORMAL"
"""What a killed process has written is there; what a power cut leaves is whole, but may lack the end."""
MOST_LISTS: Final = 32
"""A signal that is of ever other layers is kept as one long vector with gaps from here on."""
_PAGE: Final = 4096


class Recorder:
    """Appends the steps and diagnoses of a training to a file.

    A measured step is written at once, others within a second, so that a process that is killed loses
    no more than that. A forked child writes nothing. Where the file cannot be written any more,
    a :class:`RecordingError` is raised, and again by every later call.
    """

    def __init__(self, path: str | os.PathLike[str], limit: int = LIMIT) -> None:
        self.path = os.fspath(path)
        self._file = os.path.abspath(path)  # the training may change the current folder
        self.limit = limit
        self._process = os.getpid()
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._given_up: RecordingError | None = None
        self._identity = (0, 0)
        self._session = 0
        self._next = 1
        self._waiting: list[tuple[Any, ...]] = []
        self._flushed = time.monotonic()
        self._facts: Facts | None = None
        self._facts_id = 0
        self._lists: dict[str, _Lists] = {}
        self._series: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._diagnosed: set[int] = set()
        self._extremes = Extremes()
        self._sweeps: dict[bool, Sweep] = {}
        self._thins = {False: False, True: False}
        self._full = False
        self._thinned = self._dropped = 0
        self._ahead: dict[int, tuple[int, bytes]] = {}
        self._light = 0
        self._pages = max(16, min(1000, limit // 32 // _PAGE))

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        run: Mapping[str, str | int | float],
        *,
        settings: Mapping[str, object] | None = None,
        limit: int = LIMIT,
        append: bool = False,
    ) -> Self:
        """Begin a recording, with what is known of the run; ``append`` continues one that is there.

        ``settings`` is what the monitor was told to select, ignore and set; a replay heeds it. What
        lies at the path is replaced if it is a recording that no process writes any more, and left
        alone otherwise.
        """
        recorder = cls(path, limit)
        try:
            recorder._open(append=append)
            with recorder._connected() as connection:
                recorder._begin(connection, run, settings or {})
        except RecordingError:
            raise
        except (OSError, sqlite3.Error) as error:
            raise recorder._failed(error) from error
        return recorder

    # --- what the monitor calls

    def write(self, step: Step) -> None:
        """Keep a step."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._alive()
            try:
                self._write(step)
            except (OSError, sqlite3.Error, MemoryError) as error:
                raise self._failed(error) from error

    def say(self, diagnosis: Diagnosis) -> None:
        """Keep a diagnosis, said after the last step that was written."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._alive()
            at = self._next - 1
            self._diagnosed.add(at)
            try:
                with self._connected() as connection:
                    self._write_waiting(connection)
                    marks = ", ".join("?" * (DIAGNOSIS.count(",") + 1))
                    number = connection.execute(
                        f"INSERT INTO diagnoses ({DIAGNOSIS}) VALUES ({marks})",  # noqa: S608
                        diagnosis_row(diagnosis, self._session, at),
                    ).lastrowid
                    moment = diagnosis.moment
                    connection.executemany(
                        "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)",
                        [
                            (number, one.what, one.value, one.bound, one.signal)
                            for one in (moment.evidence if moment else ())
                        ],
                    )
            except (OSError, sqlite3.Error) as error:
                raise self._failed(error) from error

    def flush(self) -> None:
        """Write what waits."""
        if os.getpid() != self._process or not self._waiting:
            return
        with self._lock:
            self._alive()
            try:
                with self._connected() as connection:
                    self._write_waiting(connection)
            except (OSError, sqlite3.Error) as error:
                raise self._failed(error) from error

    def close(self, run: Mapping[str, str | int | float] | None = None) -> None:
        """End the recording, with what is known of the run now; nothing where it has ended already."""
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._connection is None:
                return
            try:
                with self._connected() as connection:
                    written = len(self._waiting)
                    self._write_waiting(connection)
                    self._make_room(connection, written)
                    self._tell(connection, run or {})
                    connection.execute(
                        "UPDATE sessions SET finished = 1, ended = ? WHERE id = ?",
                        (time.time(), self._session),
                    )
                self._settle()
            except (OSError, sqlite3.Error) as error:
                raise self._failed(error) from error

    def __enter__(self) -> Self:
        """Return the recorder."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the recording."""
        self.close()

    # --- opening

    def _open(self, *, append: bool) -> None:
        """Open the file, made anew or as it is."""
        folder = os.path.dirname(self.path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        exists = os.path.exists(self.path) and os.path.getsize(self.path) > 0
        if exists:
            with Recording(self.path) as found:
                if any(one.state is State.RUNNING for one in found.sessions[-1:]):
                    msg = f"{self.path}: it is being written by another training"
                    raise RecordingError(msg)
            if not append:
                for suffix in ("", "-wal", "-shm", "-journal"):
                    if os.path.exists(self.path + suffix):
                        os.remove(self.path + suffix)
        self._connection = connection = sqlite3.connect(
            self._file, timeout=BUSY, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        if not (exists and append):
            connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {self._pages}")
        connection.execute(f"PRAGMA journal_size_limit = {self._pages * _PAGE}")
        found_at = os.stat(self._file)
        self._identity = (found_at.st_dev, found_at.st_ino)

    def _begin(
        self,
        connection: sqlite3.Connection,
        run: Mapping[str, str | int | float],
        settings: Mapping[str, object],
    ) -> None:
        """Make the tables where there are none, and begin a session."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            prepare(connection)
        else:
            self._take_up(connection)
        now = time.time()
        self._session = (
            connection.execute(
                "INSERT INTO sessions (started, ended, writer, settings) VALUES (?, ?, ?, ?)",
                (now, now, writer(), dumps(settings, default=sorted)),
            ).lastrowid
            or 0
        )
        self._tell(connection, run)
        for measured in (False, True):
            self._sweeps[measured] = Sweep(
                connection,
                measured,
                self._vectors if measured else self._numbers,
                self._extremes,
            )

    def _take_up(self, connection: sqlite3.Connection) -> None:
        """Learn what stands in a recording that is continued."""
        last = connection.execute("SELECT max(id), count(*) - sum(measured) FROM steps").fetchone()
        self._next = (last[0] or 0) + 1
        self._light = last[1] or 0
        self._diagnosed = {at for (at,) in connection.execute("SELECT DISTINCT at FROM diagnoses")}
        for number, signal, text in connection.execute("SELECT id, signal, names FROM series"):
            names = tuple(loads(text))
            self._lists.setdefault(signal, _Lists()).known[names] = number
            self._series[number] = (signal, names)
        for step, series, numbers in connection.execute(
            "SELECT step, series, numbers FROM measurements"
        ):
            self._extremes.see(self._series[series][0], unpacked(numbers), step)
        for step, series, numbers in connection.execute("SELECT id, series, numbers FROM steps"):
            for signal, value in zip(self._series[series][1], unpacked(numbers), strict=True):
                self._extremes.see_one(signal, value, step)

    def _tell(self, connection: sqlite3.Connection, run: Mapping[str, str | int | float]) -> None:
        """Write facts of the run."""
        connection.executemany(
            "INSERT OR REPLACE INTO run VALUES (?, ?, ?)",
            [(self._session, key, value) for key, value in run.items()],
        )

    # --- writing

    def _write(self, step: Step) -> None:
        """Take a step, and write it and what waits if it is time."""
        number = self._next
        self._next += 1
        names = []
        values = []
        vectors = []
        for signal, by_name in step.signals.items():
            if len(by_name) == 1 and "" in by_name:
                value = by_name[""]
                names.append(signal)
                values.append(value)
                self._extremes.see_one(signal, value, number)
            elif by_name:
                vectors.append((signal, by_name))
        if step.facts is not self._facts:
            self._learn(step.facts)
        series, numbers = self._packed("", tuple(names), values)
        measured = step.is_measured and not self._full
        row = (
            number,
            self._session,
            step.number,
            step.time,
            int(measured),
            self._facts_id,
            series,
            numbers,
        )
        self._waiting.append(row)
        now = time.monotonic()
        can_wait = now - self._flushed < PATIENCE and len(self._waiting) < MOST_WAITING
        if can_wait and not (measured or vectors):
            return
        with self._connected() as connection:
            written = len(self._waiting)
            self._write_waiting(connection)
            if not self._full:
                connection.executemany(
                    "INSERT INTO measurements VALUES (?, ?, ?)",
                    [
                        (number, *self._packed(signal, tuple(by_name), tuple(by_name.values())))
                        for signal, by_name in vectors
                    ],
                )
                for signal, by_name in vectors:
                    self._extremes.see(signal, by_name.values(), number)
            self._make_room(connection, written)

    def _learn(self, facts: Facts) -> None:
        """Write facts where they are others than those before."""
        if facts != self._facts:
            connection = self._alive()
            self._facts_id = (
                connection.execute(
                    "INSERT INTO facts (layers, parameters, optimizers, run) VALUES (?, ?, ?, ?)",
                    facts_row(facts),
                ).lastrowid
                or 0
            )
        self._facts = facts

    def _packed(
        self, signal: str, names: tuple[str, ...], values: Sequence[float]
    ) -> tuple[int, bytes]:
        """Return the series of some names, and their values as bytes."""
        lists = self._lists.get(signal)
        if lists is None:
            lists = self._lists[signal] = _Lists()
        series = lists.known.get(names)
        if series is None:
            if len(lists.known) < MOST_LISTS:
                series = self._new_series(signal, names, lists)
            else:
                # Such as the experts of a mixture, of which others run in every step.
                known = dict(zip(names, values, strict=True))
                if not lists.union.keys() >= known.keys():
                    for one in (*lists.known, names):
                        lists.union.update(dict.fromkeys(one))
                    self._new_series(signal, tuple(lists.union), lists)
                names = tuple(lists.union)
                series = lists.known[names]
                values = [known.get(one, ABSENT) for one in names]
        return series, packed(values)

    def _new_series(self, signal: str, names: tuple[str, ...], lists: _Lists) -> int:
        """Write the names that vectors of a signal are of."""
        number = (
            self._alive()
            .execute("INSERT INTO series (signal, names) VALUES (?, ?)", (signal, dumps(names)))
            .lastrowid
        )
        assert number is not None
        lists.known[names] = number
        self._series[number] = (signal, names)
        return number

    def _write_waiting(self, connection: sqlite3.Connection) -> None:
        """Write the steps that wait."""
        found = os.stat(self._file)
        if (found.st_dev, found.st_ino) != self._identity:
            raise OSError(0, "it was replaced while it was written")
        if self._waiting:
            connection.executemany(
                "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._waiting
            )
            self._light += sum(not row[4] for row in self._waiting)
            self._waiting.clear()
            connection.execute(
                "UPDATE sessions SET ended = ? WHERE id = ?", (time.time(), self._session)
            )
        self._flushed = time.monotonic()

    # --- keeping within the limit

    def _make_room(self, connection: sqlite3.Connection, written: int) -> None:
        """Give steps up where the file is about to grow over its limit."""
        bound = self.limit - 3 * self._pages * _PAGE

        def used() -> int:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            free = connection.execute("PRAGMA freelist_count").fetchone()[0]
            return int(pages - free) * _PAGE

        def light() -> float:
            return self._light * _LIGHT_BYTES / (bound * _LIGHT_SHARE)

        def taken() -> float:
            return used() / bound

        # Made in batches: a walk through all that is kept for one step would cost too much.
        most = _AT_ONCE + 2 * written
        full = taken()
        for measured, share in ((False, light), (True, taken)):
            if full > _EASED and share() > 1:
                self._thins[measured] = True
            if self._thins[measured]:
                drop = self._thin if measured else self._drop
                enough = partial(_is_under, share, _EASED)
                self._sweeps[measured].run(self._diagnosed, drop, enough, most)
                self._thins[measured] = not enough()
        self._full = self._sweeps[True].is_exhausted and taken() > 1
        if self._thinned or self._dropped:
            connection.execute(
                "UPDATE sessions SET thinned = thinned + ?, dropped = dropped + ? WHERE id = ?",
                (self._thinned, self._dropped, self._session),
            )
            self._thinned = self._dropped = 0
            self._ahead = {}

    def _thin(self, step: int) -> None:
        """Give up what was measured of the layers in a step."""
        connection = self._alive()
        connection.execute("DELETE FROM measurements WHERE step = ?", (step,))
        connection.execute("UPDATE steps SET measured = 0 WHERE id = ?", (step,))
        self._light += 1
        self._thinned += 1

    def _drop(self, step: int) -> None:
        """Give up a step."""
        connection = self._alive()
        connection.execute("DELETE FROM steps WHERE id = ?", (step,))
        connection.execute("DELETE FROM measurements WHERE step = ?", (step,))
        self._light -= 1
        self._dropped += 1

    def _vectors(self, step: int) -> Vectors:
        """Return what was measured of the layers in a step."""
        question = "SELECT series, numbers FROM measurements WHERE step = ?"
        return {
            (self._series[series][0], series): unpacked(numbers)
            for series, numbers in self._alive().execute(question, (step,))
        }

    def _numbers(self, step: int) -> Vectors:
        """Return what was measured of the run in a step."""
        if step not in self._ahead:
            # The next steps will be asked for next.
            question = "SELECT id, series, numbers FROM steps WHERE id >= ? ORDER BY id LIMIT 64"
            rows = self._alive().execute(question, (step,))
            self._ahead = {number: (series, numbers) for number, series, numbers in rows}
        series, numbers = self._ahead[step]
        values = unpacked(numbers)
        return {(name, 0): values[at : at + 1] for at, name in enumerate(self._series[series][1])}

    # --- the file

    def _alive(self) -> sqlite3.Connection:
        """Return the connection; raise where there is none any more."""
        if self._given_up is not None:
            raise self._given_up
        if self._connection is None:
            msg = f"{self.path}: the recording has ended"
            raise RecordingError(msg)
        return self._connection

    def _connected(self) -> _Transaction:
        """Return a transaction, which is undone where anything goes wrong in it."""
        return _Transaction(self._alive())

    def _settle(self) -> None:
        """Leave one file that anybody can read, also where nothing can be written beside it."""
        connection = self._connection
        self._connection = None
        if connection is None:
            return
        self._sweeps.clear()
        with closing(connection), suppress(sqlite3.OperationalError):  # somebody reads it just now
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")

    def _failed(self, error: Exception) -> RecordingError:
        """Let go of the file, and return what is said of it from now on."""
        self._given_up = RecordingError(f"{self.path}: cannot be written: {reason_of(error)}")
        connection, self._connection = self._connection, None
        self._waiting.clear()
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        return self._given_up


_LIGHT_BYTES: Final = 110
"""About what a step without measurements takes."""
_LIGHT_SHARE: Final = 0.25
"""The part of the room that such steps may take when it gets scarce."""
_EASED: Final = 0.9
"""Steps are given up until so much of the room is taken."""
_AT_ONCE: Final = 8
"""So many steps are given up at once, and two for each that is written."""


def _is_under(share: Callable[[], float], bound: float) -> bool:
    """Say whether a share of the room lies under a bound."""
    return share() < bound


class _Lists:
    """The lists of names that the vectors of one signal are of."""

    __slots__ = ("known", "union")

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], int] = {}
        self.union: dict[str, None] = {}


class _Transaction:
    """Writes all or nothing."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
