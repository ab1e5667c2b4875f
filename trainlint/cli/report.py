"""`trainlint report`: a recorded training as one HTML file."""

from __future__ import annotations

import os

import click

from trainlint.cli.output import keep, write


@click.command("report", short_help="Show a recorded training as one HTML file.")
@click.argument("file", metavar="RUN.tlr")
@click.option(
    "-o", "--output-file", metavar="PATH", help="Where to write; beside the recording by default."
)
def command(file: str, output_file: str | None) -> int:
    """Write what is known of a recording to one HTML file, which opens without a network.

    Exits with 2 where the file cannot be read, or the extra `report` is not installed.
    """
    from trainlint.core.catalogue import load_catalogue  # noqa: PLC0415 - only here
    from trainlint.output.report import page  # noqa: PLC0415
    from trainlint.runtime.recordings.recording import Recording  # noqa: PLC0415 - sqlite takes 10 ms

    path = output_file or f"{os.path.splitext(file)[0]}.html"
    keep(path, [file])
    with Recording(file) as recording:
        text = page(recording, load_catalogue())
    write([text], path)
    write([path])
    return 0
