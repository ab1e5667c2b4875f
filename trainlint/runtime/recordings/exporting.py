"""Writes what a recording holds as other programs read it."""

from __future__ import annotations

import csv
import json
import os
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TextIO

from trainlint.core.errors import UserError
from trainlint.output.moments import as_json, as_markdown, json_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.core.diagnosis import Diagnosis
    from trainlint.runtime.recordings.recording import Recording

COLUMNS: Final = ("session", "step", "time", "signal", "subject", "value")
"""Of each number: the subject is a layer or a parameter, empty for the run."""
SAID: Final = (
    "session",
    "step",
    "rule",
    "code",
    "severity",
    "layer",
    "what",
    "path",
    "line",
    "message",
    "remedy",
)
"""Of each diagnosis."""
_AT_ONCE: Final = 100_000


def numbers(recording: Recording) -> Iterator[tuple[int, int, float, str, str, float]]:
    """Yield every number of a recording, step by step."""
    for session in recording.sessions:
        for step in recording.steps(session.number):
            for signal, values in step.signals.items():
                for subject, value in values.items():
                    yield session.number, step.number, step.time, signal, subject, value


def said(recording: Recording) -> Iterator[tuple[int, Diagnosis]]:
    """Yield every diagnosis of a recording with the number of its session."""
    for session in recording.sessions:
        for one in recording.diagnoses(session.number):
            yield session.number, one


def to_csv(recording: Recording, stream: TextIO, *, diagnoses: bool = False) -> None:
    """Write the numbers, or the diagnoses, as a table with a head; RFC 4180."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(SAID if diagnoses else COLUMNS)
    if diagnoses:
        writer.writerows(_cells(number, one) for number, one in said(recording))
    else:
        writer.writerows(numbers(recording))


def to_jsonl(recording: Recording, stream: TextIO) -> None:
    """Write an object on each line: the numbers of a step, and then the diagnoses.

    What is not finite is a text, `NaN`, `Infinity` or `-Infinity`: JSON has no such number.
    """
    for session in recording.sessions:
        for step in recording.steps(session.number):
            signals = {
                signal: {name: json_number(value) for name, value in values.items()}
                for signal, values in step.signals.items()
            }
            told = {
                "type": "step",
                "session": session.number,
                "step": step.number,
                "time": step.time,
                "measured": step.is_measured,
                "signals": signals,
            }
            stream.write(json.dumps(told) + "\n")
    for number, one in said(recording):
        moment = one.moment
        evidence = as_json(moment)["evidence"] if moment else []
        told = dict(zip(SAID, _cells(number, one), strict=True))
        stream.write(json.dumps({"type": "diagnosis", **told, "evidence": evidence}) + "\n")


def to_parquet(recording: Recording, path: str, *, diagnoses: bool = False) -> None:
    """Write the numbers, or the diagnoses, as a Parquet file; needs pyarrow."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        msg = "parquet needs pyarrow; to install it: pip install 'trainlint[parquet]'"
        raise UserError(msg) from error
    whole, text = pa.int64(), pa.string()
    columns: tuple[str, ...]
    kinds: tuple[Any, ...]
    if diagnoses:
        columns = SAID
        kinds = (whole, whole, *[text] * 6, whole, text, text)
        rows: Iterator[tuple[Any, ...]] = (_cells(number, one) for number, one in said(recording))
    else:
        columns = COLUMNS
        names = pa.dictionary(pa.int32(), text)
        kinds = (whole, whole, pa.float64(), names, names, pa.float64())
        rows = numbers(recording)
    schema = pa.schema(list(zip(columns, kinds, strict=True)))
    with pq.ParquetWriter(path, schema) as writer:
        while some := list(islice(rows, _AT_ONCE)):
            arrays = [
                pa.array(column, kind)
                for column, kind in zip(zip(*some, strict=True), kinds, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def to_tensorboard(recording: Recording, folder: str) -> None:
    """Write the numbers as scalars and the diagnoses as texts of TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - takes seconds
    except ImportError as error:
        msg = (
            "tensorboard needs PyTorch and TensorBoard;"
            " to install them: pip install 'trainlint[tensorboard]'"
        )
        raise UserError(msg) from error
    with SummaryWriter(folder) as writer:
        for session in recording.sessions:
            for step in recording.steps(session.number):
                now = session.started + step.time
                for signal, values in step.signals.items():
                    for subject, value in values.items():
                        tag = f"{signal}/{subject}" if subject else signal
                        writer.add_scalar(tag, value, step.number, now)
            for one in recording.diagnoses(session.number):
                writer.add_text(
                    f"diagnoses/{one.code} {one.rule}",
                    as_markdown(one),
                    one.moment.step if one.moment else 0,
                )


def _cells(session: int, one: Diagnosis) -> tuple[Any, ...]:
    """Return a diagnosis as a row of a table."""
    moment = one.moment
    return (
        session,
        None if moment is None else moment.step,
        one.rule,
        one.code,
        one.severity.value,
        None if moment is None else moment.layer,
        None if moment is None else moment.what,
        one.path,
        one.span.line,
        one.message,
        one.remedy,
    )


def place_of(path: str, form: str) -> str:
    """Return where an export goes if nobody says: beside the recording."""
    stem = os.path.splitext(path)[0]
    return f"{stem}-tensorboard" if form == "tensorboard" else f"{stem}.{form}"
