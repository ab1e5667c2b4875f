"""The options that say how diagnoses are shown, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trainlint.output.formats import DEFAULT, FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable


def output_options(usual: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that say how diagnoses are shown and where; ``usual`` tells of the default format."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        form = click.option(
            "--output-format",
            type=click.Choice(list(FORMATS)),
            default=DEFAULT,
            envvar="TRAINLINT_OUTPUT_FORMAT",
            show_envvar=True,
            help=f"How to show diagnoses; {usual}",
        )
        place = click.option(
            "-o",
            "--output-file",
            metavar="PATH",
            envvar="TRAINLINT_OUTPUT_FILE",
            show_envvar=True,
            help="Write there instead of on the screen.",
        )
        return form(place(function))

    return add
