"""`trainlint run`: run a training script unchanged, and watch it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import Any

import click

from trainlint.cli.output import keep
from trainlint.cli.settings import hierarchy, said_of_rules, selection_options
from trainlint.cli.told import Told
from trainlint.core.catalogue import load_catalogue
from trainlint.core.errors import UserError
from trainlint.output.formats import DEFAULT, FORMATS


class _Program(click.Command):
    """A command whose last option is `-m NAME`, as it is python's: what follows is the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """End the options of trainlint behind the name of a module."""
        options = [one for one in self.params if isinstance(one, click.Option) and not one.is_flag]
        with_value = {name for one in options for name in one.opts}
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            name, equals, _ = args[at].partition("=")
            at += 2 if name in with_value and not equals else 1
            if name == "--module" or (name.startswith("-m") and not name.startswith("--")):
                args = [*args[:at], "--", *args[at:]]
                break
        return super().parse_args(ctx, args)


@click.command(
    "run",
    cls=_Program,
    short_help="Run a training script unchanged, and watch it.",
    context_settings={"allow_interspersed_args": False},
)
@click.option("-m", "--module", metavar="NAME", help="Run a module, as `python -m` does.")
@click.option("--lint", is_flag=True, help="Lint the script or module first.")
@click.option(
    "--halt-on",
    multiple=True,
    metavar="SEVERITY|RULE",
    help="End the training at such a diagnosis, with exit code 1.",
)
@click.option(
    "--max-steps",
    type=click.IntRange(1),
    metavar="N",
    help="End the training after so many optimizer steps, with exit code 0.",
)
@click.option(
    "--budget",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.01,
    metavar="SHARE",
    help="The share of the time that watching may use; 0.01 is the default.",
)
@click.option(
    "--every", type=click.IntRange(1), metavar="N", help="Measure every so manieth step instead."
)
@click.option("--recording", metavar="PATH", help="Where the run is kept.")
@click.option("--no-recording", is_flag=True, help="Keep nothing.")
@click.option(
    "--tensorboard",
    metavar="FOLDER",
    help="Write signals and diagnoses there for TensorBoard, too.",
)
@click.option(
    "--output-format",
    type=click.Choice(list(FORMATS)),
    help="Show the diagnoses at the end in this format, too, such as github, sarif or junit.",
)
@click.option(
    "-o", "--output-file", metavar="PATH", help="Write them there instead of on the screen."
)
@click.option("-q", "--quiet", is_flag=True, help="Print neither diagnoses nor a summary.")
@selection_options
@click.argument("script", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [ARGUMENT]...")
def command(  # noqa: PLR0913 - one for each option
    script: tuple[str, ...],
    module: str | None,
    halt_on: tuple[str, ...],
    max_steps: int | None,
    budget: float,
    every: int | None,
    recording: str | None,
    *,
    output_format: str | None,
    output_file: str | None,
    tensorboard: str | None,
    lint: bool,
    no_recording: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run SCRIPT with its arguments as `python` would, and watch the training in it.

    The script is not changed and need not know: every optimizer is watched from its first step on,
    with the models whose parameters it holds. Options of trainlint stand in front of the script. The exit
    status is the script's own.
    """
    if module is None and not script:
        msg = "name a script, or a module with -m"
        raise UserError(msg)
    if recording is not None and no_recording:
        msg = "--recording and --no-recording exclude each other"
        raise UserError(msg)
    from trainlint.runtime.program import (  # noqa: PLC0415
        file_of_module,
        is_first_rank,
        run_module,
        run_script,
    )
    from trainlint.runtime.running import Watching  # noqa: PLC0415

    catalogue = load_catalogue()
    settings = hierarchy(catalogue, options).settings_of(os.curdir)
    linted = script[0] if module is None else file_of_module(module)
    if lint and linted is not None:
        _lint(linted)
    watching = Watching(
        settings,
        told=said_of_rules(options),
        budget=budget,
        every=every,
        recording=False if no_recording else recording,
        halt_on=halt_on,
        max_steps=max_steps,
        live=False if quiet else None,
        tensorboard=tensorboard and os.path.abspath(tensorboard),
    )
    watching.check()
    keep(output_file, script[:1] if module is None else [])
    here, process = os.getcwd(), os.getpid()
    watching.begin()
    status = None
    try:
        status = run_script(script[0], script[1:]) if module is None else run_module(module, script)
    finally:
        watching.end(status)
        # Not by a process that the program has forked off, nor by another rank than the one that judges.
        speaks = os.getpid() == process and is_first_rank()
        if speaks and (output_format is not None or output_file is not None):
            monitor = watching.monitor
            # The program may have gone elsewhere, as Hydra's do, and paths are told from here.
            said = [
                replace(one, path=one.path and os.path.abspath(one.path))
                for one in (() if monitor is None else monitor.diagnoses)
            ]
            os.chdir(here)
            steps = 0 if monitor is None else monitor.step
            told = Told(module or script[0], said, steps, time.time())
            told.write(catalogue, output_format or DEFAULT, output_file, summary=not quiet)
    halting = None if watching.monitor is None else watching.monitor.halting
    if status == 0 and halt_on and halting is not None and speaks:
        from trainlint.runtime.monitor import TrainingHalted  # noqa: PLC0415 - it is there by now

        # The training was over by then, or the program has caught what halts it.
        sys.stderr.write(f"trainlint ends with 1 because of {TrainingHalted(halting)}\n")
        return 1
    return status


def _lint(path: str) -> None:
    """Lint the script on standard error, as `trainlint check` does."""
    from trainlint.cli.main import run  # noqa: PLC0415 - it imports this command

    out, sys.stdout = sys.stdout, sys.stderr
    try:
        run(["check", path])
    finally:
        sys.stdout = out
