"""`trainlint live`: follow a running training in another terminal."""

from __future__ import annotations

import os

import click

from trainlint.core.errors import UserError


@click.command("live", short_help="Follow a running training.")
@click.argument("place", required=False, metavar="[RUN.tlr|FOLDER]")
def command(place: str | None) -> int:
    """Show the layers, the loss and the diagnoses of trainings that are being recorded.

    runs/trainlint is the default. Keys: s sorts, / filters, n shows the next run, q quits.
    """
    from trainlint.cli.recordings import recordings_in  # noqa: PLC0415 - sqlite

    try:
        from trainlint.cli.live_view import LiveView  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "the live view needs textual; to install it: pip install 'trainlint[live]'"
        raise UserError(msg) from error
    if place is not None and not os.path.exists(place):
        msg = f"{place}: there is no such file or folder"
        raise UserError(msg)
    following = place

    def paths() -> list[str]:
        try:
            return list(recordings_in(following))
        except UserError:  # it has gone
            return []

    LiveView(lambda: iter(paths())).run()
    return 0
