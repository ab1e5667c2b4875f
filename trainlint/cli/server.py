"""`trainlint server`: the language server."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from trainlint.cli.settings import file_options, hierarchy, selection_options
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError


@click.command("server", short_help="Lint in an editor: the language server.")
@selection_options
@file_options
@click.option(
    "--debounce",
    type=click.IntRange(0, 10_000),
    default=100,
    metavar="MS",
    help="How long to wait for a pause in typing; 100 milliseconds is the default.",
)
def command(debounce: int, **options: Any) -> int:
    """Speak the Language Server Protocol over the standard streams; editors start this.

    Needs the extra `trainlint[server]`. Documents are linted as they are in the editor, saved or not,
    with the other files of the workspace; configurations are found as `trainlint check` finds them.
    """
    try:
        from trainlint.server.session import serve  # noqa: PLC0415 - half a second, only here
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol", "cattrs", "attrs"}:
            raise
        msg = "the language server needs pygls 2; to install it: pip install 'trainlint[server]'"
        raise UserError(msg) from error
    if sys.stdin is None or sys.stdin.closed:
        msg = "standard input is closed"
        raise UserError(msg)
    catalogue = load_catalogue()
    # What is wrong on the command line is said at once, what is wrong in a folder when it is asked for.
    named = [one for one in options["config"] if "=" not in one or os.path.exists(one)]
    alone = options if named else {**options, "isolated": True}
    hierarchy(catalogue, alone).settings_of(os.curdir)
    return serve(catalogue, lambda: hierarchy(catalogue, options), debounce=debounce / 1000)
