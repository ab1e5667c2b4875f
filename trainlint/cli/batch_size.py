"""`trainlint batch-size`: the largest batch that fits, and how large a useful one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.trying import options_of_setups, show, tried
from trainlint.output.batch_size_text import lines
from trainlint.output.wrapping import width_of_terminal

if TYPE_CHECKING:
    from trainlint.runtime.trials.batch_size_report import BatchSizeReport


@click.command("batch-size", short_help="Find a batch size that fits and is of use.")
@options_of_setups
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Try no larger one; by default as many as the loader has examples.",
)
@click.option(
    "--noise/--no-noise",
    default=True,
    help="Estimate the useful size from the noise of the gradient, the default.",
)
@click.option(
    "--pairs",
    type=click.IntRange(2),
    default=8,
    metavar="N",
    help="Pairs of a small and a large gradient to average over; 8 is the default.",
)
@click.option(
    "--after",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Train so many steps before the noise is measured, which are undone.",
)
def command(target: str, **options: Any) -> int:
    """Find the largest batch that fits into memory, and from where on a larger one is of little use.

    MODULE:SETUP is a function, package.module:name or path/file.py:name, that returns model, optimizer,
    loss and loader. Importing the module RUNS ITS CODE. The loss is a function of output and target, or a
    name as for `trainlint probe`.

    Exits with 0 where a batch fits, 1 where none does, 2 where nothing can be tried.
    """

    def attempt(*made: Any) -> BatchSizeReport:
        from trainlint.runtime.batch_size import find_batch_size  # noqa: PLC0415 - torch takes a second

        names = ("limit", "noise", "pairs", "after", "autocast")
        return find_batch_size(*made, **{name: options[name] for name in names})

    report = tried(target, "batch-size", attempt)
    show(lines(report, width_of_terminal()), {"batch_size": report.to_dict()}, options)
    return int(report.largest is None)
