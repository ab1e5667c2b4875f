"""`trainlint replay`: judge a recorded training again, with other rules or thresholds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from trainlint.cli.output import COLOUR_CHOICES, keep, warn
from trainlint.cli.settings import hierarchy, selection_options
from trainlint.cli.showing import output_options
from trainlint.cli.told import Told
from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection
from trainlint.core.site import site_url
from trainlint.output.formats import DEFAULT, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainlint.core.config import Settings
    from trainlint.core.diagnosis import Diagnosis
    from trainlint.core.rule import Rule
    from trainlint.runtime.recordings.recording import Recording, Session


@click.command("replay", short_help="Judge a recorded training again.")
@click.argument("file", metavar="FILE")
@selection_options
@output_options(f"{DEFAULT} is the default.")
@click.option("--statistics", is_flag=True, help="Show only how often each rule speaks.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where there are diagnoses.")
@click.option("-q", "--quiet", is_flag=True, help="Show diagnoses only.")
@click.option("--color", type=click.Choice(COLOUR_CHOICES), default="auto", help="As for check.")
def command(file: str, **options: Any) -> int:
    """Show the diagnoses of a recording: FILE was written by `trainlint.watch`.

    The rules and thresholds are those of the configuration of the folder that you are in, what the
    training told `watch`, and the options here, in this order; with --isolated only the options.

    Exits with 0 where all is well, 1 where there are diagnoses, 2 where the file cannot be read.
    """
    from trainlint.runtime.recordings.recording import Recording  # noqa: PLC0415 - sqlite takes 10 ms

    refuse(options["output_format"], statistics=options["statistics"], unresolved=False)
    site_url()
    catalogue = load_catalogue()
    keep(options["output_file"], [file])
    said: list[Diagnosis] = []
    steps = 0
    with Recording(file) as recording:
        for session in recording.sessions:
            told = [] if options["isolated"] else [_told(session)]
            settings = hierarchy(catalogue, options, told).settings_of(os.curdir)
            judged, number = _judged(recording, session, settings)
            said += judged
            steps += number
        if recording.is_thinned and not options["quiet"]:
            warn(
                f"note: {file} was full and some of its steps were given up, so diagnoses may be missing"
            )
        ended = max((one.ended for one in recording.sessions), default=0.0)
    Told(file, said, steps, ended).write(
        catalogue,
        options["output_format"],
        options["output_file"],
        colours=options["color"],
        summary=not options["quiet"],
        statistics=options["statistics"],
    )
    return int(bool(said) and not options["exit_zero"])


def _told(session: Session) -> Config:
    """Return what the training told `watch`, as a configuration."""
    origin = "the recording"
    told = session.settings
    selection = Selection(
        origin,
        None if told.get("select") is None else _names(told["select"]),
        _names(told.get("ignore") or ()),
        _names(told.get("extend_select") or ()),
    )
    return Config(origin=origin, selection=selection, thresholds=told.get("thresholds") or {})


def _names(selectors: str | Sequence[str]) -> tuple[str, ...]:
    """Return selectors as they are listed; a single text is one."""
    return (selectors,) if isinstance(selectors, str) else tuple(selectors)


def _judged(
    recording: Recording, session: Session, settings: Settings
) -> tuple[list[Diagnosis], int]:
    """Show the steps of a session to the rules, and return what they say and how many steps there are."""
    from trainlint.runtime.judge import Judge  # noqa: PLC0415

    def failed(rule: Rule, error: Exception) -> None:
        said = " ".join(str(error).split())
        warn(
            f"warning: {rule.name} is left out: its detector failed ({type(error).__name__}: {said})"
        )

    judge = Judge(settings, failed)
    number = 0
    for step in recording.steps(session.number):
        judge.observe(step)
        number += 1
    return judge.diagnoses, number
