"""`trainlint live`: follow a running training in another terminal."""

from __future__ import annotations

import os
from contextlib import suppress

import click

from trainlint.cli.output import on_terminal
from trainlint.core.errors import UserError


@click.command("live", short_help="Follow running trainings.")
@click.argument("places", nargs=-1, metavar="[RUN.tlr|FOLDER]...")
def command(places: tuple[str, ...]) -> int:
    """Show the layers, the loss and the diagnoses of trainings that are being recorded, side by side.

    runs/trainlint is the default; a training that begins in a folder later appears by itself. Keys: s
    sorts, / filters, n and p go to the next and the previous run, o shows one alone, d tells the
    diagnoses in full, q quits.
    """
    from trainlint.cli.recordings import recordings_in  # noqa: PLC0415 - sqlite
    from trainlint.runtime.recordings.recording import Recording  # noqa: PLC0415

    try:
        from trainlint.cli.live_view import LiveView  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "the live view needs textual; to install it: pip install 'trainlint[live]'"
        raise UserError(msg) from error
    for place in places:
        if not os.path.exists(place):
            msg = f"{place}: there is no such file or folder"
            raise UserError(msg)
        if os.path.isfile(place):
            with Recording(place):  # or say what it is
                pass
    if not on_terminal():
        msg = "the live view needs a terminal; trainlint runs and trainlint report do not"
        raise UserError(msg)

    def paths() -> list[str]:
        found: dict[str, None] = {}
        for place in places or (None,):
            with suppress(UserError):  # it has gone
                found.update(dict.fromkeys(recordings_in(place)))
        return list(found)

    LiveView(paths).run()
    return 0
