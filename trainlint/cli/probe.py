"""`trainlint probe`: what a model does to the signal and the gradient before its first step."""

from __future__ import annotations

import inspect
import json
import math
import os
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.output import COLOUR_CHOICES, in_colours, write
from trainlint.cli.replay import reports_of
from trainlint.cli.settings import hierarchy, selection_options
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError, nearest
from trainlint.core.site import site_url
from trainlint.output.formats import DEFAULT, FORMATS, Linted, refuse, render

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from trainlint.core.config import Settings
    from trainlint.output.pictures import Picture
    from trainlint.runtime.probed import ProbeReport


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
    help="Measure the right initialisation on a copy, too; usual where it may mend a diagnosis.",
)
@click.option("--html", metavar="PATH", help="Write the picture there (needs plotly).")
@click.option("--png", metavar="PATH", help="Write the picture there (needs matplotlib).")
@click.option(
    "--output-format",
    type=click.Choice(list(FORMATS)),
    default=DEFAULT,
    envvar="TRAINLINT_OUTPUT_FORMAT",
    show_envvar=True,
    help=f"How to show diagnoses; {DEFAULT}, the default, shows the layers and the picture, too.",
)
@click.option(
    "-o",
    "--output-file",
    metavar="PATH",
    envvar="TRAINLINT_OUTPUT_FILE",
    show_envvar=True,
    help="Write there instead of on the screen.",
)
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
    report = _probed(target, options, settings)
    _pictures(report, options)
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


def _probed(target: str, options: dict[str, Any], settings: Settings) -> ProbeReport:
    """Make the model and its batch, and measure."""
    import torch  # noqa: PLC0415 - it takes a second

    from trainlint.runtime.loading import (  # noqa: PLC0415
        arguments,
        blaming,
        load,
        moved,
        random_inputs,
    )
    from trainlint.runtime.probe import probed  # noqa: PLC0415
    from trainlint.runtime.restoring import chance_restored  # noqa: PLC0415

    dtype = getattr(torch, options["dtype"], None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        known = ("float32", "float64", "float16", "bfloat16")
        msg = f"--dtype: no such type is known: `{options['dtype']}`{nearest(options['dtype'], known)}"
        raise UserError(msg)
    with blaming("--device"):
        device = torch.device(options["device"])
        torch.empty(0, device=device)
    given = load(target)
    make = _factory(given, target, arguments(options["args"]), device, dtype)
    loss: Any = options["loss"]
    if loss is not None and ":" in loss:
        loss = load(loss, "--loss")
        if inspect.isclass(loss):
            loss = loss()
    with chance_restored():
        torch.manual_seed(0)
        if options["batch"]:
            function = load(options["batch"], "--batch")
            with blaming("the batch", function):
                batch = moved(function() if callable(function) else function, device, dtype)
        else:
            batch = random_inputs(options["inputs"], dtype, device)
    first = _tuple(batch, has_target=bool(options["batch"]) or loss is None)
    with blaming("probing the model", given):
        return probed(
            make,
            first,
            loss,
            settings,
            origin=_origin(given, target),
            seeds=options["seeds"],
            remedy=options["remedy"],
        )


def _tuple(batch: Any, *, has_target: bool) -> Any:
    """Return random inputs with a place for the target, which the loss then draws."""
    if has_target or isinstance(batch, dict):
        return batch
    return (*batch, None) if isinstance(batch, tuple) else (batch, None)


def _factory(
    given: Any, target: str, args: dict[str, Any], device: torch.device, dtype: torch.dtype
) -> Callable[[], Any]:
    """Return a function that makes the model on a device and in a type."""
    from torch import nn  # noqa: PLC0415

    from trainlint.runtime.loading import blaming  # noqa: PLC0415

    if not callable(given):
        msg = f"{target} is a {type(given).__name__}, neither a model nor a function that makes one"
        raise UserError(msg)
    if isinstance(given, nn.Module) and args:
        msg = f"--arg: {target} is a model already, nothing makes it"
        raise UserError(msg)

    def make() -> Any:
        if isinstance(given, nn.Module):
            return given.to(device, dtype)
        with blaming("making the model", given):
            model = given(**args)
            return model.to(device, dtype) if isinstance(model, nn.Module) else model

    return make


def _origin(given: Any, target: str) -> Any:
    """Return the line where the factory is defined."""
    from trainlint.runtime.feeding import place_of  # noqa: PLC0415
    from trainlint.runtime.signals import Origin  # noqa: PLC0415

    path, _, line = place_of(given).removesuffix(": ").rpartition(":")
    return Origin(path, int(line)) if path else Origin(target.rpartition(":")[0], 1)


def _pictures(report: ProbeReport, options: dict[str, Any]) -> None:
    """Write the picture where it is wanted."""
    if not (options["html"] or options["png"]):
        return
    from trainlint.output.pictures import write_html, write_png  # noqa: PLC0415

    if options["html"]:
        write_html(picture(report), options["html"])
    if options["png"]:
        write_png(picture(report), options["png"])


def picture(report: ProbeReport) -> Picture:
    """Return the signal and the gradient by depth, as powers of ten."""
    from trainlint.output.pictures import Curve, Picture  # noqa: PLC0415
    from trainlint.output.probe_text import decades  # noqa: PLC0415

    curves = []
    for name, which in (("forward", "running"), ("gradient", "backward_running")):
        points = [
            (float(at), value, one.layer.name)
            for at, one in enumerate(report.weighted, start=1)
            if (value := decades(getattr(one, which))) is not None and math.isfinite(value)
        ]
        x, y, texts = zip(*points, strict=True) if points else ((), (), ())
        curves.append(Curve(name, x, y, texts))
    title = f"{report.name}: signal and gradient by depth"
    return Picture(title, "layer with weights", "log10 of the ratio", curves)
