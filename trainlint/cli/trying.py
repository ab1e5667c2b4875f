"""What the commands share that try something on a training of the user and undo it."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.output import warn, write
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def options_of_setups(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the target of such a command, and the options that say how its result is shown and where."""
    target = click.argument("target", metavar="MODULE:SETUP")
    form = click.option(
        "--output-format",
        type=click.Choice(["full", "json"]),
        default="full",
        help="full, the default, is for people.",
    )
    place = click.option(
        "-o", "--output-file", metavar="PATH", help="Write there instead of on the screen."
    )
    precision = click.option(
        "--autocast",
        type=click.Choice(["bfloat16", "float16"]),
        help="Train in mixed precision, with this type.",
    )
    return target(precision(form(place(function))))


def tried(target: str, command: str, attempt: Callable[..., Any]) -> Any:
    """Return what an attempt gives for the model, optimizer, loss and loader that a target makes.

    What the user's code prints goes to the standard error output: it is no part of the result.

    Raises:
        UserError: There is no torch, or the user's code fails; then its line is named.

    """
    if find_spec("torch") is None:
        msg = f"`trainlint {command}` needs torch: pip install 'trainlint[torch]'"
        raise UserError(msg)
    from trainlint.runtime.trials.loading import blaming, load, setup_of  # noqa: PLC0415 - torch takes a second

    with redirect_stdout(sys.stderr):
        try:
            setup = load(target)
            made = setup_of(setup, target)
            with blaming("the training", setup):
                return attempt(*made)
        except KeyboardInterrupt:
            warn("interrupted: nothing is suggested")
            raise click.Abort from None


def show(lines: Iterable[str], document: dict[str, Any], options: dict[str, Any]) -> None:
    """Write a result for people, or as JSON."""
    if options["output_format"] == "json":
        lines = [json.dumps({"version": 1, **document}, indent=2)]
    write(lines, options["output_file"])
