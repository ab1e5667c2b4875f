"""`trainlint probe`: what a model does to the signal and the gradient before its first step."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, write
from trainlint.cli.settings import hierarchy, selection_options
from trainlint.cli.showing import output_options
from trainlint.cli.told import reports_of
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError
from trainlint.core.site import site_url
from trainlint.output.formats import DEFAULT, Linted, refuse, render

if TYPE_CHECKING:
    from trainlint.output.pictures import Picture
    from trainlint.runtime.trials.probed import LayerReport, ProbeReport


@click.command("probe", short_help="Measure a model before its first step.")
@click.argument("target", metavar="TARGET")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="SHAPE",
    help="A random input: 32,3,224,224, or int:32,128:50257 for numbers below 50257, or bool:32,128;"
    " with name= in front it is given by name. Several are given in this order.",
)
@click.option("--batch", metavar="MODULE:FUNCTION", help="A function that returns a real batch.")
@click.option(
    "--loss",
    metavar="MODULE:FUNCTION|NAME",
    help="cross_entropy, mse, l1, huber, bce_with_logits, bce, nll, or a function of output and target.",
)
@click.option("--arg", "args", multiple=True, metavar="NAME=VALUE", help="For the factory.")
@click.option("--dtype", metavar="NAME", default="float32", help="Such as bfloat16.")
@click.option("--device", metavar="NAME", default="cpu", help="Such as cuda.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Make the model so many times, and show the spread.",
)
@click.option(
    "--remedy/--no-remedy",
    default=None,
    help="Measure the right initialisation, too, and undo it; usual where it may mend a diagnosis.",
)
@click.option("--html", metavar="PATH", help="Write the picture there (extra `report`).")
@click.option("--png", metavar="PATH", help="Write the picture there (extra `png`).")
@output_options(f"{DEFAULT}, the default, shows the layers and the picture, too.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where there are diagnoses.")
@click.option("-q", "--quiet", is_flag=True, help="Show diagnoses only.")
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
@selection_options
def command(target: str, **options: Any) -> int:
    """Run one forward and one backward pass of a model, and say what they do to the signal.

    TARGET is package.module:factory or path/model.py:Net: a class, a function that makes the model, or
    the model itself. Importing the module RUNS ITS CODE, which `check` never does.

    Exits with 0 where all is well, 1 where there are diagnoses, 2 where the model cannot be probed.
    """
    refuse(options["output_format"], statistics=False, unresolved=False)
    if find_spec("torch") is None:
        msg = "`trainlint probe` needs torch: pip install 'trainlint[torch]'"
        raise UserError(msg)
    if bool(options["inputs"]) == bool(options["batch"]):
        msg = "say what the model is given: either --input SHAPE or --batch MODULE:FUNCTION"
        raise UserError(msg)
    site_url()
    catalogue = load_catalogue()
    settings = hierarchy(catalogue, options).settings_of(os.curdir)
    from trainlint.runtime.trials.probing import probed_by_name  # noqa: PLC0415 - torch takes a second

    with redirect_stdout(sys.stderr):  # what the user's code prints is no part of the report
        report = probed_by_name(target, options, settings)
    if options["html"] or options["png"]:
        from trainlint.output.pictures import write as draw  # noqa: PLC0415

        draw(picture(report), options["html"], options["png"])
    colours = in_colours(options["color"], to_file=options["output_file"] is not None)
    linted = Linted(
        reports_of(
            target.rpartition(":")[0], list(report.diagnoses), time.time() + 1, in_order=True
        ),
        catalogue,
        colours=colours,
        summary=not options["quiet"],
        alone=options["output_file"] is not None,
        steps=1,
    )
    lines = list(render(options["output_format"], linted))
    if options["output_format"] == DEFAULT and not options["quiet"]:
        from trainlint.output.probe_text import lines as shown  # noqa: PLC0415

        lines = [*shown(report, colours=colours), "", *lines]
    elif options["output_format"] == "json":
        document = json.loads("\n".join(lines))
        document["probe"] = report.to_dict()
        lines = [json.dumps(document, indent=2)]
    write(lines, options["output_file"])
    return int(bool(report.diagnoses) and not options["exit_zero"])


def picture(report: ProbeReport) -> Picture:
    """Return the signal, also as theory predicts it, and the gradient by depth, as powers of ten."""
    from trainlint.output.pictures import Curve, Picture  # noqa: PLC0415
    from trainlint.output.probe_text import decades  # noqa: PLC0415

    curves = []
    kinds = (
        ("forward", lambda one: one.running),
        ("gradient", lambda one: one.backward_running),
        ("theory", predicted_running),
    )
    for name, which in kinds:
        points = [
            (float(at), value, one.layer.name or "the model")
            for at, one in enumerate(report.weighted, start=1)
            if (value := decades(which(one))) is not None and math.isfinite(value)
        ]
        if points:
            x, y, texts = zip(*points, strict=True)
            curves.append(Curve(name, x, y, texts, is_expected=which is predicted_running))
    title = f"{report.name}: signal and gradient by depth"
    names = [one.layer.name or "the model" for one in report.weighted]
    return Picture(title, "layer with weights", "log10 of the ratio", curves, ticks=names)


def predicted_running(one: LayerReport) -> float | None:
    """Return how large the signal behind a layer is by theory, given how large it is measured before it."""
    if one.running is None or one.predicted is None or not one.forward:
        return None
    return one.running / one.forward * one.predicted
