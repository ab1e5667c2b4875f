"""The tables of a recording, and how facts and diagnoses stand in them.

A recording is one SQLite file with the application id and the schema version below; documented by the
remarks of its own schema, which `.schema` shows. Numbers of layers and parameters are kept as vectors
of eight bytes each; the view ``signals`` shows them, and those of the run, one in a row.
"""

from __future__ import annotations

import json
import math
import os
import platform
import struct
import sys
from array import array
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from trainlint.core.diagnosis import Diagnosis, Evidence, Moment, Related, Severity, Span
from trainlint.core.errors import UserError
from trainlint.runtime.signals import (
    Activation,
    Facts,
    Layer,
    Optimizer,
    Origin,
    Parameter,
    Role,
    Run,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

APPLICATION: Final = int.from_bytes(b"tlr1", "big")
"""The application id: what tells a recording from other SQLite files."""
VERSION: Final = 1
"""The schema version; a recording with another one is not read."""
SUFFIX: Final = ".tlr"

ABSENT: Final[float] = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]
"""A NaN that no calculation gives: what stands in a vector for a name without a value."""
ABSENT_BYTES: Final = bytes.fromhex("010000000000f8ff")

_EXPONENT: Final = "(256 * b7 + b6) / 16 % 2048"
_FRACTION: Final = (
    "((((((b6 % 16) * 256 + b5) * 256 + b4) * 256 + b3) * 256 + b2) * 256 + b1) * 256 + b0"
)


def _power(exponent: str) -> str:
    """Return the SQL of 2 to the power of an integer from 0 to 1023."""
    return " * ".join(
        f"(CASE WHEN ({exponent}) & {1 << bit} THEN {2.0 ** (1 << bit)!r} ELSE 1.0 END)"
        for bit in range(10)
    )


def _byte(number: int) -> str:
    """Return the SQL of one byte of the eight in the hexadecimal text h."""
    digits = "0123456789ABCDEF"
    high, low = (
        f"(instr('{digits}', substr(h, {2 * number + 1 + half}, 1)) - 1)" for half in (0, 1)
    )
    return f"{high} * 16 + {low} AS b{number}"


SCHEMA: Final = f"""\
CREATE TABLE sessions (
    -- a stretch of training that was recorded in one go; a resumed run has several
    id INTEGER PRIMARY KEY,
    started REAL NOT NULL,  -- seconds since 1970
    ended REAL,             -- of the last step that was written
    finished INTEGER NOT NULL DEFAULT 0,  -- 1 once the monitor was closed
    writer TEXT NOT NULL,   -- the process that writes it: host:process:start
    settings TEXT NOT NULL, -- JSON: what the monitor was told to select, ignore and set
    thinned INTEGER NOT NULL DEFAULT 0,   -- measured steps whose layers were given up for room
    dropped INTEGER NOT NULL DEFAULT 0    -- steps that were given up for room
);
CREATE TABLE run (
    -- facts of each session: the class of the model, the device, versions
    session INTEGER NOT NULL, key TEXT NOT NULL, value,
    PRIMARY KEY (session, key)
) WITHOUT ROWID;
CREATE TABLE facts (
    -- what the training is made of, as JSON; a new row when something of it changes
    id INTEGER PRIMARY KEY,
    layers TEXT NOT NULL, parameters TEXT NOT NULL, optimizers TEXT NOT NULL, run TEXT NOT NULL
);
CREATE TABLE series (
    -- what the numbers of a vector are of
    id INTEGER PRIMARY KEY,
    signal TEXT NOT NULL,   -- empty: the names are those of signals of the run
    names TEXT NOT NULL     -- JSON list of layers or parameters, in the order of the numbers
);
CREATE TABLE steps (
    id INTEGER PRIMARY KEY, -- in the order of writing
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,    -- of the optimizer's step
    time REAL NOT NULL,         -- seconds since the monitor was attached
    measured INTEGER NOT NULL,  -- 1 where layers were measured and are kept
    facts INTEGER NOT NULL,
    series INTEGER NOT NULL,    -- what the numbers are of: signals of the run
    numbers BLOB NOT NULL       -- little-endian doubles
);
CREATE INDEX measured_steps ON steps (id) WHERE measured = 1;
CREATE TABLE measurements (
    -- one signal of all layers or parameters in one step
    step INTEGER NOT NULL,      -- steps.id
    series INTEGER NOT NULL,
    numbers BLOB NOT NULL,      -- little-endian doubles; FFF8000000000001 where there is no value
    PRIMARY KEY (step, series)
);
CREATE TABLE diagnoses (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    at INTEGER NOT NULL,        -- steps.id of the step after which it was said
    step INTEGER,               -- the number of the step that it speaks of
    rule TEXT NOT NULL, code TEXT NOT NULL, severity TEXT NOT NULL,
    layer TEXT, what TEXT,      -- the layer or parameter; empty for the whole run
    path TEXT NOT NULL, line INTEGER NOT NULL,
    message TEXT NOT NULL, remedy TEXT NOT NULL,
    rank INTEGER,
    more TEXT NOT NULL          -- JSON of what is seldom there: span, label, related places
);
CREATE TABLE evidence (
    -- the numbers that a diagnosis rests on
    diagnosis INTEGER NOT NULL, what TEXT NOT NULL,
    value REAL,                 -- NULL is NaN
    bound REAL, signal TEXT NOT NULL
);
CREATE VIEW signals AS
    -- every number: of the run where the subject is empty; a value of NULL is NaN
    WITH vectors AS (
        SELECT step, series, numbers FROM measurements
        UNION ALL SELECT id, series, numbers FROM steps WHERE length(numbers) > 0
    ), numbers AS (
        SELECT step, signal, value AS name, hex(substr(numbers, 8 * key + 1, 8)) AS h
        FROM vectors JOIN series ON series.id = vectors.series, json_each(series.names)
    ), bytes AS (
        SELECT step, signal, name, {", ".join(map(_byte, range(8)))} FROM numbers
        WHERE h != '010000000000F8FF'
    ), parts AS (
        SELECT step, signal, name, CASE WHEN b7 >= 128 THEN -1.0 ELSE 1.0 END AS sign,
            {_EXPONENT} AS e, {_FRACTION} AS f
        FROM bytes
    )
    SELECT steps.session, steps.number AS step, parts.step AS id,
        CASE WHEN signal = '' THEN name ELSE signal END AS signal,
        CASE WHEN signal = '' THEN '' ELSE name END AS subject,
        CASE
            WHEN e = 2047 AND f = 0 THEN sign * 9e999
            WHEN e = 2047 THEN NULL
            WHEN e = 0 THEN sign * f * 4.9406564584124654e-324
            WHEN e >= 1023 THEN sign * (1.0 + f / 4503599627370496.0) * {_power("e - 1023")}
            ELSE sign * (1.0 + f / 4503599627370496.0) / ({_power("1023 - e")})
        END AS value
    FROM parts JOIN steps ON steps.id = parts.step;
"""  # noqa: S608 - of our own texts


class State(StrEnum):
    """How it stands with the training of a recording."""

    FINISHED = "finished"
    RUNNING = "running"
    BROKEN_OFF = "broken off"
    """Its process is gone and has not closed the monitor; or it runs on another machine, who knows."""


class RecordingError(UserError):
    """A recording cannot be written or read; the message says in one line which and why."""


def packed(values: Iterable[float]) -> bytes:
    """Return numbers as little-endian doubles."""
    vector = array("d", values)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector.tobytes()


def unpacked(numbers: bytes) -> array[float]:
    """Return the numbers of little-endian doubles."""
    vector = array("d", numbers)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def writer() -> str:
    """Return what tells this process from all others, also from a later one with its number."""
    return f"{platform.node()}:{os.getpid()}:{_start_of(os.getpid())}"


def writer_lives(one: str) -> bool:
    """Say whether a process that wrote, or writes, still runs on this machine."""
    host, number, start = one.rsplit(":", 2)
    if host != platform.node() or os.name == "nt":
        return False  # where to ask would be to end it
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    return _start_of(int(number)) == start


def _start_of(process: int) -> str:
    """Return when a process started, in ticks since the machine did; empty where nobody says."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as stat:
            # The name of the program stands in parentheses, and may hold anything.
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def reason_of(error: Exception) -> str:
    """Say in a few words why a file cannot be written or read."""
    said = str(error)
    known = {
        "database is locked": "it is locked by another program",
        "database or disk is full": "the disk is full",
        "attempt to write a readonly database": "it, or its folder, is read-only",
        "unable to open database file": "it cannot be opened",
        "disk I/O error": "the disk reports an error",
        "file is not a database": "it is no recording",
        "database disk image is malformed": "it is damaged or cut off",
    }
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return next((what for word, what in known.items() if word in said), said)


# --- facts


def facts_row(facts: Facts) -> tuple[str, str, str, str]:
    """Return facts as the texts of a row."""
    run = {
        **_plain(facts.run),
        "alternates": facts.alternates,
        "plays": facts.plays,
        "ranks": facts.ranks,
        "workers": facts.workers,
    }
    return (
        _text([_plain(one) for one in facts.layers]),
        _text([_plain(one) for one in facts.parameters]),
        _text([_plain(one) for one in facts.optimizers]),
        _text(run),
    )


def facts_of(layers: str, parameters: str, optimizers: str, run: str) -> Facts:
    """Return the facts of a row."""
    said = json.loads(run)
    alternates, ranks = said.pop("alternates"), said.pop("ranks")
    plays, workers = said.pop("plays", False), said.pop("workers", 0)
    return Facts(
        tuple(_made(Layer, one) for one in json.loads(layers)),
        tuple(_made(Parameter, one) for one in json.loads(parameters)),
        tuple(_made(Optimizer, one) for one in json.loads(optimizers)),
        _made(Run, said),
        alternates=alternates,
        plays=plays,
        ranks=ranks,
        workers=workers,
    )


_FIELDS: Final = {
    kind: tuple((one.name, one.default) for one in fields(kind))
    for kind in (Layer, Parameter, Optimizer, Run)
}
"""The names of what these are made of, each with its default."""


def _plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as JSON has it, without what is as it is by default."""
    told: dict[str, Any] = {}
    for name, default in _FIELDS[type(value)]:
        one = getattr(value, name)
        if one == default:
            continue
        if isinstance(one, Origin):
            one = [one.path, one.line]
        elif isinstance(one, float) and not math.isfinite(one):
            one = str(one)
        told[name] = one
    return told


_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "activation": Activation,
    "followed_by": Activation,
    "role": Role,
    "shape": tuple,
    "origin": lambda pair: Origin(*pair),
    **dict.fromkeys(
        ("learning_rate", "momentum", "beta2", "eps", "weight_decay"),
        float,
    ),
}


def _made(kind: Callable[..., Any], told: dict[str, Any]) -> Any:
    """Return the dataclass that JSON tells of."""
    return kind(**{key: _READ[key](one) if key in _READ else one for key, one in told.items()})


def _text(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"))


# --- diagnoses

DIAGNOSIS: Final = (
    "session, at, step, rule, code, severity, layer, what, path, line, message, remedy, rank, more"
)


def diagnosis_row(one: Diagnosis, session: int, at: int) -> tuple[Any, ...]:
    """Return a diagnosis as a row of the columns above."""
    moment = one.moment
    span = one.span
    more: dict[str, Any] = {}
    if span != Span(span.line, 1, span.line, 1):
        more["span"] = _numbers(span)
    if one.label:
        more["label"] = one.label
    if one.related:
        more["related"] = [[_numbers(it.span), it.label, it.path] for it in one.related]
    return (
        session,
        at,
        None if moment is None else moment.step,
        one.rule,
        one.code,
        str(one.severity),
        None if moment is None else moment.layer,
        None if moment is None else moment.what,
        one.path,
        span.line,
        one.message,
        one.remedy,
        None if moment is None else moment.rank,
        _text(more),
    )


def diagnosis_of(row: tuple[Any, ...], evidence: Iterable[Evidence]) -> Diagnosis:
    """Return the diagnosis of a row."""
    step, rule, code, severity, layer, what, path, line, message, remedy, rank, more = row[2:]
    told = json.loads(more)
    moment = None if step is None else Moment(step, layer, what, tuple(evidence), rank)
    return Diagnosis(
        rule,
        code,
        Severity(severity),
        path,
        Span(*told.get("span", (line, 1, line, 1))),
        message,
        remedy,
        told.get("label", ""),
        tuple(Related(Span(*span), label, where) for span, label, where in told.get("related", ())),
        moment=moment,
    )


def _numbers(span: Span) -> tuple[int, int, int, int]:
    """Return a span as numbers."""
    return (span.line, span.column, span.end_line, span.end_column)
