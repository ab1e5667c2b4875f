"""`trainlint runs`: list the recordings of a folder."""

from __future__ import annotations

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, write
from trainlint.output.style import Style


@click.command("runs", short_help="List recorded trainings.")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", help="text or json."
)
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
def command(folder: str | None, output_format: str, color: str) -> int:
    """List the recordings in FOLDER and below, the newest first; runs/trainlint is the default.

    One that was killed is broken off, and one that cannot be read says why.

    Exits with 2 where there is no such folder, or a recording in it cannot be read.
    """
    from trainlint.cli.recordings import glance_at, recordings_in  # noqa: PLC0415 - sqlite
    from trainlint.output import overview  # noqa: PLC0415

    found = sorted(map(glance_at, recordings_in(folder)), key=lambda one: one.started, reverse=True)
    if output_format == "json":
        write([overview.listing_json(found)])
    else:
        write(overview.listing(found, Style(in_colours(color))))
    return 2 if any(one.trouble for one in found) else 0
