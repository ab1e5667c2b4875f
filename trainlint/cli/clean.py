"""`trainlint clean`: delete the caches, and what killed processes left."""

from __future__ import annotations

import os

import click

from trainlint.cli.output import write


@click.command("clean", short_help="Delete the caches here and below.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what is deleted.")
def command(*, quiet: bool) -> int:
    """Delete the caches of trainlint in the current folder and those below it.

    Also what is left beside a file where a process was killed while it fixed it.
    """
    from trainlint.static.cache_folder import clean  # noqa: PLC0415 - only where it is used

    for path in clean(os.curdir):
        if not quiet:
            write([f"Removed {path}"])
    return 0
