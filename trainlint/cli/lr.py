"""`trainlint lr`: which learning rate to begin with."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.output import write
from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from trainlint.output.pictures import Picture
    from trainlint.runtime.lr_finder import LRReport


@click.command("lr", short_help="Find a learning rate to begin with.")
@click.argument("target", metavar="MODULE:SETUP")
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
    type=click.IntRange(5),
    default=100,
    metavar="N",
    help="Of a sweep, or of each trial.",
)
@click.option("--accumulate", type=click.IntRange(1), default=1, help="Batches for each step.")
@click.option("--html", metavar="PATH", help="Write the curve there (needs plotly).")
@click.option("--png", metavar="PATH", help="Write the curve there (needs matplotlib).")
@click.option("--output-format", type=click.Choice(["full", "json"]), default="full")
@click.option("-o", "--output-file", metavar="PATH", help="Write there instead of on the screen.")
def command(target: str, **options: Any) -> int:
    """Try learning rates on a training, and suggest one.

    MODULE:SETUP is a function, package.module:name or path/file.py:name, that returns model, optimizer,
    loss and loader. Importing the module RUNS ITS CODE. The loss is a function of output and target, or a
    name as for `trainlint probe`.

    Exits with 0 where a rate is found, 1 where none is, 2 where nothing can be tried.
    """
    if find_spec("torch") is None:
        msg = "`trainlint lr` needs torch: pip install 'trainlint[torch]'"
        raise UserError(msg)
    from trainlint.output.lr_text import lines  # noqa: PLC0415
    from trainlint.runtime.loading import blaming, load  # noqa: PLC0415 - torch takes a second
    from trainlint.runtime.lr_finder import find_lr  # noqa: PLC0415

    setup = load(target)
    with blaming("the setup", setup):
        made = setup()
    if not isinstance(made, (tuple, list)) or len(made) != 4:  # noqa: PLR2004
        msg = f"{target}: expects a function that returns model, optimizer, loss and loader"
        raise UserError(msg)
    names = ("method", "smallest", "largest", "steps", "accumulate")
    with blaming("the training", setup):
        report = find_lr(*made, **{name: options[name] for name in names})
    if options["html"] or options["png"]:
        from trainlint.output.pictures import write_html, write_png  # noqa: PLC0415

        if options["html"]:
            write_html(picture(report), options["html"])
        if options["png"]:
            write_png(picture(report), options["png"])
    if options["output_format"] == "json":
        write(
            [json.dumps({"version": 1, "lr": report.to_dict()}, indent=2)], options["output_file"]
        )
    else:
        write(lines(report), options["output_file"])
    return int(report.suggestion is None)


def picture(report: LRReport) -> Picture:
    """Return the loss over the rate."""
    from trainlint.output.pictures import Curve, Picture  # noqa: PLC0415

    seen = zip(report.rates, report.losses, strict=True)
    points = [(rate, loss) for rate, loss in seen if math.isfinite(loss)]
    x, y = zip(*points, strict=True) if points else ((), ())
    marks = [(report.suggestion, "suggested")] if report.suggestion else []
    return Picture(
        "Loss by learning rate", "learning rate", "loss", [Curve("loss", x, y)], marks, log_x=True
    )
