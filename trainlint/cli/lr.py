"""`trainlint lr`: which learning rate to begin with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.trying import options_of_setups, show, tried
from trainlint.output.lr_text import lines
from trainlint.output.wrapping import width_of_terminal

if TYPE_CHECKING:
    from trainlint.output.pictures import Picture
    from trainlint.runtime.lr_finder import LRReport


@click.command("lr", short_help="Find a learning rate to begin with.")
@options_of_setups
@click.option(
    "--method",
    type=click.Choice(["sweep", "divide"]),
    default="sweep",
    help="Raise the rate from step to step, the default; or divide one that diverges by 3.",
)
@click.option("--smallest", type=float, default=1e-7, metavar="RATE", help="1e-7 is the default.")
@click.option("--largest", type=float, default=10.0, metavar="RATE", help="10 is the default.")
@click.option(
    "--steps",
    type=click.IntRange(10),
    default=100,
    metavar="N",
    help="Of a sweep, or of each trial; 100 is the default.",
)
@click.option(
    "--confirm/--no-confirm",
    default=True,
    help="Train from the same weights at the rates around what the method suggests, the default.",
)
@click.option(
    "--accumulate", type=click.IntRange(1), default=1, metavar="N", help="Batches for each step."
)
@click.option("--html", metavar="PATH", help="Write the curve there (extra `report`).")
@click.option("--png", metavar="PATH", help="Write the curve there (extra `png`).")
def command(target: str, **options: Any) -> int:
    """Try learning rates on a training, and suggest one.

    MODULE:SETUP is a function, package.module:name or path/file.py:name, that returns model, optimizer,
    loss and loader. Importing the module RUNS ITS CODE. The loss is a function of output and target, or a
    name as for `trainlint probe`.

    Exits with 0 where a rate is found, 1 where none is, 2 where nothing can be tried.
    """

    def attempt(*made: Any) -> LRReport:
        from trainlint.runtime.lr_finder import find_lr  # noqa: PLC0415 - torch takes a second

        names = ("method", "smallest", "largest", "steps", "accumulate", "confirm", "autocast")
        return find_lr(*made, **{name: options[name] for name in names})

    report = tried(target, "lr", attempt)
    if options["html"] or options["png"]:
        from trainlint.output.pictures import write as draw  # noqa: PLC0415

        draw(picture(report), options["html"], options["png"])
    show(lines(report, width_of_terminal()), {"lr": report.to_dict()}, options)
    return int(report.suggestion is None)


def picture(report: LRReport) -> Picture:
    """Return the loss over the rate, of the method itself and of the trials from the same weights."""
    from trainlint.output.pictures import Curve, Picture  # noqa: PLC0415

    tried = list(zip(report.rates, report.losses, strict=True))
    curves: list[Curve] = []
    for name, seen in ((report.method, tried), ("from the same weights", report.trials)):
        points = [(rate, loss) for rate, loss in seen if math.isfinite(loss)]
        if points or not curves:
            x, y = zip(*points, strict=True) if points else ((), ())
            curves.append(Curve(name, x, y))
    losses = [loss for one in curves for loss in one.y]
    # far above the first loss a curve only hides what lies below
    bottom = min(losses, default=0.0)
    first = curves[0].y[0] if curves[0].y else bottom
    start = first if report.start is None else max(first, report.start)
    places = (report.suggestion, report.steepest, report.divergence)
    said = ("suggested", "steepest descent", "divergence")
    marks = [
        (one, f"{name}: {one:.2g}")
        for one, name in zip(places, said, strict=True)
        if one is not None
    ]
    return Picture(
        "Loss by learning rate",
        "learning rate",
        "loss",
        curves,
        marks,
        log_x=True,
        top=bottom + 2 * (start - bottom) if start > bottom else None,
    )
