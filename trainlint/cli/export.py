"""`trainlint export`: write a recording as other programs read it."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from trainlint.cli.output import keep, write
from trainlint.core.errors import UserError

FORMS: Final = ("csv", "parquet", "jsonl", "tensorboard")
_STREAM: Final = "-"


@click.command("export", short_help="Write a recording as other programs read it.")
@click.argument("file", metavar="RUN.tlr")
@click.option("--to", "form", type=click.Choice(FORMS), required=True, help="The format.")
@click.option(
    "-o",
    "--output-file",
    metavar="PATH",
    help="Where to write, a folder for tensorboard; - is the screen, for csv and jsonl. "
    "Beside the recording is the default.",
)
@click.option("--diagnoses", is_flag=True, help="csv and parquet: the diagnoses, not the numbers.")
def command(file: str, form: str, output_file: str | None, *, diagnoses: bool) -> int:
    """Write the numbers of a recording, one in a row: session, step, time, signal, subject, value.

    jsonl has a step in each line, and then the diagnoses; tensorboard has scalars and texts.
    """
    from trainlint.runtime.recordings import exporting  # noqa: PLC0415 - only here
    from trainlint.runtime.recordings.recording import Recording  # noqa: PLC0415

    if diagnoses and form not in {"csv", "parquet"}:
        msg = f"--diagnoses is for csv and parquet: {form} has them anyway"
        raise UserError(msg)
    path = output_file or exporting.place_of(file, form)
    if path == _STREAM and form not in {"csv", "jsonl"}:
        msg = f"{form} cannot be written on the screen"
        raise UserError(msg)
    keep(path, [file])
    with Recording(file) as recording:
        try:
            if path == _STREAM:
                if form == "csv":
                    exporting.to_csv(recording, sys.stdout, diagnoses=diagnoses)
                else:
                    exporting.to_jsonl(recording, sys.stdout)
                write(())
                return 0
            if folder := os.path.dirname(path):
                os.makedirs(folder, exist_ok=True)
            if form == "tensorboard":
                exporting.to_tensorboard(recording, path)
            elif form == "parquet":
                exporting.to_parquet(recording, path, diagnoses=diagnoses)
            else:
                with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as to:
                    if form == "csv":
                        exporting.to_csv(recording, to, diagnoses=diagnoses)
                    else:
                        exporting.to_jsonl(recording, to)
        except BrokenPipeError:
            raise
        except OSError as error:
            msg = f"{path}: cannot be written: {error.strerror or error}"
            raise UserError(msg) from error
    write([f"{path}"])
    return 0
